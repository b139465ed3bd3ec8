"""Every field of an object against its kind's schema: unknown names, wrong types.

kube-apiserver would report some of this as warnings, some as the first error only, and nothing for
a field a built-in kind does not know; in a repository a misspelt field is a mistake. Required
fields, enums, patterns and rules are `objects.schema`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.desired.suggest import nearest
from gitops_ocm.desired.yaml_events import Path
from gitops_ocm.errors import Severity
from gitops_ocm.objects.object_meta import OBJECT_FIELDS
from gitops_ocm.objects.paths import dotted
from gitops_ocm.objects.schema import Schema


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem of one object; `path` leads to the field."""

    code: str
    message: str
    path: Path = ()
    hint: str = ""
    severity: Severity = Severity.ERROR


_HEAD = Schema.from_openapi({"type": "object", "properties": dict(OBJECT_FIELDS)})
_HEAD_FIELDS = frozenset(OBJECT_FIELDS)

_PYTHON_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}
_SHOWN = {"object": "a mapping", "array": "a list", "string": "text", "boolean": "true or false",
          "integer": "a whole number", "number": "a number"}  # fmt: skip


def head_findings(obj: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with the types of `apiVersion`, `kind` and `metadata`, which every kind has."""
    head = {key: value for key, value in obj.items() if key in _HEAD_FIELDS}
    return list(_walk(head, _HEAD, ()))


def field_findings(obj: Mapping[str, Any], schema: Schema) -> list[Finding]:
    """What is wrong with all other fields of an object of the schema's kind."""
    return list(_walk_map(obj, schema, (), skip=_HEAD_FIELDS))


def _walk(value: Any, schema: Schema, path: Path) -> Iterator[Finding]:
    if value is None or schema.int_or_string or "oneOf" in schema.raw or "anyOf" in schema.raw:
        return
    wanted = _PYTHON_TYPES.get(schema.type)
    if wanted is not None and (not isinstance(value, wanted) or _is_odd_bool(value, schema.type)):
        yield _mistyped(value, schema.type, path)
    elif isinstance(value, dict):
        yield from _walk_map(value, schema, path)
    elif isinstance(value, list) and (items := schema.items) is not None:
        for index, item in enumerate(value):
            yield from _walk(item, items, (*path, index)) if item is not None else _hollow(items, path, index)


def _walk_map(
    value: Mapping[str, Any], schema: Schema, path: Path, skip: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    if schema.embedded:
        within = f"{dotted(path)}." if path else ""
        for f in head_findings(value):
            yield Finding(f.code, within + f.message, path + f.path, f.hint)
        skip = _HEAD_FIELDS
    for key, under in value.items():
        if key in skip:
            continue
        node = schema.field(key)
        if node is not None:
            if under is None and key not in schema.properties:
                yield from _hollow(node, path, key)
            if type(under) is not str or node.type != "string":  # Most fields are: save the call.
                yield from _walk(under, node, (*path, key))
        elif not schema.open and not schema.preserve:
            name = dotted((*path, key))
            yield Finding(
                "unknown-field", f"unknown field {name!r}", (*path, key), nearest(key, schema.properties)
            )


def _hollow(schema: Schema, path: Path, key: str | int) -> Iterator[Finding]:
    """A key of a map, or an item of a list, without a value: kubectl refuses it (a field it leaves out)."""
    if schema.type in _PYTHON_TYPES and not schema.nullable:
        where = (*path, key)
        hint = 'write "" if it is to be empty, or remove it' if schema.type == "string" else "remove it"
        text = f"{dotted(where)}: must be {_SHOWN[schema.type]}, and nothing is given"
        yield Finding("wrong-type", text, where, hint)


def _is_odd_bool(value: Any, kind: str) -> bool:
    """Python takes True for a number; JSON does not."""
    return isinstance(value, bool) and kind in ("integer", "number")


def _mistyped(value: Any, kind: str, path: Path) -> Finding:
    got = {dict: "a mapping", list: "a list", str: "text", bool: "a boolean"}.get(type(value), "a number")
    shown = "" if isinstance(value, (dict, list)) else f" {_cut(value)}"
    hint = "quote the value" if kind == "string" and not isinstance(value, (dict, list)) else ""
    return Finding("wrong-type", f"{dotted(path)}: must be {_SHOWN[kind]}, not {got}{shown}", path, hint)


def _cut(value: Any) -> str:
    text = "true" if value is True else "false" if value is False else repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
