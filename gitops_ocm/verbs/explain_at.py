"""`explain placement --at` and `explain rollout --at`: what a commit and the status branch tell of a hub."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gitops_ocm.decide.contract import Side
from gitops_ocm.decide.placement.explanation import Explanation
from gitops_ocm.decide.rollout import explanation
from gitops_ocm.simulate.view import WorldView
from gitops_ocm.verbs.explain import Question, explain_in
from gitops_ocm.verbs.explain_addon import AddonQuestion, explain_addon_in
from gitops_ocm.verbs.explain_rollout import RolloutQuestion, explain_rollout_in
from gitops_ocm.verbs.fleet_at import Place, fleet_at


def explain_at(place: Place, question: Question, now: datetime) -> Explanation:
    """The decision as it would be at a commit; what add-ons score is not told by the status branch."""
    with fleet_at(place) as fleet:
        found = explain_in(WorldView({Side.HUB: fleet.hub(now)}, {}), question, now, scored=False)
        if fleet.state.objects:
            return found
    untold = f"{place.status_ref} tells of no clusters: their claims, resources and taints are missing"
    return replace(found, unknown=(untold, *found.unknown))


def explain_rollout_at(
    place: Place, question: AddonQuestion | RolloutQuestion, now: datetime
) -> list[explanation.Explanation]:
    """Where rollouts would stand with a commit in force, and the clusters as the status branch tells of them.

    Whether the hub rolls out to the letter as OCM does, the repository may say.
    """
    with fleet_at(place) as fleet:
        view = WorldView({Side.HUB: fleet.hub(now)}, {})
        if fleet.desired.layout.preview.rollout_compat == "ocm":
            question = replace(question, compat=True)
        if isinstance(question, AddonQuestion):
            return explain_addon_in(view, question, now)
        return explain_rollout_in(view, question, now)
