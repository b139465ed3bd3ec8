"""What is to be deleted and stays: which finalizers hold it, and what they wait for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitops_ocm.api.cluster import DELETING
from gitops_ocm.api.operator import OPERATOR_NAMESPACE
from gitops_ocm.decide.diagnosis.evidence import Evidence, Hub
from gitops_ocm.decide.diagnosis.finding import Fact, Finding, condition_fact, named
from gitops_ocm.decide.diagnosis.hub import CLUSTER_MANAGER
from gitops_ocm.decide.diagnosis.klusterlets import KLUSTERLET
from gitops_ocm.decide.diagnosis.standing import Standing, standing, standings
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANIFEST_WORK
from gitops_ocm.decide.writes import is_deleting, name_of, namespace_of, time_at
from gitops_ocm.objects.ref import Object

PLURALS = {"ManifestWork": "manifestwork", "ManagedClusterAddOn": "managedclusteraddon"}


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Deletions that do not come to an end."""
    hub, spoke = evidence.hub, evidence.spoke
    if spoke is not None:
        for klusterlet in spoke.objects.list(KLUSTERLET):
            yield from _installed(klusterlet, "klusterlet", evidence, spoke.cluster)
    if hub is None:
        return
    for manager in hub.objects.list(CLUSTER_MANAGER):
        yield from _installed(manager, "cluster-manager", evidence)
    leaving = set()
    for each in standings(evidence):
        if each.leaving and each.cluster is not None and _stuck(each.cluster, evidence):
            leaving.add(each.name)
            yield _cluster(each, _left(hub, each.name), evidence)
    for kind in (MANIFEST_WORK, CLUSTER_ADDON):
        for obj in hub.objects.list(kind):
            name = namespace_of(obj)
            if name not in leaving and evidence.concerns(name) and is_deleting(obj) and _stuck(obj, evidence):
                yield _object(obj, standing(hub, name), evidence)


def _installed(obj: Object, operator: str, evidence: Evidence, cluster: str = "") -> Iterator[Finding]:
    """What an operator installed and is to remove."""
    if is_deleting(obj) and _stuck(obj, evidence):
        held = _held(obj)
        sentence = f"The deletion of {named(obj)} waits: its operator has not taken {held.value} away."
        mend = f"kubectl -n {OPERATOR_NAMESPACE} logs deployment/{operator}"
        yield Finding("deletion-stuck", named(obj), sentence, (held,), mend, cluster)


def _stuck(obj: Object, evidence: Evidence) -> bool:
    return evidence.settled(time_at(obj["metadata"].get("deletionTimestamp")))


def _left(hub: Hub, name: str) -> list[Object]:
    """What is in the cluster's namespace still."""
    return [*hub.objects.list(CLUSTER_ADDON, name), *hub.objects.list(MANIFEST_WORK, name)]


def _held(obj: Object) -> Fact:
    finalizers = ", ".join(obj["metadata"].get("finalizers") or ())
    return Fact(
        named(obj), "metadata.finalizers", finalizers, str(obj["metadata"].get("deletionTimestamp") or "")
    )


def _cluster(each: Standing, left: Sequence[Object], evidence: Evidence) -> Finding:
    assert each.cluster is not None
    told = each.condition(DELETING)
    facts = [_held(each.cluster), *([condition_fact(each.cluster, told)] if told else [])]
    facts += [_held(obj) for obj in left[:5]]
    mend = f"kubectl get managedcluster {each.name} -o yaml"
    if left:
        first = left[0]
        what = (
            f"{len(left)} objects in its namespace, {named(first)} first" if len(left) > 1 else named(first)
        )
        why = "their agents do not answer" if each.silent(evidence.now) else "they are not gone"
        sentence = f"The deletion of the cluster {each.name} waits for {what}; {why}."
        mend = release(first) if is_deleting(first) else f"kubectl -n {each.name} delete {_typed(first)}"
    else:
        sentence = (
            f"The deletion of the cluster {each.name} waits for its finalizers, and nothing is left of it."
        )
        mend = "gitops-ocm get hub-info"
    return Finding("deletion-stuck", f"ManagedCluster {each.name}", sentence, (*facts,), mend, each.name)


def _object(obj: Object, each: Standing, evidence: Evidence) -> Finding:
    held = ", ".join(obj["metadata"].get("finalizers") or ())
    if each.cluster is None:
        why = "there is no cluster of that name any more"
    elif each.silent(evidence.now):
        why = "the cluster's agents do not answer"
    else:
        why = f"the finalizers {held} are not taken away"
    sentence = f"The deletion of {named(obj)} waits: {why}."
    return Finding("deletion-stuck", named(obj), sentence, (_held(obj),), release(obj), namespace_of(obj))


def release(obj: Object) -> str:
    """Takes the finalizers away: what they were to clean up stays."""
    patch = '{"metadata":{"finalizers":null}}'
    return f"kubectl -n {namespace_of(obj)} patch {_typed(obj)} --type=merge -p '{patch}'"


def _typed(obj: Object) -> str:
    return f"{PLURALS[obj['kind']]} {name_of(obj)}"
