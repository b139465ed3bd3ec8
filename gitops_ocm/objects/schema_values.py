"""What a schema does to a value: fill in defaults, drop what it does not know, name what it dropped.

Containers are copied on the way, scalars shared. Validation is `schema_checks`; defaults of built-in
kinds are `native_values`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from gitops_ocm.objects.object_meta import OBJECT_FIELDS
from gitops_ocm.objects.paths import Step, dotted

if TYPE_CHECKING:
    from gitops_ocm.objects.schema import Schema


def defaulted(value: Any, schema: Schema | None) -> Any:
    """The value with missing fields set to their defaults, and stray nulls gone.

    A null where null is not allowed counts as missing.
    """
    if schema is None:
        return value
    if isinstance(value, dict):
        if schema.plain and None not in value.values():
            return value
        return _defaulted_map(value, schema)
    if isinstance(value, list):
        items = schema.items
        if items is None:
            return value
        return [_default_of(items) if _unset(v, items) else defaulted(v, items) for v in value]
    return value


def _defaulted_map(value: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, under in value.items():
        node = schema.field(key)
        if node is not None and under is None and not node.nullable and not schema.preserve:
            continue
        result[key] = under if node is None else defaulted(under, node)
    for key, node in schema.defaults:
        if key not in result:
            result[key] = _default_of(node)
    return result


def _unset(value: Any, node: Schema) -> bool:
    return value is None and not node.nullable and node.has_default


def _default_of(node: Schema) -> Any:
    return defaulted(deepcopy(node.default_value), node)


def pruned(value: Any, schema: Schema | None) -> Any:
    """The value without fields that the schema neither declares nor lets through."""
    if schema is None:
        return value
    if isinstance(value, dict):
        if schema.plain:
            return value
        result = {}
        for key, under in value.items():
            node = schema.field(key)
            if node is not None:
                result[key] = pruned(under, node)
            elif schema.open or _is_embedded(schema, key):
                result[key] = under
        return result
    if isinstance(value, list):
        return [pruned(v, schema.items) for v in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)  # as Go writes it
    return value


_EXACT = 1e21
"""From here on Go writes a number with an exponent."""


def unknown(obj: Any, schema: Schema) -> list[str]:
    """Paths of what `pruned` drops: those in `metadata` first, as kube-apiserver reports them."""
    paths = list(_unknown(obj, schema, ()))
    return sorted((dotted(p) for p in paths), key=lambda text: (not text.startswith("metadata."), text))


def _unknown(value: Any, schema: Schema | None, path: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    if schema is None:
        return
    if isinstance(value, dict):
        for key, under in value.items():
            node = schema.field(key)
            if node is not None:
                yield from _unknown(under, node, (*path, key))
            elif not schema.open and not _is_embedded(schema, key):
                yield (*path, key)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _unknown(item, schema.items, (*path, at))


def _is_embedded(schema: Schema, key: str) -> bool:
    """The fields an embedded object has even where its schema does not list them."""
    return schema.embedded and key in OBJECT_FIELDS
