"""Kubernetes API requests and watch streams as values: no sockets, no clock.

`kube.client` sends what is built here and feeds back what it receives. Bodies are `bytes`; a URL is
a path with its query, already percent-encoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import orjson

from gitops_ocm.kube.cluster import ObjectList, PatchType, WatchEvent
from gitops_ocm.objects.faults import ApiError, bad_request
from gitops_ocm.objects.ref import Object, Resource

MAX_BODY = 512 * 1024 * 1024
"""An answer longer than this is refused: no page of objects comes near it."""
MAX_LINE = 16 * 1024 * 1024
"""A watch line longer than this is refused; an object is at most a few MiB."""

JSON = "application/json"


class Request(NamedTuple):
    """One HTTP request. `idempotent`: sending it twice does no more than sending it once."""

    method: str
    target: str
    body: bytes | None = None
    content_type: str = ""
    idempotent: bool = True


def target(path: str, **query: str | int | bool) -> str:
    """`path?query`, without the parameters that are empty, zero or false."""
    given = {k: "true" if v is True else str(v) for k, v in query.items() if v}
    return f"{path}?{urlencode(given)}" if given else path


def object_path(resource: Resource, namespace: str, name: str, subresource: str = "") -> str:
    """The escaped path of one object; a name that cannot be one is refused before it is sent."""
    if not name:
        raise bad_request(f"{resource.of}: a name is needed")
    if "/" in name or "/" in namespace or name in (".", ".."):
        raise bad_request(f"{resource.of}: {name!r} cannot be a name")
    if resource.namespaced and not namespace:
        raise bad_request(f"{resource.of} {name!r}: a namespace is needed")
    return resource.path(_escaped(namespace), _escaped(name), subresource)


def _escaped(segment: str) -> str:
    """Percent-encoded; nearly all names need nothing (RBAC names may carry `:`, which is fine too)."""
    return segment if segment.replace("-", "").isalnum() and segment.isascii() else quote(segment, safe=":")


def get(resource: Resource, namespace: str, name: str) -> Request:
    """GET one object."""
    return Request("GET", object_path(resource, namespace, name))


def list_page(
    resource: Resource,
    namespace: str,
    *,
    label_selector: str = "",
    field_selector: str = "",
    limit: int = 0,
    continue_token: str = "",
    resource_version: str = "",
) -> Request:
    """GET one page of a collection; a continued page must not repeat the resourceVersion."""
    query: dict[str, str | int] = {
        "labelSelector": label_selector,
        "fieldSelector": field_selector,
        "limit": limit,
        "continue": continue_token,
        "resourceVersion": "" if continue_token else resource_version,
    }
    return Request("GET", target(resource.path(_escaped(namespace)), **query))


def watch(
    resource: Resource,
    namespace: str,
    *,
    resource_version: str = "",
    label_selector: str = "",
    field_selector: str = "",
    bookmarks: bool = True,
    timeout: float = 0,
) -> Request:
    """GET a stream of changes."""
    return Request(
        "GET",
        target(
            resource.path(_escaped(namespace)),
            watch=True,
            resourceVersion=resource_version,
            labelSelector=label_selector,
            fieldSelector=field_selector,
            allowWatchBookmarks=bookmarks,
            timeoutSeconds=max(1, round(timeout)) if timeout else 0,
        ),
    )


def create(resource: Resource, obj: Object, *, field_manager: str = "", dry_run: bool = False) -> Request:
    """POST an object to its collection."""
    namespace = (obj.get("metadata") or {}).get("namespace") or ""
    if resource.namespaced and not namespace:
        raise bad_request(f"{resource.of}: a namespace is needed")
    path = resource.path(_escaped(namespace) if resource.namespaced else "")
    return Request(
        "POST", _written(path, field_manager, dry_run=dry_run), orjson.dumps(obj), JSON, idempotent=False
    )


def update(
    resource: Resource, obj: Object, *, subresource: str = "", field_manager: str = "", dry_run: bool = False
) -> Request:
    """PUT a whole object. With a resourceVersion a repeat cannot do harm."""
    meta = obj.get("metadata") or {}
    path = object_path(resource, meta.get("namespace") or "", meta.get("name") or "", subresource)
    return Request("PUT", _written(path, field_manager, dry_run=dry_run), orjson.dumps(obj), JSON)


def patch(
    resource: Resource,
    namespace: str,
    name: str,
    body: Any,
    *,
    type: PatchType,
    subresource: str = "",
    field_manager: str = "",
    force: bool = False,
    dry_run: bool = False,
) -> Request:
    """PATCH; `body` may be ready-made bytes. Only an apply can be repeated blindly."""
    path = object_path(resource, namespace, name, subresource)
    apply = type is PatchType.APPLY
    url = _written(path, field_manager, dry_run=dry_run, force=force and apply)
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return Request("PATCH", url, content, type.value, idempotent=apply or type is PatchType.MERGE)


def delete(
    resource: Resource,
    namespace: str,
    name: str,
    *,
    propagation: str = "Background",
    uid: str = "",
    resource_version: str = "",
    dry_run: bool = False,
) -> Request:
    """DELETE with preconditions. With a uid a repeat cannot hit a successor."""
    options: Object = {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": propagation,
    }
    preconditions = {k: v for k, v in (("uid", uid), ("resourceVersion", resource_version)) if v}
    if preconditions:
        options["preconditions"] = preconditions
    if dry_run:
        options["dryRun"] = ["All"]
    path = object_path(resource, namespace, name)
    return Request("DELETE", path, orjson.dumps(options), JSON, idempotent=bool(uid))


def _written(path: str, field_manager: str, *, dry_run: bool, force: bool = False) -> str:
    """A write's target. Put together by hand: this is on the path of every write."""
    parts = []
    if field_manager:
        parts.append(f"fieldManager={_escaped(field_manager)}")
    if force:
        parts.append("force=true")
    if dry_run:
        parts.append("dryRun=All")
    return f"{path}?{'&'.join(parts)}" if parts else path


def page(resource: Resource, body: Mapping[str, Any]) -> ObjectList:
    """A LIST answer. Items come without apiVersion and kind on the wire; here they have them."""
    items = body.get("items") or []
    for item in items:
        item.setdefault("apiVersion", resource.api_version)
        item.setdefault("kind", resource.kind)
    meta = body.get("metadata") or {}
    return ObjectList(items, str(meta.get("resourceVersion") or ""), str(meta.get("continue") or ""))


class LineSplitter:
    """Cuts a byte stream into lines, however it arrives; the unfinished rest is kept."""

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The lines that `chunk` completes, without their newlines; blank ones are left out."""
        *lines, tail = chunk.split(b"\n")
        for line in lines:
            whole = bytes(self._rest) + line if self._rest else line
            self._rest.clear()
            if whole.strip():
                yield whole
        self._rest += tail
        if len(self._rest) > self._limit:
            size, self._rest = len(self._rest), bytearray()
            raise ApiError(
                "InternalError", f"a watch line is longer than {self._limit} bytes ({size} so far)"
            )

    @property
    def unfinished(self) -> bool:
        """Whether the stream stopped in the middle of a line."""
        return bool(self._rest)


def watch_event(line: bytes) -> WatchEvent:
    """One line of a watch; an ERROR line is raised as the `ApiError` it carries."""
    try:
        event = orjson.loads(line)
        type_, obj = event["type"], event["object"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ApiError("InternalError", "the server sent a watch line that is not an event") from error
    if type_ == "ERROR":
        status = obj if isinstance(obj, dict) else {}
        raise ApiError.from_status(status, http_code=int(status.get("code") or 500))
    if not isinstance(obj, dict) or not isinstance(type_, str):
        raise ApiError("InternalError", "the server sent a watch line that is not an event")
    return WatchEvent(type_, obj)


def failure(http_code: int, body: bytes, *, retry_after: str = "") -> ApiError:
    """The error an answer of 400 and above stands for, Status or not."""
    try:
        seconds = min(float(retry_after), 3600.0) if retry_after else 0.0
    except ValueError:
        seconds = 0.0  # an HTTP date: Kubernetes does not send them
    try:
        status = orjson.loads(body)
    except orjson.JSONDecodeError:
        status = None
    if isinstance(status, dict) and status.get("kind") == "Status":
        return ApiError.from_status(status, http_code=http_code, retry_after=seconds)
    text = body[:200].decode("utf-8", "replace").strip().splitlines()
    said = f": {text[0]}" if text and text[0].isprintable() and "<" not in text[0] else ""
    return ApiError.from_status(
        {"message": f"the server answered {http_code}{said}"}, http_code=http_code, retry_after=seconds
    )
