"""What becomes of a built-in kind's value when a server decodes it into Go types and writes it again.

`decoded` fills in defaults and the zero values that Go cannot leave out, drops those it does, and brings
quantities and times into their one form. `encoded` adds what an answer shows as `null`: lists, maps and
times without a value. Which field is which is data (`letters` of a `Schema` node):

    s n b q d   text, number, boolean, quantity, duration: always there
    o           a struct: always there                  z   a scalar: left out where it is zero
    p           a pointer or time: `null` where it has no value
    l           a list or map: `null` where it is empty
    e           a list or map: left out where it is empty

Custom kinds have none of this: theirs is `schema_values`. Defaults by kind: `native_defaults`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from gitops_ocm.objects.go_times import canonical_micro_time, canonical_time
from gitops_ocm.objects.native_defaults import CONDITIONAL, STATIC
from gitops_ocm.objects.quantities import canonical_quantity

if TYPE_CHECKING:
    from gitops_ocm.objects.schema import Schema

_ZEROS: Mapping[str, Any] = {"s": "", "n": 0, "b": False, "q": "0", "d": "0s"}
_NULLS = frozenset("lp")
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
SCALARS: Mapping[str, Callable[[Any], str]] = {
    _QUANTITY: canonical_quantity,
    f"{_META}Time": canonical_time,
    f"{_META}MicroTime": canonical_micro_time,
}
"""Definitions that are text with one form; the functions raise ValueError for what is not."""
_OWN_RULES = frozenset({f"{_META}ObjectMeta", f"{_META}ListMeta"})
"""Metadata is the server's own: `lifecycle` has its rules."""


def decoded(value: Any, schema: Schema | None) -> Any:
    """The value with its defaults and zero values, as a server knows it once it is read."""
    if schema is None:
        return value
    form = SCALARS.get(schema.name)
    if form is not None:
        return value if value is None else form(value)
    if isinstance(value, dict):
        if schema.plain and None not in value.values():
            return value
        return _object(value, schema) if schema.properties else _map(value, schema)
    if isinstance(value, list):
        items = schema.items
        if items is not None and None in value:
            value = [_zero(items) if item is None else item for item in value]
        return value if items is None or items.scalar else [decoded(v, items) for v in value]
    return value


_NOTHING: Mapping[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False}


def _zero(schema: Schema) -> Any:
    """What Go has where a list says null: nothing of a struct or a text, but not nothing at all."""
    return {} if schema.properties else _NOTHING.get(schema.type)


def _map(value: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    node = schema.additional
    if node is None:
        return dict(value)  # free JSON, nulls and all
    zero = "0" if node.name == _QUANTITY else "" if node.type == "string" else None
    read = {key: zero if under is None else decoded(under, node) for key, under in value.items()}
    return {key: under for key, under in read.items() if under is not None}


def _object(value: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    result = {key: under for key, under in value.items() if under is not None}
    if schema.name in _OWN_RULES:
        # Metadata, of templates too: its maps hold text, and null is none.
        texts = {
            k: _map(v, node)
            for k, v in result.items()
            if isinstance(v, dict)
            and None in v.values()
            and (node := schema.field(k)) is not None
            and node.additional is not None
        }
        return {**result, **texts}
    for key, default in _static(schema).items():
        if key not in result or (result[key] == "" and schema.letters.get(key) == "z"):
            result[key] = deepcopy(default)
    if (fill := CONDITIONAL.get(schema.name)) is not None:
        fill(result)
    for key, under in result.items():
        node = schema.field(key)
        if node is not None and not node.scalar:
            result[key] = decoded(under, node)
    for key, letter in schema.letters.items():
        _settle(result, key, letter, schema)
    return result


def _static(schema: Schema) -> Mapping[str, Any]:
    """Defaults that hold whatever else is said: the server's own, and those its OpenAPI tells."""
    if schema.static_memo is None:
        told = {
            key: raw["default"]
            for key, raw in schema.properties.items()
            if raw.get("default") not in (None, "", 0, False, {}) and "default" in raw
        }
        schema.static_memo = {**told, **STATIC.get(schema.name, {})}
    return schema.static_memo


def _settle(result: dict[str, Any], key: str, letter: str, schema: Schema) -> None:
    if letter == "o":
        if key not in result:
            result[key] = decoded({}, schema.field(key))
    elif letter in _ZEROS:
        result.setdefault(key, _ZEROS[letter])
    elif key in result and not result[key] and letter in ("z", "e"):
        del result[key]


def empty(schema: Schema | None) -> dict[str, Any]:
    """The zero value of a definition: what is there before anything is said, defaults left out."""
    result: dict[str, Any] = {}
    if schema is None or schema.name in _OWN_RULES:
        return result
    for key, letter in schema.letters.items():
        if letter == "o":
            result[key] = empty(schema.field(key))
        elif letter in _ZEROS:
            result[key] = _ZEROS[letter]
        elif letter == "l" and (node := schema.field(key)) is not None and node.list_type in ("map", "set"):
            result[key] = []
    return result


def encoded(value: Any, schema: Schema | None) -> Any:
    """The value as a server shows it: with a `null` where a list, map or time has no value."""
    if schema is None or not schema.nulls:
        return value
    if isinstance(value, list):
        return [encoded(item, schema.items) for item in value]
    if not isinstance(value, dict):
        return value
    result = {key: encoded(under, schema.field(key)) for key, under in value.items()}
    if schema.name not in _OWN_RULES:
        for key, letter in schema.letters.items():
            if letter == "p":
                result.setdefault(key, None)
            elif letter == "l" and not result.get(key):
                result[key] = None
    return result


def has_nulls(schema: Schema, seen: frozenset[int] = frozenset()) -> bool:
    """Whether anything at or below this node may be shown as `null`."""
    if id(schema.raw) in seen:
        return False
    if not _NULLS.isdisjoint(schema.letters.values()) and schema.name not in _OWN_RULES:
        return True
    seen |= {id(schema.raw)}
    below = (schema.items, schema.additional, *(schema.field(name) for name in schema.properties))
    return any(node is not None and has_nulls(node, seen) for node in below)
