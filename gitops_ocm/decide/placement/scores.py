"""How good a candidate is: one number per prioritizer and cluster, weighted and summed.

The numbers are the Go scheduler's to the last truncation. Ties are broken by name, never by chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import trunc
from typing import Any

from gitops_ocm.api.quantity import Quantity
from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.writes import name_of, status_of, time_at
from gitops_ocm.objects.ref import Object

MAX, MIN = 100, -100


@dataclass(frozen=True)
class Surroundings:
    """What scores are computed from, beside the clusters.

    `elsewhere` counts each cluster's places in the decisions of all other placements, `chosen` are this
    placement's present clusters, `score_object(cluster, name)` finds an AddOnPlacementScore.
    """

    elsewhere: Mapping[str, int]
    chosen: frozenset[str]
    score_object: Callable[[str, str], Object | None]
    now: datetime


@dataclass(frozen=True)
class Prioritizer:
    """One score with its weight; `name` is `Balance` or `AddOn/<resource>/<score>`."""

    name: str
    weight: int
    score: Callable[[Sequence[Object], Surroundings], Mapping[str, int]]


def counts_elsewhere(decisions: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """How often each cluster appears in these PlacementDecisions."""
    return Counter(d["clusterName"] for pd in decisions for d in status_of(pd).get("decisions") or ())


def _balance(clusters: Sequence[Object], around: Surroundings) -> Mapping[str, int]:
    most = max(around.elsewhere.values(), default=0)
    return {
        name: 2 * trunc(100 * (0.5 - around.elsewhere[name] / most)) if around.elsewhere.get(name) else MAX
        for name in map(name_of, clusters)
    }


def _steady(clusters: Sequence[Object], around: Surroundings) -> Mapping[str, int]:
    return {name: MAX if name in around.chosen else 0 for name in map(name_of, clusters)}


def _allocatable(resource: str) -> Callable[[Sequence[Object], Surroundings], Mapping[str, int]]:
    def score(clusters: Sequence[Object], around: Surroundings) -> Mapping[str, int]:
        have = {name_of(c): amount for c in clusters if (amount := _amount(c, resource)) is not None}
        if not have:
            return {}
        low, high = min(have.values()), max(have.values())
        if low == high:
            return dict.fromkeys(have, MAX)
        return {name: trunc(((a - low) / (high - low) - 0.5) * 200) for name, a in have.items()}

    return score


def _amount(cluster: Mapping[str, Any], resource: str) -> float | None:
    status = status_of(cluster)
    text = (status.get("allocatable") or {}).get(resource)
    if text is None or resource not in (status.get("capacity") or {}):
        return None
    try:
        return float(Quantity.parse(text).amount)
    except ValueError:
        return None


def _addon(resource: str, name: str) -> Callable[[Sequence[Object], Surroundings], Mapping[str, int]]:
    def score(clusters: Sequence[Object], around: Surroundings) -> Mapping[str, int]:
        names = map(name_of, clusters)
        return {c: _addon_score(around.score_object(c, resource), name, around.now) for c in names}

    return score


def _addon_score(obj: Object | None, name: str, now: datetime) -> int:
    """The score of that name; 0 where there is none or it is no longer valid."""
    status = status_of(obj) if obj is not None else {}
    until = time_at(status.get("validUntil"))
    if until is not None and now > until:
        return 0
    return next((int(s.get("value", 0)) for s in status.get("scores") or () if s.get("name") == name), 0)


_BUILT_IN: Mapping[str, Callable[[Sequence[Object], Surroundings], Mapping[str, int]]] = {
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
    mode = policy.get("mode") or "Additive"
    if mode not in ("Additive", "Exact"):
        raise Misconfigured("", f"incorrect prioritizer policy mode: {mode}")
    weights: dict[str, int] = {"Balance": 1, "Steady": 1} if mode == "Additive" else {}
    addons: list[Prioritizer] = []
    for entry in policy.get("configurations") or ():
        where, weight = entry.get("scoreCoordinate") or {}, int(entry.get("weight", 1))
        if where.get("type") == "AddOn":
            addon = where.get("addOn")
            if not addon:
                raise Misconfigured("", "addOn should not be empty")
            resource, name = addon.get("resourceName", ""), addon.get("scoreName", "")
            addons.append(Prioritizer(f"AddOn/{resource}/{name}", weight, _addon(resource, name)))
        else:
            weights[where.get("builtIn", "")] = weight
    unknown = next((n for n, weight in weights.items() if weight and n not in _BUILT_IN), None)
    if unknown is not None:
        raise Misconfigured("", f"incorrect builtin prioritizer: {unknown}")
    built_in = [Prioritizer(n, weight, _BUILT_IN[n]) for n, weight in weights.items() if weight]
    return [*built_in, *(a for a in addons if a.weight)]


def rank(
    clusters: Sequence[Object], wanted: Sequence[Prioritizer], around: Surroundings
) -> list[tuple[str, int]]:
    """Clusters with their total scores, best first, ties by name."""
    totals = dict.fromkeys(map(name_of, clusters), 0)
    for prioritizer in wanted:
        for name, score in prioritizer.score(clusters, around).items():
            totals[name] += prioritizer.weight * score
    return sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))
