"""The order in which a plan is carried out.

Kind first (`objects.order.sync_rank`: what others stand on goes first), then the wave annotation. All
objects of one wave go out together; the next wave starts when the last has been answered. Deletions come
after everything else, in the reverse order.

Gates: a namespaced object waits for its namespace. On a hub the namespace of a managed cluster comes from
the cluster's acceptance, not from Git, so a wait is normal and holds up nothing but that namespace's objects.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from gitops_ocm.objects.order import sync_rank
from gitops_ocm.objects.ref import Kind, Ref
from gitops_ocm.plan.changes import Action, Change

NAMESPACE = Kind("", "Namespace")

WaveKey = tuple[int, int, int]
"""(0 for applies and 1 for deletions, kind rank, wave number); both negated for deletions."""


@dataclass(frozen=True, slots=True)
class Wave:
    """Changes that go out together, sorted by identity."""

    key: WaveKey
    changes: tuple[Change, ...]

    @property
    def prunes(self) -> bool:
        """Whether this wave deletes."""
        return self.key[0] == 1

    def __len__(self) -> int:
        return len(self.changes)


def wave_key(change: Change) -> WaveKey:
    """Where a change stands in the order."""
    rank = sync_rank(change.ref.kind)
    if change.action is Action.PRUNE:
        number = change.live.wave if change.live else 0
        return (1, -rank, -number)
    return (0, rank, change.wanted.wave if change.wanted else 0)


def waves(changes: Iterable[Change]) -> tuple[Wave, ...]:
    """The changes that mean a request, in waves."""
    work = [c for c in changes if c.applies or c.action is Action.PRUNE]
    work.sort(key=lambda c: (wave_key(c), c.ref))
    return tuple(Wave(key, tuple(group)) for key, group in groupby(work, key=wave_key))


def needs(ref: Ref) -> Ref | None:
    """The object that must exist before `ref` can: its namespace."""
    return Ref("", "Namespace", "", ref.namespace) if ref.namespace else None
