"""The embedded hub's state: every object, at every version that a watch may still ask for.

A `Store` holds the objects' JSON in memory and hands each change to a `Storage` before anybody hears of
it. There are two views of it. Writers see the newest objects (`get`, `objects`, `keys`), those that are
still on their way to the disk included, so that one write follows from another. Readers see what is
kept (`committed`, `snapshot`, `history`, `version`): nobody is told what a crash could take back. Both are
the same between writes; they differ only while `group_commit` has a commit under way.

All versions come from one counter, as etcd's do. Objects handed in or out are shared: nobody changes
them in place. What a change means (validation, finalizers) is decided above, in `verbs`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from sys import intern
from typing import NamedTuple, Protocol

from gitops_ocm.apiserver.stored import Decoded, Stored, stamped
from gitops_ocm.apiserver.watch_history import HISTORY_BYTES, Change, History, Key
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object

_DIGITS = 20
MAX_OBJECT = 3 * 1024 * 1024
"""Bytes of JSON of one object, `managedFields` and all. What etcd takes is half of that, of protobuf."""
HISTORY = 20_000
"""Changes that the window holds at most."""


class Record(NamedTuple):
    """One change as it is kept: `body` is the object's JSON, None where it was removed; `at` is when,
    in seconds since 1970."""

    version: int
    key: Key
    body: bytes | None
    at: float = 0


class Storage(Protocol):
    """Where changes are kept. When `append` returns, they have survived the process."""

    def load(self) -> Iterable[Record]:
        """What is kept, oldest first: each object, and every change after `compacted`."""
        ...

    def version(self) -> int:
        """The newest version ever appended, also of objects since removed."""
        ...

    def compacted(self) -> int:
        """The version from which on every change is there."""
        ...

    def append(self, records: Iterable[Record]) -> None:
        """Keep all of these or none."""
        ...

    def compact(self, version: int, superseded: Iterable[int]) -> None:
        """Forget these versions; the changes up to `version` are then no longer all there."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class StoreFailed(GitopsError):
    """A change could not be kept (or what was kept could not be read); it has not happened."""

    code = "store"


class Snapshot(NamedTuple):
    """Objects of one resource at one version, in key order."""

    items: list[tuple[Key, Stored]]
    version: int


class Commits(Protocol):
    """Who carries changes to the storage while the event loop goes on (`group_commit`)."""

    def add(self, changes: list[Change]) -> None:
        """Publish these once they are kept."""
        ...

    async def settled(self) -> None:
        """Wait for all that were added so far; raises StoreFailed where they could not be kept."""
        ...


class Store:
    """Objects by key, a counter of versions, and the window of past changes."""

    def __init__(
        self,
        storage: Storage,
        *,
        history: int = HISTORY,
        history_bytes: int = HISTORY_BYTES,
        clock: Callable[[], float] = lambda: 0,
    ) -> None:
        self.storage = storage
        self.clock = clock
        self.commits: Commits | None = None
        self.superseded: list[int] = []
        self._objects: dict[tuple[str, str], dict[Key, Stored]] = {}
        self._order: dict[tuple[str, str], list[Key]] = {}
        self._overlay: dict[Key, Change] = {}
        self._decoded = Decoded()
        self._pending: list[Change] | None = None
        self.history = History(history, max(storage.compacted(), 1), history_bytes)
        self._load()
        self.version = self._newest = max(storage.version(), 1)

    def _load(self) -> None:
        complete_from = self.history.floor
        for record in self.storage.load():
            new = None if record.body is None else Stored(record.body, record.version)
            change = Change(record.version, record.key, self.committed(record.key), new)
            self._place(change)
            if record.version > complete_from:
                self._left(self.history.extend((change,), record.at))
            else:
                self._left((change,))

    @property
    def newest(self) -> int:
        """The version of the last write, which readers may not see yet."""
        return self._newest

    def get(self, key: Key) -> Object | None:
        """The object as the next write finds it, or None."""
        found = self._latest(key)
        return None if found is None else self._decoded.of(found)

    def _latest(self, key: Key) -> Stored | None:
        change = self._overlay.get(key)
        return self.committed(key) if change is None else change.new

    def version_of(self, key: Key) -> str:
        """The version of the object that the next write finds; empty where there is none."""
        found = self._latest(key)
        return "" if found is None else str(found.version)

    def committed(self, key: Key) -> Stored | None:
        """The object as readers are to see it, or None."""
        return self._objects.get(key.resource, {}).get(key)

    def has(self, resource: tuple[str, str]) -> bool:
        """Whether readers are to see any object of a resource."""
        return bool(self._objects.get(resource))

    def decoded(self, stored: Stored) -> Object:
        """A stored object, shared with others who ask for it."""
        return self._decoded.of(stored)

    def keys(self, resource: tuple[str, str], namespace: str = "") -> list[Key]:
        """The keys of a resource (in a namespace) that the next write finds, in order."""
        order = self._order.get(resource, [])
        found = order[_start(order, resource, namespace, "") : _end(order, resource, namespace)]
        # Copied first: a request that is worked out in a thread looks too (`workers`).
        changed = {k: c.new for k, c in list(self._overlay.items()) if k.resource == resource}
        if not changed:
            return found
        fresh = (k for k, v in changed.items() if v is not None and namespace in ("", k.namespace))
        return sorted({*(k for k in found if k not in changed), *fresh})

    def objects(self, resource: tuple[str, str]) -> Mapping[Key, Object]:
        """Every object of a resource that the next write finds, decoded as it is looked at."""
        return _Objects(self, self.keys(resource))

    def resources(self) -> tuple[tuple[str, str], ...]:
        """Every resource that has objects."""
        found = dict.fromkeys(resource for resource, objects in self._objects.items() if objects)
        found |= dict.fromkeys(key.resource for key, change in self._overlay.items() if change.new)
        return tuple(found)

    def mentioning(self, *words: bytes) -> Iterator[tuple[Key, Object]]:
        """Every object kept in whose JSON one of the words occurs; the others are not decoded."""
        for objects in self._objects.values():
            for key, stored in objects.items():
                if any(word in stored.body for word in words):
                    yield key, stored.decode()

    def write(self, key: Key, obj: Object | None) -> Object:
        """Put an object (or with None remove it) under the next version; the stored object.

        Its metadata is given that version. The removed object is returned as it last was.
        """
        old = self._latest(key)
        version = self._newest + 1
        new = None
        if obj is not None:
            result = stamped(obj, version)
            new = Stored.of(result, version)
            if len(new.body) > MAX_OBJECT:
                text = (
                    f"Request entity too large: the object takes {len(new.body)} bytes, limit is {MAX_OBJECT}"
                )
                raise ApiError("RequestEntityTooLarge", text)
            self._decoded.keep(new, result)
            if old is None:  # a key is kept with its object; of a namespace's name one is enough
                key = Key(key.group, key.plural, intern(key.namespace), key.name)
        else:
            assert old is not None
            result = self._decoded.of(old)
        self._newest = version
        self._overlay[key] = change = Change(version, key, old, new)
        if self._pending is not None:
            self._pending.append(change)
        else:
            self._commit([change])
        return result

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Keep all writes inside as one transaction; nested batches join the outer one."""
        if self._pending is not None:
            yield
            return
        self._pending = []
        try:
            yield
        finally:
            pending, self._pending = self._pending, None
            if pending:
                self._commit(pending)

    def snapshot(
        self, resource: tuple[str, str], namespace: str, version: int = 0, after: str = ""
    ) -> Snapshot:
        """Objects of a resource as they were at `version` (0: now), from after the key `after` on.

        Raises Expired where the window of history does not reach back so far.
        """
        found = self._objects.get(resource, {})
        order = self._order.get(resource, [])
        keys = order[_start(order, resource, namespace, after) : _end(order, resource, namespace)]
        if version in (0, self.version):
            return Snapshot([(key, found[key]) for key in keys], self.version)
        past: dict[Key, Stored | None] = {}
        for change in self.history.back_to(version):
            if change.key.resource == resource:
                past[change.key] = change.old
        floor = Key(*resource, *after.split("/", 1)) if after else Key(*resource, "", "")
        back = (k for k, v in past.items() if v and namespace in ("", k.namespace) and k > floor)
        items = [(key, found[key]) for key in keys if key not in past]
        items += [(key, was) for key in back if (was := past[key]) is not None]
        return Snapshot(sorted(items, key=_by_key), version)

    def close(self) -> None:
        """End all watches and let go of the storage."""
        self.history.close()
        self.storage.close()

    async def settled(self) -> None:
        """Wait until everything written so far is kept; raises StoreFailed where it could not be."""
        if self.commits is not None:
            await self.commits.settled()

    def records(self, changes: Iterable[Change]) -> list[Record]:
        """Changes as they are kept."""
        at = self.clock()
        return [Record(c.version, c.key, c.new.body if c.new is not None else None, at) for c in changes]

    def publish(self, changes: list[Change]) -> None:
        """Let readers see changes that have been kept, and tell the watches."""
        for change in changes:
            self._place(change)
            if self._overlay.get(change.key) is change:
                del self._overlay[change.key]
        self.version = changes[-1].version
        self._left(self.history.extend(changes, self.clock()))

    def forget_unkept(self) -> None:
        """Changes that could not be kept never happened; their versions are not used again."""
        self._overlay.clear()

    def compact(self, before: float | None = None) -> None:
        """Forget the past before a time, all of it where none is given."""
        self._left(self.history.compact(before))

    def _commit(self, changes: list[Change]) -> None:
        if self.commits is not None:
            self.commits.add(changes)
            return
        try:
            self.storage.append(self.records(changes))
        except StoreFailed:
            self.forget_unkept()
            raise
        self.publish(changes)

    def _place(self, change: Change) -> None:
        key, new = change.key, change.new
        found = self._objects.setdefault(key.resource, {})
        if new is not None:
            if key not in found:
                insort(self._order.setdefault(key.resource, []), key)
            found[key] = new
        elif found.pop(key, None) is not None:
            order = self._order[key.resource]
            del order[bisect_left(order, key)]

    def _left(self, changes: Iterable[Change]) -> None:
        """Changes nobody can ask for any more: what they superseded need not be kept either."""
        for change in changes:
            if change.old is not None:
                self.superseded.append(change.old.version)
            if change.new is None:
                self.superseded.append(change.version)


class _Objects(Mapping[Key, Object]):
    """The objects of some keys."""

    def __init__(self, store: Store, keys: list[Key]) -> None:
        self._store = store
        self._keys = keys

    def __getitem__(self, key: Key) -> Object:
        found = self._store.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def _by_key(item: tuple[Key, Stored]) -> Key:
    return item[0]


def _start(order: list[Key], resource: tuple[str, str], namespace: str, after: str) -> int:
    if after:
        last = Key(*resource, *after.split("/", 1))
        return bisect_right(order, last)
    return bisect_left(order, Key(*resource, namespace, "")) if namespace else 0


def _end(order: list[Key], resource: tuple[str, str], namespace: str) -> int:
    return bisect_left(order, Key(*resource, namespace + "\0", "")) if namespace else len(order)


def parse_version(text: str, *, current: int) -> int:
    """The number a client's resourceVersion names; BadRequest, or Timeout for the future."""
    if why := version_problem(text):
        raise ApiError("InternalError", f'resourceVersion: Invalid value: "{text}": {why}', bare=True)
    if int(text) > current:
        message = f"Too large resource version: {text}, current: {current}"
        details = {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}
        raise ApiError("Timeout", f"Timeout: {message}", retry_after=1, details=details)
    return int(text)


def version_problem(text: str) -> str:
    """Why a text is no version, in Go's words; empty where it is one."""
    if not (text.isascii() and text.isdecimal()):
        return f'strconv.ParseUint: parsing "{text}": invalid syntax'
    # Counted before it is read: Python does not read thousands of digits.
    if len(text.lstrip("0")) > _DIGITS or int(text) >= 1 << 64:
        return f'strconv.ParseUint: parsing "{text}": value out of range'
    return ""
