"""What is made of the objects that do not come about: a problem of this change, or one that was there before.

A reviewer is told at length only of what this change brings. What the hub lacked already, and would go on
lacking, is a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from gitops_ocm.decide.kinds import MANIFEST_WORK
from gitops_ocm.errors import Diagnostic
from gitops_ocm.objects.ref import Ref
from gitops_ocm.preview.carried_out import Undone
from gitops_ocm.preview.model import Effect
from gitops_ocm.preview.origins import Origins

FEW = 3


@dataclass(frozen=True)
class Lacking:
    """`brought` by this change, and `standing`: in Git as before, and not on the hub as before."""

    brought: tuple[Undone, ...] = ()
    standing: tuple[Undone, ...] = ()

    @property
    def refused(self) -> tuple[Ref, ...]:
        """The objects of this change that the hub would refuse."""
        return tuple(each.change.ref for each in self.brought if not each.waiting)

    def effects(self, found: Iterable[Effect]) -> Iterator[Effect]:
        """The effects that come about, now or when what they wait for is there."""
        never = {*self.refused, *(each.change.ref for each in self.standing)}
        waits = {each.change.ref: each.problem.message for each in self.brought if each.waiting}
        for effect in found:
            if effect.ref not in never:
                yield replace(effect, why=waits.get(effect.ref, effect.why))

    def problems(self) -> Iterator[Diagnostic]:
        """What is told of this change. Of a work without a namespace the warnings say whose it lacks."""
        for each in self.brought:
            if not each.waiting or each.change.ref.of != MANIFEST_WORK:
                yield each.problem

    def notes(self) -> Iterator[str]:
        """What is told of the rest."""
        if not self.standing:
            return
        first = ", ".join(
            f"{_named(each.change.ref)} ({each.problem.message})" for each in self.standing[:FEW]
        )
        more = f" and {len(self.standing) - FEW} more" if len(self.standing) > FEW else ""
        yield f"in Git, but not on the hub, before this change and after it: {first}{more}"


def _named(ref: Ref) -> str:
    return f"{ref.kind} {ref.namespace}/{ref.name}" if ref.namespace else f"{ref.kind} {ref.name}"


def lacking(undone: Iterable[Undone], origins: Origins) -> Lacking:
    """Part what does not come about by whether the change has to do with it."""
    brought: list[Undone] = []
    standing: list[Undone] = []
    for each in undone:
        was, now = (side.objects.get(each.change.ref) for side in (origins.base, origins.head))
        same = was is not None and now is not None and was.digest == now.digest
        (standing if same else brought).append(each)
    return Lacking(tuple(brought), tuple(standing))
