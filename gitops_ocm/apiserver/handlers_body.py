"""The object in the body of a request, and the words for one that is of no use.

What the object says of itself has to fit the path it is sent to; whether it is valid is `intake`.
"""

from __future__ import annotations

from gitops_ocm.apiserver.bodies import Body, Unreadable, meta_problem, summary
from gitops_ocm.apiserver.negotiation import JSON_MEDIA, decode
from gitops_ocm.objects.catalog import Catalog, Served
from gitops_ocm.objects.faults import ApiError, bad_request
from gitops_ocm.objects.ref import Object, split_api_version

_NO_KIND = "couldn't get version/kind; json parse error: "
_SCHEME = 'in scheme "pkg/runtime/scheme.go:111"'


def object_in(body: bytes, content_type: str, served: Served, *, whole: bool) -> Body:
    """The object sent; a built-in one (`whole`: not a subresource of its own) is known by its path."""
    resource = served.resource
    unrecognized = f"the object provided is unrecognized (must be of type {resource.kind}): "
    try:
        read = decode(body, content_type)
    except Unreadable as problem:
        is_json = content_type.partition(";")[0].strip().lower() in ("", JSON_MEDIA)
        told = f"{_NO_KIND}{problem}" if is_json else str(problem)
        raise bad_request(f"{unrecognized}{told} ({summary(body)})") from None
    obj = {} if read.value is None else read.value
    if wrong := meta_problem(obj):
        raise bad_request(f"{unrecognized}{_NO_KIND}{wrong} ({summary(body)})")
    if not served.custom and whole:
        known = {"apiVersion": obj.get("apiVersion") or resource.api_version}
        obj = {**obj, **known, "kind": obj.get("kind") or resource.kind}
    if not obj.get("kind"):
        shown = body.decode("utf-8", "replace")
        raise bad_request(f"{unrecognized}Object 'Kind' is missing in '{shown}' ({summary(body)})")
    if str(obj.get("apiVersion") or "").count("/") > 1:
        text = f"unexpected GroupVersion string: {obj['apiVersion']} ({summary(body)})"
        raise bad_request(unrecognized + text)
    return Body(obj, read.duplicates)


def options_in(body: bytes, content_type: str) -> object:
    """A body that is no object of the collection: `DeleteOptions`, a `Scale`."""
    if not body:
        return None
    try:
        return decode(body, content_type).value
    except Unreadable as problem:
        raise bad_request(f"{_NO_KIND}{problem}") from None


def check_kind(obj: Object, served: Served, catalog: Catalog) -> None:
    """Raise where an object sent to a built-in kind is of another one, known or not."""
    resource = served.resource
    api_version, kind = str(obj.get("apiVersion") or ""), str(obj["kind"])
    if served.custom or (api_version, kind) == (resource.api_version, resource.kind):
        return
    _, version = split_api_version(api_version)
    where = f'{kind} in version "{version}" cannot be handled as a {resource.kind}: '
    single = kind.removesuffix("List")
    found = catalog.served(api_version, kind) or catalog.served(api_version, single)
    if found is None or found.custom:
        raise bad_request(where + not_registered(kind, api_version))
    package = resource.group.partition(".")[0] or "core"
    target = f"({package}.{resource.kind})"
    raise bad_request(f"{where}converting ({version}.{kind}) to {target}: unknown conversion")


def not_registered(kind: str, api_version: str) -> str:
    """What Go says of a kind that its scheme does not know."""
    return f'no kind "{kind}" is registered for version "{api_version}" {_SCHEME}'


def bad_options(obj: Object) -> ApiError:
    """The 400 for a DELETE whose body is some other object."""
    return bad_request(not_registered(str(obj.get("kind") or ""), str(obj.get("apiVersion") or "")))
