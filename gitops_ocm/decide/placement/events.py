"""What is told of a placement's decisions, as Events about the placement; each names its decision, too."""

from __future__ import annotations

from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.decide.contract import Emit
from gitops_ocm.decide.placement.scores import Ranking
from gitops_ocm.decide.writes import name_of, namespace_of
from gitops_ocm.objects.ref import Object

COMPONENT = "placement-controller"
"""Who reports these events, as OCM's own scheduler calls itself."""
MAX_SCORES = 1000
"""Characters of the scores that are told; the API allows 1,024."""
MOST_TOLD = MAX_SCORES // 4 + 1
"""Of more clusters than that nothing can be told: a name and a score take four characters, or more."""


def created(placement: Object, decision: Object) -> Emit:
    """A decision was created."""
    return _about(placement, decision, "DecisionCreate", "created")


def updated(placement: Object, decision: Object, warning: str = "") -> Emit:
    """The clusters of a decision changed; `warning` says what was wrong with the scores."""
    return _about(placement, decision, "DecisionUpdate", "updated", warning)


def deleted(placement: Object, decision: Object) -> Emit:
    """A decision was one too many."""
    return _about(placement, decision, "DecisionDelete", "deleted")


def _about(placement: Object, decision: Object, reason: str, done: str, warning: str = "") -> Emit:
    where = f"placement {name_of(placement)} in namespace {namespace_of(placement)}"
    note = f"Decision {name_of(decision)} is {done} with {where}"
    return Emit(
        placement,
        reason,
        f"{note}: {warning}" if warning else note,
        kind="Warning" if warning else "Normal",
        action=f"{reason}d",
        related=decision,
        component=COMPONENT,
    )


def mistake(placement: Object, told: KnownCondition) -> Emit:
    """Nothing can be selected until somebody mends something: what the condition says, once."""
    return Emit(
        placement, told.reason, told.message, kind="Warning", action="Scheduling", component=COMPONENT
    )


def scored(placement: Object, decision: Object, ranking: Ranking) -> Emit:
    """The scores the decisions came from, by cluster."""
    text = ""
    for cluster, score in zip(ranking.names, ranking.totals, strict=True):
        entry = f"{cluster}:{score} "
        if len(text) + len(entry) > MAX_SCORES:
            text += "......"
            break
        text += entry
    return Emit(placement, "ScoreUpdate", text, action="ScoreUpdated", related=decision, component=COMPONENT)
