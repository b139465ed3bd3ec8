"""What of the embedded API only reads: an object, a collection, changes as they come.

The verbs that write are `verbs`; how a LIST and a WATCH go is `reading`.
"""

from __future__ import annotations

from typing import Unpack

from gitops_ocm.apiserver import reading
from gitops_ocm.apiserver.registry import Registry, key_for
from gitops_ocm.apiserver.showing import Shown
from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.values import ListOptions, Page, WatchOptions
from gitops_ocm.objects.catalog import Catalog, Served
from gitops_ocm.objects.faults import not_found
from gitops_ocm.objects.ref import Object

WHOLE_OBJECT = ("", "status", "finalize", "approval", "ephemeralcontainers", "resize")
"""Subresources that show and take the whole object."""


class Reads:
    """The reading half of an `Api`."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self.store = store
        self._registry = registry

    @property
    def catalog(self) -> Catalog:
        """What is served; a new value whenever that changes."""
        return self._registry.catalog

    def versions(self, served: Served) -> tuple[Served, ...]:
        """Every version in which the objects of a kind can be had."""
        return self._registry.versions(served)

    def get(self, served: Served, namespace: str, name: str, subresource: str = "") -> Object:
        """One object, as it is kept; raises NotFound."""
        found = self.store.committed(key_for(served, namespace, name))
        if found is None or subresource not in WHOLE_OBJECT:
            raise not_found(served.resource.group, served.resource.plural, name)
        return self._registry.presented(self.store.decoded(found), served)

    def json(self, served: Served, namespace: str, name: str, subresource: str = "") -> bytes:
        """The JSON of one object, as it is kept; raises NotFound."""
        found = self.store.committed(key_for(served, namespace, name))
        if found is None or subresource not in WHOLE_OBJECT:
            raise not_found(served.resource.group, served.resource.plural, name)
        return Shown(self.store, self._registry, served).json(found)

    def size(self, served: Served, namespace: str, name: str) -> int:
        """Bytes that an object is kept in, 0 where it is not there."""
        found = self.store.committed(key_for(served, namespace, name))
        return 0 if found is None else len(found.body)

    def _newest(self, served: Served, namespace: str, name: str, subresource: str = "") -> Object:
        """One object as it is to be changed; raises NotFound."""
        obj = self.store.get(key_for(served, namespace, name))
        if obj is None or subresource not in WHOLE_OBJECT:
            raise not_found(served.resource.group, served.resource.plural, name)
        return self._registry.presented(obj, served)

    def list(self, served: Served, namespace: str = "", **options: Unpack[ListOptions]) -> Page:
        """A page of a collection (all of it with `limit` 0); `namespace` `""` spans all."""
        return reading.page(self.listing(served, namespace, **options))

    def listing(self, served: Served, namespace: str = "", **options: Unpack[ListOptions]) -> reading.Steps:
        """`list` in steps."""
        return reading.paging(self.store, self._registry, served, namespace, **options)

    def watch(self, served: Served, namespace: str = "", **options: Unpack[WatchOptions]) -> reading.Watch:
        """Changes after a `resource_version`; errors are raised by the call itself."""
        return reading.watch(self.store, self._registry, served, namespace, **options)
