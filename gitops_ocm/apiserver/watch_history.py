"""The window of past changes, and the watches that follow it.

A watch is handed the changes of what it watches (`Feed`) as they are published, and nothing else, so a
thousand watches of a thousand namespaces cost a write no more than one. One that does not keep up with
the window is told so (410); it never holds the store back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from weakref import WeakSet

from gitops_ocm.apiserver.stored import Stored, stamped
from gitops_ocm.objects.faults import ApiError, expired
from gitops_ocm.objects.ref import Object

HISTORY_BYTES = 32 * 1024 * 1024
"""JSON of superseded objects that the window holds at most."""
_EACH = 256
"""What a change takes beside the JSON of the object it superseded."""
_MARKS_APART = 10.0


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


class Change:
    """One write: `old` is None for a creation, `new` for a removal."""

    __slots__ = ("_gone", "key", "new", "old", "version")

    def __init__(self, version: int, key: Key, old: Stored | None, new: Stored | None) -> None:
        self.version = version
        self.key = key
        self.old = old
        self.new = new
        self._gone: Stored | None = None

    @property
    def gone(self) -> Stored:
        """What was there before, under this change's version: a watch can be resumed from it."""
        assert self.old is not None
        if self._gone is None:
            last: Object = stamped(self.old.decode(), self.version)
            self._gone = Stored.of(last, self.version)
        return self._gone

    @property
    def size(self) -> int:
        """The memory that forgetting this change frees."""
        return _EACH + (len(self.old.body) if self.old is not None else 0)


class Bell:
    """Wakes whoever waits for it."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    async def rung(self, seconds: float | None) -> bool:
        """Wait until it rings; False when so many seconds passed first."""
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

    def ring(self) -> None:
        """Wake them."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()


class Feed:
    """What one watch has still to be told: changes of a resource, in one namespace or (`""`) in all."""

    def __init__(self, history: History, scope: Scope) -> None:
        self._history = history
        self._scope = scope
        self._changes: deque[Change] = deque()
        self._lost = False
        self.bell = Bell()

    def put(self, changes: Iterable[Change]) -> None:
        """Take in changes; forget all where the watch lags behind the window."""
        if self._lost:
            return
        self._changes.extend(changes)
        if self._changes and self._changes[0].version <= self._history.floor:
            self._lost = True
            self._changes.clear()
        self.bell.ring()

    def take(self) -> list[Change]:
        """The changes so far; Expired where some had to be forgotten."""
        if self._lost:
            raise too_old(0, self._history.floor)
        taken = list(self._changes)
        self._changes.clear()
        return taken

    async def changed(self, seconds: float | None) -> bool:
        """Wait for the next change; False when so many seconds passed without one."""
        if self._changes or self._lost:
            return True
        return await self.bell.rung(seconds)

    def close(self) -> None:
        """Follow no longer."""
        self._history.forget(self._scope, self)


class Scope(NamedTuple):
    """What a feed is of."""

    resource: tuple[str, str]
    namespace: str


class History:
    """The last changes, oldest first: at most `limit` of them and `limit_bytes` of what they superseded."""

    def __init__(self, limit: int, version: int, limit_bytes: int = HISTORY_BYTES) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._size = 0
        self._changes: deque[Change] = deque()
        self._first = 0
        self._floor = version
        self._feeds: dict[Scope, WeakSet[Feed]] = {}
        self._marks: deque[tuple[float, int]] = deque()
        self._bell = Bell()
        self.closed = False

    @property
    def floor(self) -> int:
        """The oldest version from which a watch can still start."""
        return self._floor

    def extend(self, changes: Iterable[Change], at: float = 0) -> list[Change]:
        """Take in changes that have been kept, and tell the feeds; those that left the window for it."""
        scopes: dict[Scope, list[Change]] = {}
        for change in changes:
            self._changes.append(change)
            self._size += change.size
            if self._feeds:
                resource, namespace = change.key.resource, change.key.namespace
                scopes.setdefault(Scope(resource, ""), []).append(change)
                if namespace:
                    scopes.setdefault(Scope(resource, namespace), []).append(change)
        if self._changes and (not self._marks or at >= self._marks[-1][0] + _MARKS_APART):
            self._marks.append((at, self._changes[-1].version))
        left = self._trim()
        for scope, told in scopes.items():
            for feed in self._feeds.get(scope, ()):
                feed.put(told)
        self._bell.ring()
        return left

    def _trim(self, floor: int = 0) -> list[Change]:
        """Let go of what is too much, and of everything up to `floor`."""
        left: list[Change] = []
        while self._changes and (
            len(self._changes) > self._limit
            or self._size > self._limit_bytes
            or self._changes[0].version <= floor
        ):
            change = self._changes.popleft()
            self._size -= change.size
            self._floor = change.version
            self._first += 1
            left.append(change)
        while self._marks and self._marks[0][1] <= self._floor:
            self._marks.popleft()
        return left

    def compact(self, before: float | None = None) -> list[Change]:
        """Forget the changes made before that time (all of them where none is given); those forgotten."""
        if before is None:
            return self._trim(self._changes[-1].version if self._changes else 0)
        return self._trim(max((version for at, version in self._marks if at < before), default=0))

    def back_to(self, version: int) -> Iterator[Change]:
        """Changes after `version`, newest first; Expired where they are no longer all there."""
        if version < self._floor:
            raise expired("The resourceVersion for the provided list is too old.")
        for change in reversed(self._changes):
            if change.version <= version:
                return
            yield change

    def position_after(self, version: int) -> int:
        """Where a reader that has seen `version` goes on reading; Expired as in `read`."""
        return self._first + len(self._changes) - len(self._after(version))

    def _after(self, version: int) -> list[Change]:
        if version < self._floor:
            raise too_old(version, self._floor)
        found: list[Change] = []
        for change in reversed(self._changes):
            if change.version <= version:
                break
            found.append(change)
        found.reverse()
        return found

    def read(self, position: int) -> list[Change]:
        """All changes from a position on; Expired where the first of them is gone."""
        if position < self._first:
            raise too_old(0, self._floor)
        behind = self._first + len(self._changes) - position
        if behind <= 0:
            return []
        recent = [change for change, _ in zip(reversed(self._changes), range(behind), strict=False)]
        recent.reverse()
        return recent

    async def changed(self, seconds: float | None) -> bool:
        """Wait for the next change of anything; False when so many seconds passed without one."""
        return await self._bell.rung(seconds)

    def follow(self, resource: tuple[str, str], namespace: str, version: int) -> Feed:
        """Be told all changes of a resource after `version`; Expired where that is too old."""
        scope = Scope(resource, namespace)
        feed = Feed(self, scope)
        feed.put(
            change
            for change in self._after(version)
            if change.key.resource == resource and namespace in ("", change.key.namespace)
        )
        self._feeds.setdefault(scope, WeakSet()).add(feed)
        return feed

    def forget(self, scope: Scope, feed: Feed) -> None:
        """Tell a feed no more."""
        feeds = self._feeds.get(scope)
        if feeds is not None:
            feeds.discard(feed)
            if not feeds:
                del self._feeds[scope]

    def close(self) -> None:
        """End every watch."""
        self.closed = True
        self._bell.ring()
        for feeds in self._feeds.values():
            for feed in feeds:
                feed.bell.ring()


def too_old(version: int, floor: int) -> ApiError:
    """What a watch is told whose version has left the window."""
    return expired(f"too old resource version: {version} ({floor})")
