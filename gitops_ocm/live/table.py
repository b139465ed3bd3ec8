"""The objects of one kind as a watch has shown them: stored once, sorted, indexed. No I/O.

`live.reflector` fills it, `live.view` reads it. Objects are shared and never changed.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from gitops_ocm.objects.ref import Object

Values = Callable[[Object], Iterable[str]]
Change = tuple[Object | None, Object | None]
"""(old, new): None for what was not there before, or is no longer."""


def version_of(obj: Mapping[str, object]) -> str:
    """An object's resourceVersion, or `""`."""
    meta = obj.get("metadata")
    return str(meta.get("resourceVersion") or "") if isinstance(meta, Mapping) else ""


def number(version: str) -> int | None:
    """A resourceVersion as a number; those of one API server can be compared (KEP-5504)."""
    return int(version) if version.isascii() and version.isdigit() else None


class Follower(Protocol):
    """Whoever hears of each change: an index, or what a controller keeps of a kind."""

    def change(self, old: Object | None, new: Object | None) -> None:
        """An object came (old is None), changed, or went (new is None)."""
        ...


class _Space:
    """One namespace's objects: by name, and the names in order."""

    __slots__ = ("names", "objects")

    def __init__(self) -> None:
        self.names: list[str] = []
        self.objects: dict[str, Object] = {}


class Table:
    """A kind's objects in all namespaces that are watched."""

    def __init__(self) -> None:
        self._spaces: dict[str, _Space] = {}
        self._indexes: dict[str, _Index] = {}
        self._followers: list[Follower] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def get(self, namespace: str, name: str) -> Object | None:
        """One object."""
        space = self._spaces.get(namespace)
        return space.objects.get(name) if space else None

    def list(self, namespace: str | None = None, labels: Mapping[str, str] | None = None) -> Sequence[Object]:
        """Objects by (namespace, name), those that carry all of `labels`."""
        if namespace is None:
            spaces = [self._spaces[n] for n in sorted(self._spaces)]
        else:
            spaces = [self._spaces[namespace]] if namespace in self._spaces else []
        found = [space.objects[name] for space in spaces for name in space.names]
        return _carrying(found, labels)

    def within(
        self, namespace: str = "", name: str = "", labels: Mapping[str, str] | None = None
    ) -> Sequence[Object]:
        """The objects of a namespace (`""`: all, or cluster-scoped), or the one of a name."""
        if not name:
            return self.list(namespace or None, labels)
        found = self.get(namespace, name)
        return _carrying([found], labels) if found is not None else ()

    def add_index(self, name: str, values: Values) -> None:
        """File objects under `values(obj)`, those already there too."""
        index = self._indexes[name] = _Index(values)
        self.follow(index)

    def follow(self, follower: Follower) -> None:
        """Have a follower hear of every object there is, and of every change from now on."""
        self._followers.append(follower)
        for obj in self.list():
            follower.change(None, obj)

    def indexed(self, name: str, value: str) -> Sequence[Object]:
        """Objects filed under `value`, by (namespace, name)."""
        keys = self._indexes[name].keys_of(value)
        return [self._spaces[namespace].objects[key] for namespace, key in keys]

    def put(self, obj: Object) -> Change | None:
        """Store an object; None if what is there is the same or newer."""
        meta = obj["metadata"]
        namespace, name = meta.get("namespace") or "", meta["name"]
        space = self._spaces.get(namespace)
        if space is None:
            space = self._spaces[namespace] = _Space()
        old = space.objects.get(name)
        if old is not None and not _newer(old, obj):
            return None
        if old is None:
            insort(space.names, name)
            self._count += 1
        space.objects[name] = obj
        for follower in self._followers:
            follower.change(old, obj)
        return old, obj

    def remove(self, namespace: str, name: str) -> Change | None:
        """Forget an object; None if it was not there."""
        space = self._spaces.get(namespace)
        old = space.objects.pop(name, None) if space else None
        if space is None or old is None:
            return None
        del space.names[bisect_left(space.names, name)]
        self._count -= 1
        if not space.names:
            del self._spaces[namespace]
        for follower in self._followers:
            follower.change(old, None)
        return old, None

    def replace(self, objects: Iterable[Object], namespace: str = "", name: str = "") -> Sequence[Change]:
        """Make what is `within` hold exactly `objects`; answers with what that changed."""
        kept: set[tuple[str, str]] = set()
        changes: list[Change] = []
        for obj in objects:
            meta = obj["metadata"]
            kept.add((meta.get("namespace") or "", meta["name"]))
            if change := self.put(obj):
                changes.append(change)
        for old in self.within(namespace, name):
            key = (old["metadata"].get("namespace") or "", old["metadata"]["name"])
            if key not in kept and (change := self.remove(*key)):
                changes.append(change)
        return changes


class _Index:
    """Value → the (namespace, name) of the objects filed under it."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._filed: dict[str, set[tuple[str, str]]] = {}

    def keys_of(self, value: str) -> Sequence[tuple[str, str]]:
        return sorted(self._filed.get(value, ()))

    def change(self, old: Object | None, new: Object | None) -> None:
        before = frozenset(self._values(old)) if old is not None else frozenset()
        after = frozenset(self._values(new)) if new is not None else frozenset()
        obj = new if new is not None else old
        assert obj is not None
        key = (obj["metadata"].get("namespace") or "", obj["metadata"]["name"])
        for value in before - after:
            filed = self._filed[value]
            filed.discard(key)
            if not filed:
                del self._filed[value]
        for value in after - before:
            self._filed.setdefault(value, set()).add(key)


def _carrying(objects: Sequence[Object], labels: Mapping[str, str] | None) -> Sequence[Object]:
    if not labels:
        return objects
    wanted = labels.items()
    return [o for o in objects if wanted <= (o["metadata"].get("labels") or {}).items()]


def _newer(old: Object, new: Object) -> bool:
    """Whether `new` should take the place of `old`."""
    before, after = version_of(old), version_of(new)
    if before == after:
        return before == "" and old != new  # local objects have no version
    a, b = number(before), number(after)
    if a is None or b is None or old["metadata"].get("uid") != new["metadata"].get("uid"):
        return True
    return b > a
