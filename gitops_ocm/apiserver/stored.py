"""An object as the store keeps it: its JSON, from which answers and watch events are cut.

A decoded object takes three to five times the memory of its JSON, and most objects are only ever
handed on. So the JSON is what is kept; `Decoded` remembers the objects that were looked into lately.
Those are looked at by threads too (`workers`), so they are behind a lock.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

import orjson

from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.memory import uncollected

_MUCH = 64 * 1024
DECODED_BYTES = 2 * 1024 * 1024
"""JSON of the objects that stay decoded, for each store."""


class Stored:
    """One version of one object; never changed. `body` begins with apiVersion and kind."""

    __slots__ = ("body", "version")

    def __init__(self, body: bytes, version: int) -> None:
        self.body = body
        self.version = version

    @classmethod
    def of(cls, obj: Object, version: int) -> Stored:
        """An object that has its version in it."""
        # Copied, because the encoder's own buffer is up to eight times as large as what is in it.
        return cls(bytes(memoryview(orjson.dumps(obj))), version)

    def decode(self) -> Object:
        """The object, newly made: the caller's own."""
        obj: Object
        if len(self.body) < _MUCH:
            obj = orjson.loads(self.body)
        else:
            with uncollected():
                obj = orjson.loads(self.body)
        return obj

    def begins(self, head: bytes) -> bool:
        """Whether it is of the kind and version that `head_of` made this of."""
        return self.body.startswith(head)


def head_of(api_version: str, kind: str) -> bytes:
    """How the JSON of objects of a kind, kept at that version, begins."""
    return orjson.dumps({"apiVersion": api_version, "kind": kind})[:-1] + b","


def stamped(obj: Object, version: int) -> Object:
    """The object under its new version, with what names its kind in front."""
    head: Object = {word: obj[word] for word in ("apiVersion", "kind") if word in obj}
    return {**head, **obj, "metadata": {**obj["metadata"], "resourceVersion": str(version)}}


class Decoded:
    """The objects decoded last, up to so many bytes of JSON."""

    def __init__(self, limit: int = DECODED_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[Stored, Object] = OrderedDict()
        self._lock = Lock()

    def of(self, stored: Stored) -> Object:
        """The object, shared with whoever asks: read it, never change it."""
        with self._lock:
            found = self._kept.get(stored)
            if found is not None:
                self._kept.move_to_end(stored)
                return found
        found = stored.decode()
        self.keep(stored, found)
        return found

    def keep(self, stored: Stored, obj: Object) -> None:
        """Remember what a stored object decodes to."""
        with self._lock:
            if stored not in self._kept:
                self._size += len(stored.body)
            self._kept[stored] = obj
            while self._size > self._limit:
                oldest, _ = self._kept.popitem(last=False)
                self._size -= len(oldest.body)
