"""`explain --at REV`: the hub as a commit of the fleet's repository and the status branch tell of it.

Desired state is the commit's, what agents and controllers made of it is told by the status branch, as for a
preview. Nothing is written and no cluster is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gitops_ocm.decide.contract import Side, View
from gitops_ocm.decide.placement.explanation import Explanation
from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.errors import DiagnosticsError
from gitops_ocm.git.clone import Clone
from gitops_ocm.preview.stage import staged
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.view import WorldView
from gitops_ocm.verbs.explain import Question, explain_in
from gitops_ocm.verbs.preview import state_at


@dataclass(frozen=True)
class Place:
    """A commit of a clone: `path` is the fleet's folder in it, `status_ref` where its state is told."""

    folder: Path
    revision: str
    path: str = "."
    status_ref: str = "status"


def hub_at(place: Place, now: datetime) -> View:
    """The hub's objects at a commit; raises `DiagnosticsError` where the sync would refuse it."""
    clone = Clone.at(place.folder)
    try:
        catalog = load_catalog()
        desired = compile_tree(clone.tree_at(clone.resolve(place.revision)), catalog, path=place.path)
        if not desired.ok:
            raise DiagnosticsError(f"the sync would refuse {place.revision}", desired.diagnostics)
        state = state_at(clone, place.status_ref)
        return WorldView({Side.HUB: staged(desired, state, catalog, now)}, {})
    finally:
        clone.close()


def explain_at(place: Place, question: Question, now: datetime) -> Explanation:
    """The decision as it would be at a commit."""
    return explain_in(hub_at(place, now), question, now)
