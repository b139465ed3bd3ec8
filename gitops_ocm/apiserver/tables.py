"""Objects as the rows of a `Table`: what `kubectl get` prints.

A kind is described by a tuple of `Column`s. A CRD brings its own (`columns_of_crd`, from
`additionalPrinterColumns`); the built-in kinds' are in `tables_native`. Pure: the time is an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from gitops_ocm.objects.jsonpath import BadPath, find
from gitops_ocm.objects.ref import Object

Cell = Callable[[Object, datetime], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its head, the OpenAPI type of its cells, and how a cell is made of an object."""

    name: str
    cell: Cell
    type: str = "string"
    format: str = ""
    priority: int = 0
    description: str = ""

    def definition(self) -> dict[str, Any]:
        """The column as `columnDefinitions` has it."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


def _name(obj: Object, now: datetime) -> Any:
    return obj["metadata"].get("name", "")


def age(obj: Object, now: datetime) -> str:
    """How long ago the object was created."""
    return since(obj["metadata"].get("creationTimestamp"), now)


def _created_at(obj: Object, now: datetime) -> Any:
    return obj["metadata"].get("creationTimestamp")


NAME = Column("Name", _name, format="name", description="Unique within its namespace.")
AGE = Column("Age", age, description="Time since the object was created.")
CREATED_AT = Column("Created At", _created_at, "date", description="When the object was created.")
DEFAULT = (NAME, CREATED_AT)
"""For built-in kinds without columns of their own."""


def table(
    columns: Sequence[Column],
    objects: Iterable[Object],
    now: datetime,
    *,
    list_meta: Mapping[str, Any],
    include: str = "Metadata",
    heads: bool = True,
    version: str = "v1",
) -> Object:
    """The Table document. `include` is what each row carries: `Metadata`, `Object` or `None`."""
    document: Object = {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": dict(list_meta),
        "columnDefinitions": [c.definition() for c in columns] if heads else None,
        "rows": [_row(columns, obj, now, include, version) for obj in objects],
    }
    return document


def partial_metadata(obj: Object, version: str = "v1") -> Object:
    """The `PartialObjectMetadata` of an object."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": obj.get("metadata") or {},
    }


def _completed(reason: str, message: str) -> Mapping[str, str]:
    return {"type": "Completed", "status": "True", "reason": reason, "message": message}


_ENDED: Mapping[Any, Mapping[str, str]] = {
    "Succeeded": _completed("Succeeded", "The pod has completed successfully."),
    "Failed": _completed("Failed", "The pod failed."),
}
"""What a row says of a pod that has ended."""


def _row(columns: Sequence[Column], obj: Object, now: datetime, include: str, version: str) -> dict[str, Any]:
    shown: Object | None = None
    if include == "Object":
        shown = obj
    elif include != "None":
        shown = partial_metadata(obj, version)
    row = {"cells": [column.cell(obj, now) for column in columns], "object": shown}
    ended = _ENDED.get((obj.get("status") or {}).get("phase")) if obj.get("kind") == "Pod" else None
    return row if ended is None else {**row, "conditions": [ended]}


def columns_of_crd(printer_columns: Iterable[Mapping[str, Any]]) -> tuple[Column, ...]:
    """The columns of one version of a CRD, from its `additionalPrinterColumns`."""
    own = tuple(
        Column(
            spec["name"],
            _crd_cell(spec["jsonPath"], spec.get("type", "string")),
            spec.get("type", "string"),
            spec.get("format", ""),
            spec.get("priority", 0),
            spec.get("description", ""),
        )
        for spec in printer_columns
    )
    return (NAME, *own) if own else (NAME, _CRD_AGE)


def _crd_cell(path: str, type_: str) -> Cell:
    def cell(obj: Object, now: datetime) -> Any:
        try:
            found = find(path, obj)
        except BadPath:  # also a position that this object's list does not have
            return None
        return _typed(found[0], type_, now) if found else None

    return cell


def _typed(value: Any, type_: str, now: datetime) -> Any:  # what a cell of a CRD may hold
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if type_ == "string":
        return text_of(value)
    if type_ == "date":
        return since(value, now) if isinstance(value, str) else None
    if type_ == "integer":
        return int(value) if numeric else None
    if type_ == "number":
        return value if numeric else None
    return value if type_ == "boolean" and isinstance(value, bool) else None


_CRD_AGE = Column(
    "Age", _crd_cell(".metadata.creationTimestamp", "date"), "date", description=AGE.description
)


def text_of(value: Any) -> str:
    """A JSON value as a JSONPath template prints it: text bare, the rest as JSON."""
    if isinstance(value, str):
        return value
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() if value is not None else "<nil>"


def since(timestamp: str | None, now: datetime) -> str:
    """`5m12s` since an RFC 3339 time; `<unknown>` without one."""
    if not timestamp:
        return "<unknown>"
    try:
        then = datetime.fromisoformat(timestamp)
    except ValueError:
        return "<invalid>"
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return duration((now - then).total_seconds())


def duration(seconds: float) -> str:
    """A duration as kubectl shows it: two units while they are informative, then one."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    whole = max(whole, 0)
    minutes, hours = whole // 60, whole // 3600
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 2 * 365:
        return f"{days}d"
    if days < 8 * 365:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"
