"""Which key has looked at what, so that a change of it wakes the key.

Only for what controllers read without declaring it (an agent watching the objects it applied):
declared kinds wake by the table's own mappers.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from gitops_ocm.decide.contract import Side
from gitops_ocm.decide.reads import Seen, outdated
from gitops_ocm.live.hold import Owner
from gitops_ocm.live.view import Reads
from gitops_ocm.objects.ref import Kind, Ref


class Dependents:
    """Reads by owner, and owners by what they read."""

    def __init__(self) -> None:
        self._reads: dict[Owner, Reads] = {}
        self._owners: dict[Seen, set[Owner]] = {}
        self._missed: dict[tuple[Side, str, str], set[Owner]] = {}

    def record(self, owner: Owner, reads: Reads) -> None:
        """`owner` now rests on `reads` instead of what it read before."""
        before = self._reads.pop(owner, None)
        if before is not None and before != reads:
            _drop(self._owners, before.seen, owner)
            _drop(self._missed, before.missed, owner)
        if not (reads.seen or reads.required or reads.missed):
            return
        self._reads[owner] = reads
        for seen in reads.seen:
            self._owners.setdefault(seen, set()).add(owner)
        for missed in reads.missed:
            self._missed.setdefault(missed, set()).add(owner)

    def of(self, side: Side, ref: Ref) -> Iterable[Owner]:
        """The owners that looked at this object, or listed where it is."""
        return sorted(set(chain.from_iterable(self._owners.get(key, ()) for key in outdated(side, ref))))

    def missing(self, side: Side) -> set[tuple[str, str]]:
        """(apiVersion, kind) that somebody asked for in vain."""
        return {(api_version, kind) for at, api_version, kind in self._missed if at is side}

    def of_missing(self, side: Side, api_version: str, kind: str) -> Iterable[Owner]:
        """The owners that asked for a kind that was not served."""
        return sorted(self._missed.get((side, api_version, kind), ()))

    def used(self) -> set[tuple[Side, Kind, str]]:
        """(side, kind, namespace) of every watch that somebody rests on."""
        return {want for reads in self._reads.values() for want in reads.wants()}


def _drop(owners: dict[Any, set[Owner]], keys: Iterable[Any], owner: Owner) -> None:
    for key in keys:
        left = owners.get(key, set())
        left.discard(owner)
        if not left:
            owners.pop(key, None)
