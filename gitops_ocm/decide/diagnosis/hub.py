"""What is wrong with the hub itself: definitions, its operator, its pods, its controllers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from gitops_ocm.api.operator import HUB_NAMESPACE, OPERATOR_NAMESPACE, VALID_FEATURE_GATES
from gitops_ocm.api.scalars import format_time
from gitops_ocm.decide.controllers import LOCKS
from gitops_ocm.decide.diagnosis import pods
from gitops_ocm.decide.diagnosis.evidence import Evidence, Hub, Objects
from gitops_ocm.decide.diagnosis.finding import Fact, Finding, condition_fact, cut, named
from gitops_ocm.decide.diagnosis.standing import changed_at, since
from gitops_ocm.decide.diagnosis.syncs import HUB_SYNC
from gitops_ocm.decide.kinds import CLUSTER_ADDON, LEASE, MANAGEMENT_ADDON, PLACEMENT, REPLICA_SET
from gitops_ocm.decide.writes import conditions_of, is_deleting, name_of, status_of, time_at
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Kind, Object, Ref

CLUSTER_MANAGER = Kind("operator.open-cluster-management.io", "ClusterManager")
CRD = Kind("apiextensions.k8s.io", "CustomResourceDefinition")
HUB_DEFINITIONS: Mapping[str, tuple[str, ...]] = {
    "managedclusters.cluster.open-cluster-management.io": ("v1",),
    "managedclustersets.cluster.open-cluster-management.io": ("v1beta2",),
    "managedclustersetbindings.cluster.open-cluster-management.io": ("v1beta2",),
    "placements.cluster.open-cluster-management.io": ("v1beta1",),
    "placementdecisions.cluster.open-cluster-management.io": ("v1beta1",),
    "manifestworks.work.open-cluster-management.io": ("v1",),
    "managedclusteraddons.addon.open-cluster-management.io": ("v1alpha1", "v1beta1"),
    "clustermanagementaddons.addon.open-cluster-management.io": ("v1alpha1", "v1beta1"),
}
"""What a hub serves, each at one of these versions."""
_USED_BY: Mapping[str, tuple[Kind, ...]] = {
    "placement": (PLACEMENT,),
    "work": (REPLICA_SET,),
    "addon": (CLUSTER_ADDON, MANAGEMENT_ADDON),
    "sync": (HUB_SYNC,),
}
"""What a group of controllers works on; without any such object nobody misses it."""
_SYMPTOMS: Mapping[str, tuple[str, ...]] = {
    "registration": ("acceptance-not-handled", "lease-not-judged", "set-not-judged"),
    "placement": ("placement-not-decided",),
    "sync": ("sync-not-handled",),
}
_DOES: Mapping[str, tuple[str, ...]] = {
    "registration": (
        "acceptance-not-handled",
        "bootstrap-refused",
        "csr-pending",
        "deletion-stuck",
        "hub-rights-missing",
        "lease-not-judged",
        "namespace-missing",
        "rights-missing",
        "set-not-judged",
        "set-unknown",
    ),
    "placement": ("placement-not-decided",),
    "work": ("work-set-not-handled",),
    "addon": ("addon-not-handled", "deletion-stuck"),
    "sync": ("sync-not-handled",),
}
"""What is not done where nobody leads a group of controllers."""
_LATE = timedelta(seconds=5)


def findings(evidence: Evidence) -> Iterator[Finding]:
    """What concerns every cluster."""
    hub = evidence.hub
    if hub is None:
        return
    yield from definitions(hub.objects, HUB_DEFINITIONS, "gitops-ocm init")
    managers = hub.objects.list(CLUSTER_MANAGER)
    for manager in managers:
        if not is_deleting(manager):
            yield from _manager(manager, evidence)
    namespaces = [HUB_NAMESPACE, OPERATOR_NAMESPACE, *map(name_of, managers)]
    yield from pods.findings("hub-pods", hub.objects, namespaces, evidence)
    for group in LOCKS:
        lease = _lock(hub, group)
        if lease is not None and _missed(hub, group):
            yield from _leader(group, lease, evidence)


def definitions(
    objects: Objects,
    wanted: Mapping[str, tuple[str, ...]],
    mend: str,
    *,
    missing: str = "crd-missing",
    other: str = "crd-version",
    cluster: str = "",
) -> Iterator[Finding]:
    """Definitions that are `missing` or not in force, or serve only `other` versions than are needed."""
    if not objects.seen(CRD):
        return
    for name, versions in wanted.items():
        found = objects.get(Ref(*CRD, "", name))
        subject = f"CustomResourceDefinition {name}"
        if found is None:
            facts = (Fact(subject, "", "not found"),)
            yield Finding(missing, subject, f"{subject} is not there.", facts, mend, cluster)
            continue
        served = [v["name"] for v in (found.get("spec") or {}).get("versions") or () if v.get("served")]
        established = conditions.find(conditions_of(found), "Established")
        if not set(versions) & set(served):
            fact = Fact(subject, "spec.versions[served]", ", ".join(served) or "none")
            sentence = f"{subject} does not serve {' or '.join(versions)}."
            yield Finding(other, subject, sentence, (fact,), mend, cluster)
        elif established is not None and established.get("status") == "False":
            why = cut(str(established.get("message") or ""))
            fact = condition_fact(found, established)
            yield Finding(missing, subject, f"{subject} is not in force: {why}", (fact,), mend, cluster)


def _manager(manager: Object, evidence: Evidence) -> Iterator[Finding]:
    name, observed = named(manager), status_of(manager).get("observedGeneration")
    mend = f"kubectl get clustermanager {name_of(manager)} -o yaml"
    behind = observed != manager["metadata"].get("generation")
    if behind and not (evidence.hub and evidence.hub.embedded) and evidence.settled(changed_at(manager)):
        facts = (
            Fact(name, "metadata.generation", str(manager["metadata"].get("generation", ""))),
            Fact(name, "status.observedGeneration", str(observed or "absent")),
        )
        logs = f"kubectl -n {OPERATOR_NAMESPACE} logs deployment/cluster-manager"
        sentence = f"The operator has not acted on {name} as it is now."
        yield Finding("operator-not-handled", name, sentence, facts, logs)
    yield from gates_known(manager, mend)
    for wrong, type_ in (
        ("False", "Applied"),
        ("True", "HubRegistrationDegraded"),
        ("True", "HubPlacementDegraded"),
    ):
        told = conditions.find(conditions_of(manager), type_)
        if told is not None and told.get("status") == wrong and evidence.settled(since(told)):
            sentence = (
                f"The hub is not wholly installed: {cut(str(told.get('message') or told.get('reason')))}"
            )
            yield Finding("operator-failed", name, sentence, (condition_fact(manager, told),), mend)


def gates_known(obj: Object, mend: str, cluster: str = "") -> Iterator[Finding]:
    """Feature gates in the spec of an operator's object that nobody knows."""
    told = conditions.find(conditions_of(obj), VALID_FEATURE_GATES)
    if told is not None and told.get("status") == "False":
        sentence = (
            f"{named(obj)} names feature gates that do not exist: {cut(str(told.get('message') or ''))}"
        )
        yield Finding(
            "feature-gates-invalid", named(obj), sentence, (condition_fact(obj, told),), mend, cluster
        )


def _lock(hub: Hub, group: str) -> Object | None:
    """The lease of a group's leader, the newest where there are several."""
    places = [HUB_NAMESPACE, *map(name_of, hub.objects.list(CLUSTER_MANAGER))]
    found = [hub.objects.get(Ref(*LEASE, place, LOCKS[group])) for place in places]
    leases = [lease for lease in found if lease is not None]
    return max(leases, key=lambda lease: str((lease.get("spec") or {}).get("renewTime") or ""), default=None)


def _missed(hub: Hub, group: str) -> bool:
    kinds = _USED_BY.get(group)
    return kinds is None or any(hub.objects.list(kind) for kind in kinds)


def _leader(group: str, lease: Object, evidence: Evidence) -> Iterator[Finding]:
    spec = lease.get("spec") or {}
    renewed, holder = time_at(spec.get("renewTime")), str(spec.get("holderIdentity") or "")
    patience = timedelta(seconds=int(spec.get("leaseDurationSeconds") or 0)) + _LATE
    if renewed is None or evidence.now <= renewed + patience:
        return
    when = format_time(renewed)
    facts = (
        Fact(named(lease), "spec.holderIdentity", holder or "nobody"),
        Fact(named(lease), "spec.renewTime", when, when),
    )
    sentence = (
        f"The hub's {group} controllers do not work: nobody has renewed their leader's lease since {when}."
    )
    yield Finding("controllers-stopped", named(lease), sentence, facts, _start(group), only=_DOES[group])


def _start(group: str) -> str:
    return "gitops-ocm sync" if group == "sync" else f"gitops-ocm hub run --controllers {group}"


def absent_controllers(evidence: Evidence, found: Sequence[Finding]) -> Iterator[Finding]:
    """Nothing was done, and no leader's lease is there: nobody is there to do it."""
    hub = evidence.hub
    if hub is None or not hub.objects.seen(LEASE):
        return
    for group, symptoms in _SYMPTOMS.items():
        missed = [f for f in found if f.cause in symptoms]
        if missed and _lock(hub, group) is None:
            name = f"Lease {HUB_NAMESPACE}/{LOCKS[group]}"
            facts = (Fact(name, "", "not found"), *missed[0].facts)
            sentence = f"The hub's {group} controllers do not work: nobody leads, and nothing is done."
            yield Finding("controllers-stopped", name, sentence, facts, _start(group), only=_DOES[group])
