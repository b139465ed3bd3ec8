"""What the debug endpoint of OCM's scheduler answers of a placement: each filter's clusters and all scores.

Its JSON, member by member and in its order, so that what reads the one reads the other; served by
`hub.placement_debug`. For people there is `explanation`, which says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.decide.placement.schedule import Schedule

_METADATA = ("name", "namespace", "labels", "annotations")


@dataclass(frozen=True)
class _Struct:
    """The members of a Go struct, in its order: a leaf (None), a struct that is always written, or a list."""

    members: Mapping[str, _Struct | _List | None]
    zero: Mapping[str, Any] = field(default_factory=dict)

    def written(self, obj: Mapping[str, Any]) -> dict[str, Any]:
        """An object as Go writes it: what is empty is left out, but for structs, and `zero` values."""
        found: dict[str, Any] = {}
        for name, member in self.members.items():
            value = obj.get(name)
            if isinstance(member, _Struct):
                value = member.written(value or {})
            elif isinstance(member, _List):
                value = [member.item.written(item) for item in value or ()] or None
            if value is not None and value != "":
                found[name] = value
            elif name in self.zero:
                found[name] = self.zero[name]
        return found


@dataclass(frozen=True)
class _List:
    """A list of structs."""

    item: _Struct


def _leaves(*names: str) -> dict[str, _Struct | _List | None]:
    return dict.fromkeys(names)


_CLAIMS = _Struct(_leaves("matchExpressions"))
_BY = {"labelSelector": None, "claimSelector": _CLAIMS}
_CEL = _Struct(_leaves("celExpressions"))
_PREDICATE = _Struct({"requiredClusterSelector": _Struct({**_BY, "celSelector": _CEL})})
_COORDINATE = _Struct(_leaves("type", "builtIn", "addOn"))
_SCORE = _Struct({"scoreCoordinate": _COORDINATE, "weight": None})
_GROUP = _Struct({"groupName": None, "groupClusterSelector": _Struct(_BY)})
_SPEC = _Struct(
    {
        **_leaves("clusterSets", "numberOfClusters"),
        "predicates": _List(_PREDICATE),
        "prioritizerPolicy": _Struct({"mode": None, "configurations": _List(_SCORE)}),
        "spreadPolicy": _Struct(_leaves("spreadConstraints")),
        "tolerations": _List(_Struct(_leaves("key", "operator", "value", "effect", "tolerationSeconds"))),
        "decisionStrategy": _Struct(
            {
                "groupStrategy": _Struct(
                    {"decisionGroups": _List(_GROUP), "clustersPerDecisionGroup": None},
                    {"clustersPerDecisionGroup": 0},
                )
            }
        ),
        **_leaves("sortBy", "scoreRateLimit"),
    }
)
"""PlacementSpec of cluster.open-cluster-management.io/v1beta1."""
_NO_STATUS: Mapping[str, Any] = {"numberOfSelectedClusters": 0, "decisionGroups": None, "conditions": None}


def debug_result(placement: Mapping[str, Any], choice: Schedule, *, sent: bool = False) -> dict[str, Any]:
    """The answer; members that are empty are left out. `sent`: with the request, not stored."""
    ranking, fleet = choice.ranking, choice.candidates.fleet
    best = ranking.best()
    filters: list[dict[str, Any]] = []
    for number, (_, passed) in enumerate(choice.passed, 1):
        name = ",".join(name for name, _ in choice.passed[:number])
        last = number == len(choice.passed) and choice.scored
        filters.append({"name": name, "filteredClusters": best if last else fleet.names(passed)})
    totals = dict(zip(ranking.names, ranking.totals, strict=True))
    found: dict[str, Any] = {
        "filteredPipelineResults": filters,
        "prioritizeResults": [
            {
                "name": p.name,
                "weight": p.weight,
                "scores": {
                    name: score
                    for name, score in zip(ranking.names, scores, strict=True)
                    if score is not None
                },
            }
            for p, scores in ranking.parts
        ],
        "aggregatedScores": [{"clusterName": name, "score": totals[name]} for name in best],
    }
    return {
        "placement": _shown(placement, sent=sent),
        **{key: value for key, value in found.items() if value},
    }


def _shown(placement: Mapping[str, Any], *, sent: bool) -> dict[str, Any]:
    """The placement as Go has it in memory: without status, and without its kind unless somebody sent it."""
    meta = placement.get("metadata") or {}
    return {
        **{key: placement[key] for key in ("kind", "apiVersion") if sent and placement.get(key)},
        "metadata": {key: meta[key] for key in _METADATA if meta.get(key)},
        "spec": _SPEC.written(placement.get("spec") or {}),
        "status": dict(_NO_STATUS),
    }
