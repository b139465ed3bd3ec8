"""The last step of a write: what it came to goes into the store, and what follows from that is done.

What a write comes to is `verbs`; it may have been worked out in a thread (`workers`), so here it is found out
whether what it was worked out from is still so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gitops_ocm.apiserver.naming import taken
from gitops_ocm.apiserver.registry import CRD_RESOURCE, Registry, key_for
from gitops_ocm.apiserver.store import Store, StoreFailed
from gitops_ocm.apiserver.upkeep import Upkeep
from gitops_ocm.apiserver.values import Answer, Overtaken, WriteOptions
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects import lifecycle
from gitops_ocm.objects.catalog import Catalog, Served
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.service_ports import holdings

SERVICES = ("", "services")


class Keeping:
    """Keeps the writes of one `Api`."""

    def __init__(self, store: Store, registry: Registry, upkeep: Upkeep, catalog: Catalog) -> None:
        self._store = store
        self._registry = registry
        self._upkeep = upkeep
        self._catalog = catalog

    def created(
        self, served: Served, obj: Object, options: WriteOptions, warnings: tuple[str, ...]
    ) -> Answer:
        """A new object; raises AlreadyExists."""
        key = key_for(served, obj["metadata"].get("namespace") or "", obj["metadata"]["name"])
        have = self._store.get(key)
        if have is not None:
            raise taken(served, have)
        if options.dry_run:
            return Answer(obj, warnings, created=True)

        def keep() -> Object:
            if self._store.version_of(key) or self._contended(key, obj):
                raise Overtaken(key)
            if key.namespace:
                self._upkeep.namespaces.check_open(key.namespace, served.resource, key.name)
            return self.put(key, None, obj, served)

        return Answer(self._registry.presented(options.place(keep), served), warnings, created=True)

    def changed(
        self, served: Served, old: Object, new: Object, options: WriteOptions, warnings: tuple[str, ...]
    ) -> Answer:
        """A change, unless it is none; what was only waiting for its last finalizer goes."""
        meta = old["metadata"]
        key = key_for(served, meta.get("namespace") or "", meta["name"])
        if lifecycle.unchanged(old, new):
            return Answer(old, warnings)
        gone = lifecycle.finished(new)
        if options.dry_run:
            return Answer(new, warnings, removed=gone)

        def keep() -> Object:
            if self._store.version_of(key) != meta["resourceVersion"]:
                raise Overtaken(key)
            if not gone and self._contended(key, new):
                raise Overtaken(key)
            if not gone:
                return self.put(key, old, new, served)
            with self.transaction():
                self.remove(key)
            return new

        kept = options.place(keep)
        return Answer(kept if gone else self._registry.presented(kept, served), warnings, removed=gone)

    def _contended(self, key: Key, obj: Object) -> bool:
        """Whether something that was allotted to it has gone to another meanwhile."""
        if key.resource != SERVICES or not (held := holdings(obj)):
            return False
        others = self._store.objects(SERVICES)
        return any(held & holdings(other) for at, other in others.items() if at != key)

    def put(self, key: Key, old: Object | None, new: Object, served: Served) -> Object:
        """Keep an object over what was there."""
        with self.transaction():
            stored = self._store.write(key, self._registry.stored(new, served))
            self._upkeep.after_write(key, old, stored)
        return stored

    def remove(self, key: Key) -> None:
        """Let go of an object."""
        self._upkeep.after_removal(key, self._store.write(key, None))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One write and what follows from it; where it cannot be kept, none of it happened."""
        try:
            with self._store.batch():
                yield
        except StoreFailed:
            self.lost()
            raise

    def lost(self) -> None:
        """Writes could not be kept: learn anew what they had changed beside the store."""
        self._registry.reload(self._catalog, self._store.objects(CRD_RESOURCE).values())
        self._upkeep.reindex()
