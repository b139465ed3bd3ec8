"""What the schema in a CustomResourceDefinition must be, so that objects can be read by it.

Structural: every node typed, list keys declared, nothing said about metadata but names; defaults of the type
they stand for, patterns that compile. Its rules are `crd_cel`, the rest of a definition is `crd_checks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.cel import regexes
from gitops_ocm.objects.crd_cel import go_struct, rule_causes
from gitops_ocm.objects.decoding import json_type
from gitops_ocm.objects.faults import Cause

_TYPES = ("array", "boolean", "integer", "number", "object", "string")


def schema_causes(schema: Mapping[str, Any], where: str) -> Iterator[Cause]:
    """Every part of a version's schema at fault."""
    type_ = schema.get("type")
    if type_ and type_ != "object":
        yield _invalid(f"{where}.type", type_, "must be object at the root")
        return
    found: list[Cause] = []
    metadata = (schema.get("properties") or {}).get("metadata") or {}
    more = (metadata.get("properties") or {}).keys() - {"name", "generateName"}
    if more or metadata.keys() - {"type", "properties", "description"}:
        why = (
            "must not specify anything other than name and generateName, but metadata is implicitly specified"
        )
        found.append(Cause("FieldValueForbidden", f"Forbidden: {why}", f"{where}.properties[metadata]"))
    found += _node(schema, where, "at the root")
    yield from found
    yield from rule_causes(schema, where, sound=not found)


def _node(schema: Mapping[str, Any], where: str, part: str) -> Iterator[Cause]:
    yield from _type(schema, where, part)
    yield from _scalars(schema, where)
    yield from _list_keys(schema, where)
    for name, below in (schema.get("properties") or {}).items():
        # Go has a zero value for what is null.
        yield from _node(below or {}, f"{where}.properties[{name}]", "for specified object fields")
    if isinstance(schema.get("items"), Mapping):
        yield from _node(schema["items"], f"{where}.items", "for specified array items")
    if isinstance(schema.get("additionalProperties"), Mapping):
        below = schema["additionalProperties"]
        yield from _node(below, f"{where}.additionalProperties", "for specified object fields")


def _type(schema: Mapping[str, Any], where: str, part: str) -> Iterator[Cause]:
    free = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    type_ = schema.get("type")
    if not type_ and not free:
        text = f"Required value: must not be empty {part}"
        yield Cause("FieldValueRequired", text, f"{where}.type")
    elif type_ and type_ not in _TYPES:
        known = ", ".join(f'"{name}"' for name in _TYPES)
        text = f"Unsupported value: {canonical_json(type_).decode()}: supported values: {known}"
        yield Cause("FieldValueNotSupported", text, f"{where}.type")
    if isinstance(schema.get("items"), list):
        text = "Forbidden: items must be a schema object and not an array"
        yield Cause("FieldValueForbidden", text, f"{where}.items")
    if type_ == "array" and schema.get("items") is None:
        yield Cause("FieldValueRequired", "Required value: must be specified", f"{where}.items")


def _scalars(schema: Mapping[str, Any], where: str) -> Iterator[Cause]:
    if schema.get("uniqueItems"):
        text = "Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield Cause("FieldValueForbidden", text, f"{where}.uniqueItems")
    if schema.get("pattern") and (problem := _pattern_problem(schema["pattern"])):
        why = f"must be a valid regular expression, but isn't: {problem}"
        yield _invalid(f"{where}.pattern", schema["pattern"], why)
    wanted, default = schema.get("type"), schema.get("default")
    if wanted and default is not None and not _fits(default, wanted):
        found = _openapi_type(default)
        text = f'Invalid value: "{found}":  in body must be of type {wanted}: "{found}"'
        yield Cause("FieldValueTypeInvalid", text, f"{where}.default")


def _pattern_problem(pattern: str) -> str:
    try:
        regexes.compiled(pattern)
    except ValueError as error:
        return str(error)
    return ""


def _fits(value: Any, wanted: str) -> bool:
    found = _openapi_type(value)
    return found == wanted or (found == "integer" and wanted == "number") or wanted not in _TYPES


def _openapi_type(value: Any) -> str:
    name = json_type(value)
    if name == "number":
        return "integer" if float(value).is_integer() else "number"
    return {"bool": "boolean"}.get(name, name)


def _list_keys(schema: Mapping[str, Any], where: str) -> Iterator[Cause]:
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if schema.get("x-kubernetes-list-type") == "map" and not keys:
        text = "Required value: must not be empty if x-kubernetes-list-type is map"
        yield Cause("FieldValueRequired", text, f"{where}.x-kubernetes-list-map-keys")
    found = schema.get("items")
    items: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    for key in keys:
        declared = (items.get("properties") or {}).get(key)
        if declared is None:
            text = f'Invalid value: "{key}": entries must all be names of item properties'
            yield Cause("FieldValueInvalid", text, f"{where}.x-kubernetes-list-map-keys")
        elif key not in (items.get("required") or ()) and "default" not in declared:
            text = "Required value: this property is in x-kubernetes-list-map-keys, so it must have a "
            field = f"{where}.items.properties[{key}].default"
            yield Cause("FieldValueRequired", f"{text}default or be a required property", field)


def _invalid(field: str, value: Any, why: str) -> Cause:
    shown = go_struct(value) if isinstance(value, (dict, list)) else canonical_json(value).decode()
    return Cause("FieldValueInvalid", f"Invalid value: {shown}: {why}", field)
