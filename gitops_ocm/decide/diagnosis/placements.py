"""Why a placement selects nothing: its sets, their bindings, and what each filter left out.

The scheduler itself is asked, on what was seen; a second opinion would drift from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_ocm.api.cluster import BOUND, CLUSTER_SET_LABEL, TAINT_UNAVAILABLE, TAINT_UNREACHABLE
from gitops_ocm.api.placement import MISCONFIGURED, SATISFIED, SCHEDULING_DISABLED_ANNOTATION
from gitops_ocm.decide.diagnosis.evidence import Evidence, Hub, Objects
from gitops_ocm.decide.diagnosis.finding import Fact, Finding, condition_fact, cut, named
from gitops_ocm.decide.diagnosis.standing import changed_at
from gitops_ocm.decide.kinds import CLUSTER_SET, CLUSTER_SET_BINDING, MANAGED_CLUSTER, PLACEMENT
from gitops_ocm.decide.placement.decisions import survey
from gitops_ocm.decide.placement.explanation import left_out
from gitops_ocm.decide.placement.filters import PREDICATE
from gitops_ocm.decide.placement.schedule import schedule
from gitops_ocm.decide.writes import (
    annotations_of,
    conditions_of,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
)
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref

LOST = frozenset({TAINT_UNREACHABLE, TAINT_UNAVAILABLE})
"""Taints of clusters that are not there."""


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Cluster sets that are missing or not bound, and placements without clusters."""
    hub = evidence.hub
    if hub is None:
        return
    yield from _sets(hub.objects, evidence)
    if evidence.clusters:
        return
    for binding in hub.objects.list(CLUSTER_SET_BINDING):
        yield from _binding(binding, hub.objects, evidence)
    for placement in hub.objects.list(PLACEMENT):
        if not is_deleting(placement) and SCHEDULING_DISABLED_ANNOTATION not in annotations_of(placement):
            yield from _placement(placement, hub, evidence)


def _sets(objects: Objects, evidence: Evidence) -> Iterator[Finding]:
    """Clusters whose label names a set that does not exist."""
    if not objects.seen(CLUSTER_SET):
        return
    for cluster in objects.list(MANAGED_CLUSTER):
        name, wanted = name_of(cluster), labels_of(cluster).get(CLUSTER_SET_LABEL, "")
        there = objects.get(Ref(*CLUSTER_SET, "", wanted)) is not None
        if wanted and not there and evidence.concerns(name) and evidence.settled(changed_at(cluster)):
            facts = (
                Fact(named(cluster), f"metadata.labels[{CLUSTER_SET_LABEL}]", wanted),
                Fact(f"ManagedClusterSet {wanted}", "", "not found"),
            )
            sentence = f"The cluster {name} is in the cluster set {wanted}, which does not exist."
            yield Finding(
                "set-unknown", named(cluster), sentence, facts, f"gitops-ocm create clusterset {wanted}", name
            )


def _binding(binding: Object, objects: Objects, evidence: Evidence) -> Iterator[Finding]:
    told = conditions.find(conditions_of(binding), BOUND)
    wanted = str((binding.get("spec") or {}).get("clusterSet") or name_of(binding))
    if told is not None and told.get("status") == "False":
        sentence = f"{named(binding)} binds the cluster set {wanted}, which does not exist."
        mend = f"gitops-ocm create clusterset {wanted}"
        yield Finding("set-not-bound", named(binding), sentence, (condition_fact(binding, told),), mend)
    elif told is None and evidence.settled(changed_at(binding)):
        sentence = f"No controller has looked at {named(binding)}."
        facts = (Fact(named(binding), f"status.conditions[{BOUND}]", "absent"),)
        yield Finding("set-not-judged", named(binding), sentence, facts, "gitops-ocm get hub-info")


def _placement(placement: Object, hub: Hub, evidence: Evidence) -> Iterator[Finding]:
    name = named(placement)
    told = conditions.find(conditions_of(placement), SATISFIED)
    wrong = conditions.find(conditions_of(placement), MISCONFIGURED)
    mend = f"kubectl -n {namespace_of(placement)} get placement {name_of(placement)} -o yaml"
    if wrong is not None and wrong.get("status") == "True":
        sentence = f"{name} is misconfigured: {cut(str(wrong.get('message') or ''))}"
        yield Finding("placement-misconfigured", name, sentence, (condition_fact(placement, wrong),), mend)
    elif told is None:
        if evidence.settled(changed_at(placement)):
            sentence = f"No controller has decided {name}."
            facts = (Fact(name, f"status.conditions[{SATISFIED}]", "absent"),)
            yield Finding("placement-not-decided", name, sentence, facts, "gitops-ocm get hub-info")
    elif told.get("status") == "False" and hub.objects.list(MANAGED_CLUSTER):
        yield from _lacking(placement, told, hub, evidence, mend)


def _lacking(
    placement: Object, told: Mapping[str, Any], hub: Hub, evidence: Evidence, mend: str
) -> Iterator[Finding]:
    """The reason in the condition, and what the scheduler says of each cluster today."""
    name, namespace, reason = named(placement), namespace_of(placement), str(told.get("reason") or "")
    spec, facts = placement.get("spec") or {}, [condition_fact(placement, told)]
    wanted = spec.get("clusterSets") or ["default"]
    match reason:
        case "NoManagedClusterSetBindings":
            why, cause = f"no cluster set is bound to the namespace {namespace}", "set-not-bound"
            mend = f"gitops-ocm clusterset bind default --namespace {namespace}"
        case "NoIntersection":
            why, cause = f"none of its cluster sets is bound to the namespace {namespace}", "set-not-bound"
            facts.append(Fact(name, "spec.clusterSets", ", ".join(wanted)))
            mend = f"gitops-ocm clusterset bind {wanted[0]} --namespace {namespace}"
        case "AllManagedClusterSetsEmpty":
            why, cause = "its cluster sets are empty", "placement-empty"
            somebody = name_of(hub.objects.list(MANAGED_CLUSTER)[0])
            mend = f"gitops-ocm clusterset set {wanted[0]} --clusters {somebody}"
        case _:
            yield from _left_out(placement, facts[0], hub, evidence, mend)
            return
    yield Finding(cause, name, f"{name} selects no cluster: {why}.", (*facts,), mend)


def _left_out(placement: Object, told: Fact, hub: Hub, evidence: Evidence, mend: str) -> Iterator[Finding]:
    """What each filter left out. That nothing meets the predicates may be what they are for."""
    name, spec = named(placement), placement.get("spec") or {}
    candidates, around = survey(hub.objects, placement, evidence.now)
    choice = schedule(placement, candidates, around)
    dropped = left_out(choice)
    tally = Counter(dropped.values()).most_common(5)
    why = cut("; ".join(f"{count} × {words}" for words, count in tally) or told.value)
    facts = [Fact(f"ManagedCluster {c}", "left out", w) for c, w in sorted(dropped.items())[:5]]
    # Where it was changed since it was decided, nobody meets what cannot be understood.
    fleet, meeting = candidates.fleet, dict(choice.passed).get(PREDICATE, 0)
    meet = [c for name in fleet.names(meeting) if (c := fleet.get(name)) is not None]
    number = spec.get("numberOfClusters")
    unmatched = not meet and number is None
    few = "selects no cluster" if not choice.selected else f"selects fewer than {number} clusters"
    cause = "placement-unmatched" if unmatched else "placement-empty"
    through = () if choice.selected or unmatched else _lost(meet)
    yield Finding(cause, name, f"{name} {few}: {why}.", (told, *facts), mend, through=through)


def _lost(clusters: Sequence[Object]) -> tuple[str, ...]:
    """The clusters that would be chosen if they were not lost, where that goes for all of them."""
    lost = [
        name_of(c)
        for c in clusters
        if LOST & {t.get("key") for t in (c.get("spec") or {}).get("taints") or ()}
    ]
    return tuple(sorted(lost)) if len(lost) == len(clusters) else ()
