"""Causes as a kube-apiserver words them; `path` is the field's, as it is written in a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from gitops_ocm.objects.faults import Cause as Cause

Faults = Iterator[Cause]
Value = Mapping[str, Any]
IMMUTABLE = "field is immutable"


def shown(value: Any) -> str:
    """A value in a message."""
    return orjson.dumps(value).decode()


def invalid(path: str, value: Any, why: str) -> Cause:
    """A value that cannot be."""
    return Cause("FieldValueInvalid", f"Invalid value: {shown(value)}: {why}", path)


def each_invalid(path: str, value: Any, problems: Iterable[str]) -> Faults:
    """A value that cannot be, for several reasons."""
    return (invalid(path, value, why) for why in problems)


def required(path: str, why: str = "") -> Cause:
    """A value that is missing."""
    return Cause("FieldValueRequired", f"Required value: {why}" if why else "Required value", path)


def forbidden(path: str, why: str) -> Cause:
    """A value that must not be there."""
    return Cause("FieldValueForbidden", f"Forbidden: {why}", path)


def duplicate(path: str, value: Any) -> Cause:
    """A value that is there already."""
    return Cause("FieldValueDuplicate", f"Duplicate value: {shown(value)}", path)


def not_found(path: str, value: Any) -> Cause:
    """A value that names nothing."""
    return Cause("FieldValueNotFound", f"Not found: {shown(value)}", path)


def too_many(path: str, have: int, most: int) -> Cause:
    """More items than there may be."""
    unit = "item" if most == 1 else "items"
    return Cause("FieldValueTooMany", f"Too many: {have}: must have at most {most} {unit}", path)


def unsupported(path: str, value: Any, supported: Iterable[str]) -> Cause:
    """A value that is none of the few there are, which are told in the order given."""
    told = ", ".join(shown(one) for one in supported)
    return Cause(
        "FieldValueNotSupported", f"Unsupported value: {shown(value)}: supported values: {told}", path
    )


def one_of(path: str, value: Any, supported: tuple[str, ...], *, missing: bool = True) -> Faults:
    """A value has to be one of a few; with `missing` its absence is a fault of its own kind."""
    if not value and missing:
        yield required(path)
    elif value not in supported:
        yield unsupported(path, value or "", supported)


def optional_one_of(path: str, value: Any, supported: tuple[str, ...]) -> Faults:
    """A value has to be one of a few where it is there at all."""
    if value is not None and value not in supported:
        yield unsupported(path, value, supported)


def not_negative(path: str, value: Any) -> Faults:
    """A number, if it is there, is at least 0."""
    if (value or 0) < 0:
        yield invalid(path, value, "must be greater than or equal to 0")


def positive(path: str, value: Any) -> Faults:
    """A number is greater than 0."""
    if (value or 0) <= 0:
        yield invalid(path, value or 0, "must be greater than zero")


def same(path: str, old: Any, new: Any) -> Faults:
    """A field that never changes."""
    if (old or None) != (new or None):
        yield invalid(path, new, IMMUTABLE)


def items(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The items of a list with their paths."""
    return ((f"{path}[{at}]", item) for at, item in enumerate(value or ()))
