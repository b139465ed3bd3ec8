"""What is refused of Deployments, Events, Leases, Pods and Secrets."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.objects import intake
from gitops_ocm.objects.native import causes
from gitops_ocm.objects.ref import Kind
from gitops_ocm.objects.rules.table import RULES
from gitops_ocm.runtime.catalog import load_catalog

CATALOG = load_catalog()
META = {"name": "x", "namespace": "ns"}
DEPLOYMENT, LEASE = Kind("apps", "Deployment"), Kind("coordination.k8s.io", "Lease")
EVENT, NEW_EVENT = Kind("", "Event"), Kind("events.k8s.io", "Event")
POD, SECRET = Kind("", "Pod"), Kind("", "Secret")
WORKLOAD = {
    "selector": {"matchLabels": {"a": "b"}},
    "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
}
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
    """The fields at fault, once the server has filled in what it does."""
    served = CATALOG.served(f"{kind.group}/v1" if kind.group else "v1", kind.kind)
    assert served is not None

    def filled(given: dict[str, Any]) -> dict[str, Any]:
        made = {"apiVersion": served.resource.api_version, "kind": kind.kind, "metadata": META}
        return intake.prepared(intake.decoded({**made, **given}, served, "Ignore")[0], served)

    new, before = filled(obj), filled(old) if old else None
    whole = RULES.get(kind)
    return [cause.field for cause in (whole(new, before) if whole else causes(new, before, kind))]


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


def pod(name: str = "c", image: str = "i:1", **spec: Any) -> dict[str, Any]:
    """A pod of one container."""
    return {"spec": {"containers": [{"name": name, "image": image}], **spec}}


@pytest.mark.parametrize(
    ("kind", "old", "new", "expected"),
    [
        (NEW_EVENT, NEWER, {**NEWER, "note": "other"}, ["message"]),
        (NEW_EVENT, NEWER, {**NEWER, "reason": "Other"}, ["reason", "reason"]),
        (NEW_EVENT, NEWER, {**NEWER, "series": {"count": 2}}, []),
        (POD, pod(), pod(image="i:2", activeDeadlineSeconds=5), []),
        (POD, pod(), pod(name="d"), ["spec"]),
        (POD, pod(), pod(nodeName="n"), []),
        (POD, pod(nodeName="n"), pod(nodeName="m"), ["spec"]),
        (POD, pod(nodeName="n"), pod(), ["spec"]),
        (POD, pod(), pod(hostname="h"), ["spec"]),
    ],
)  # fmt: skip
def test_a_change(kind: Kind, old: dict[str, Any], new: dict[str, Any], expected: list[str]) -> None:
    """What an object was made to be it stays; the rest may change."""
    assert faults(kind, new, old) == expected
