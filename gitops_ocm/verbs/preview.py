"""Reads what a preview is made of from a clone: two states of the repository, and the fleet's own account.

Nothing is written and no cluster is asked. What it comes to is `preview`'s business.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from gitops_ocm.desired.cache import BlobCache
from gitops_ocm.desired.compile import DesiredState, compile_tree
from gitops_ocm.desired.tree import Tree
from gitops_ocm.git.clone import Clone
from gitops_ocm.git.errors import RefNotFound
from gitops_ocm.preview.effects import preview_of
from gitops_ocm.preview.model import Preview
from gitops_ocm.preview.run import DEFAULTS, Settings, attempt
from gitops_ocm.preview.state import FleetState, read_state
from gitops_ocm.runtime.catalog import load_catalog

MAIN = "main"
RANGE = ".."


def review(
    folder: Path,
    revisions: str,
    *,
    now: datetime,
    path: str = ".",
    status_ref: str = "status",
    settings: Settings = DEFAULTS,
) -> Preview:
    """Preview a change in the clone at `folder`.

    `revisions` is `BASE..HEAD`, or a HEAD alone, whose base is where it left main; empty: the files as they
    are on disk against where the branch left main.
    """
    clone, now = Clone.at(folder), now.replace(microsecond=0)  # as API times are
    try:
        base, head = _trees(clone, revisions)
        cache, catalog = BlobCache(), load_catalog()
        before = compile_tree(base, catalog, cache=cache, path=path)
        after = compile_tree(head, catalog, cache=cache, path=path)
        state = state_at(clone, status_ref)
        if not after.ok:
            return _refused(before, after, state, now)
        tried = attempt(before, after, state, catalog=catalog, now=now, settings=settings)
        return preview_of(tried, before, after, state, now)
    finally:
        clone.close()


def _refused(before: DesiredState, after: DesiredState, state: FleetState, now: datetime) -> Preview:
    return Preview(before.commit, after.commit, state.commit, now, diagnostics=after.diagnostics)


def _trees(clone: Clone, revisions: str) -> tuple[Tree, Tree]:
    first, between, last = revisions.partition(RANGE)
    if between:
        return clone.tree_at(clone.resolve(first or MAIN)), _head(clone, last)
    tip = clone.resolve(first or "HEAD")
    base = clone.fork_point(clone.resolve(MAIN), tip) or tip
    return clone.tree_at(base), _head(clone, first)


def _head(clone: Clone, revision: str) -> Tree:
    return clone.tree_at(clone.resolve(revision)) if revision else clone.work_tree()


def state_at(clone: Clone, ref: str) -> FleetState:
    """What a status branch tells; where there is none, nothing."""
    try:
        return read_state(clone.tree_at(clone.resolve(ref)))
    except RefNotFound:
        return FleetState()
