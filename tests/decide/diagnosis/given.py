"""Objects of a fleet as they are seen, for judgements about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from gitops_ocm.api.scalars import format_time
from gitops_ocm.decide.agent.bootstrap import HubAddress
from gitops_ocm.decide.agent.certificates import Certificate, for_cluster
from gitops_ocm.decide.diagnosis.diagnose import Diagnosis, diagnose
from gitops_ocm.decide.diagnosis.evidence import (
    Evidence,
    Hub,
    Objects,
    Spoke,
    Way,
)
from gitops_ocm.decide.kinds import (
    MANAGED_CLUSTER,
)
from gitops_ocm.objects.ref import Kind, Object, kind_of

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=3)
CONDITION = {"lastTransitionTime": format_time(LONG_AGO), "reason": "R", "message": "it says why"}
CM = ("operator.open-cluster-management.io/v1", "ClusterManager", "cluster-manager")
PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
KL = ("operator.open-cluster-management.io/v1", "Klusterlet", "klusterlet")


def obj(api_version: str, kind: str, name: str, namespace: str = "", **fields: Any) -> Object:
    """An object that has been there for long."""
    meta: Object = {"name": name, "generation": 2, "creationTimestamp": format_time(LONG_AGO)}
    meta |= {"namespace": namespace} if namespace else {}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {**meta, **fields.pop("metadata", {})},
        **fields,
    }


def with_conditions(what: tuple[str, str, str], generation: int = 2, **states: str) -> Object:
    """An operator's object that says of itself what `states` have."""
    told = [{"type": type_, "status": status, **CONDITION} for type_, status in states.items()]
    return obj(*what, status={"observedGeneration": generation, "conditions": told})


def pod(
    namespace: str, *, reason: str = "", message: str = "", unscheduled: str = "", age: float = 3600
) -> Object:
    """A pod that is not ready."""
    status: Object = {"phase": "Pending", "conditions": [{"type": "Ready", "status": "False"}]}
    if reason:
        status["containerStatuses"] = [{"state": {"waiting": {"reason": reason, "message": message}}}]
    if unscheduled:
        told = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": unscheduled}
        status["conditions"].append(told)
    made = format_time(NOW - timedelta(seconds=age))
    return obj("v1", "Pod", "agent-1", namespace, metadata={"creationTimestamp": made}, status=status)


def objects(*given: Object, seen: Sequence[Kind] = ()) -> Objects:
    """The objects of one API; kinds in `seen` were listed, too."""
    kinds: dict[Kind, list[Object]] = {kind: [] for kind in seen}
    for each in given:
        kinds.setdefault(kind_of(each), []).append(each)
    return Objects(kinds)


def cluster(**states: str) -> Object:
    """An accepted ManagedCluster with these conditions."""
    told = [
        {"type": t, "status": s, **CONDITION}
        for t, s in {"HubAcceptedManagedCluster": "True", **states}.items()
    ]
    return obj(
        "cluster.open-cluster-management.io/v1",
        "ManagedCluster",
        "c1",
        spec={"hubAcceptsClient": True, "leaseDurationSeconds": 60},
        status={"conditions": told},
    )


def lease(renewed: datetime, name: str = "managed-cluster-lease", namespace: str = "c1") -> Object:
    """A lease that was renewed then."""
    return obj("coordination.k8s.io/v1", "Lease", name, namespace, spec={"renewTime": format_time(renewed)})


def hub(*given: Object, seen: Sequence[Kind] = (), **fields: Any) -> Hub:
    """A hub with these objects."""
    return Hub("https://hub", objects(*given, seen=(MANAGED_CLUSTER, *seen)), **fields)


def found(at_hub: Hub | None = None, spoke: Spoke | None = None, *names: str) -> Diagnosis:
    """The diagnosis at `NOW`."""
    return diagnose(Evidence(NOW, at_hub, spoke, names))


def roots(diagnosis: Diagnosis) -> list[str]:
    """The causes of the roots."""
    return [finding.cause for finding in diagnosis.findings]


def good_way(*, begun: timedelta = timedelta(days=-10), ends: timedelta = timedelta(days=355)) -> Way:
    """A hub kubeconfig that opens the hub."""
    held = Certificate(for_cluster("c1", "agent").subject, NOW + begun, NOW + ends)
    address = HubAddress("hub", "https://hub", b"ca")
    return Way("Secret x/hub-kubeconfig-secret", address, held, cluster="c1", agent="agent")
