"""Identity: which kind, which object, and how a kind is served.

An object is the same object in every version its kind is served at, so identity is
(group, kind, namespace, name) and never a version. `Resource` is what a request needs beside it:
the version and plural to put in a URL, as discovery or `api.scheme` tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Object = dict[str, Any]
"""One Kubernetes object as JSON. Treat what a cache or a view hands out as read-only."""


class Kind(NamedTuple):
    """A kind without a version: `Kind("apps", "Deployment")`; the core group is `""`."""

    group: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


class Ref(NamedTuple):
    """One object's identity and sort key. `namespace` is `""` for a cluster-scoped object."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def of(self) -> Kind:
        """The kind of the object this names."""
        return Kind(self.group, self.kind)

    def __str__(self) -> str:
        """`Deployment.apps shop/web`, or `Namespace shop` for a cluster-scoped one."""
        path = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.of} {path}"


@dataclass(frozen=True, slots=True)
class Resource:
    """How one kind is served at one version: what a discovery document says of it.

    `plural` is the REST name (`manifestworks`), `subresources` those served (`status`, `scale`),
    `verbs` what may be asked of it. `preferred` marks the version clients should use.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset(
        {"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}
    )

    @property
    def of(self) -> Kind:
        """The kind this resource serves."""
        return Kind(self.group, self.kind)

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The REST path, `/apis/apps/v1/namespaces/shop/deployments/web/status`.

        Without `namespace` a namespaced resource's path spans all namespaces. Segments are not
        escaped: names come from objects, which validation has held to URL-safe characters.
        """
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        if name:
            parts.append(name)
        if subresource:
            parts.append(subresource)
        return "/".join(parts)


def split_api_version(api_version: str) -> tuple[str, str]:
    """`"apps/v1"` → `("apps", "v1")`; `"v1"` → `("", "v1")`."""
    group, slash, version = api_version.rpartition("/")
    return (group, version) if slash else ("", api_version)


def kind_of(obj: Mapping[str, Any]) -> Kind:
    """The `Kind` an object says it is."""
    group, _ = split_api_version(obj.get("apiVersion", ""))
    return Kind(group, obj.get("kind", ""))


def ref_of(obj: Mapping[str, Any]) -> Ref:
    """The identity of an object."""
    meta = obj.get("metadata") or {}
    group, _ = split_api_version(obj.get("apiVersion", ""))
    return Ref(group, obj.get("kind", ""), meta.get("namespace") or "", meta.get("name") or "")
