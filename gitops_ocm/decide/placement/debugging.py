"""What the debug endpoint of OCM's scheduler answers of a placement: each filter's clusters and all scores.

Its JSON, member by member and in its order, so that what reads the one reads the other; served by
`hub.placement_debug`. For people there is `explanation`, which says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ocm.decide.placement.schedule import Schedule

_METADATA = ("name", "namespace", "labels", "annotations")


def debug_result(placement: Mapping[str, Any], choice: Schedule) -> dict[str, Any]:
    """The answer; members that are empty are left out."""
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
    return {"placement": _shown(placement), **{key: value for key, value in found.items() if value}}


def _shown(placement: Mapping[str, Any]) -> dict[str, Any]:
    """The placement without its status and what a server adds to its metadata."""
    meta = placement.get("metadata") or {}
    return {
        "metadata": {key: meta[key] for key in _METADATA if meta.get(key)},
        "spec": placement.get("spec") or {},
    }
