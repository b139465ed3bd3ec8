"""What CEL expressions of placements may call: OCM's own functions beside those of Kubernetes.

managedCluster.scores("usage")     the scores of an AddOnPlacementScore of the cluster
"...".parseJSON()                  the value a text of JSON stands for
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gitops_ocm.decide.placement.score_source import Scores
from gitops_ocm.decide.writes import name_of, status_of
from gitops_ocm.objects.cel.faults import EvalError
from gitops_ocm.objects.cel.functions import IMPLEMENTATIONS
from gitops_ocm.objects.cel.program import Implementations


def implementations(held: Scores) -> Implementations:
    """All functions, with `scores` looking into those that are `held`."""

    def scores(cluster: Any, name: str) -> list[dict[str, Any]]:
        found = held.find(name_of(cluster), name) if isinstance(cluster, Mapping) else None
        if found is None:
            raise EvalError(f'failed to get score: "{name}" not found')
        each = status_of(found).get("scores") or ()
        return [{"name": s.get("name", ""), "value": int(s.get("value", 0))} for s in each]

    return {**IMPLEMENTATIONS, "cluster_scores": scores, "parse_json_string": _parsed}


def _parsed(text: str) -> Any:
    """The value of a text of JSON, whose numbers are all of one type, as JavaScript has them."""
    try:
        return json.loads(text, parse_int=float)
    except ValueError as error:
        raise EvalError(f"failed to parse json: {error}") from error
