"""`explain placement --at REV`: the decision on the hub as a commit and the status branch tell of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gitops_ocm.decide.contract import Side
from gitops_ocm.decide.placement.explanation import Explanation
from gitops_ocm.simulate.view import WorldView
from gitops_ocm.verbs.explain import Question, explain_in
from gitops_ocm.verbs.fleet_at import Place, fleet_at


def explain_at(place: Place, question: Question, now: datetime) -> Explanation:
    """The decision as it would be at a commit; what add-ons score is not told by the status branch."""
    with fleet_at(place) as fleet:
        found = explain_in(WorldView({Side.HUB: fleet.hub(now)}, {}), question, now, scored=False)
        if fleet.state.objects:
            return found
    untold = f"{place.status_ref} tells of no clusters: their claims, resources and taints are missing"
    return replace(found, unknown=(untold, *found.unknown))
