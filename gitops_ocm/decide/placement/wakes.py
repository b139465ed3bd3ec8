"""What a change on the hub may alter: the placements to be decided again, and no others.

What a placement looks at of a cluster is kept of each (`Interests`, a projection), so that a change of one
label among a thousand placements is a matter of milliseconds. To wake one too many costs a look; to wake one
too few, a wrong decision until the next resync: in doubt, it is woken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.api.placement import PLACEMENT_LABEL, SATISFIED
from gitops_ocm.decide.cluster_sets import is_member
from gitops_ocm.decide.contract import View
from gitops_ocm.decide.kinds import CLUSTER_SET, CLUSTER_SET_BINDING, PLACEMENT, cluster_ref
from gitops_ocm.decide.placement.decisions import is_paused
from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.filters import Predicates
from gitops_ocm.decide.placement.fleet import amount_of, claims_of, taints_of
from gitops_ocm.decide.placement.groups import named_groups
from gitops_ocm.decide.placement.scores import prioritizers
from gitops_ocm.decide.placement.selector import ClusterSelector
from gitops_ocm.decide.projection import Projection
from gitops_ocm.decide.writes import (
    conditions_of,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    status_of,
)
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref

_AMOUNTS = {"ResourceAllocatableCPU": "cpu", "ResourceAllocatableMemory": "memory"}
_METADATA_NOISE = ("resourceVersion", "generation", "managedFields")


@dataclass(frozen=True)
class Interest:
    """What one placement looks at. `whole`: anything of a cluster may matter to it."""

    ref: Ref
    sets: frozenset[str]
    predicates: Predicates
    groups: tuple[ClusterSelector, ...] = ()
    labels: frozenset[str] = frozenset()
    claims: frozenset[str] = frozenset()
    amounts: frozenset[str] = frozenset()
    scores: frozenset[str] = frozenset()
    whole: bool = False
    empty: bool = True

    def reaches(self, sets: frozenset[str]) -> bool:
        """Whether it may choose from any of these sets."""
        return not self.sets or not self.sets.isdisjoint(sets)


def interest_of(placement: Object) -> Interest | None:
    """What a placement looks at; None for one that decides nothing now."""
    if is_paused(placement):
        return None
    spec = placement.get("spec") or {}
    ref = Ref(*PLACEMENT, namespace_of(placement), name_of(placement))
    sets = frozenset(spec.get("clusterSets") or ())
    told = conditions.find(conditions_of(placement), SATISFIED) or {}
    empty = not status_of(placement).get("numberOfSelectedClusters") or told.get("status") != "True"
    try:
        predicates = Predicates.of(spec.get("predicates") or ())
        groups = tuple(selector for _, selector in named_groups(spec.get("decisionStrategy")))
        wanted = prioritizers(spec.get("prioritizerPolicy"))
    except Misconfigured:
        return Interest(ref, sets, Predicates(()), whole=True)
    selectors = (*predicates.alternatives, *groups)
    return Interest(
        ref,
        sets,
        predicates,
        groups,
        frozenset(r.key for s in selectors for r in s.labels.requirements),
        frozenset(r.key for s in selectors for r in s.claims.requirements),
        frozenset(_AMOUNTS[p.name] for p in wanted if p.name in _AMOUNTS),
        frozenset(p.resource for p in wanted if p.resource),
        any(s.expressions is not None for s in selectors),
        empty,
    )


class Interests:
    """What each placement of a hub looks at."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, Interest]] = {}

    def change(self, old: Object | None, new: Object | None) -> None:
        """A Placement came, changed or went."""
        obj = new if new is not None else old or {}
        space = self._kept.setdefault(namespace_of(obj), {})
        interest = interest_of(new) if new is not None else None
        if interest is None:
            space.pop(name_of(obj), None)
        else:
            space[name_of(obj)] = interest

    def of(self, namespaces: Iterable[str], sets: frozenset[str]) -> Iterator[Interest]:
        """The placements of these namespaces that may choose from any of these sets."""
        for namespace in namespaces:
            for interest in self._kept.get(namespace, {}).values():
                if interest.reaches(sets):
                    yield interest


INTERESTS = Projection(PLACEMENT, Interests)


@dataclass(frozen=True)
class _Difference:
    """What differs between two states of one cluster."""

    old: Object
    new: Object
    labels: frozenset[str]
    claims: frozenset[str]
    amounts: frozenset[str]
    taints: bool
    anything: bool

    def matters_to(self, interest: Interest) -> bool:
        if interest.whole:
            return self.anything
        if not interest.labels.isdisjoint(self.labels) or not interest.claims.isdisjoint(self.claims):
            before, after = map(interest.predicates.matches, (self.old, self.new))
            if before != after:
                return True
            if after and any(g.matches(self.old) != g.matches(self.new) for g in interest.groups):
                return True
        if not self.taints and interest.amounts.isdisjoint(self.amounts):
            return False
        return interest.predicates.matches(self.new)


def _difference(old: Object, new: Object) -> _Difference:
    return _Difference(
        old,
        new,
        _changed(labels_of(old), labels_of(new)),
        _changed(claims_of(old), claims_of(new)),
        frozenset(r for r in _AMOUNTS.values() if amount_of(old, r) != amount_of(new, r)),
        taints_of(old) != taints_of(new),
        _told(old) != _told(new),
    )


def _changed(old: Mapping[str, str], new: Mapping[str, str]) -> frozenset[str]:
    return frozenset(key for key, _ in old.items() ^ new.items())


def _told(cluster: Object) -> Mapping[str, Any]:
    meta = {k: v for k, v in cluster["metadata"].items() if k not in _METADATA_NOISE}
    return {**cluster, "metadata": meta}


def by_cluster(view: View, old: Object | None, new: Object | None) -> list[Ref]:
    """The placements that may have to choose otherwise because a cluster changed."""
    there = [c for c in (old, new) if c is not None and not is_deleting(c)]
    before, after = ([c] if c in there else [] for c in (old, new))
    sets = frozenset(name_of(s) for c in there for s in view.list(CLUSTER_SET) if is_member(s, c))
    spaces = {namespace_of(b) for b in view.list(CLUSTER_SET_BINDING) if name_of(b) in sets}
    interests = view.projected(INTERESTS).of(sorted(spaces), sets)
    if old is None or new is None or len(there) == 1 or _moved(view, old, new):
        found = [i for i in interests if i.empty or i.whole or any(map(i.predicates.matches, there))]
    elif not there:
        found = []
    else:
        difference = _difference(before[0], after[0])
        found = [i for i in interests if difference.matters_to(i)]
    return sorted(i.ref for i in found)


def _moved(view: View, old: Object, new: Object) -> bool:
    if labels_of(old) == labels_of(new):
        return False
    return any(is_member(s, old) != is_member(s, new) for s in view.list(CLUSTER_SET))


def by_set(view: View, old: Object | None, new: Object | None) -> list[Ref]:
    """The placements of the namespaces a set is bound to, where the set came, went, or selects otherwise."""
    if old is not None and new is not None and old.get("spec") == new.get("spec"):
        return []
    name = name_of(new if new is not None else old or {})
    bindings = view.list(CLUSTER_SET_BINDING)
    return _of_namespaces(view, (namespace_of(b) for b in bindings if name_of(b) == name))


def by_binding(view: View, old: Object | None, new: Object | None) -> list[Ref]:
    """All placements of a binding's namespace: any of them may have to word its status anew."""
    if old is not None and new is not None:
        return []
    return _of_namespaces(view, [namespace_of(new if new is not None else old or {})])


def _of_namespaces(view: View, namespaces: Iterable[str]) -> list[Ref]:
    return [
        Ref(*PLACEMENT, namespace, name_of(p))
        for namespace in sorted(set(namespaces))
        for p in view.list(PLACEMENT, namespace)
    ]


def by_score(view: View, old: Object | None, new: Object | None) -> list[Ref]:
    """The placements that weigh a score and may choose the cluster it is about."""
    if old is not None and new is not None and _scored(old) == _scored(new):
        return []
    score = new if new is not None else old or {}
    cluster = view.get(cluster_ref(namespace_of(score)))
    if cluster is None or is_deleting(cluster):
        return []
    sets = frozenset(name_of(s) for s in view.list(CLUSTER_SET) if is_member(s, cluster))
    spaces = {namespace_of(b) for b in view.list(CLUSTER_SET_BINDING) if name_of(b) in sets}
    found = view.projected(INTERESTS).of(sorted(spaces), sets)
    return sorted(i.ref for i in found if name_of(score) in i.scores)


def _scored(score: Object) -> tuple[object, object]:
    status = status_of(score)
    return status.get("scores"), status.get("validUntil")


def by_decision(view: View, decision: Object) -> Iterable[Ref]:
    """The placement a PlacementDecision belongs to."""
    name = labels_of(decision).get(PLACEMENT_LABEL)
    return (Ref(*PLACEMENT, namespace_of(decision), name),) if name else ()
