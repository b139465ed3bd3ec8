"""Whom placements select before and after, and what made each cluster that turned do so (`turns`)."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ocm.decide.writes import conditions_of
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.ref import Object
from gitops_ocm.preview.hub import Hub
from gitops_ocm.preview.model import Selection
from gitops_ocm.preview.origins import Origins
from gitops_ocm.preview.turns import Turns


def selections(hub: Hub, origins: Origins) -> Iterator[Selection]:
    """The placements whose clusters change, by namespace and name."""
    old, new = hub.before.decided, hub.after.decided
    for ref in sorted(old.keys() | new.keys()):
        before, after = old.get(ref, frozenset()), new.get(ref, frozenset())
        if before != after:
            yield Selection(
                ref,
                tuple(sorted(before)),
                tuple(sorted(after)),
                _unsatisfied(hub.after.objects.get(ref)),
                tuple(Turns(hub, ref, origins).of(after - before, before - after)),
                origins.of(ref),
            )


def _unsatisfied(placement: Object | None) -> str:
    """Why a placement has not what it wants; `""` where it has."""
    found = find(conditions_of(placement or {}), "PlacementSatisfied") or {}
    return str(found.get("message", "")) if found.get("status") == "False" else ""
