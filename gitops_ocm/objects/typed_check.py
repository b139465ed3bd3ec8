"""Whether an applied fragment fits its schema: declared fields, right shapes, unique list keys.

The first problem is the answer, worded as the typed parser of server-side apply words it. Values
(patterns, enums, rules) are validated later, on the merged object, by `schema_checks`.
"""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects import fieldset, typed
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, split_api_version
from gitops_ocm.objects.schema import Schema
from gitops_ocm.objects.schema_checks import type_name

Path = tuple[str, ...]


def check_fragment(fragment: Object, schema: Schema | None) -> None:
    """Raise the `ApiError` for the first field that does not fit."""
    if schema is None:
        return
    try:
        _check(fragment, schema, ())
    except typed.Mistyped as problem:
        raise _unfit(fragment, str(problem)) from None


def _unfit(fragment: Object, why: str) -> ApiError:
    found = fragment.get("metadata")
    meta = found if isinstance(found, dict) else {}
    group, version = split_api_version(fragment.get("apiVersion", ""))
    name = f"{meta.get('namespace') or ''}/{meta.get('name') or ''}"
    where = f"{name}; {group}/{version}, Kind={fragment.get('kind', '')}"
    return typed.mistyped(where, why)


def _fail(path: Path, why: str) -> typed.Mistyped:
    return typed.Mistyped(f"{fieldset.path_text(path)}: {why}")


def _check(value: Any, schema: Schema | None, path: Path) -> None:
    if schema is None or value is None:
        return
    if schema.int_or_string or not schema.type:
        return
    if schema.type == "object":
        _check_map(value, schema, path)
    elif schema.type == "array":
        _check_list(value, schema, path)
    elif isinstance(value, (list, dict)):
        raise _fail(path, f"expected {_SCALARS.get(schema.type, schema.type)}, got {_shown(value)}")
    else:
        _check_scalar(value, schema, path)


def _check_map(value: Any, schema: Schema, path: Path) -> None:
    if not isinstance(value, dict):
        raise _fail(path, f"expected map, got {_boxed(value)}")
    for name, under in value.items():
        node = schema.field(name)
        if node is None:
            if not schema.open and not (schema.embedded and name in ("apiVersion", "kind", "metadata")):
                raise _fail((*path, f"f:{name}"), "field not declared in schema")
            continue
        _check(under, node, (*path, f"f:{name}"))


def _check_list(value: Any, schema: Schema, path: Path) -> None:
    if not isinstance(value, list):
        raise _fail(path, f"expected list, got {_boxed(value)}")
    seen = set()
    for at, item in enumerate(value):
        step = f"i:{at}"
        if schema.list_type != "atomic":
            try:
                step = typed.item_key(item, schema)
            except typed.Mistyped as problem:
                raise _fail(path, f"element {at}: {problem}") from None
            if step in seen:
                raise _fail(path, f"duplicate entries for key {fieldset.path_text((step,))}")
            seen.add(step)
        _check(item, schema.items, (*path, step))


_NUMERIC = "numeric (int or float)"
_SCALARS = {"integer": _NUMERIC, "number": _NUMERIC}


def _check_scalar(value: Any, schema: Schema, path: Path) -> None:
    if schema.type == "string" and not isinstance(value, str):
        raise _fail(path, f"expected string, got {_shown(value)}")
    if schema.type == "boolean" and not isinstance(value, bool):
        raise _fail(path, f"expected boolean, got {_boxed(value)}")
    if schema.type in ("integer", "number") and (
        isinstance(value, bool) or not isinstance(value, int | float)
    ):
        raise _fail(path, f"expected {_NUMERIC}, got {_GO_NAMES.get(type_name(value), type_name(value))}")


_GO_NAMES = {"boolean": "bool", "object": "map", "array": "list", "null": "null"}


def _boxed(value: Any) -> str:
    """The same where the parser prints a reference."""
    return f"&{{{go_text(value)}}}"


def go_text(value: Any) -> str:
    """A value as Go's default format prints it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "<nil>"}[value]
    if isinstance(value, list):
        return "[" + " ".join(map(go_text, value)) + "]"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{k}:{go_text(value[k])}" for k in sorted(value)) + "]"
    return str(value)


def _shown(value: Any) -> str:
    """`&value.valueUnstructured{Value:…}` as the server prints it, for scalars and containers."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str):
        text = f'"{value}"'
    elif isinstance(value, int | float):
        text = str(value)
    elif isinstance(value, dict):
        text = "map[string]interface {}{…}"
    else:
        text = "[]interface {}{…}"
    return f"&value.valueUnstructured{{Value:{text}}}"
