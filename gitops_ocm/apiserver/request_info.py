"""What a request asks for, read from its method, path and query: verb, resource, name, subresource.

The same reading serves authorisation (`access`), routing (`app`) and the messages of both. It is
the counterpart of apiserver's RequestInfo; whether such a resource exists is not asked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from gitops_ocm.apiserver.subresources import PROXY
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.selectors import parse_fields

_VERBS = {
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
    "GET": "get",
    "HEAD": "get",
}
_OF_NAMESPACE = frozenset({"status", "finalize"})
"""Subresources of a namespace; anything else after its name is a resource inside it."""


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """One request. `plural` is empty for a path that is no resource (`/version`, `/apis`)."""

    verb: str
    path: str
    group: str = ""
    version: str = ""
    plural: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def is_resource(self) -> bool:
        """Whether the path names a resource, so that resource rules of RBAC judge it."""
        return bool(self.plural)


def read(method: str, path: str, query: Mapping[str, str]) -> RequestInfo:
    """The meaning of a request's first line; `path` as it came, still percent-encoded."""
    verb = _VERBS.get(method, method.lower())
    # An escaped slash parts as well as a plain one.
    parts = (unquote(path) if "%" in path else path).removeprefix("/").removesuffix("/").split("/")
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        # What is no resource is known by the method itself.
        return RequestInfo(method.lower(), path)
    if rest[0] == "watch" and len(rest) > 1 and verb == "get":
        return _old_watch(read(method, _without_watch(path), {**query, "watch": "true"}))
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        # A namespace itself is in itself: rules of a Role in it may cover it.
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _OF_NAMESPACE:
            rest = rest[2:]
    plural, name, subresource = rest[0], *_two(rest[1:])
    if not name:
        verb = _collection_verb(verb, query)
        if verb in ("list", "watch", "deletecollection") and "metadata.name" in query.get(
            "fieldSelector", ""
        ):
            name = _selected_name(query["fieldSelector"])
            return RequestInfo(verb, path, group, version, plural, namespace, name)
    return RequestInfo(verb, path, group, version, plural, namespace, name, subresource)


def _without_watch(path: str) -> str:
    """The collection's path behind `/api/v1/watch/…`, the old way to say `?watch=true`."""
    return path.replace("/watch/", "/", 1)


def _old_watch(info: RequestInfo) -> RequestInfo:
    return replace(info, verb="watch") if info.is_resource else info


def _collection_verb(verb: str, query: Mapping[str, str]) -> str:
    if verb == "get":
        return "watch" if query.get("watch", "false").lower() not in ("0", "false") else "list"
    return "deletecollection" if verb == "delete" else verb


def _two(rest: list[str]) -> tuple[str, str]:
    name = rest[0] if rest else ""
    # What follows a proxy is a path of whatever is behind it.
    return name, PROXY if rest[1:2] == [PROXY] else "/".join(rest[1:])


def _selected_name(fields: str) -> str:
    try:
        return parse_fields(fields).exact("metadata.name")
    except ApiError:
        return ""
