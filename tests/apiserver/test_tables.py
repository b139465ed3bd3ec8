"""Printer columns: durations, JSONPath, and what kubectl shows of built-in and custom kinds."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.apiserver.handlers_form import columns_of
from gitops_ocm.apiserver.tables import AGE, columns_of_crd, duration, partial_metadata, since, table
from gitops_ocm.apiserver.tables_native import COLUMNS
from gitops_ocm.objects.ref import Kind
from gitops_ocm.runtime.catalog import load_catalog

NOW = datetime(2026, 1, 10, 12, 0, 0, tzinfo=UTC)
BORN = "2026-01-10T11:00:00Z"
M, H, D, Y = 60, 3600, 86400, 365 * 86400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"), (-0.5, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"),
        (599, "9m59s"), (10 * M, "10m"), (179 * M, "179m"), (3 * H, "3h"), (3 * H + 5 * M, "3h5m"),
        (8 * H, "8h"), (47 * H, "47h"), (48 * H, "2d"), (50 * H, "2d2h"), (8 * D, "8d"), (729 * D, "729d"),
        (2 * Y, "2y"), (2 * Y + 3 * D, "2y3d"), (8 * Y, "8y"), (30 * Y + 2, "30y"),
    ],
)  # fmt: skip
def test_a_duration_reads_as_kubectl_has_it(seconds: float, text: str) -> None:
    """Two units while the smaller one says something, one unit after that."""
    assert duration(seconds) == text


@given(st.integers(min_value=0, max_value=400 * Y))
@settings(derandomize=True, deadline=None)
def test_a_duration_is_short_and_never_negative(seconds: int) -> None:
    """Whatever the age, the cell stays narrow."""
    text = duration(seconds)
    assert len(text) <= 8
    assert not text.startswith("-")


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [
        (None, "<unknown>"),
        ("", "<unknown>"),
        ("soon", "<invalid>"),
        (BORN, "60m"),
        ("2026-01-10T12:00:01Z", "0s"),
    ],
)
def test_since_tolerates_what_is_no_time(timestamp: str | None, text: str) -> None:
    """A missing or broken timestamp is shown, not raised."""
    assert since(timestamp, NOW) == text


def _meta(**more: Any) -> dict[str, Any]:
    return {"name": "it", "namespace": "ns", "creationTimestamp": BORN, **more}


CONTAINERS = [{"name": "c", "image": "busybox:1.36"}, {"name": "d", "image": "nginx"}]
TEMPLATE = {"spec": {"containers": CONTAINERS}}

ROWS: list[tuple[str, str, dict[str, Any], list[Any]]] = [
    ("", "ConfigMap", {"data": {"a": "1"}, "binaryData": {"b": ""}}, ["it", 2, "60m"]),
    ("", "Secret", {"type": "Opaque", "data": {"a": "MQ=="}}, ["it", "Opaque", 1, "60m"]),
    ("", "Namespace", {"status": {"phase": "Active"}}, ["it", "Active", "60m"]),
    ("", "ServiceAccount", {}, ["it", "60m"]),
    (
        "apps",
        "Deployment",
        {
            "spec": {"replicas": 3, "selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE},
            "status": {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1},
        },
        ["it", "2/3", 3, 1, "60m", "c,d", "busybox:1.36,nginx", "a=b"],
    ),
    (
        "",
        "Pod",
        {
            "spec": {"containers": CONTAINERS, "nodeName": "n1"},
            "status": {
                "phase": "Running",
                "podIP": "10.0.0.1",
                "containerStatuses": [
                    {
                        "ready": True,
                        "restartCount": 2,
                        "state": {"running": {}},
                        "lastState": {"terminated": {"finishedAt": "2026-01-10T11:59:00Z"}},
                    },
                    {"ready": False, "restartCount": 0, "state": {"waiting": {"reason": "ErrImagePull"}}},
                ],
            },
        },
        ["it", "1/2", "ErrImagePull", "2 (60s ago)", "60m", "10.0.0.1", "n1", "<none>", "<none>"],
    ),
    (
        "",
        "Pod",
        {
            "metadata": _meta(deletionTimestamp=BORN),
            "spec": {"containers": CONTAINERS},
            "status": {"phase": "Running"},
        },
        ["it", "0/2", "Terminating", "0", "60m", "<none>", "<none>", "<none>", "<none>"],
    ),
    (
        "",
        "Pod",
        {
            "spec": {"containers": CONTAINERS, "initContainers": [{"name": "i"}, {"name": "j"}]},
            "status": {
                "phase": "Pending",
                "initContainerStatuses": [
                    {"name": "i", "state": {"terminated": {"exitCode": 0}}},
                    {"name": "j", "state": {"waiting": {"reason": "PodInitializing"}}},
                ],
            },
        },
        ["it", "0/2", "Init:1/2", "0", "60m", "<none>", "<none>", "<none>", "<none>"],
    ),
    (
        "batch",
        "Job",
        {
            "spec": {"completions": 2, "template": TEMPLATE},
            "status": {
                "succeeded": 2,
                "startTime": BORN,
                "completionTime": "2026-01-10T11:01:30Z",
                "conditions": [{"type": "Complete", "status": "True"}],
            },
        },
        ["it", "Complete", "2/2", "90s", "60m", "c,d", "busybox:1.36,nginx", "<none>"],
    ),
    (
        "",
        "Service",
        {
            "spec": {
                "type": "LoadBalancer",
                "clusterIP": "10.0.0.2",
                "ports": [
                    {"port": 80, "nodePort": 30080, "protocol": "TCP"},
                    {"port": 53, "protocol": "UDP"},
                ],
                "selector": {"b": "2", "a": "1"},
            }
        },
        ["it", "LoadBalancer", "10.0.0.2", "<pending>", "80:30080/TCP,53/UDP", "60m", "a=1,b=2"],
    ),
    (
        "rbac.authorization.k8s.io",
        "RoleBinding",
        {
            "roleRef": {"kind": "Role", "name": "r"},
            "subjects": [
                {"kind": "User", "name": "u"},
                {"kind": "ServiceAccount", "name": "s", "namespace": "n"},
            ],
        },
        ["it", "Role/r", "60m", "u", "", "n/s"],
    ),
    ("rbac.authorization.k8s.io", "ClusterRole", {}, ["it", BORN]),
    ("coordination.k8s.io", "Lease", {"spec": {"holderIdentity": "me"}}, ["it", "me", "60m"]),
    (
        "certificates.k8s.io",
        "CertificateSigningRequest",
        {
            "spec": {"signerName": "k/c", "username": "boot", "expirationSeconds": 3600},
            "status": {"conditions": [{"type": "Approved"}], "certificate": "x"},
        },
        ["it", "60m", "k/c", "boot", "60m", "Approved,Issued"],
    ),
    (
        "",
        "Node",
        {
            "metadata": _meta(labels={"node-role.kubernetes.io/worker": ""}),
            "spec": {"unschedulable": True},
            "status": {
                "conditions": [{"type": "Ready", "status": "True"}],
                "nodeInfo": {"kubeletVersion": "v1.35.4"},
                "addresses": [{"type": "InternalIP", "address": "10.1.1.1"}],
            },
        },
        ["it", "Ready,SchedulingDisabled", "worker", "60m", "v1.35.4", "10.1.1.1", "<none>"]
        + ["<unknown>"] * 3,
    ),
    (
        "events.k8s.io",
        "Event",
        {
            "regarding": {"kind": "Pod", "name": "p"},
            "note": " hi ",
            "type": "Normal",
            "reason": "Started",
            "eventTime": BORN,
        },
        ["60m", "Normal", "Started", "pod/p", "", "", "hi", "60m", 1, "it"],
    ),
]


@pytest.mark.parametrize(
    ("group", "kind", "body", "cells"), ROWS, ids=[f"{r[1]}-{i}" for i, r in enumerate(ROWS)]
)
def test_built_in_kinds_show_what_kubectl_shows(
    group: str, kind: str, body: dict[str, Any], cells: list[Any]
) -> None:
    """One row of each common kind, cell by cell."""
    obj = {"metadata": _meta(), **body}
    document = table(COLUMNS[Kind(group, kind)], [obj], NOW, list_meta={})
    assert document["rows"][0]["cells"] == cells


@pytest.mark.parametrize("kind", sorted(COLUMNS), ids=str)
def test_every_built_in_kind_prints_an_empty_object(kind: Kind) -> None:
    """A column never fails on an object that has nothing but a name."""
    document = table(COLUMNS[kind], [{"metadata": {"name": "it"}}], NOW, list_meta={})
    assert len(document["rows"][0]["cells"]) == len(document["columnDefinitions"])


HEADS = json.loads((Path(__file__).parent / "column_heads.json").read_text())
"""Columns as a kube-apiserver 1.35 declares them, for every kind that can be listed."""


@pytest.mark.parametrize(("api_version", "kind", "heads"), HEADS, ids=[f"{h[0]}/{h[1]}" for h in HEADS])
def test_heads_are_the_real_ones(api_version: str, kind: str, heads: list[list[Any]]) -> None:
    """Names, types, formats and priorities of the columns of every built-in kind."""
    served = load_catalog(ocm=False).served(api_version, kind)
    assert served is not None
    assert [[c.name, c.type, c.format, c.priority] for c in columns_of(served)] == heads


CRD_COLUMNS: list[dict[str, Any]] = [
    {"name": "S", "type": "string", "jsonPath": ".spec.s"},
    {"name": "I", "type": "integer", "jsonPath": ".spec.i"},
    {"name": "N", "type": "number", "jsonPath": ".spec.n"},
    {"name": "B", "type": "boolean", "jsonPath": ".spec.b"},
    {"name": "T", "type": "date", "jsonPath": ".spec.t"},
    {"name": "W", "type": "string", "jsonPath": ".spec.w", "priority": 1},
    {"name": "L", "type": "string", "jsonPath": ".spec.l[0].x"},
    {"name": "C", "type": "string", "jsonPath": '.spec.c[?(@.type=="Ready")].status'},
    {"name": "Bad", "type": "string", "jsonPath": ".spec.[["},
]


@pytest.mark.parametrize(
    ("spec", "cells"),
    [
        (
            {
                "s": "x",
                "i": 1,
                "n": 1.5,
                "b": True,
                "t": BORN,
                "w": {"a": [1]},
                "l": [{"x": "y"}],
                "c": [{"type": "Old", "status": "x"}, {"type": "Ready", "status": "True"}],
            },
            ["x", 1, 1.5, True, "60m", '{"a":[1]}', "y", "True", None],
        ),
        ({}, [None] * 9),
        (
            {"s": True, "i": "1", "n": True, "b": "yes", "t": 3, "w": None, "l": [], "c": {}},
            ["true", None, None, None, None, "<nil>", None, None, None],
        ),
    ],
)
def test_custom_columns_are_typed(spec: dict[str, Any], cells: list[Any]) -> None:
    """A cell holds a value of its column's type or nothing."""
    document = table(columns_of_crd(CRD_COLUMNS), [{"metadata": _meta(), "spec": spec}], NOW, list_meta={})
    assert document["rows"][0]["cells"] == ["it", *cells]


def test_a_crd_without_columns_shows_age() -> None:
    """Name and age are what is left."""
    document = table(columns_of_crd([]), [{"metadata": _meta()}], NOW, list_meta={"resourceVersion": "1"})
    assert [c["name"] for c in document["columnDefinitions"]] == ["Name", AGE.name]
    assert document["rows"][0]["cells"] == ["it", "60m"]


@pytest.mark.parametrize(
    ("include", "row_object"), [("None", None), ("Metadata", "PartialObjectMetadata"), ("Object", "X")]
)
def test_rows_carry_what_was_asked(include: str, row_object: str | None) -> None:
    """`includeObject` decides whether a row has the object, its metadata or neither."""
    obj = {"kind": "X", "metadata": _meta()}
    row = table((), [obj], NOW, list_meta={}, include=include)["rows"][0]
    assert (row["object"] or {}).get("kind") == row_object
    assert partial_metadata(obj)["metadata"] == obj["metadata"]


def test_ages_follow_the_clock() -> None:
    """The time is an argument: the same object is older later."""
    later = NOW + timedelta(days=3)
    assert (AGE.cell({"metadata": _meta()}, NOW), AGE.cell({"metadata": _meta()}, later)) == ("60m", "3d1h")
