"""One resource request, decoded: from a `Call` to a `Reply`, through the verbs of `Api`.

No sockets and no headers here: `app` reads the request, makes the `Call` and writes the `Reply`;
watches, which are streams, are in `handlers_watch`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

import orjson

from gitops_ocm.apiserver import csr_rules
from gitops_ocm.apiserver.access import Access
from gitops_ocm.apiserver.bodies import Body
from gitops_ocm.apiserver.connections_to_pods import Connections
from gitops_ocm.apiserver.csr_admission import unchanged_spec, with_requestor
from gitops_ocm.apiserver.evictions import EVICTION, Evictions
from gitops_ocm.apiserver.handlers_body import check_kind, object_in, options_in
from gitops_ocm.apiserver.handlers_form import deleted, formed, formed_list
from gitops_ocm.apiserver.handlers_options import (
    asked,
    delete_options,
    integer,
    require_apply_options,
    selection,
    told_options,
    write_query,
)
from gitops_ocm.apiserver.handlers_scale import SCALE, check_scale, patched_scale, scale_of
from gitops_ocm.apiserver.hooks.consultation import Consultation
from gitops_ocm.apiserver.list_options import check_list
from gitops_ocm.apiserver.negotiation import PLAIN, Form, decode_patch, patch_type
from gitops_ocm.apiserver.rbac import GROUP, Attributes, User
from gitops_ocm.apiserver.reading import Steps
from gitops_ocm.apiserver.reads import WHOLE_OBJECT
from gitops_ocm.apiserver.request_info import RequestInfo
from gitops_ocm.apiserver.scaling import Scaling
from gitops_ocm.apiserver.store import parse_version
from gitops_ocm.apiserver.subresources import CONNECTED
from gitops_ocm.apiserver.tables_workloads import SCALE as SCALE_COLUMNS
from gitops_ocm.apiserver.values import Answer, Page, Place, WriteOptions, here
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.apiserver.workers import LARGE
from gitops_ocm.decide.admission import Requester, Review
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.intake import check_identity, decoded, telling
from gitops_ocm.objects.ref import Object


@dataclass(frozen=True, slots=True)
class Call:
    """One request for a resource that is served, by a user who may."""

    info: RequestInfo
    served: Served
    user: User
    form: Form
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str = ""
    user_agent: str = ""
    consultation: Consultation | None = None
    place: Place = here


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer: a document, its HTTP status, warnings for the person who asked; whether it takes long
    to encode."""

    document: Any
    status: int = 200
    warnings: tuple[str, ...] = ()
    large: bool = False


_DONE = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


class Handlers:
    """The verbs of resources but watch."""

    def __init__(self, api: Api, access: Access, now: Callable[[], datetime]) -> None:
        self._api = api
        self._access = access
        self._now = now
        self._scaling = Scaling(api, now)
        self._connections = Connections(api.store)
        self._evictions = Evictions(api, now)
        self._verbs: Mapping[str, Callable[[Call], Reply]] = {
            "get": self._get,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
        }

    def handle(self, call: Call) -> Reply:
        """Carry the request out; what is of a collection is carried out in steps: `listing`, `deleting`."""
        info = call.info
        if info.subresource in CONNECTED:
            self._connections.refuse(info.plural, info.namespace, info.name, info.subresource, call.query)
            return Reply(None, HTTPStatus.NO_CONTENT)
        if info.subresource == "eviction" or _is_binding(call):
            return self._moved(call)
        return self._verbs[info.verb](call)

    def _moved(self, call: Call) -> Reply:
        """A pod is evicted, or put on a node."""
        info, evicted = call.info, call.info.subresource == "eviction"
        served = EVICTION if evicted else self._api.catalog.served("v1", "Binding") or call.served
        body = object_in(call.body, call.content_type, served, whole=True)
        obj, options = body.value, self._options(call, "CreateOptions", body.duplicates)
        if evicted and obj.get("apiVersion") == "policy/v1beta1":
            obj = {**obj, "apiVersion": served.resource.api_version}
        check_kind(obj, served, self._api.catalog)
        check_identity(obj, served, info.namespace)
        sent, warnings = decoded(obj, served, options.field_validation, options.duplicates)
        name = info.name or str(sent["metadata"].get("name") or "")
        with telling(warnings):
            if evicted:
                self._evictions.evict(info.namespace, name, sent, dry_run=options.dry_run)
            else:
                self._evictions.bind(info.namespace, name, sent, options=options)
        return Reply(_DONE, HTTPStatus.CREATED, warnings)

    def _get(self, call: Call) -> Reply:
        info = call.info
        if call.query.get("resourceVersion"):
            parse_version(call.query["resourceVersion"], current=self._api.store.version)
        if info.subresource == SCALE:
            scale = self._scale_now(call)
            columns = SCALE_COLUMNS
            return Reply(formed(scale, call.served, call.form, self._now(), call.query, columns=columns))
        if call.form == PLAIN:
            body = self._api.json(call.served, info.namespace, info.name, info.subresource)
            return Reply(orjson.Fragment(body), large=len(body) >= LARGE)
        obj = self._api.get(call.served, info.namespace, info.name, info.subresource)
        return Reply(formed(obj, call.served, call.form, self._now(), call.query))

    def is_large(self, call: Call) -> bool:
        """Whether the request is about so large an object that it takes long."""
        info, served = call.info, call.served
        if info.verb == "get" and call.form == PLAIN:
            return False
        if len(call.body) >= LARGE:
            return True
        return bool(info.name) and self._api.size(served, info.namespace, info.name) >= LARGE

    def listing(self, call: Call) -> Steps:
        """What a LIST finds. Between its steps others can be served."""
        query = call.query
        integer(query, "timeoutSeconds")
        if asked(query, "sendInitialEvents") is not None:
            check_list(
                version=query.get("resourceVersion", ""),
                match=query.get("resourceVersionMatch", ""),
                token=query.get("continue", ""),
                initial=asked(query, "sendInitialEvents"),
            )
        chosen = selection(query)
        chosen["resource_version"] = query.get("resourceVersion", "")
        chosen["resource_version_match"] = query.get("resourceVersionMatch", "")
        page = yield from self._api.listing(call.served, call.info.namespace, **chosen)
        return page

    def listed(self, call: Call, page: Page) -> Reply:
        """The answer to a LIST (or to a DELETE of a collection) that found this."""
        document = formed_list(page, call.served, call.form, self._now(), call.query)
        return Reply(document, warnings=page.warnings)

    def _create(self, call: Call) -> Reply:
        body = _body(call)
        obj: Object = body.value
        options = self._options(call, "CreateOptions", body.duplicates)
        check_kind(obj, call.served, self._api.catalog)
        self._guard(call, obj)
        if _is_csr(call):
            obj = with_requestor(obj, call.user)
        answer = self._api.create(call.served, call.info.namespace, obj, options)
        return self._written(call, answer, created=True)

    def _update(self, call: Call) -> Reply:
        if call.info.subresource == SCALE:
            sent = _sent(call)
            check_scale(sent, call.info.name, self._api.catalog)
            return self._scaled(call, lambda scale: sent, self._options(call, "UpdateOptions"))
        body = _body(call)
        obj: Object = body.value
        options = self._options(call, "UpdateOptions", body.duplicates)
        check_kind(obj, call.served, self._api.catalog)
        self._guard(call, obj)
        info = call.info
        if _is_csr(call):
            stored = self._api.get(call.served, "", info.name)
            obj = {**obj, "spec": stored.get("spec") or {}}
        answer = self._api.update(
            call.served, info.namespace, info.name, obj, options, subresource=info.subresource
        )
        return self._written(call, answer)

    def _patch(self, call: Call) -> Reply:
        info = call.info
        kind = patch_type(call.content_type)
        body = self._patch_body(call, kind)
        options = self._options(call, "PatchOptions")
        require_apply_options(call.query, apply=kind is PatchType.APPLY)
        if info.subresource == SCALE and kind is PatchType.APPLY:
            answer = self._scaling.applied(call.served, info.namespace, info.name, body, options)
            return Reply(scale_of(answer.obj, call.served), warnings=answer.warnings)
        if info.subresource == SCALE:
            return self._scaled(call, lambda scale: patched_scale(scale, kind, body), options)
        if _is_csr(call):
            body = self._csr_patch(call, kind, body)
        if kind is PatchType.APPLY:
            self._may_create(call)
        if info.group == GROUP and isinstance(body, dict):
            self._guard_patch(call, kind, body, options)
        answer = self._api.patch(
            call.served, info.namespace, info.name, kind, body, options, subresource=info.subresource
        )
        return self._written(call, answer, created=answer.created)

    def _patch_body(self, call: Call, kind: PatchType) -> Any:
        """What was sent; only of an object that is there is it said what is wrong with its patch."""
        try:
            return decode_patch(call.body, kind)
        except ApiError:
            if kind is not PatchType.APPLY:
                self._api.get(call.served, call.info.namespace, call.info.name)
            raise

    def _delete(self, call: Call) -> Reply:
        body = _sent(call)
        info = call.info
        options = delete_options(call.query, body)
        answer = self._api.delete(call.served, info.namespace, info.name, options, call.consultation)
        return Reply(deleted(call.info, answer, self._now()), warnings=answer.warnings)

    def deleting(self, call: Call) -> Steps:
        """A DELETE of a collection, some objects at a time."""
        page = yield from self._api.deleting(
            call.served,
            call.info.namespace,
            delete_options(call.query, _sent(call)),
            **selection(call.query),
            consultation=call.consultation,
        )
        return page

    def _scale_now(self, call: Call) -> Object:
        return scale_of(self._api.get(call.served, call.info.namespace, call.info.name), call.served)

    def _scaled(self, call: Call, make: Callable[[Object], Any], options: WriteOptions) -> Reply:
        info = call.info
        answer = self._scaling.changed(call.served, info.namespace, info.name, make, options)
        return Reply(scale_of(answer.obj, call.served), warnings=answer.warnings)

    def _options(self, call: Call, kind: str, duplicates: tuple[str, ...] = ()) -> WriteOptions:
        query = write_query(call.query, kind, user_agent=call.user_agent)
        return WriteOptions(
            field_manager=query.field_manager,
            dry_run=query.dry_run,
            force=query.force,
            field_validation=query.field_validation,
            duplicates=duplicates,
            requester=self._requester(call.user),
            consultation=call.consultation,
            place=call.place,
            document=told_options(call.query),
        )

    def _requester(self, user: User) -> Requester:
        """The user as admission asks about: its reviews are judged like requests."""

        def allows(review: Review) -> bool:
            wanted = Attributes(
                review.verb,
                review.group,
                review.resource,
                review.subresource,
                review.namespace,
                review.name,
            )
            return self._access.allows(user, wanted)

        return Requester(user.name, allows)

    def _written(self, call: Call, answer: Answer, *, created: bool = False) -> Reply:
        document = formed(answer.obj, call.served, call.form, self._now(), call.query)
        return Reply(document, 201 if created else 200, tuple(answer.warnings))

    def _may_create(self, call: Call) -> None:
        """An apply of what is not there creates it, which is a verb of its own."""
        if call.user.is_master or call.info.subresource or self._exists(call):
            return
        info = call.info
        wanted = Attributes("create", info.group, info.plural, "", info.namespace, info.name)
        self._access.require(call.user, wanted)

    def _guard(self, call: Call, obj: Object) -> None:
        info = call.info
        if info.group == GROUP and not call.user.is_master:
            old = self._stored(call) if info.name else None
            self._access.require_no_escalation(call.user, info.plural, info.namespace, info.name, obj, old)

    def _csr_patch(self, call: Call, kind: PatchType, body: Any) -> Any:
        if kind is PatchType.APPLY and isinstance(body, dict) and not self._exists(call):
            return with_requestor(body, call.user)
        return unchanged_spec(body)

    def _exists(self, call: Call) -> bool:
        return self._stored(call) is not None

    def _stored(self, call: Call) -> Object | None:
        try:
            return self._api.get(call.served, call.info.namespace, call.info.name)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            return None

    def _guard_patch(self, call: Call, kind: PatchType, body: Any, options: WriteOptions) -> None:
        """What a patch of a role comes to is known after a dry run of it."""
        if call.user.is_master:
            return
        info = call.info
        tried = WriteOptions(
            field_manager=options.field_manager,
            dry_run=True,
            force=options.force,
            requester=options.requester,
        )
        answer = self._api.patch(call.served, info.namespace, info.name, kind, body, tried)
        self._guard(call, answer.obj)


def _is_csr(call: Call) -> bool:
    return (call.info.group, call.info.plural) == (csr_rules.GROUP, csr_rules.PLURAL)


def _is_binding(call: Call) -> bool:
    return not call.info.group and "binding" in (call.info.subresource, call.info.plural.removesuffix("s"))


def body_of(call: Call) -> Object:
    """The object that was sent."""
    obj: Object = _body(call).value
    return obj


def _body(call: Call) -> Body:
    whole = call.info.subresource in WHOLE_OBJECT
    return object_in(call.body, call.content_type, call.served, whole=whole)


def _sent(call: Call) -> Any:
    return options_in(call.body, call.content_type)
