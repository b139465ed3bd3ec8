"""Taking away what an operator has made, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gitops_ocm.decide.contract import Delete, Outcome, Side, View, Write
from gitops_ocm.decide.writes import delete
from gitops_ocm.objects.ref import Object, Ref

SOON = 0.3
"""Seconds until a step under way is looked at again: cheap, for everything is in the cache."""


def retire(objects: Iterable[Object], side: Side = Side.HUB) -> tuple[Write, ...]:
    """Delete these objects, unless they are on their way already."""
    return tuple(write for obj in objects for write in delete(obj, side))


def next_step(view: View, steps: Sequence[Sequence[tuple[Side, Ref]]]) -> Outcome | None:
    """Delete what is left of the first step that is not done; None when all are."""
    for step in steps:
        if any(view.get(ref, side) is not None for side, ref in step):
            return Outcome(remove(view, step), requeue_after=SOON)
    return None


def remove(view: View, step: Sequence[tuple[Side, Ref]]) -> tuple[Delete, ...]:
    """Delete what is left of a step."""
    return tuple(write for side, ref in step for write in delete(view.get(ref, side), side))
