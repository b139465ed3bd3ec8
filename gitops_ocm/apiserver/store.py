"""The embedded hub's state: every object, at every version that a watch may still ask for.

A `Store` holds the objects in memory and hands each change to a `Storage` before anybody hears of
it. All versions come from one counter, as etcd's do. Objects handed in or out are shared: nobody
changes them in place. What a change means (validation, finalizers) is decided above, in `verbs`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import orjson

from gitops_ocm.apiserver.watch_history import Change, History, Key
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object


class Record(NamedTuple):
    """One change as it is kept: `body` is the object's JSON, None where it was removed."""

    version: int
    key: Key
    body: bytes | None


class Storage(Protocol):
    """Where changes are kept. When `append` returns, they have survived the process."""

    def load(self) -> Iterable[Record]:
        """Every object that exists, once."""
        ...

    def version(self) -> int:
        """The newest version ever appended, also of objects since removed."""
        ...

    def append(self, records: Iterable[Record]) -> None:
        """Keep all of these or none."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class StoreFailed(GitopsError):
    """A change could not be kept (or what was kept could not be read); it has not happened."""

    code = "store"


class Snapshot(NamedTuple):
    """Objects of one resource at one version, in key order."""

    items: list[tuple[Key, Object]]
    version: int


class Store:
    """Objects by key, a counter of versions, and the window of past changes."""

    def __init__(self, storage: Storage, *, history: int = 20_000) -> None:
        self._storage = storage
        self._objects: dict[tuple[str, str], dict[Key, Object]] = {}
        self._order: dict[tuple[str, str], list[Key]] = {}
        self._pending: list[Change] | None = None
        for record in storage.load():
            if record.body is not None:
                self._put(record.key, _decoded(record.key, record.body))
        self.version = max(storage.version(), 1)
        self.history = History(history, self.version)

    def get(self, key: Key) -> Object | None:
        """The object, or None."""
        return self._objects.get(key.resource, {}).get(key)

    def objects(self, resource: tuple[str, str]) -> Mapping[Key, Object]:
        """Every object of a resource, in no order."""
        return self._objects.get(resource, {})

    def resources(self) -> tuple[tuple[str, str], ...]:
        """Every resource that has objects."""
        return tuple(resource for resource, found in self._objects.items() if found)

    def write(self, key: Key, obj: Object | None) -> Object:
        """Put an object (or with None remove it) under the next version; the stored object.

        Its metadata is given that version. The removed object is returned as it last was.
        """
        old = self.get(key)
        self.version += 1
        text = str(self.version)
        stored = None
        if obj is not None:
            stored = {**obj, "metadata": {**obj["metadata"], "resourceVersion": text}}
            self._put(key, stored)
        else:
            self._drop(key)
        assert stored is not None or old is not None
        change = Change(self.version, key, old, stored)
        if self._pending is not None:
            self._pending.append(change)
        else:
            self._commit([change])
        result = stored if stored is not None else old
        assert result is not None
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
        if version in (0, self.version):
            keys = order[_start(order, resource, namespace, after) : _end(order, resource, namespace)]
            return Snapshot([(key, found[key]) for key in keys], self.version)
        past: dict[Key, Object] = dict(found)
        for change in self.history.back_to(version):
            if change.key.resource != resource:
                continue
            if change.old is None:
                past.pop(change.key, None)
            else:
                past[change.key] = change.old
        floor = Key(*resource, *after.split("/", 1)) if after else None
        keys = sorted(k for k in past if namespace in ("", k.namespace) and (floor is None or k > floor))
        return Snapshot([(key, past[key]) for key in keys], version)

    def close(self) -> None:
        """End all watches and let go of the storage."""
        self.history.close()
        self._storage.close()

    def _commit(self, changes: list[Change]) -> None:
        try:
            self._storage.append(
                Record(c.version, c.key, None if c.new is None else orjson.dumps(c.new)) for c in changes
            )
        except StoreFailed:
            for change in reversed(changes):
                self._undo(change)
            raise
        self.history.extend(changes)

    def _undo(self, change: Change) -> None:
        """A change that could not be kept never happened; its version is not used again."""
        if change.old is None:
            self._drop(change.key)
        else:
            self._put(change.key, change.old)

    def _put(self, key: Key, obj: Object) -> None:
        found = self._objects.setdefault(key.resource, {})
        if key not in found:
            insort(self._order.setdefault(key.resource, []), key)
        found[key] = obj

    def _drop(self, key: Key) -> None:
        if self._objects.get(key.resource, {}).pop(key, None) is not None:
            order = self._order[key.resource]
            del order[bisect_left(order, key)]


def _decoded(key: Key, body: bytes | str) -> Object:
    try:
        obj: Object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        name = f"{key.namespace}/{key.name}" if key.namespace else key.name
        raise StoreFailed(
            f"what is stored of {key.plural} {name} is damaged: {error}",
            hint="put a backup of the state in its place, or move it away to begin with an empty hub",
        ) from error
    return obj


def _start(order: list[Key], resource: tuple[str, str], namespace: str, after: str) -> int:
    if after:
        last = Key(*resource, *after.split("/", 1))
        return bisect_right(order, last)
    return bisect_left(order, Key(*resource, namespace, "")) if namespace else 0


def _end(order: list[Key], resource: tuple[str, str], namespace: str) -> int:
    return bisect_left(order, Key(*resource, namespace + "\0", "")) if namespace else len(order)


def parse_version(text: str, *, current: int) -> int:
    """The number a client's resourceVersion names; BadRequest, or Timeout for the future."""
    if not text.isdecimal():
        why = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        raise ApiError(
            "BadRequest", f'invalid resource version: resourceVersion: Invalid value: "{text}": {why}'
        )
    if int(text) > current:
        message = f"Too large resource version: {text}, current: {current}"
        details = {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}
        raise ApiError("Timeout", f"Timeout: {message}", retry_after=1, details=details)
    return int(text)
