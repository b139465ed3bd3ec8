"""Which kinds are served: those of a catalog, and what CustomResourceDefinitions add and take away.

Also where each kind's objects are kept and how an object looks in another version of its kind.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitops_ocm.apiserver.conversion import served_beside
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects.catalog import Catalog, Served
from gitops_ocm.objects.conversion import converted, converts
from gitops_ocm.objects.crd_rules import as_served
from gitops_ocm.objects.native_values import encoded
from gitops_ocm.objects.ref import Object

CRD_RESOURCE = ("apiextensions.k8s.io", "customresourcedefinitions")
EVENT_RESOURCE = ("", "events")
NAMESPACE_RESOURCE = ("", "namespaces")


class Registry:
    """The catalog in force; a new `Catalog` value after every change."""

    def __init__(self, catalog: Catalog, definitions: Iterable[Object] = ()) -> None:
        self.reload(catalog, definitions)

    def reload(self, catalog: Catalog, definitions: Iterable[Object]) -> None:
        """Serve the catalog and what these definitions add, and nothing else."""
        self.catalog = catalog
        for crd in definitions:
            self.catalog = _with(self.catalog, crd)
        self._reindex()

    def define(self, crd: Object) -> None:
        """Serve what a definition says from now on, and nothing it said before."""
        self.catalog = _with(self.catalog, crd)
        self._reindex()

    def forget(self, crd: Object) -> None:
        """Serve the definition's kind no longer."""
        self.catalog = self.catalog.without_crd(crd)
        self._reindex()

    def _reindex(self) -> None:
        self._by_plural: dict[tuple[str, str], list[Served]] = {}
        for served in self.catalog.entries():
            key = resource_of(served)
            self._by_plural.setdefault(key, []).append(served)

    def of(self, resource: tuple[str, str], version: str = "") -> Served | None:
        """How a collection is served at that version (`""`: as it is stored)."""
        for served in self._by_plural.get(resource, ()):
            if served.resource.version == version or (not version and served.storage):
                return served
        return None

    def versions(self, served: Served) -> tuple[Served, ...]:
        """Every version (and group) in which the objects of a served kind can be had."""
        return tuple(self._by_plural.get(resource_of(served), ()))

    def namespaced(self) -> tuple[tuple[str, str], ...]:
        """Every collection that has namespaces."""
        return tuple(r for r, served in self._by_plural.items() if served[0].resource.namespaced)

    def key_of(self, api_version: str, kind: str, namespace: str, name: str) -> Key | None:
        """Where an object named by apiVersion and kind is kept; None where the kind is not served."""
        served = self.catalog.served(api_version, kind)
        if served is None:
            return None
        return key_for(served, namespace, name)

    def presented(self, obj: Object, served: Served) -> Object:
        """A stored object in the version asked for; the object itself where it is stored in that."""
        if obj["apiVersion"] == served.resource.api_version:
            return obj
        result = converted(obj, served.resource.api_version)
        if served.schema is None:
            return result
        if served.custom:
            kept = served.schema.prune(result)
            # Defaults are those of the version objects are kept in, unless the versions are truly others.
            return served.schema.default(kept) if served.storage or converts(served.resource.of) else kept
        shown: Object = encoded(served.schema.default(result), served.schema)
        return shown

    def stored(self, obj: Object, served: Served) -> Object:
        """An object in the version it is kept in, where that is not as good as the one it came in."""
        if served.storage or not (served.custom or converts(served.resource.of)):
            return obj
        kept = self.of(resource_of(served))
        return obj if kept is None else self.presented(obj, kept)


def _with(catalog: Catalog, crd: Object) -> Catalog:
    served = as_served(crd)
    return catalog if served is None else catalog.with_crd(served).with_served(served_beside(served))


def key_for(served: Served, namespace: str, name: str) -> Key:
    """Where an object of a served kind is kept."""
    return Key(*resource_of(served), namespace if served.resource.namespaced else "", name)


def resource_of(served: Served) -> tuple[str, str]:
    """The collection a served kind is kept in: that of events is one for both their groups."""
    resource = served.resource
    if resource.group == "events.k8s.io":
        return EVENT_RESOURCE
    return resource.group, resource.plural
