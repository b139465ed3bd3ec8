"""What is told of a placement's decisions, as Events about the placement."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_ocm.decide.contract import Emit
from gitops_ocm.decide.writes import name_of, namespace_of
from gitops_ocm.objects.ref import Object

MAX_SCORES = 1000
"""Characters of the scores that are told; the API allows 1,024."""


def created(placement: Object, decision: str) -> Emit:
    """A decision was created."""
    return _about(placement, decision, "DecisionCreate", "created")


def updated(placement: Object, decision: str) -> Emit:
    """The clusters of a decision changed."""
    return _about(placement, decision, "DecisionUpdate", "updated")


def deleted(placement: Object, decision: str) -> Emit:
    """A decision was one too many."""
    return _about(placement, decision, "DecisionDelete", "deleted")


def _about(placement: Object, decision: str, reason: str, done: str) -> Emit:
    where = f"placement {name_of(placement)} in namespace {namespace_of(placement)}"
    return Emit(placement, reason, f"Decision {decision} is {done} with {where}", action=f"{reason}d")


def scored(placement: Object, scores: Mapping[str, int]) -> Emit:
    """The scores the decisions came from, by cluster."""
    text = ""
    for cluster, score in sorted(scores.items()):
        entry = f"{cluster}:{score} "
        if len(text) + len(entry) > MAX_SCORES:
            text += "......"
            break
        text += entry
    return Emit(placement, "ScoreUpdate", text, action="ScoreUpdated")
