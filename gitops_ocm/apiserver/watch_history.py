"""The window of past changes, and the watches that follow it.

A watch reads the one list of changes at its own pace; a slow one falls out of the window and is told
so (410), it never holds the store back. `Key` and `Change` are what the list is made of.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gitops_ocm.objects.faults import ApiError, expired
from gitops_ocm.objects.ref import Object


class Key(NamedTuple):
    """Where an object is kept: no version, and `namespace` is `""` for a cluster-scoped one."""

    group: str
    plural: str
    namespace: str
    name: str

    @property
    def resource(self) -> tuple[str, str]:
        """Which collection it belongs to."""
        return self.group, self.plural

    @property
    def position(self) -> str:
        """Its place inside the collection, as continue tokens carry it."""
        return f"{self.namespace}/{self.name}"


class Change(NamedTuple):
    """One write: `old` is None for a creation, `new` for a removal."""

    version: int
    key: Key
    old: Object | None
    new: Object | None


class History:
    """The last `limit` changes, oldest first."""

    def __init__(self, limit: int, version: int) -> None:
        self._limit = limit
        self._changes: deque[Change] = deque()
        self._first = 0
        self._floor = version
        self._waiters: set[asyncio.Future[None]] = set()
        self.closed = False

    @property
    def floor(self) -> int:
        """The oldest version from which a watch can still start."""
        return self._floor

    def extend(self, changes: Iterable[Change]) -> None:
        """Take in changes that have been kept, and wake the watches."""
        for change in changes:
            self._changes.append(change)
            if len(self._changes) > self._limit:
                self._floor = self._changes.popleft().version
                self._first += 1
        self._wake()

    def compact(self) -> None:
        """Forget all past changes, as if the window were full of newer ones."""
        if self._changes:
            self._floor = self._changes[-1].version
            self._first += len(self._changes)
            self._changes.clear()
        self._wake()

    def back_to(self, version: int) -> Iterator[Change]:
        """Changes after `version`, newest first; Expired where they are no longer all there."""
        if version < self._floor:
            raise expired("The resourceVersion for the provided list is too old.")
        for change in reversed(self._changes):
            if change.version <= version:
                return
            yield change

    def position_after(self, version: int) -> int:
        """Where a watch that has seen `version` goes on reading; Expired as in `read`."""
        if version < self._floor:
            raise too_old(version, self._floor)
        behind = 0
        for change in reversed(self._changes):
            if change.version <= version:
                break
            behind += 1
        return self._first + len(self._changes) - behind

    def read(self, position: int) -> list[Change]:
        """All changes from a position on; Expired where the first of them is gone."""
        if position < self._first:
            raise too_old(0, self._floor)
        start = position - self._first
        behind = len(self._changes) - start
        if behind <= 0:
            return []
        if start == 0:
            return list(self._changes)
        recent: list[Change] = []
        for change in reversed(self._changes):
            if behind == 0:
                break
            recent.append(change)
            behind -= 1
        recent.reverse()
        return recent

    async def changed(self, seconds: float | None) -> bool:
        """Wait for the next change; False when so many seconds passed without one."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            # Not `wait_for`: on Python 3.11 it loses a cancellation that arrives with the change.
            async with asyncio.timeout(seconds):
                await waiter
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(waiter)
        return True

    def close(self) -> None:
        """End every watch."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()


def too_old(version: int, floor: int) -> ApiError:
    """What a watch is told whose version has left the window."""
    return expired(f"too old resource version: {version} ({floor})")
