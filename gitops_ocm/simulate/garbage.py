"""What goes because something else went: a garbage collector and a namespace controller for a `World`.

Both act until nothing is left to do, in the order of identities, as the real ones come to in the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from gitops_ocm.objects import lifecycle
from gitops_ocm.objects.ref import Object


class Objects(Protocol):
    """What is needed of a world."""

    def ending(self) -> Iterable[Object]:
        """The objects that are marked as deleted, or may have no owner left, sorted."""
        ...

    def inside(self, namespace: str) -> Sequence[Object]:
        """All that is in a namespace, sorted."""
        ...

    def dependents(self, uid: str) -> Sequence[Object]:
        """The objects owned by `uid`."""
        ...

    def owners_alive(self, obj: Object) -> bool:
        """Whether an owner of it is left."""
        ...

    def end(self, old: Object, propagation: str, now: datetime) -> Object:
        """Delete it."""
        ...

    def store(self, old: Object | None, new: Object) -> Object:
        """Keep a changed object."""
        ...

    def remove(self, old: Object) -> Object:
        """Forget an object."""
        ...


def collect(world: Objects, now: datetime) -> None:
    """Take away what has no owner left, empty namespaces, let go what waited for its dependents."""
    while any(_step(world, obj, now) for obj in world.ending()):
        pass


def _step(world: Objects, obj: Object, now: datetime) -> bool:
    """Bring one object a step further; False if there is nothing to do about it."""
    meta = obj["metadata"]
    if not meta.get("deletionTimestamp"):
        if world.owners_alive(obj):
            return False
        world.end(obj, "Background", now)
        return True
    if obj["kind"] == "Namespace" and obj["apiVersion"] == "v1":
        return _empty(world, obj, now)
    held = meta.get("finalizers") or ()
    if lifecycle.ORPHAN_FINALIZER in held:
        for dependent in world.dependents(meta["uid"]):
            world.store(dependent, _without_owner(dependent, meta["uid"]))
        _drop_finalizer(world, obj, lifecycle.ORPHAN_FINALIZER)
        return True
    return lifecycle.FOREGROUND_FINALIZER in held and _foreground(world, obj, now)


def _foreground(world: Objects, obj: Object, now: datetime) -> bool:
    uid = obj["metadata"]["uid"]
    dependents = world.dependents(uid)
    fresh = [d for d in dependents if not d["metadata"].get("deletionTimestamp")]
    if fresh:
        world.end(fresh[0], "Foreground", now)
        return True
    if any(_blocks(d, uid) for d in dependents):
        return False
    _drop_finalizer(world, obj, lifecycle.FOREGROUND_FINALIZER)
    return True


def _empty(world: Objects, namespace: Object, now: datetime) -> bool:
    name = namespace["metadata"]["name"]
    inside = world.inside(name)
    fresh = [o for o in inside if not o["metadata"].get("deletionTimestamp")]
    if fresh:
        world.end(fresh[0], "Background", now)
        return True
    if inside or namespace["metadata"].get("finalizers"):
        return False
    world.remove(namespace)
    return True


def _drop_finalizer(world: Objects, obj: Object, finalizer: str) -> None:
    meta = {k: v for k, v in obj["metadata"].items() if k != "finalizers"}
    left = [f for f in obj["metadata"]["finalizers"] if f != finalizer]
    changed = {**obj, "metadata": {**meta, "finalizers": left} if left else meta}
    if lifecycle.finished(changed):
        world.remove(changed)
    else:
        world.store(obj, changed)


def _blocks(obj: Object, uid: str) -> bool:
    owners: list[Any] = obj["metadata"].get("ownerReferences") or []
    return any(o["uid"] == uid and o.get("blockOwnerDeletion") for o in owners)


def _without_owner(obj: Object, uid: str) -> Object:
    meta = {k: v for k, v in obj["metadata"].items() if k != "ownerReferences"}
    left = [o for o in obj["metadata"].get("ownerReferences") or () if o["uid"] != uid]
    return {**obj, "metadata": {**meta, "ownerReferences": left} if left else meta}
