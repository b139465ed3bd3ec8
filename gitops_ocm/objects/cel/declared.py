"""How expressions see a part of a schema: its type, its fields, how big a value of it may be.

What has no type they can see (untyped objects' fields, lists of such) is left out. Sizes are what a request
of 3 MiB may hold at most, unless the schema says less: prices are estimated by them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gitops_ocm.objects.cel import types
from gitops_ocm.objects.cel.arithmetic import Size
from gitops_ocm.objects.cel.faults import EvalError
from gitops_ocm.objects.cel.times import date_value, go_duration, moment
from gitops_ocm.objects.cel.types import Type
from gitops_ocm.objects.cel.values import Duration, KeyedList, SetList, Struct, Timestamp

MAX_REQUEST = 3 * 1024 * 1024
_TEXT: Mapping[str, Any] = {"type": "string"}
RESOURCE: Mapping[str, Any] = {
    "kind": _TEXT,
    "apiVersion": _TEXT,
    "metadata": {"type": "object", "properties": {"name": _TEXT, "generateName": _TEXT}},
}
"""What every resource has that its rules may look at, whatever its schema says of it."""
_SCALARS = {"boolean": (types.BOOL, 4), "number": (types.DOUBLE, 1), "integer": (types.INT, 1)}
_FORMATS = {
    "duration": (types.DURATION, 3, 32),
    "date": (types.TIMESTAMP, 12, 12),
    "date-time": (types.TIMESTAMP, 21, 32),
}
_RESERVED = frozenset(
    [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
    ]
)
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}


class Declared:
    """One part of a schema."""

    def __init__(self, type_: Type, *, least: int, most: int = 0) -> None:
        self.type = type_
        self.least, self.most = least, most
        self.fields: dict[str, Declared] = {}
        self.names: dict[str, str] = {}
        self.shown: frozenset[str] = frozenset()
        self.items: Declared | None = None
        self.nullable = False
        self.list_type = ""
        self.list_keys: tuple[str, ...] = ()
        self.format = ""
        self.plain = False

    def field_type(self, name: str) -> Type | None:
        """The type of a declared field."""
        field = self.fields.get(name)
        return field.type if field else None

    def size_at(self, path: Sequence[str] | None) -> Size | None:
        """How big a value may be that a path of fields leads to; its first step is a variable."""
        if not path:
            return None
        node: Declared | None = self
        for step in path[1:]:
            if step in ("@items", "@values"):
                node = node.items if node else None
            elif step == "@keys":
                node = _KEY if node and node.type.kind == "map" else None
            else:
                node = node.fields.get(step) if node else None
        return Size(0, node.most) if node else None

    def value(self, raw: Any) -> Any:
        """What expressions see of a value as JSON has it."""
        if raw is None:
            if self.nullable:
                return None
            raise EvalError("invalid data, got null for schema with nullable=false")
        match self.type.kind:
            case "double":
                return float(raw)
            case "struct":
                return Struct(raw, self)
            case "list":
                return self._list(raw)
            case "map" if self.items is not None and not self.items.plain:
                return {key: self.items.value(under) for key, under in raw.items()}
        return self._read(raw) if self.format else raw

    def _list(self, raw: list[Any]) -> Any:
        items = raw if self.items is None or self.items.plain else [self.items.value(item) for item in raw]
        if self.list_type == "set":
            return SetList(items)
        return KeyedList(items, self.list_keys) if self.list_type == "map" else items

    def _read(self, text: str) -> Any:
        """Text of a format that stands for something else."""
        try:
            match self.format:
                case "duration":
                    return Duration(go_duration(text))
                case "date":
                    return Timestamp(date_value(text))
                case "date-time":
                    return Timestamp(moment(text))
            return base64.b64decode(text, validate=True)
        except (ValueError, binascii.Error) as error:
            named = {"duration": "duration", "byte": "byte formatted string"}
            raise EvalError(
                f"Invalid {named.get(self.format, self.format + ' formatted string')} {text}: {error}"
            ) from error


_KEY = Declared(types.STRING, least=2)
"""A map's key: how long one may be, nothing says."""


def declare(schema: Mapping[str, Any], *, root: bool = False, name: str = "selfType1") -> Declared | None:
    """What expressions see of a schema; None where it is nothing. `root`: a resource, with its metadata."""
    declared = _declared(schema, root, name)
    if declared is not None:
        declared.nullable = bool(schema.get("nullable"))
        declared.plain = not declared.format and declared.type.kind in ("string", "int", "bool", "dyn")
    return declared


def _declared(schema: Mapping[str, Any], root: bool, name: str) -> Declared | None:
    type_ = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        longest = schema.get("maxLength")
        return Declared(types.DYN, least=1, most=MAX_REQUEST - 2 if longest is None else max(longest, 0) * 4)
    if type_ == "array":
        return _list(schema, name)
    if type_ == "object":
        additional = schema.get("additionalProperties")
        if not root and isinstance(additional, Mapping) and additional:
            return _map(schema, additional, name)
        return _object(schema, root, name)
    if type_ == "string":
        return _text(schema)
    if type_ in _SCALARS:
        known, least = _SCALARS[type_]
        return Declared(known, least=least)
    return None


def _list(schema: Mapping[str, Any], name: str) -> Declared | None:
    under = schema.get("items")
    items = None
    if isinstance(under, Mapping):
        items = declare(under, root=bool(under.get("x-kubernetes-embedded-resource")), name=f"{name}.@idx")
    if items is None:
        return None
    limit = schema.get("maxItems")
    most = (MAX_REQUEST - 2) // (items.least + 1) if limit is None else max(limit, 0)
    declared = Declared(types.list_of(items.type), least=2, most=most)
    declared.items = items
    declared.list_type = schema.get("x-kubernetes-list-type") or ""
    declared.list_keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
    return declared


def _map(schema: Mapping[str, Any], under: Mapping[str, Any], name: str) -> Declared | None:
    embedded = bool(under.get("x-kubernetes-embedded-resource"))
    items = declare(under, root=embedded, name=f"{name}.@elem")
    if items is None:
        return None
    limit = schema.get("maxProperties")
    most = (MAX_REQUEST - 2) // (items.least + 6) if limit is None else max(limit, 0)
    declared = Declared(types.map_of(types.STRING, items.type), least=2, most=most)
    declared.items = items
    return declared


def _object(schema: Mapping[str, Any], root: bool, name: str) -> Declared:
    properties = schema.get("properties") or {}
    if root:
        properties = {
            **properties,
            **{key: RESOURCE[key] for key in RESOURCE if not _has_meta(properties, key)},
        }
    required = set(schema.get("required") or ())
    declared = Declared(Type("struct", name), least=2)
    seen = set()
    for key, under in properties.items():
        escaped = escape(key)
        embedded = bool(under.get("x-kubernetes-embedded-resource"))
        field = declare(under, root=embedded, name=f"{name}.{escaped}")
        if field is None:
            continue
        if key in required and under.get("default") is None:
            declared.least += len(key.encode()) + field.least + 4
        seen.add(key)
        if escaped is not None:
            declared.fields[escaped], declared.names[escaped] = field, key
    declared.shown = frozenset(seen)
    declared.type = Type("struct", name, declared=declared)
    return declared


def _has_meta(properties: Mapping[str, Any], key: str) -> bool:
    """Whether a schema itself says what a resource's own fields are."""
    if key != "metadata":
        return bool(properties.get(key, {}).get("type") == "string")
    held = properties.get(key, {}).get("properties") or {}
    return all(held.get(name, {}).get("type") == "string" for name in ("name", "generateName"))


def _text(schema: Mapping[str, Any]) -> Declared:
    format_, longest = schema.get("format") or "", schema.get("maxLength")
    if format_ in _FORMATS:
        type_, least, most = _FORMATS[format_]
        declared = Declared(type_, least=least, most=most)
    elif format_ == "byte":
        declared = Declared(
            types.BYTES, least=2, most=MAX_REQUEST - 2 if longest is None else max(longest, 0)
        )
    else:
        if longest is not None:
            most = max(longest, 0) * 4
        elif schema.get("enum"):
            most = max((len(v.encode()) for v in schema["enum"] if isinstance(v, str)), default=0)
        else:
            most = MAX_REQUEST - 2
        return Declared(types.STRING, least=2, most=most)
    declared.format = format_
    return declared


def escape(name: str) -> str | None:
    """A field's name as expressions write it; None where they cannot."""
    if name in _RESERVED:
        return f"__{name}__"
    if not re.fullmatch(r"[A-Za-z_.\-/][A-Za-z0-9_.\-/]*", name):
        return None
    return re.sub(r"__|[.\-/]", lambda found: _ESCAPES[found[0]], name)
