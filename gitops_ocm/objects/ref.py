"""Identity: which kind, which object, and how a kind is served.

An object is the same object in every version its kind is served at, so identity is
(group, kind, namespace, name) and never a version. `Resource` (from `api.resource`, handed on here)
is what a request needs beside it: the version and plural to put in a URL, as discovery or
`api.scheme` tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from gitops_ocm.api.resource import Kind as Kind
from gitops_ocm.api.resource import Resource as Resource

Object = dict[str, Any]
"""One Kubernetes object as JSON. Treat what a cache or a view hands out as read-only."""


_kind = lru_cache(maxsize=1024)(Kind)
"""There are few of them, and each object is asked for its own again and again."""


class Ref(NamedTuple):
    """One object's identity and sort key. `namespace` is `""` for a cluster-scoped object."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def of(self) -> Kind:
        """The kind of the object this names."""
        return _kind(self.group, self.kind)

    def __str__(self) -> str:
        """`Deployment.apps shop/web`, or `Namespace shop` for a cluster-scoped one."""
        path = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.of} {path}"


def split_api_version(api_version: str) -> tuple[str, str]:
    """`"apps/v1"` → `("apps", "v1")`; `"v1"` → `("", "v1")`."""
    group, slash, version = api_version.rpartition("/")
    return (group, version) if slash else ("", api_version)


def kind_of(obj: Mapping[str, Any]) -> Kind:
    """The `Kind` an object says it is."""
    group, _, _ = obj.get("apiVersion", "").rpartition("/")
    return Kind(group, obj.get("kind", ""))


def ref_of(obj: Mapping[str, Any]) -> Ref:
    """The identity of an object."""
    meta = obj.get("metadata") or {}
    group, _, _ = obj.get("apiVersion", "").rpartition("/")
    return Ref(group, obj.get("kind", ""), meta.get("namespace") or "", meta.get("name") or "")
