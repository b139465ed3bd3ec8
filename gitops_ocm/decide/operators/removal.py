"""Taking away what an operator has made, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gitops_ocm.decide.contract import Delete, Side, View, Write
from gitops_ocm.decide.writes import delete
from gitops_ocm.objects.ref import Object, Ref


def retire(objects: Iterable[Object], side: Side = Side.HUB) -> tuple[Write, ...]:
    """Delete these objects, unless they are on their way already."""
    return tuple(write for obj in objects for write in delete(obj, side))


def gone(view: View, step: Sequence[tuple[Side, Ref]]) -> bool:
    """Whether nothing of a step is left."""
    return all(view.get(ref, side) is None for side, ref in step)


def remove(view: View, step: Sequence[tuple[Side, Ref]]) -> tuple[Delete, ...]:
    """Delete what is left of a step."""
    return tuple(write for side, ref in step for write in delete(view.get(ref, side), side))
