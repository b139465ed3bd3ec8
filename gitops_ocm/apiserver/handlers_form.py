"""Objects and lists in the form a client asked for: as they are, as a Table, or metadata alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gitops_ocm.apiserver.negotiation import JSON_MEDIA, Form
from gitops_ocm.apiserver.request_info import RequestInfo
from gitops_ocm.apiserver.tables import DEFAULT, Column, columns_of_crd, partial_metadata, table
from gitops_ocm.apiserver.tables_native import COLUMNS
from gitops_ocm.apiserver.values import Answer, Page
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError, bad_request
from gitops_ocm.objects.lifecycle import marked
from gitops_ocm.objects.ref import Object

_INCLUDES = ("", "None", "Metadata", "Object")
_KIND = frozenset({"kind", "apiVersion"})


def formed(
    obj: Object,
    served: Served,
    form: Form,
    now: datetime,
    query: Mapping[str, str],
    *,
    columns: Sequence[Column] = (),
) -> Object:
    """One object; as a Table with the columns of its kind, where no others are given."""
    if not form.kind:
        return obj
    if form.kind == "Table":
        meta = {"resourceVersion": (obj.get("metadata") or {}).get("resourceVersion", "")}
        shown = include(query)
        heads = columns or columns_of(served)
        return table(heads, (obj,), now, list_meta=meta, include=shown, version=form.version)
    if form.kind == "PartialObjectMetadata":
        return partial_metadata(obj, form.version)
    raise _no_such_form(form, f"is not a list ({_go_type(served)})")


def formed_list(page: Page, served: Served, form: Form, now: datetime, query: Mapping[str, str]) -> Object:
    """A page of a LIST."""
    meta = list_meta(page, custom=served.custom and not form.kind)
    if form.kind == "Table":
        shown = include(query)
        heads = columns_of(served)
        made = table(heads, page.items, now, list_meta=meta, include=shown, version=form.version)
        # Rows of a name and an age are made one by one: no row, no list of them.
        usual = [head.name for head in heads] == [head.name for head in DEFAULT]
        return {**made, "rows": made["rows"] or (None if usual and not served.custom else [])}
    if form.kind == "PartialObjectMetadata":
        raise _no_such_form(form, f"is a list ({_go_type(served, of_list=True)})")
    if form.kind == "PartialObjectMetadataList":
        return {
            "kind": "PartialObjectMetadataList",
            "apiVersion": f"{form.group}/{form.version}",
            "metadata": meta,
            "items": [partial_metadata(obj, form.version) for obj in page.items],
        }
    items: Sequence[Any]
    if form.media == JSON_MEDIA:
        items = page.items.fragments()
    elif served.custom:
        items = list(page.items)
    else:
        # Typed lists say the kind once, for all items.
        items = [{k: v for k, v in obj.items() if k not in _KIND} for obj in page.items]
    return {
        "kind": served.list_kind or f"{served.resource.kind}List",
        "apiVersion": served.resource.api_version,
        "metadata": meta,
        "items": items,
    }


def _no_such_form(form: Form, why: str) -> ApiError:
    return ApiError("NotAcceptable", f"you requested {form.kind}, but the requested object {why}")


def _go_type(served: Served, *, of_list: bool = False) -> str:
    """What the real server calls the objects of a kind in such a message."""
    ending = "List" if of_list else ""
    if served.custom:
        return f"*unstructured.Unstructured{ending}"
    package = served.resource.group.partition(".")[0] or "core"
    return f"*{package}.{served.resource.kind}{ending}"


def list_meta(page: Page, *, custom: bool = False) -> dict[str, Any]:
    """The metadata of a list; of a custom kind's it always says where the next page is."""
    meta: dict[str, Any] = {"resourceVersion": page.resource_version}
    if page.continue_token or custom:
        meta["continue"] = page.continue_token
    if page.remaining:
        meta["remainingItemCount"] = page.remaining
    return meta


def include(query: Mapping[str, str]) -> str:
    """What rows of a Table carry (`includeObject`)."""
    value = query.get("includeObject", "")
    if value not in _INCLUDES:
        why = f"Invalid value: \"{value}\": must be 'Metadata', 'Object', 'None', or empty"
        raise bad_request(f"Unable to convert to Table as requested: includeObject: {why}")
    return value or "Metadata"


def columns_of(served: Served) -> tuple[Column, ...]:
    """The printer columns of a kind."""
    if served.custom:
        return columns_of_crd(served.columns)
    return COLUMNS.get(served.resource.of, DEFAULT)


_SHOWN_WHEN_DELETED: Mapping[str, frozenset[str]] = {
    "": frozenset(
        {
            *("pods", "services", "serviceaccounts", "persistentvolumeclaims", "persistentvolumes"),
            *("podtemplates", "resourcequotas"),
        }
    ),
    "storage.k8s.io": frozenset(
        {"storageclasses", "csidrivers", "csinodes", "volumeattachments", "volumeattributesclasses"}
    ),
    "resource.k8s.io": frozenset(
        {"deviceclasses", "resourceclaims", "resourceclaimtemplates", "resourceslices"}
    ),
}
"""Resources by group of which a deletion shows what was deleted."""


def deleted(info: RequestInfo, answer: Answer, now: datetime) -> Object:
    """What is still there (finalizers) is shown; of what is gone, only that it is."""
    if not answer.removed:
        return answer.obj
    if info.plural in _SHOWN_WHEN_DELETED.get(info.group, ()):
        return marked(answer.obj, now, grace_seconds=0) if info.plural == "pods" else answer.obj
    details: dict[str, Any] = {"name": info.name, "kind": info.plural}
    if info.group:
        details["group"] = info.group
    details["uid"] = answer.obj["metadata"].get("uid", "")
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
