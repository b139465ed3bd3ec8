"""One scheduling decision: from a placement and what surrounds it to the clusters selected, and why.

A function of values, so that the hub, a preview and an explanation come from the same place. Reading the hub
and writing PlacementDecisions is `decide.placement.decisions`; why one cluster was taken and another was not
says `decide.placement.explanation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
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
from gitops_ocm.decide.placement.faults import Misconfigured, TooCostly
from gitops_ocm.decide.placement.filters import PREDICATE, TAINTS, Predicates, Tolerations
from gitops_ocm.decide.placement.fleet import Bits, Fleet
from gitops_ocm.decide.placement.groups import Group, decision_groups
from gitops_ocm.decide.placement.phases import FILTER, phase
from gitops_ocm.decide.placement.scores import Prioritizer, Ranking, Surroundings, prioritizers, rank
from gitops_ocm.objects.ref import Object


@dataclass(frozen=True)
class Candidates:
    """The clusters a placement may choose from, and by which sets: `bound` names all valid bindings."""

    bound: tuple[str, ...]
    eligible: tuple[str, ...]
    fleet: Fleet
    clusters: Bits

    @classmethod
    def of(cls, bound: Iterable[str], eligible: Iterable[str], clusters: Iterable[Object]) -> Candidates:
        """Just these clusters."""
        fleet = Fleet.of(clusters)
        return cls(tuple(bound), tuple(eligible), fleet, fleet.everyone)


@dataclass(frozen=True)
class Schedule:
    """What was decided of the candidates, and by what.

    `passed` has who passed each filter, as far as filtering came; `groups` is None where the grouping is
    misconfigured. `recheck`: when time alone changes the decision. `undecided`: to know it would cost too
    much, so what was decided before stands.
    """

    candidates: Candidates
    around: Surroundings
    satisfied: KnownCondition
    selected: tuple[str, ...] = ()
    groups: tuple[Group, ...] | None = ()
    misconfigured: KnownCondition = CONFIGURED
    passed: Sequence[tuple[str, Bits]] = ()
    predicates: Predicates | None = None
    tolerations: Tolerations | None = None
    prioritizers: Sequence[Prioritizer] | None = None
    recheck: datetime | None = None
    undecided: bool = False

    @property
    def scored(self) -> bool:
        """Whether it came to scores at all."""
        return self.prioritizers is not None

    @cached_property
    def ranking(self) -> Ranking:
        """The scores of all clusters that passed, by name; reckoned only where they are asked for."""
        if self.prioritizers is None:
            return Ranking((), (), ())
        return rank(self.candidates.fleet, self.passed[-1][1], self.prioritizers, self.around)

    def some_scores(self, number: int) -> Ranking:
        """The scores of so many clusters at least, the first by name: what events tell of."""
        if self.prioritizers is None or any(p.resource for p in self.prioritizers):
            return self.ranking
        return rank(self.candidates.fleet, self.passed[-1][1], self.prioritizers, self.around, first=number)

    @property
    def warning(self) -> str:
        """What is wrong with scores that were weighed."""
        return self.ranking.warning if any(p.resource for p in self.prioritizers or ()) else ""


def schedule(placement: Mapping[str, Any], candidates: Candidates, around: Surroundings) -> Schedule:
    """Filter, score, cut and group the candidates."""
    spec, fleet = placement.get("spec") or {}, candidates.fleet
    parts: dict[str, Any] = {}
    passed: list[tuple[str, Bits]] = []
    left = candidates.clusters
    told = CONFIGURED
    try:
        if left:  # without candidates nothing is even looked at
            with phase(FILTER, PREDICATE):
                parts["predicates"] = Predicates.of(spec.get("predicates") or (), around.scoreboard)
                left = parts["predicates"].among(fleet, left)
            told = _exceeding(parts["predicates"].exceeding(fleet, candidates.clusters & ~left))
        passed.append((PREDICATE, left))
        if left:
            with phase(FILTER, TAINTS):
                parts["tolerations"] = Tolerations(spec.get("tolerations") or (), around.chosen, around.now)
                left = parts["tolerations"].among(fleet, left)
        passed.append((TAINTS, left))
        number = _number(spec)
        parts["prioritizers"] = prioritizers(spec.get("prioritizerPolicy"))
    except TooCostly as fault:
        wrong = _misconfigured(fault)
        return Schedule(candidates, around, NOTHING_MATCHED, (), (), wrong, undecided=True)
    except Misconfigured as fault:
        wrong = _misconfigured(fault)
        found = Schedule(candidates, around, NOTHING_MATCHED, (), (), wrong, tuple(passed), **parts)
        return _grouped(found, spec, 0, 0)
    found = Schedule(candidates, around, NOTHING_MATCHED, (), (), told, tuple(passed), **parts)
    chosen, missing = left, 0
    if number is not None:
        missing = max(0, number - left.bit_count())
        if number < left.bit_count():
            chosen = fleet.bits(found.ranking.best(number))
    return _grouped(found, spec, chosen, missing)


def _grouped(found: Schedule, spec: Mapping[str, Any], chosen: Bits, missing: int) -> Schedule:
    """The whole of a decision, once it is known who is chosen; of two faults that of the grouping is told."""
    fleet = found.candidates.fleet
    wrong, groups = found.misconfigured, None
    try:
        groups = decision_groups(spec.get("decisionStrategy"), fleet, chosen)
    except Misconfigured as fault:
        wrong = _misconfigured(fault)
    tolerations = found.tolerations if found.scored else None
    return replace(
        found,
        satisfied=_satisfied(spec, found.candidates, chosen.bit_count(), missing),
        selected=tuple(fleet.names(chosen)),
        groups=groups,
        misconfigured=wrong,
        recheck=tolerations.recheck(fleet, found.passed[-1][1]) if tolerations else None,
    )


def _number(spec: Mapping[str, Any]) -> int | None:
    number = spec.get("numberOfClusters")
    if number is not None and int(number) < 0:
        raise Misconfigured("", f"numberOfClusters must not be negative: {number}")
    return None if number is None else int(number)


def _exceeding(clusters: Mapping[str, str]) -> KnownCondition:
    """What is said of expressions that cost more than they may on some clusters, which are left out."""
    if not clusters:
        return CONFIGURED
    first, others = min(clusters), len(clusters) - 1
    more = f" and {others} more" if others else ""
    why = f"{PREDICATE}:{clusters[first]} (on {first}{more}, not selected)"
    return WRONGLY_CONFIGURED.saying(error=why)


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
