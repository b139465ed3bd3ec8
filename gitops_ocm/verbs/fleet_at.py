"""The fleet as a commit of its repository and the status branch tell of it; no cluster is asked.

    with fleet_at(Place(Path("fleet"), "main")) as fleet:
        fleet.desired, fleet.state, fleet.hub(now)

Desired state is the commit's (or that of the files on disk), what agents and controllers made of it is told
by the status branch, as for a preview. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from gitops_ocm.desired.compile import DesiredState, compile_tree
from gitops_ocm.errors import DiagnosticsError
from gitops_ocm.git.clone import Clone
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.preview.stage import set_up
from gitops_ocm.preview.state import FleetState
from gitops_ocm.runtime.catalog import committed_kinds, load_catalog
from gitops_ocm.simulate.world import World
from gitops_ocm.verbs.preview import state_at


@dataclass(frozen=True)
class Place:
    """A commit of a clone (`revision` is `""`: its files as they are on disk).

    `path` is the fleet's folder in it, `status_ref` where the fleet's state is told.
    """

    folder: Path
    revision: str = ""
    path: str = "."
    status_ref: str = "status"


@dataclass(frozen=True)
class FleetAt:
    """What a place comes to; good until its clone is closed."""

    clone: Clone
    place: Place
    desired: DesiredState
    catalog: Catalog

    @cached_property
    def state(self) -> FleetState:
        """The fleet's state."""
        return state_at(self.clone, self.place.status_ref)

    def hub(self, now: datetime) -> World:
        """The hub's objects."""
        return set_up(self.desired, self.state, self.catalog).opened(now)


@contextmanager
def fleet_at(place: Place) -> Iterator[FleetAt]:
    """The fleet at a place; raises `DiagnosticsError` where the sync would refuse the commit."""
    clone = Clone.at(place.folder)
    try:
        tree = clone.tree_at(clone.resolve(place.revision)) if place.revision else clone.work_tree()
        catalog = load_catalog()
        desired = compile_tree(tree, committed_kinds(), path=place.path)
        if not desired.ok:
            what = place.revision or "what is on disk"
            raise DiagnosticsError(f"the sync would refuse {what}", desired.diagnostics)
        yield FleetAt(clone, place, desired, catalog)
    finally:
        clone.close()
