"""How good a candidate is: one number per prioritizer and cluster, weighted and summed.

The numbers are the Go scheduler's to the last truncation. Ties are broken by name, never by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from math import trunc
from typing import Any

from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.fleet import Bits, Fleet
from gitops_ocm.decide.placement.phases import PRIORITIZER, phase
from gitops_ocm.decide.placement.scoreboard import Scoreboard
from gitops_ocm.decide.placement.tally import Elsewhere
from gitops_ocm.objects.placements import mode_fault, score_fault

MAX, MIN = 100, -100
Scores = Sequence[int | None]
"""A prioritizer's scores of clusters, in their order; None, which counts 0, where it has nothing to say."""


@dataclass(frozen=True)
class Surroundings:
    """What a decision depends on beside the clusters.

    `elsewhere` tells each cluster's places in the decisions of all other placements, `chosen` are this
    placement's present clusters.
    """

    now: datetime
    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    chosen: frozenset[str] = frozenset()
    scoreboard: Scoreboard = field(default_factory=Scoreboard)


Score = Callable[[Fleet, Bits, Sequence[str], Surroundings], Scores]
"""Scores the first of some clusters: those named."""


@dataclass(frozen=True)
class Prioritizer:
    """One score with its weight; `name` is `Balance` or `AddOn/<resource>/<score>`.

    `resource` is the AddOnPlacementScore it reads, `""` for a built-in one.
    """

    name: str
    weight: int
    score: Score
    resource: str = ""


@dataclass(frozen=True)
class Ranking:
    """All scores of some clusters: `totals` of `names`, and what each prioritizer gave."""

    names: Sequence[str]
    totals: Sequence[int]
    parts: Sequence[tuple[Prioritizer, Scores]]
    warning: str = ""

    def best(self, number: int | None = None) -> list[str]:
        """So many of them (all), the best first, ties by name."""
        order = sorted(range(len(self.names)), key=self.totals.__getitem__, reverse=True)
        return [self.names[at] for at in order[:number]]


def _balance(fleet: Fleet, clusters: Bits, names: Sequence[str], around: Surroundings) -> Scores:
    elsewhere, table = around.elsewhere, _balance_by_count(around.elsewhere.most)
    if elsewhere.own:
        return [table[count] for count in map(elsewhere.of, names)]
    counted = elsewhere.counts.get
    return [table[counted(name, 0)] for name in names]


@lru_cache(maxsize=64)
def _balance_by_count(most: int) -> Sequence[int]:
    """What a cluster scores that is chosen never, once, …, as often as any."""
    return [MAX, *(2 * trunc(100 * (0.5 - count / most)) for count in range(1, most + 1))]


def _steady(fleet: Fleet, clusters: Bits, names: Sequence[str], around: Surroundings) -> Scores:
    chosen = around.chosen
    return [MAX if name in chosen else 0 for name in names]


def _allocatable(resource: str) -> Score:
    def score(fleet: Fleet, clusters: Bits, names: Sequence[str], around: Surroundings) -> Scores:
        return fleet.recall(resource, clusters, lambda: _by_amount(fleet, clusters, resource))[: len(names)]

    return score


def _by_amount(fleet: Fleet, clusters: Bits, resource: str) -> Scores:
    amounts = fleet.amounts(fleet.names(clusters), resource)
    known = [amount for amount in amounts if amount is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    if low == high:
        return [None if a is None else MAX for a in amounts]
    span = high - low
    return [None if a is None else trunc(((a - low) / span - 0.5) * 200) for a in amounts]


def _addon(resource: str, name: str) -> Score:
    def score(fleet: Fleet, clusters: Bits, names: Sequence[str], around: Surroundings) -> Scores:
        of, now = around.scoreboard.score, around.now
        return [of(cluster, resource, name, now) for cluster in names]

    return score


_BUILT_IN: Mapping[str, Score] = {
    "Balance": _balance,
    "Steady": _steady,
    "ResourceAllocatableCPU": _allocatable("cpu"),
    "ResourceAllocatableMemory": _allocatable("memory"),
}


def prioritizers(policy: Mapping[str, Any] | None) -> list[Prioritizer]:
    """The prioritizers a placement asks for, those of weight 0 left out; raises `Misconfigured`.

    A built-in one listed twice has its last weight; an add-on's listed twice counts twice.
    """
    policy = policy or {}
    if fault := mode_fault(policy):
        raise Misconfigured("", fault)
    weights: dict[str, int] = {} if policy.get("mode") == "Exact" else {"Balance": 1, "Steady": 1}
    further: list[Prioritizer] = []
    for entry in policy.get("configurations") or ():
        where, weight = entry.get("scoreCoordinate") or {}, int(entry.get("weight", 1))
        built_in = where.get("type", "BuiltIn") == "BuiltIn"
        if built_in and where.get("addOn") is None:
            weights[where.get("builtIn", "")] = weight
        elif weight:
            further.append(
                _built_in(where.get("builtIn", ""), weight) if built_in else _add_on(where, weight)
            )
    return [*(_built_in(name, weight) for name, weight in weights.items() if weight), *further]


def _built_in(name: str, weight: int) -> Prioritizer:
    if fault := score_fault({"builtIn": name}):
        raise Misconfigured("", fault)
    return Prioritizer(name, weight, _BUILT_IN[name])


def _add_on(where: Mapping[str, Any], weight: int) -> Prioritizer:
    if fault := score_fault(where):
        raise Misconfigured("", fault)
    wanted = where["addOn"]
    resource, name = wanted.get("resourceName", ""), wanted.get("scoreName", "")
    return Prioritizer(f"AddOn/{resource}/{name}", weight, _addon(resource, name), resource)


def rank(
    fleet: Fleet,
    clusters: Bits,
    wanted: Sequence[Prioritizer],
    around: Surroundings,
    *,
    first: int | None = None,
) -> Ranking:
    """Score clusters, all or the `first` by name, and sum up; a warning names scores that have expired."""
    names = fleet.names(clusters)[:first]
    totals = [0] * len(names)
    parts: list[tuple[Prioritizer, Scores]] = []
    warning = ""
    for prioritizer in wanted:
        with phase(PRIORITIZER, prioritizer.name):
            scores, weight = prioritizer.score(fleet, clusters, names, around), prioritizer.weight
        totals = [total + weight * (score or 0) for total, score in zip(totals, scores, strict=True)]
        parts.append((prioritizer, scores))
        warning = _expired(prioritizer, names, around) or warning
    return Ranking(names, totals, parts, warning)


def _expired(prioritizer: Prioritizer, names: Sequence[str], around: Surroundings) -> str:
    resource = prioritizer.resource
    if not resource:
        return ""
    late = [f"{c}/{resource}" for c in names if around.scoreboard.expired(c, resource, around.now)]
    if not late:
        return ""
    return f"AddOnPlacementScores {' '.join(late)} expired in plugin {prioritizer.name}"
