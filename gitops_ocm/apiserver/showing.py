"""Stored objects as one request sees them: in the version it asked for, and as JSON without decoding.

`reading` selects; here the selected become objects (`Items`, `Event.object`) or pieces of JSON
(`Items.fragments`, `Event.line`). An object that is kept in the version asked for is never decoded for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import orjson

from gitops_ocm.apiserver.registry import Registry
from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.stored import Stored, head_of
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.ref import Object

_KIND = ("apiVersion", "kind")


class Shown:
    """How one request sees the objects of a kind."""

    def __init__(self, store: Store, registry: Registry, served: Served) -> None:
        self.served = served
        self._store = store
        self._registry = registry
        self._head = head_of(served.resource.api_version, served.resource.kind)

    def of(self, stored: Stored) -> Object:
        """The object, shared: read it, never change it."""
        return self._registry.presented(self._store.decoded(stored), self.served)

    def copy(self, stored: Stored) -> Object:
        """The object, the caller's own."""
        if stored.begins(self._head):
            return stored.decode()
        obj: Object = orjson.loads(orjson.dumps(self._registry.presented(stored.decode(), self.served)))
        return obj

    def json(self, stored: Stored) -> bytes:
        """The object's JSON."""
        return stored.body if stored.begins(self._head) else orjson.dumps(self.of(stored))

    def untyped(self, stored: Stored) -> bytes:
        """The object's JSON without what names its kind, as lists of built-in kinds have it."""
        if stored.begins(self._head):
            return b"{" + stored.body[len(self._head) :]
        return orjson.dumps({word: value for word, value in self.of(stored).items() if word not in _KIND})


class Items(Sequence[Object]):
    """The objects of a page, made as they are looked at."""

    def __init__(self, shown: Shown, stored: Sequence[Stored]) -> None:
        self._shown = shown
        self._stored = stored

    @overload
    def __getitem__(self, index: int) -> Object: ...

    @overload
    def __getitem__(self, index: slice) -> Items: ...

    def __getitem__(self, index: int | slice) -> Object | Items:
        if isinstance(index, slice):
            return Items(self._shown, self._stored[index])
        return self._shown.of(self._stored[index])

    def __iter__(self) -> Iterator[Object]:
        return map(self._shown.of, self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    @property
    def size(self) -> int:
        """Bytes that they are kept in."""
        return sum(len(stored.body) for stored in self._stored)

    def copies(self) -> list[Object]:
        """All of them, the caller's own."""
        return [self._shown.copy(stored) for stored in self._stored]

    def fragments(self) -> list[orjson.Fragment]:
        """All of them as they are encoded in a list: those of built-in kinds do not name it."""
        cut = self._shown.json if self._shown.served.custom else self._shown.untyped
        return [orjson.Fragment(cut(stored)) for stored in self._stored]


class Event:
    """What a watch is told."""

    __slots__ = ("_shown", "_stored", "type")

    def __init__(self, type: str, stored: Stored, shown: Shown) -> None:
        self.type = type
        self._stored = stored
        self._shown = shown

    @property
    def object(self) -> Object:
        """The object, the caller's own."""
        return self._shown.copy(self._stored)

    def line(self) -> bytes:
        """The event as a line of JSON."""
        return b'{"type":"%b","object":%b}\n' % (self.type.encode(), self._shown.json(self._stored))
