"""Objects and lists in the form a client asked for: as they are, as a Table, or metadata alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gitops_ocm.apiserver.negotiation import JSON_MEDIA, Form
from gitops_ocm.apiserver.tables import DEFAULT, Column, columns_of_crd, partial_metadata, table
from gitops_ocm.apiserver.tables_native import COLUMNS
from gitops_ocm.apiserver.values import Page
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import bad_request
from gitops_ocm.objects.ref import Object

_INCLUDES = ("", "None", "Metadata", "Object")
_KIND = frozenset({"kind", "apiVersion"})


def formed(obj: Object, served: Served, form: Form, now: datetime, query: Mapping[str, str]) -> Object:
    """One object."""
    if not form.kind:
        return obj
    if form.kind == "Table":
        meta = {"resourceVersion": (obj.get("metadata") or {}).get("resourceVersion", "")}
        return table(columns(served), (obj,), now, list_meta=meta, include=include(query))
    if form.kind == "PartialObjectMetadata":
        return partial_metadata(obj)
    raise bad_request(f"{form.kind} is not a form of a single object")


def formed_list(page: Page, served: Served, form: Form, now: datetime, query: Mapping[str, str]) -> Object:
    """A page of a LIST."""
    meta = list_meta(page)
    if form.kind == "Table":
        return table(columns(served), page.items, now, list_meta=meta, include=include(query))
    if form.kind.startswith("PartialObjectMetadata"):
        return {
            "kind": "PartialObjectMetadataList",
            "apiVersion": f"{form.group}/{form.version}",
            "metadata": meta,
            "items": [partial_metadata(obj) for obj in page.items],
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


def list_meta(page: Page) -> dict[str, Any]:
    """The metadata of a list."""
    meta: dict[str, Any] = {"resourceVersion": page.resource_version}
    if page.continue_token:
        meta["continue"] = page.continue_token
    if page.remaining:
        meta["remainingItemCount"] = page.remaining
    return meta


def include(query: Mapping[str, str]) -> str:
    """What rows of a Table carry (`includeObject`)."""
    value = query.get("includeObject", "")
    if value not in _INCLUDES:
        raise bad_request(f'unrecognized includeObject value: "{value}"')
    return value or "Metadata"


def columns(served: Served) -> tuple[Column, ...]:
    """The printer columns of a kind."""
    if served.custom:
        return columns_of_crd(served.columns)
    return COLUMNS.get(served.resource.of, DEFAULT)
