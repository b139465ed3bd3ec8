"""Why a placement chose as it did: of each cluster, what every predicate, taint and prioritizer said.

Asked of a `Schedule` only when somebody wants to know; it decides nothing. How it is laid out for people is
`report.placement_text`, and for programs `document` here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.decide.placement.filters import PREDICATE, TAINTS
from gitops_ocm.decide.placement.grounds import UNTOLD, Grounds
from gitops_ocm.decide.placement.schedule import Schedule
from gitops_ocm.decide.placement.scores import Prioritizer
from gitops_ocm.decide.writes import name_of, namespace_of
from gitops_ocm.objects.ref import Object

NOT_MET = "meets no predicate"
TOO_MANY = "enough clusters with better scores"


@dataclass(frozen=True)
class PartScore:
    """What one prioritizer gave a cluster, and why; `score` is None where it has nothing to say of it."""

    name: str
    weight: int
    score: int | None
    grounds: str = ""

    @property
    def weighted(self) -> int:
        """What it adds to the total."""
        return self.weight * (self.score or 0)


@dataclass(frozen=True)
class Verdict:
    """What was decided of one cluster, and why.

    `predicates` has for each alternative what the cluster does not meet of it (`""`: it meets all), `taints`
    what is not tolerated, `tolerated` what is, and until when. `place` is its place by score, from 1. A
    cluster that is no candidate has no more than its `why`.
    """

    cluster: str
    selected: bool
    why: str
    predicates: tuple[str, ...] = ()
    taints: tuple[str, ...] = ()
    tolerated: tuple[str, ...] = ()
    scores: tuple[PartScore, ...] = ()
    total: int | None = None
    place: int | None = None
    group: str = ""


@dataclass(frozen=True)
class Explanation:
    """A whole decision: the candidates' sets, both conditions, and the clusters, the best first.

    `qualified` clusters pass every filter; of them no more than `limit` are chosen. `unknown` says what it
    rests on that could not be looked at.
    """

    placement: Object
    bound: tuple[str, ...]
    eligible: tuple[str, ...]
    satisfied: KnownCondition
    misconfigured: KnownCondition
    verdicts: tuple[Verdict, ...]
    paused: bool = False
    qualified: int = 0
    limit: int | None = None
    unknown: tuple[str, ...] = ()

    @property
    def selected(self) -> int:
        """How many clusters are chosen."""
        return sum(verdict.selected for verdict in self.verdicts)


def left_out(choice: Schedule) -> Mapping[str, str]:
    """Why each candidate that was not chosen was not, in few words."""
    candidates, fleet = choice.candidates, choice.candidates.fleet
    left, found = candidates.clusters, {}
    for name, passed in choice.passed:
        for cluster in fleet.names(left & ~passed):
            found[cluster] = NOT_MET if name == PREDICATE else _first_taint(choice, cluster)
        left = passed
    if choice.scored:
        found |= dict.fromkeys(fleet.names(left & ~fleet.bits(choice.selected)), TOO_MANY)
    return found


def _first_taint(choice: Schedule, cluster: str) -> str:
    assert choice.tolerations is not None
    obj = choice.candidates.fleet.get(cluster)
    return next(choice.tolerations.left_out(obj or {}), "")


def explain(
    placement: Object, choice: Schedule, *, cluster: str = "", paused: bool = False, scored: bool = True
) -> Explanation:
    """All of a decision, or what it says of one cluster (which need be no candidate).

    `scored` says whether what add-ons have scored could be looked at.
    """
    fleet = choice.candidates.fleet
    names = [cluster] if cluster else fleet.names(choice.candidates.clusters)
    told = _Told(choice, scored)
    verdicts = [told.verdict(name) for name in names]
    number = (placement.get("spec") or {}).get("numberOfClusters")
    return Explanation(
        placement,
        choice.candidates.bound,
        choice.candidates.eligible,
        choice.satisfied,
        choice.misconfigured,
        tuple(sorted(verdicts, key=lambda v: (v.place or len(told.places) + 1, v.cluster))),
        paused,
        choice.passed[-1][1].bit_count() if choice.passed else 0,
        None if number is None else int(number),
        () if scored else tuple(_unknown(placement, choice)),
    )


def _unknown(placement: Object, choice: Schedule) -> Iterator[str]:
    """What a decision without the scores of add-ons leaves open."""
    names = [p.name for p in choice.prioritizers or () if p.resource]
    if names:
        yield f"{', '.join(names)} {UNTOLD}; counted as 0, so a hub may order the clusters otherwise"
    for number, one in enumerate((placement.get("spec") or {}).get("predicates") or (), 1):
        asked = (one.get("requiredClusterSelector") or {}).get("celSelector") or {}
        if any(".scores(" in text for text in asked.get("celExpressions") or ()):
            yield f"predicate {number} asks for scores: {UNTOLD}; it is met by nobody here"


class _Told:
    """What a decision says of its clusters, one by one."""

    def __init__(self, choice: Schedule, scored: bool) -> None:
        ranking = choice.ranking
        self._choice, self._scored = choice, scored
        self._grounds = Grounds(choice)
        self._at = {name: at for at, name in enumerate(ranking.names)}
        self._groups = {name: group for group in choice.groups or () for name in group.clusters}
        self._selected = frozenset(choice.selected)
        self.places = {name: at for at, name in enumerate(ranking.best(), 1)}

    def verdict(self, name: str) -> Verdict:
        """What is said of one of them."""
        choice, fleet = self._choice, self._choice.candidates.fleet
        obj, bit = fleet.get(name), fleet.bit(name)
        if obj is None:
            return Verdict(name, selected=False, why="there is no such cluster")
        if not bit & choice.candidates.clusters:
            return Verdict(name, selected=False, why=_no_candidate(choice, bit))
        predicates = tuple(choice.predicates.left_out(obj)) if choice.predicates else ()
        taints = tuple(choice.tolerations.left_out(obj)) if choice.tolerations else ()
        selected, at, group = name in self._selected, self._at.get(name), self._groups.get(name)
        return Verdict(
            name,
            selected,
            _why(choice, bit, predicates, taints) if not selected else "",
            predicates,
            taints,
            tuple(choice.tolerations.tolerated(obj)) if choice.tolerations else (),
            tuple(self._part(p, given[at], name) for p, given in choice.ranking.parts)
            if at is not None
            else (),
            choice.ranking.totals[at] if at is not None else None,
            self.places.get(name),
            f"{group.index}{f' {group.name}' if group.name else ''}" if group is not None else "",
        )

    def _part(self, prioritizer: Prioritizer, score: int | None, name: str) -> PartScore:
        if prioritizer.resource and not self._scored:
            return PartScore(prioritizer.name, prioritizer.weight, None, UNTOLD)
        return PartScore(prioritizer.name, prioritizer.weight, score, self._grounds.of(prioritizer, name))


def _no_candidate(choice: Schedule, bit: int) -> str:
    if bit & choice.candidates.fleet.deleting:
        return "it is being deleted"
    sets = ", ".join(choice.candidates.eligible)
    return (
        f"it is in none of the cluster sets {sets}" if sets else "no cluster set is bound that it could be in"
    )


def _why(choice: Schedule, bit: int, predicates: tuple[str, ...], taints: tuple[str, ...]) -> str:
    for name, passed in choice.passed:
        if not bit & passed:
            if name == TAINTS:
                return "; ".join(taints)
            return next((p for p in predicates if len(predicates) == 1), NOT_MET)
    return TOO_MANY if choice.scored else choice.misconfigured.message


def document(explanation: Explanation) -> dict[str, Any]:
    """The whole of it as JSON."""
    placement = explanation.placement
    return {
        "placement": {"namespace": namespace_of(placement), "name": name_of(placement)},
        "boundClusterSets": list(explanation.bound),
        "clusterSets": list(explanation.eligible),
        "selectedClusters": explanation.selected,
        "qualifiedClusters": explanation.qualified,
        **({"numberOfClusters": explanation.limit} if explanation.limit is not None else {}),
        "schedulingDisabled": explanation.paused,
        "conditions": [c._asdict() for c in (explanation.satisfied, explanation.misconfigured)],
        "unknown": list(explanation.unknown),
        "clusters": [_cluster(verdict) for verdict in explanation.verdicts],
    }


def _cluster(verdict: Verdict) -> dict[str, Any]:
    scores = [
        {"name": s.name, "weight": s.weight, "score": s.score, "weighted": s.weighted, "grounds": s.grounds}
        for s in verdict.scores
    ]
    return {
        "name": verdict.cluster,
        "selected": verdict.selected,
        **({"why": verdict.why} if verdict.why else {}),
        **({"decisionGroup": verdict.group} if verdict.group else {}),
        "predicates": [{"met": not refused, "why": refused} for refused in verdict.predicates],
        "taintsNotTolerated": list(verdict.taints),
        "taintsTolerated": list(verdict.tolerated),
        **({"place": verdict.place, "score": verdict.total, "scores": scores} if verdict.place else {}),
    }
