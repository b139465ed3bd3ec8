"""One scheduling decision: from a placement and what surrounds it to the clusters selected, and why.

A function of values, so that the hub, a preview and an explanation come from the same place. Reading
the hub and writing PlacementDecisions is `decide.placement.decisions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.placement import (
    ALL_SCHEDULED,
    ALL_SETS_EMPTY,
    CONFIGURED,
    NO_BINDINGS,
    NO_INTERSECTION,
    NOT_ALL_SCHEDULED,
    NOTHING_MATCHED,
    WRONGLY_CONFIGURED,
)
from gitops_ocm.decide.placement import filters, scores
from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.groups import Group, decision_groups
from gitops_ocm.decide.writes import name_of
from gitops_ocm.objects.ref import Object


@dataclass(frozen=True)
class Candidates:
    """The clusters a placement may choose from, and by which sets: `bound` names all valid bindings."""

    bound: tuple[str, ...]
    eligible: tuple[str, ...]
    clusters: tuple[Object, ...]


@dataclass(frozen=True)
class Schedule:
    """What was decided: `selected` best first, `dropped` cluster → why not, `scores` of the others.

    `groups` is None where the grouping is misconfigured. `recheck`: when time alone changes it.
    """

    selected: tuple[str, ...]
    groups: tuple[Group, ...] | None
    satisfied: KnownCondition
    misconfigured: KnownCondition = CONFIGURED
    dropped: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, int] = field(default_factory=dict)
    recheck: datetime | None = None


def schedule(placement: Mapping[str, Any], candidates: Candidates, around: scores.Surroundings) -> Schedule:
    """Filter, score, cut and group the candidates."""
    spec = placement.get("spec") or {}
    dropped: dict[str, str] = {}
    try:
        predicates = spec.get("predicates") or ()
        chosen = filters.by_predicates(predicates, candidates.clusters, around.score_object)
        dropped |= chosen.dropped
        fit = filters.by_taints(
            spec.get("tolerations") or (), chosen.kept, chosen=around.chosen, now=around.now
        )
        dropped |= fit.dropped
        ranking = scores.rank(fit.kept, scores.prioritizers(spec.get("prioritizerPolicy")), around)
        wanted = _wanted(spec, len(ranking))
    except Misconfigured as fault:
        verdict = _satisfied(spec, candidates, 0, 0)
        return Schedule((), decision_groups(None, ()), verdict, _misconfigured(fault), dropped)
    names = [name for name, _ in ranking]
    selected = tuple(names[:wanted])
    dropped |= dict.fromkeys(names[wanted:], "enough clusters with better scores")
    by_name = {name_of(c): c for c in fit.kept}
    misconfigured, groups = CONFIGURED, None
    try:
        groups = decision_groups(spec.get("decisionStrategy"), [by_name[name] for name in selected])
    except Misconfigured as fault:
        misconfigured = _misconfigured(fault)
    satisfied = _satisfied(spec, candidates, len(selected), wanted - len(selected))
    return Schedule(selected, groups, satisfied, misconfigured, dropped, dict(ranking), fit.recheck)


def _wanted(spec: Mapping[str, Any], found: int) -> int:
    number = spec.get("numberOfClusters")
    if number is None:
        return found
    if int(number) < 0:
        raise Misconfigured("", f"numberOfClusters must not be negative: {number}")
    return int(number)


def _misconfigured(fault: Misconfigured) -> KnownCondition:
    return WRONGLY_CONFIGURED.saying(error=fault.message)


def _satisfied(
    spec: Mapping[str, Any], candidates: Candidates, selected: int, unscheduled: int
) -> KnownCondition:
    """The first row that applies, in the order of the protocol."""
    if not candidates.bound:
        return NO_BINDINGS
    if not candidates.eligible:
        return NO_INTERSECTION.saying(sets=",".join(spec.get("clusterSets") or ()))
    if not candidates.clusters:
        return ALL_SETS_EMPTY.saying(sets=",".join(candidates.eligible))
    if selected == 0:
        return NOTHING_MATCHED
    if unscheduled == 0:
        return ALL_SCHEDULED
    return NOT_ALL_SCHEDULED.saying(count=unscheduled)
