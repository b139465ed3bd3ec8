"""What the schema in a CustomResourceDefinition must be, so that objects can be read by it.

No keyword that is not supported, lists and their keys declared as such, defaults that fit. That it is
structural is `crd_structural`; its rules are `crd_cel`, the rest of a definition is `crd_checks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.crd_cel import go_struct, rule_causes
from gitops_ocm.objects.crd_structural import structural_causes
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.schema import Schema
from gitops_ocm.objects.schema_checks import causes as value_causes

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_UNSUPPORTED = (
    "id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref",
)  # fmt: skip
_UNREADABLE = frozenset({*_UNSUPPORTED, "$schema"})
LIST_TYPE, LIST_KEYS, MAP_TYPE = (
    "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type",
)  # fmt: skip
_KNOWN_FORMATS = frozenset(
    {
        *(
            "bsonobjectid",
            "uri",
            "email",
            "hostname",
            "ipv4",
            "ipv6",
            "cidr",
            "mac",
            "uuid",
            "uuid3",
            "uuid4",
        ),
        *("uuid5", "isbn", "isbn10", "isbn13", "creditcard", "ssn", "hexcolor", "rgbcolor", "byte"),
        *("password", "date", "duration", "datetime", "k8sshortname", "k8slongname"),
    }
)
"""Formats that values are held to, as they are written without their dashes."""


def schema_causes(schema: Mapping[str, Any], where: str) -> Iterator[Cause]:
    """Every part of a version's schema at fault."""
    if schema.get("nullable"):
        yield _forbidden(f"{where}.nullable", "nullable cannot be true at the root")
    nodes = list(_nodes(schema, where))
    readable = not any(node.keys() & _UNREADABLE for node, _ in nodes)
    found = structural_causes(schema, where) if readable else []
    if readable and not found:
        found = [cause for node, at in nodes for cause in _default(node, at)]
    yield from found
    sound = readable and not found
    for node, at in nodes:
        yield from _keywords(node, at)
        yield from _extensions(node, at)
    yield from rule_causes(schema, where, sound=sound)


def unrecognized_formats(schema: Mapping[str, Any]) -> list[str]:
    """Formats of text that no value is held to, as they come."""
    return [
        node["format"]
        for node, _ in _nodes(schema, "")
        if node.get("type") == "string" and node.get("format")
        if node["format"].replace("-", "") not in _KNOWN_FORMATS
    ]


def _nodes(schema: Mapping[str, Any], where: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """A schema's parts, each with its place, but for those in combinations."""
    yield schema, where
    for name, below in (schema.get("properties") or {}).items():
        yield from _nodes(below or {}, f"{where}.properties[{name}]")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), Mapping):
            yield from _nodes(schema[name], f"{where}.{name}")


def _keywords(node: Mapping[str, Any], where: str) -> Iterator[Cause]:
    type_ = node.get("type")
    if type_ and type_ not in _TYPES:
        yield _unsupported(f"{where}.type", type_, _TYPES)
    for name in _UNSUPPORTED:
        if node.get(name):
            yield _forbidden(f"{where}.{name}", f"{name} is not supported")
    if type_ == "null":
        yield _forbidden(f"{where}.type", "type cannot be set to null, use nullable as an alternative")
    if isinstance(node.get("items"), list):
        yield _forbidden(f"{where}.items", "items must be a schema object and not an array")
    if node.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield _forbidden(f"{where}.uniqueItems", why)
    # Any field is allowed either way by `true`.
    if node.get("properties") and node.get("additionalProperties") not in (None, True):
        why = "additionalProperties and properties are mutual exclusive"
        yield _forbidden(f"{where}.additionalProperties", why)


def _default(node: Mapping[str, Any], where: str) -> Iterator[Cause]:
    """A default that its own schema refuses."""
    value, field = node.get("default"), f"{where}.default"
    if value is None:
        return
    schema = Schema(node, None)
    if schema.prune(value) != value:
        yield _invalid(field, value, "must not have unknown fields")
    for cause in value_causes(value, schema, None):
        below = f".{cause.field}" if cause.field[:1] not in ("", "[", "<") else cause.field.strip("<>nil")
        yield cause._replace(field=f"{field}{below}")


def _extensions(node: Mapping[str, Any], where: str) -> Iterator[Cause]:
    type_ = node.get("type") or ""
    if node.get("x-kubernetes-preserve-unknown-fields") is False:
        yield _invalid(f"{where}.x-kubernetes-preserve-unknown-fields", False, "must be true or undefined")
    map_type, list_type = node.get(MAP_TYPE), node.get(LIST_TYPE)
    if map_type is not None:
        yield from _only_of(type_, "object", MAP_TYPE, where)
        if map_type not in ("atomic", "granular"):
            yield _unsupported(f"{where}.{MAP_TYPE}", map_type, ("atomic", "granular"))
    found = node.get("items")
    items: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    if list_type is not None and type_ != "array":
        yield from _only_of(type_, "array", LIST_TYPE, where)
    elif list_type == "set":
        yield from _set_items(items, where)
    if list_type is not None and list_type not in ("atomic", "set", "map"):
        yield _unsupported(f"{where}.{LIST_TYPE}", list_type, ("atomic", "set", "map"))
    yield from _list_keys(node, items, where)


def _only_of(type_: str, wanted: str, extension: str, where: str) -> Iterator[Cause]:
    why = f"must be {wanted} if {extension} is specified"
    if not type_:
        yield Cause("FieldValueRequired", f"Required value: {why}", f"{where}.type")
    elif type_ != wanted:
        yield _invalid(f"{where}.type", type_, why)


def _set_items(items: Mapping[str, Any], where: str) -> Iterator[Cause]:
    """Items of a set are whole."""
    why = "must be atomic as item of a list with x-kubernetes-list-type=set"
    shown = items.get(LIST_TYPE)
    if items.get("type") == "array" and shown not in (None, "atomic"):
        yield _invalid(f"{where}.items.{LIST_TYPE}", shown, why)
    if items.get("type") == "object" and items.get(MAP_TYPE) != "atomic":
        yield _invalid(f"{where}.items.{MAP_TYPE}", shown, why)


def _list_keys(node: Mapping[str, Any], items: Mapping[str, Any], where: str) -> Iterator[Cause]:
    keys, list_type = node.get(LIST_KEYS) or [], node.get(LIST_TYPE)
    field = f"{where}.{LIST_KEYS}"
    if keys and list_type != "map":
        why = "must be map if x-kubernetes-list-map-keys is non-empty"
        if list_type is None:
            yield Cause("FieldValueRequired", f"Required value: {why}", f"{where}.{LIST_TYPE}")
        else:
            yield _invalid(f"{where}.{LIST_TYPE}", list_type, why)
    if list_type == "map":
        if not keys:
            text = "Required value: must not be empty if x-kubernetes-list-type is map"
            yield Cause("FieldValueRequired", text, field)
        if node.get("items") is None:
            text = "Required value: must have a schema if x-kubernetes-list-type is map"
            yield Cause("FieldValueRequired", text, f"{where}.items")
        elif items and items.get("type") != "object":
            why = "must be object if parent array's x-kubernetes-list-type is map"
            yield _invalid(f"{where}.items.type", items.get("type") or "", why)
        yield from _named_keys(keys, items, where)
    if list_type in ("set", "map"):
        yield from _whole_items(list_type, keys, items, where)


def _named_keys(keys: list[str], items: Mapping[str, Any], where: str) -> Iterator[Cause]:
    if items.get("type") != "object":
        return
    properties, field = items.get("properties") or {}, f"{where}.{LIST_KEYS}"
    for at, key in enumerate(keys):
        if key not in properties:
            yield _invalid(field, keys, "entries must all be names of item properties")
        elif (properties[key] or {}).get("type") in ("array", "object"):
            why = f"must be a scalar type if parent array's {LIST_TYPE} is map"
            yield _invalid(f"{where}.items.properties[{key}].type", "object", why)
        if key in keys[:at]:
            yield _invalid(field, keys, "must not contain duplicate entries")


def _whole_items(list_type: str, keys: list[str], items: Mapping[str, Any], where: str) -> Iterator[Cause]:
    """Items that are told apart by what they are have it: they and their keys are never null."""
    if items.get("nullable"):
        yield _forbidden(f"{where}.items.nullable", f"cannot be nullable when {LIST_TYPE} is {list_type}")
    for key in keys if list_type == "map" else ():
        declared = (items.get("properties") or {}).get(key)
        if declared is None:
            continue
        at, is_key = f"{where}.items.properties[{key}]", f"this property is in {LIST_KEYS}, so it"
        if key not in (items.get("required") or ()) and declared.get("default") is None:
            why = f"Required value: {is_key} must have a default or be a required property"
            yield Cause("FieldValueRequired", why, f"{at}.default")
        if declared.get("nullable"):
            yield _forbidden(f"{at}.nullable", f"{is_key} cannot be nullable")


def _unsupported(field: str, value: Any, known: tuple[str, ...]) -> Cause:
    named = ", ".join(f'"{name}"' for name in known)
    text = f"Unsupported value: {canonical_json(value).decode()}: supported values: {named}"
    return Cause("FieldValueNotSupported", text, field)


def _forbidden(field: str, why: str) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {why}", field)


def _invalid(field: str, value: Any, why: str) -> Cause:
    shown = go_struct(value) if isinstance(value, (dict, list)) else canonical_json(value).decode()
    return Cause("FieldValueInvalid", f"Invalid value: {shown}: {why}", field)
