"""`LocalCluster`: the embedded API as a `kube.cluster.Cluster`, called in-process.

The same protocol as over HTTPS, without the wire. What is handed out is a copy, so that no caller
can change what is stored. With `ask`, webhooks and policies that are registered judge what it writes, as they
judge whoever comes over the wire; without, what is built in alone does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import orjson

from gitops_ocm.apiserver import reviews
from gitops_ocm.apiserver.access import Access, RoleObjects
from gitops_ocm.apiserver.hooks.authority import authorizer_of
from gitops_ocm.apiserver.hooks.consultation import Ask, Consultation, consulted, user_info
from gitops_ocm.apiserver.impersonation import USER as IMPERSONATE_USER
from gitops_ocm.apiserver.impersonation import impersonated
from gitops_ocm.apiserver.rbac import GROUP as RBAC_GROUP
from gitops_ocm.apiserver.rbac import MASTERS, NOBODY, Attributes, User
from gitops_ocm.apiserver.verbs import Answer, Api, Page, WriteOptions
from gitops_ocm.kube.cluster import ObjectList, PatchType, WatchEvent
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Kind, Object, Resource
from gitops_ocm.runtime.catalog import kubernetes_version
from gitops_ocm.runtime.memory import uncollected

REVIEW = Kind("authorization.k8s.io", "SubjectAccessReview")
DEFAULT_MANAGER = "gitops-ocm"
"""Who wrote, where a caller does not say: what a server makes of our client's user agent."""


class LocalCluster:
    """A `Cluster` over an `Api`. `server` is only a name: nothing listens there.

    Webhooks are asked by `ask` (None: nobody is asked), and are told that `user` writes.
    """

    def __init__(
        self,
        api: Api,
        server: str = "https://embedded.gitops-ocm.local:6443",
        *,
        ask: Ask | None = None,
        user: User = NOBODY,
    ) -> None:
        self.api = api
        self._server = server
        self._access = Access(RoleObjects(api))
        self._ask, self._user = ask, user

    @property
    def server(self) -> str:
        """The URL this hub is known by."""
        return self._server

    async def discover(self) -> Sequence[Resource]:
        """Every resource served, preferred versions first."""
        return self.api.catalog.resources()

    async def version(self) -> Mapping[str, Any]:
        """The Kubernetes whose kinds are served."""
        return dict(kubernetes_version())

    async def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """One object."""
        return _copy(self.api.get(self._served(resource), namespace, name))

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
        """One page of a kind."""
        page = self.api.list(
            self._served(resource),
            namespace,
            labels=label_selector,
            fields=field_selector,
            limit=limit,
            continue_token=continue_token,
            resource_version=resource_version,
        )
        return ObjectList(_copies(page), page.resource_version, page.continue_token)

    async def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
        bookmarks: bool = True,
        timeout: float = 0,  # noqa: ASYNC109 - the protocol's word
    ) -> AsyncIterator[WatchEvent]:
        """Changes after `resource_version`."""
        events = self.api.watch(
            self._served(resource),
            namespace,
            labels=label_selector,
            fields=field_selector,
            resource_version=resource_version,
            bookmarks=bookmarks,
            timeout=timeout,
        )
        try:
            async for event in events:
                yield WatchEvent(event.type, event.object)
        finally:
            events.close()

    async def create(
        self, resource: Resource, obj: Object, *, field_manager: str = "", dry_run: bool = False
    ) -> Object:
        """POST. Whether somebody may do something is answered, as over the wire, and stored nowhere."""
        if resource.of == REVIEW:
            return reviews.judged(self._access, _copy(obj), reviews.subject_of(obj))
        namespace = (obj.get("metadata") or {}).get("namespace") or ""
        options = WriteOptions(field_manager=field_manager or DEFAULT_MANAGER, dry_run=dry_run)
        served = self._served(resource)
        write = partial(self.api.create, served, namespace)
        return _copy((await self._written(lambda asked: write(_copy(obj), _by(options, asked)))).obj)

    async def rehearse(self, resource: Resource, obj: Object, user: str) -> Object:
        """POST as somebody else, `dryRun=All`: judged by the roles, as over the wire."""
        who = impersonated(self._access, User("", (MASTERS,)), [(IMPERSONATE_USER, user)])
        namespace = (obj.get("metadata") or {}).get("namespace") or ""
        self._access.require(who, Attributes("create", resource.group, resource.plural, "", namespace))
        if resource.group == RBAC_GROUP:
            self._access.require_no_escalation(who, resource.plural, namespace, "", obj)
        return await self.create(resource, obj, dry_run=True)

    async def update(
        self,
        resource: Resource,
        obj: Object,
        *,
        subresource: str = "",
        field_manager: str = "",
        dry_run: bool = False,
    ) -> Object:
        """PUT."""
        meta = obj.get("metadata") or {}
        where = meta.get("namespace") or "", meta.get("name") or ""
        options = WriteOptions(field_manager=field_manager or DEFAULT_MANAGER, dry_run=dry_run)
        write = partial(self.api.update, self._served(resource, subresource), *where, subresource=subresource)
        return _copy((await self._written(lambda asked: write(_copy(obj), _by(options, asked)))).obj)

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
        """PATCH."""
        if not field_manager and type is not PatchType.APPLY:
            field_manager = DEFAULT_MANAGER
        options = WriteOptions(field_manager=field_manager, force=force, dry_run=dry_run)
        served, sent = self._served(resource, subresource), orjson.dumps(body)
        write = partial(self.api.patch, served, namespace, name, type, subresource=subresource)
        return _copy((await self._written(lambda asked: write(orjson.loads(sent), _by(options, asked)))).obj)

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
        """DELETE; None where the object is gone."""
        preconditions = {k: v for k, v in (("uid", uid), ("resourceVersion", resource_version)) if v}
        options: dict[str, Any] = {"propagationPolicy": propagation} if propagation else {}
        if preconditions:
            options["preconditions"] = preconditions
        if dry_run:
            options["dryRun"] = ["All"]
        delete = partial(self.api.delete, self._served(resource), namespace, name, options)
        answer = await self._written(lambda asked: delete(consultation=asked))
        return None if answer.removed else _copy(answer.obj)

    async def close(self) -> None:
        """End every watch and close the storage."""
        self.api.close()

    async def _written(self, write: Callable[[Consultation | None], Answer]) -> Answer:
        """What a write came to, once whoever is registered has had a say and it is kept."""
        if self._ask is None:
            answer = write(None)
        else:
            consultation = Consultation(user_info(self._user), authorizer_of(self._access, self._user))

            async def attempt() -> Answer:
                return write(consultation)

            answer = await consulted(attempt, consultation, self._ask)
        await self.api.store.settled()
        return answer

    def _served(self, resource: Resource, subresource: str = "") -> Served:
        served = self.api.catalog.served(resource.api_version, resource.kind)
        if served is None or (subresource and subresource not in served.resource.subresources):
            raise ApiError("NotFound", "the server could not find the requested resource", details={})
        return served


def _by(options: WriteOptions, asked: Consultation | None) -> WriteOptions:
    return options if asked is None else replace(options, consultation=asked)


def _copies(page: Page) -> list[Object]:
    """Copies, none of which is garbage."""
    with uncollected():
        return page.items.copies()


def _copy(obj: Object) -> Object:
    result: Object = orjson.loads(orjson.dumps(obj))
    return result
