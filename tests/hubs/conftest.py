"""What the tests of this folder share: one `Hub` per test, and a custom kind with every schema feature.

Everything here runs on all three hubs through the `Cluster` protocol alone, so that the real
kube-apiserver is the judge of the other two.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from gitops_ocm.kube.cluster import Cluster, ObjectList, PatchType, WatchEvent
from gitops_ocm.objects.ref import Object, Resource

GROUP = "test.gitops-ocm.io"
VERSION = f"{GROUP}/v1"


@dataclass(frozen=True)
class Hub:
    """A cluster and a namespace on it for one test. Objects stand for their own identity."""

    cluster: Cluster
    namespace: str
    kinds: Mapping[tuple[str, str], Resource]
    unique: Callable[[str], str]

    def resource(self, obj: Mapping[str, Any]) -> Resource:
        """How the kind of an object is served."""
        return self.kinds[obj["apiVersion"], obj["kind"]]

    def new(self, kind: str, name: str = "", *, api_version: str = "v1", **fields: Any) -> Object:
        """An object with a name of its own, in the test's namespace if its kind has one."""
        metadata = {"name": name or self.unique(kind.lower())} | fields.pop("metadata", {})
        if self.kinds[api_version, kind].namespaced:
            metadata.setdefault("namespace", self.namespace)
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}

    def widget(self, name: str = "", *, spec: Mapping[str, Any] | None = None, **fields: Any) -> Object:
        """An object of the custom kind."""
        wanted = {"size": 1} if spec is None else dict(spec)
        return self.new("Widget", name, api_version=VERSION, spec=wanted, **fields)

    async def create(self, obj: Object, **options: Any) -> Object:
        """POST."""
        return await self.cluster.create(self.resource(obj), obj, **options)

    async def get(self, obj: Object) -> Object:
        """GET."""
        return await self.cluster.get(self.resource(obj), *_place(obj))

    async def update(self, obj: Object, **options: Any) -> Object:
        """PUT."""
        return await self.cluster.update(self.resource(obj), obj, **options)

    async def patch(
        self, obj: Object, body: Any, type: PatchType = PatchType.MERGE, **options: Any
    ) -> Object:
        """PATCH."""
        return await self.cluster.patch(self.resource(obj), *_place(obj), body, type=type, **options)

    async def apply(self, fragment: Object, manager: str = "us", **options: Any) -> Object:
        """Server-side apply."""
        return await self.patch(fragment, fragment, PatchType.APPLY, field_manager=manager, **options)

    async def delete(self, obj: Object, **options: Any) -> Object | None:
        """DELETE."""
        return await self.cluster.delete(self.resource(obj), *_place(obj), **options)

    async def page(self, kind: str, api_version: str = "v1", **options: Any) -> ObjectList:
        """LIST in the test's namespace."""
        return await self.cluster.list(self.kinds[api_version, kind], self.namespace, **options)

    async def names(self, kind: str, api_version: str = "v1", **options: Any) -> list[str]:
        """The names that a LIST gives, as sorted as they come."""
        return [o["metadata"]["name"] for o in (await self.page(kind, api_version, **options)).items]

    def watch(self, kind: str, api_version: str = "v1", **options: Any) -> AsyncIterator[WatchEvent]:
        """WATCH in the test's namespace."""
        return self.cluster.watch(self.kinds[api_version, kind], self.namespace, **options)


def _place(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


@pytest.fixture(scope="session")
async def kinds(cluster: Cluster) -> Mapping[tuple[str, str], Resource]:
    """Every kind the hub serves, `Widget` included."""
    from gitops_ocm.testing.clusters import install

    await install(cluster, [WIDGETS])
    return {(r.api_version, r.kind): r for r in await cluster.discover()}


@pytest.fixture
async def hub(
    cluster: Cluster,
    namespace: str,
    kinds: Mapping[tuple[str, str], Resource],
    unique: Callable[[str], str],
) -> Hub:
    """A hub and a fresh namespace on it."""
    return Hub(cluster, namespace, kinds, unique)


WIDGETS: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"widgets.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {
            "kind": "Widget",
            "listKind": "WidgetList",
            "plural": "widgets",
            "singular": "widget",
            "shortNames": ["wg"],
            "categories": ["all"],
        },
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "additionalPrinterColumns": [
                    {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
                    {"name": "Colour", "type": "string", "jsonPath": ".spec.colour"},
                    {
                        "name": "Ready",
                        "type": "string",
                        "jsonPath": '.status.conditions[?(@.type=="Ready")].status',
                    },
                    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                ],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "required": ["spec"],
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["size"],
                                "x-kubernetes-validations": [
                                    {
                                        "rule": "!has(self.limit) || self.size <= self.limit",
                                        "message": "size must not exceed limit",
                                    },
                                    {
                                        "rule": "!has(oldSelf.serial) || self.serial == oldSelf.serial",
                                        "message": "serial is immutable",
                                    },
                                ],
                                "properties": {
                                    "size": {"type": "integer", "minimum": 1, "maximum": 100},
                                    "limit": {"type": "integer"},
                                    "serial": {"type": "string", "maxLength": 16},
                                    "code": {"type": "string", "pattern": "^[a-z]+$"},
                                    "colour": {
                                        "type": "string",
                                        "enum": ["red", "green"],
                                        "default": "red",
                                    },
                                    "port": {"x-kubernetes-int-or-string": True},
                                    "nested": {
                                        "type": "object",
                                        "properties": {
                                            "enabled": {"type": "boolean", "default": True},
                                            "note": {"type": "string", "nullable": True},
                                        },
                                    },
                                    "free": {
                                        "type": "object",
                                        "x-kubernetes-preserve-unknown-fields": True,
                                    },
                                    "tags": {
                                        "type": "array",
                                        "items": {"type": "string"},
                                        "x-kubernetes-list-type": "set",
                                    },
                                    "parts": {
                                        "type": "array",
                                        "maxItems": 5,
                                        "x-kubernetes-list-type": "map",
                                        "x-kubernetes-list-map-keys": ["name"],
                                        "items": {
                                            "type": "object",
                                            "required": ["name"],
                                            "properties": {
                                                "name": {"type": "string"},
                                                "value": {"type": "string"},
                                                "count": {"type": "integer", "default": 1},
                                            },
                                        },
                                    },
                                    "steps": {"type": "array", "items": {"type": "string"}},
                                },
                            },
                            "status": {
                                "type": "object",
                                "properties": {
                                    "phase": {"type": "string"},
                                    "conditions": {
                                        "type": "array",
                                        "x-kubernetes-list-type": "map",
                                        "x-kubernetes-list-map-keys": ["type"],
                                        "items": {
                                            "type": "object",
                                            "required": ["type", "status"],
                                            "properties": {
                                                "type": {"type": "string"},
                                                "status": {"type": "string"},
                                                "reason": {"type": "string"},
                                            },
                                        },
                                    },
                                },
                            },
                        },
                    }
                },
            }
        ],
    },
}
