"""The objects of a `World`, with all that is looked up in them: by kind, namespace, label, index and owner.

Nothing here knows what an API does to an object; `world` does. What is looked up is found in time that does
not depend on how many others there are, for there may be ten thousand.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from gitops_ocm.decide.contract import Index
from gitops_ocm.objects.ref import Kind, Object, Ref

Values = Callable[[Object], Iterable[str]]


class _Filed:
    """The objects of one kind filed under strings: a declared index, or a label."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self.under: dict[str, set[Ref]] = {}

    def change(self, ref: Ref, old: Object | None, new: Object | None) -> None:
        before = set(self._values(old)) if old is not None else set()
        after = set(self._values(new)) if new is not None else set()
        for value in before - after:
            self.under[value].discard(ref)
        for value in after - before:
            self.under.setdefault(value, set()).add(ref)


class Store:
    """Objects by identity."""

    def __init__(self) -> None:
        self._objects: dict[Ref, Object] = {}
        self._spaces: dict[Kind, dict[str, dict[str, Ref]]] = defaultdict(dict)
        self._order: dict[Kind, list[Ref]] = {}
        self._labels: dict[Kind, dict[str, _Filed]] = {}
        self._indexes: dict[Kind, dict[Index, _Filed]] = {}
        self._dependents: dict[str, set[Ref]] = defaultdict(set)
        self._uids: set[str] = set()
        self._pending: set[Ref] = set()

    # Reading

    def get(self, ref: Ref) -> Object | None:
        """One object."""
        return self._objects.get(ref)

    def all(self) -> Sequence[Object]:
        """Every object, sorted by identity."""
        return [obj for kind in sorted(self._spaces) for obj in self.list(kind)]

    def list(
        self, kind: Kind, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> Sequence[Object]:
        """Objects of a kind by (namespace, name)."""
        if labels:
            return self._labelled(kind, namespace, labels)
        objects = self._objects
        if namespace is None:
            return [objects[ref] for ref in self._ordered(kind)]
        spaces = self._spaces.get(kind)
        inside = spaces.get(namespace) if spaces else None
        return [objects[ref] for _, ref in sorted(inside.items())] if inside else []

    def _ordered(self, kind: Kind) -> Sequence[Ref]:
        found = self._order.get(kind)
        if found is None:
            spaces = self._spaces.get(kind, {})
            found = self._order[kind] = sorted(ref for space in spaces.values() for ref in space.values())
        return found

    def _labelled(self, kind: Kind, namespace: str | None, labels: Mapping[str, str]) -> Sequence[Object]:
        """Whoever has the first of the labels is looked at for the others."""
        key, value = next(iter(labels.items()))
        filed = self._labels.setdefault(kind, {})
        if key not in filed:
            filed[key] = self._file(kind, lambda obj: _label(obj, key))
        refs = filed[key].under.get(value, ())
        found = [self._objects[ref] for ref in sorted(r for r in refs if namespace in (None, r.namespace))]
        wanted = labels.items()
        return [obj for obj in found if wanted <= (obj["metadata"].get("labels") or {}).items()]

    def indexed(self, index: Index, value: str) -> Sequence[Object]:
        """What an index files under `value`, sorted."""
        indexes = self._indexes.setdefault(index.kind, {})
        if index not in indexes:
            indexes[index] = self._file(index.kind, index.values)
        return [self._objects[ref] for ref in sorted(indexes[index].under.get(value, ()))]

    def _file(self, kind: Kind, values: Values) -> _Filed:
        made = _Filed(values)
        for obj, ref in zip(self.list(kind), self._ordered(kind), strict=True):
            made.change(ref, None, obj)
        return made

    # Owners, and what goes because they did

    def dependents(self, uid: str) -> Sequence[Object]:
        """The objects that name `uid` as an owner, sorted."""
        return [self._objects[ref] for ref in sorted(self._dependents.get(uid, ()))]

    def owners_alive(self, obj: Object) -> bool:
        """Whether any owner of an object exists; so too where it has none."""
        owners = _owner_uids(obj)
        return not owners or not owners.isdisjoint(self._uids)

    def inside(self, namespace: str) -> Sequence[Object]:
        """All that is in a namespace, sorted by identity."""
        found = (self._spaces[kind].get(namespace) for kind in sorted(self._spaces))
        return [self._objects[ref] for space in found if space for _, ref in sorted(space.items())]

    def ending(self) -> Iterator[Object]:
        """The objects that are to go, or wait for others to: marked as deleted, or without an owner left."""
        for ref in sorted(self._pending):
            if (obj := self._objects.get(ref)) is not None:
                yield obj

    # Writing

    def put(self, ref: Ref, new: Object) -> Object | None:
        """Keep an object, in the place of what was there under its name: which is given back."""
        old = self._objects.get(ref)
        self._objects[ref] = new
        meta = new["metadata"]
        self._uids.add(meta.get("uid", ""))
        if old is None:
            kind = ref.of
            self._spaces[kind].setdefault(ref.namespace, {})[ref.name] = ref
            if (order := self._order.get(kind)) is not None:
                insort(order, ref)
        self._filed(ref, old, new)
        if meta.get("deletionTimestamp") or not self.owners_alive(new):
            self._pending.add(ref)
        else:
            self._pending.discard(ref)
        return old

    def add(self, ref: Ref, new: Object) -> None:
        """Keep an object that is not there yet and has no owners, of a kind that nobody has looked up."""
        self._objects[ref] = new
        self._uids.add(new["metadata"].get("uid", ""))
        self._spaces[ref.of].setdefault(ref.namespace, {})[ref.name] = ref

    def is_looked_up(self, kind: Kind) -> bool:
        """Whether anything is kept of a kind beside its objects."""
        return kind in self._order or kind in self._labels or kind in self._indexes

    def remove(self, ref: Ref) -> Object:
        """Forget an object; the one that was kept."""
        old = self._objects.pop(ref)
        uid = old["metadata"].get("uid", "")
        self._uids.discard(uid)
        space = self._spaces[ref.of]
        del space[ref.namespace][ref.name]
        if (order := self._order.get(ref.of)) is not None:
            del order[bisect_left(order, ref)]
        self._filed(ref, old, None)
        self._pending.discard(ref)
        self._pending.update(self._dependents.get(uid, ()))
        return old

    def _filed(self, ref: Ref, old: Object | None, new: Object | None) -> None:
        self._link(ref, old, new)
        kind = ref.of
        if labels := self._labels.get(kind):
            for filed in labels.values():
                filed.change(ref, old, new)
        if indexes := self._indexes.get(kind):
            for filed in indexes.values():
                filed.change(ref, old, new)

    def _link(self, ref: Ref, old: Object | None, new: Object | None) -> None:
        for uid in _owner_uids(old):
            self._dependents[uid].discard(ref)
        for uid in _owner_uids(new):
            self._dependents[uid].add(ref)


def _label(obj: Object, key: str) -> tuple[str, ...]:
    value = (obj["metadata"].get("labels") or {}).get(key)
    return () if value is None else (value,)


_NOBODY: frozenset[str] = frozenset()


def _owner_uids(obj: Object | None) -> frozenset[str]:
    owners = obj["metadata"].get("ownerReferences") if obj is not None else None
    return frozenset(o["uid"] for o in owners) if owners else _NOBODY
