"""Whether an object can be read as its kind at all: the first wrong type, as the server words it.

kube-apiserver decodes native kinds (and the metadata of every kind) into Go types; a value that
does not fit fails the request with 400 before anything else is looked at. The values themselves are
judged by `schema_checks` and `native`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from gitops_ocm.objects.faults import ApiError, bad_request
from gitops_ocm.objects.go_times import canonical_time
from gitops_ocm.objects.native_values import SCALARS
from gitops_ocm.objects.object_meta import OBJECT_META
from gitops_ocm.objects.quantities import canonical_quantity
from gitops_ocm.objects.ref import Object, split_api_version
from gitops_ocm.objects.schema import Schema
from gitops_ocm.objects.schema_checks import type_name

_METADATA = Schema({**OBJECT_META}, None)
_GO_TYPES = {"string": "string", "boolean": "bool", "integer": "int64", "number": "float64"}
_NUMBERS = ("int32", "int64", "float64")
_JSON_TYPES = {"boolean": "bool", "integer": "number"}


class _Undecodable(Exception):
    pass


def check_decodes(obj: Object, schema: Schema | None) -> None:
    """Raise BadRequest where the object (a custom one: its metadata) has a value of a wrong type."""
    meta = obj.get("metadata")
    try:
        if meta is not None and not isinstance(meta, dict):
            raise _mismatch(meta, f"{obj.get('kind', '')}.metadata", "v1.ObjectMeta")
        if meta:
            _check(meta, _METADATA, "ObjectMeta", "metadata")
        if schema is not None and schema.native:
            _check({k: v for k, v in obj.items() if k != "metadata"}, schema, str(obj.get("kind")), "")
    except _Undecodable as problem:
        raise cannot_handle(obj, str(problem)) from None


def check_options(options: Mapping[str, Any], schema: Schema) -> None:
    """Raise BadRequest where what comes with a request, and is no object, has a value of a wrong type."""
    try:
        _check(options, schema, str(options.get("kind")), "")
    except _Undecodable as problem:
        raise cannot_handle(options, str(problem)) from None


def cannot_handle(obj: Mapping[str, Any], why: str) -> ApiError:
    """400: `ConfigMap in version "v1" cannot be handled as a ConfigMap: …`."""
    kind = obj.get("kind", "")
    _, version = split_api_version(str(obj.get("apiVersion", "")))
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {why}')


def json_type(value: Any) -> str:
    """What Go's JSON decoder calls the type of a value."""
    return _JSON_TYPES.get(type_name(value), type_name(value))


def _mismatch(value: Any, field: str, go_type: str) -> _Undecodable:
    found = json_type(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and go_type in _NUMBERS:
        found = f"number {value}"
    return _Undecodable(f"json: cannot unmarshal {found} into Go struct field {field} of type {go_type}")


def _check(value: Any, schema: Schema | None, struct: str, path: str) -> None:
    if schema is None or value is None:
        return None
    if (form := SCALARS.get(schema.name)) is not None:
        return _check_form(value, form)
    if schema.int_or_string or not schema.type:
        return _check_union(value, schema, struct, path)
    found = type_name(value)
    fits = found == schema.type or (schema.type == "number" and found == "integer")
    if not fits or (schema.type == "integer" and not _whole(value, schema)):
        raise _mismatch(value, f"{struct}.{path}", _go_type(schema))
    if isinstance(value, dict):
        if schema.plain and _all_text(value, schema):
            return None
        struct = _go_name(schema) or struct
        for name, under in value.items():
            below = f"{path}.{name}" if path else name
            _check(under, schema.field(name), struct, below if name in schema.properties else path)
    elif isinstance(value, list):
        for item in value:
            _check(item, schema.items, struct, path)
    elif schema.raw.get("format") == "byte":
        _check_base64(value)
    elif schema.raw.get("format") == "date-time":
        _check_form(value, canonical_time)
    return None


def _check_int_or_string(value: Any) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool) and -(1 << 31) <= value < 1 << 31
    if not whole and not isinstance(value, str):
        found = f"number {value}" if type(value) in (int, float) else json_type(value)
        raise _Undecodable(f"json: cannot unmarshal {found} into Go value of type int32")


def _check_union(value: Any, schema: Schema, struct: str, path: str) -> None:
    """What OpenAPI has no type for, as it may be one thing or another; what is an object has fields."""
    if schema.int_or_string and schema.native:
        _check_int_or_string(value)
    node = schema.alternative() if isinstance(value, dict | list) else None
    if node is not None:
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, dict):
                _check(item, node, struct, path)


def _whole(value: Any, schema: Schema) -> bool:
    """Whether a number goes into the Go integer: 3.0 does not."""
    bits = 31 if schema.raw.get("format") == "int32" else 63
    return isinstance(value, int) and -(1 << bits) <= value < (1 << bits)


def _check_form(value: Any, form: Callable[[Any], str]) -> None:
    """Text with a form of its own; a quantity may be a bare number as well."""
    found = type_name(value)
    if found != "string" and not (form is canonical_quantity and found in ("integer", "number")):
        raise _Undecodable(f"json: cannot unmarshal {json_type(value)} into Go value of type string")
    try:
        form(value)
    except ValueError as error:
        raise _Undecodable(str(error)) from None


def _all_text(value: dict[str, Any], schema: Schema) -> bool:
    """The common case, decided at once: a map of plain strings (not base64)."""
    node = schema.additional
    return (
        node is not None
        and node.type == "string"
        and "format" not in node.raw
        and set(map(type, value.values())) <= {str}
    )


def _go_name(schema: Schema) -> str:
    """The name of the Go struct that a definition describes."""
    return schema.name.rpartition(".")[2]


def _go_type(schema: Schema) -> str:
    if schema.type == "object":
        additional = schema.additional
        if additional is not None:
            return f"map[string]{_go_type(additional)}"
        return ".".join(schema.name.split(".")[-2:]) or "struct"
    if schema.type == "array":
        return f"[]{_go_type(schema.items)}" if schema.items is not None else "[]interface {}"
    if schema.raw.get("format") == "int32":
        return "int32"
    return _GO_TYPES.get(schema.type, schema.type)


def _check_base64(text: str) -> None:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _Undecodable(f"illegal base64 data at input byte {_bad_byte(text)}") from None


_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


def _bad_byte(text: str) -> int:
    for at, char in enumerate(text):
        if char not in _ALPHABET:
            return at
    # Where the end is missing, Go names the beginning of the group of four that it is missing from.
    return len(text) - len(text) % 4
