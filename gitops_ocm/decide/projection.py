"""What a controller keeps of all objects of a kind, beside single ones (`contract.View.projected`).

Like an index it is told of every change by whoever has the objects (`live.cache`, `simulate.world`); a row of
the table declares it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from gitops_ocm.decide.contract import Side
from gitops_ocm.objects.ref import Kind, Object


class Projected(Protocol):
    """What a projection keeps: it is told of every change, in order, an addition with old None."""

    def change(self, old: Object | None, new: Object | None) -> None:
        """Take a change into account."""
        ...


P = TypeVar("P", bound=Projected)


@dataclass(frozen=True)
class Projection(Generic[P]):
    """Something kept of all objects of a kind, where looking at each of them every time would cost too much.

    A function of the objects alone, so it can be made anew at any time (`empty`, then every object); whoever
    has the objects keeps it up to date.
    """

    kind: Kind
    empty: Callable[[], P]
    side: Side = Side.HUB

    def of(self, objects: Iterable[Object]) -> P:
        """Made anew of these objects."""
        made = self.empty()
        for obj in objects:
            made.change(None, obj)
        return made
