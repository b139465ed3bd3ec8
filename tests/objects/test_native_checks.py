"""What is refused of Deployments, Events, Leases, Pods and Secrets."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.objects.native import causes
from gitops_ocm.objects.ref import Kind

META = {"name": "x", "namespace": "ns"}
DEPLOYMENT, LEASE = Kind("apps", "Deployment"), Kind("coordination.k8s.io", "Lease")
EVENT, NEW_EVENT = Kind("", "Event"), Kind("events.k8s.io", "Event")
POD, SECRET = Kind("", "Pod"), Kind("", "Secret")
WORKLOAD = {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}}}
NEWER = {
    "apiVersion": "events.k8s.io/v1",
    "eventTime": "2020-01-01T00:00:00.000000Z",
    "type": "Normal",
    "action": "Making",
    "reason": "Made",
    "reportingController": "c",
    "reportingInstance": "i",
    "regarding": {"namespace": "ns"},
}


def faults(kind: Kind, obj: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    """The fields at fault."""
    made = {"apiVersion": "v1", "kind": kind.kind, "metadata": META}
    return [cause.field for cause in causes({**made, **obj}, {**made, **old} if old else None, kind)]


@pytest.mark.parametrize(
    ("kind", "obj", "expected"),
    [
        (DEPLOYMENT, {"spec": {**WORKLOAD, "replicas": -1}}, ["spec.replicas"]),
        (
            DEPLOYMENT,
            {"spec": {**WORKLOAD, "strategy": {"rollingUpdate": {"maxSurge": "x", "maxUnavailable": "5%"}}}},
            ["spec.strategy.rollingUpdate.maxSurge"],
        ),
        (DEPLOYMENT, {"spec": WORKLOAD, "status": {"replicas": 1, "readyReplicas": 2}},
         ["status.readyReplicas"]),
        (DEPLOYMENT, {"spec": {**WORKLOAD, "replicas": 0}}, []),
        (LEASE, {"spec": {"leaseDurationSeconds": 0, "leaseTransitions": -1}},
         ["spec.leaseDurationSeconds", "spec.leaseTransitions"]),
        (LEASE, {"spec": {"leaseDurationSeconds": 1}}, []),
        (EVENT, {"involvedObject": {"namespace": "ns"}}, []),
        (EVENT, {"involvedObject": {"namespace": "other"}}, ["involvedObject.namespace"]),
        (EVENT, {"involvedObject": {}}, ["involvedObject.namespace"]),
        (EVENT, {"metadata": {"name": "x", "namespace": "default"}, "involvedObject": {}}, []),
        (NEW_EVENT, NEWER, []),
        (NEW_EVENT, {**NEWER, "type": "Odd", "action": ""}, ["action", "type"]),
        (NEW_EVENT, {**NEWER, "deprecatedCount": 1}, ["count"]),
        (SECRET, {"type": "kubernetes.io/basic-auth"}, ["data[username]", "data[password]"]),
        (SECRET, {"type": "kubernetes.io/basic-auth", "data": {"username": "eA=="}}, []),
        (SECRET, {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "eA=="}},
         ["data[.dockerconfigjson]"]),
    ],
)  # fmt: skip
def test_a_new_object(kind: Kind, obj: dict[str, Any], expected: list[str]) -> None:
    """Exactly the fields at fault are named."""
    assert faults(kind, obj) == expected


@pytest.mark.parametrize(
    ("kind", "old", "new", "expected"),
    [
        (NEW_EVENT, NEWER, {**NEWER, "note": "other"}, ["message"]),
        (NEW_EVENT, NEWER, {**NEWER, "reason": "Other"}, ["reason", "reason"]),
        (NEW_EVENT, NEWER, {**NEWER, "series": {"count": 2}}, []),
        (POD, {"spec": {"containers": [{"name": "c", "image": "i:1"}]}},
         {"spec": {"containers": [{"name": "c", "image": "i:2"}], "activeDeadlineSeconds": 5}}, []),
        (POD, {"spec": {"containers": [{"name": "c"}]}}, {"spec": {"containers": [{"name": "d"}]}}, ["spec"]),
        (POD, {"spec": {"containers": []}}, {"spec": {"containers": [], "nodeName": "n"}}, []),
        (POD, {"spec": {"nodeName": "n"}}, {"spec": {"nodeName": "m"}}, ["spec"]),
        (POD, {"spec": {"nodeName": "n"}}, {"spec": {}}, ["spec"]),
        (POD, {"spec": {}}, {"spec": {"hostname": "h"}}, ["spec"]),
    ],
)  # fmt: skip
def test_a_change(kind: Kind, old: dict[str, Any], new: dict[str, Any], expected: list[str]) -> None:
    """What an object was made to be it stays; the rest may change."""
    assert faults(kind, new, old) == expected
