"""The `Cluster` protocol: one Kubernetes-style API, whoever serves it.

Three things speak it: a real kube-apiserver and the embedded server over HTTPS (`kube.client`),
and the embedded store in-process (`apiserver.local`). Callers never know which.

Every method raises `objects.faults.ApiError` for what the API refuses, and `Unreachable` when no
answer came at all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.ref import Object, Resource


class Unreachable(GitopsError):
    """No usable answer came from the API server: refused, reset, timed out, wrong certificate.

    The message names the host; the request may or may not have been carried out.
    """

    code = "api-unreachable"


class PatchType(StrEnum):
    """Content types of a PATCH request."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class ObjectList:
    """One page of a LIST: the items, the version of the collection, and where to go on."""

    items: list[Object]
    resource_version: str
    continue_token: str = ""


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One line of a WATCH: `type` is ADDED, MODIFIED, DELETED or BOOKMARK.

    An ERROR line is raised as `ApiError`, never handed out. A BOOKMARK's object has only
    `metadata.resourceVersion` (and, at the end of initial events, the annotation
    `k8s.io/initial-events-end`).
    """

    type: str
    object: Object


@runtime_checkable
class Probed(Protocol):
    """An API server that can be asked whether it is well."""

    async def probe(self) -> None:
        """Return where it is; raise `ApiError` with what it says, or `Unreachable`, where it is not."""
        ...


class Cluster(Protocol):
    """One API server. `resource` says how the kind is served: see `kube.discovery.Mapper`."""

    @property
    def server(self) -> str:
        """The URL as the kubeconfig has it (the OCM hub hash is made of it)."""
        ...

    async def discover(self) -> Sequence[Resource]:
        """Every resource served, each group's preferred version first."""
        ...

    async def version(self) -> Mapping[str, Any]:
        """`GET /version`: `gitVersion` and others."""
        ...

    async def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """One object."""
        ...

    async def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        continue_token: str = "",
        resource_version: str = "",
    ) -> ObjectList:
        """One page (all of it with `limit` 0) of a kind; `namespace` `""` spans all."""
        ...

    def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
        bookmarks: bool = True,
        timeout: float = 0,
    ) -> AsyncIterator[WatchEvent]:
        """Changes after `resource_version`, until the server ends the stream (`timeout` seconds).

        Raises `ApiError` with reason `Expired`/`Gone` where the history does not reach back.
        """
        ...

    async def create(
        self, resource: Resource, obj: Object, *, field_manager: str = "", dry_run: bool = False
    ) -> Object:
        """POST; the namespace is the object's."""
        ...

    async def rehearse(self, resource: Resource, obj: Object, user: str) -> Object:
        """What would come of a POST by that user; nothing is kept. Needs the right to impersonate."""
        ...

    async def update(
        self,
        resource: Resource,
        obj: Object,
        *,
        subresource: str = "",
        field_manager: str = "",
        dry_run: bool = False,
    ) -> Object:
        """PUT; with a `resourceVersion` in the object it is optimistically locked."""
        ...

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: Any,
        *,
        type: PatchType = PatchType.MERGE,
        subresource: str = "",
        field_manager: str = "",
        force: bool = False,
        dry_run: bool = False,
    ) -> Object:
        """PATCH. With `PatchType.APPLY` the body is the fragment; `force` takes fields over."""
        ...

    async def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        propagation: str = "Background",
        uid: str = "",
        resource_version: str = "",
        dry_run: bool = False,
    ) -> Object | None:
        """DELETE with preconditions; what the API answered (None where it was only a Status)."""
        ...

    async def close(self) -> None:
        """End every connection and watch."""
        ...
