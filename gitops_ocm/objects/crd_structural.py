"""Whether the schema in a CustomResourceDefinition is structural, so that objects can be pruned by it.

Every node has a type, metadata is left alone, and what is combined (`allOf`, `anyOf`, `oneOf`, `not`) only
restricts what is declared outside of it. What else a schema must be is `crd_schemas`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.cel import regexes
from gitops_ocm.objects.faults import Cause

Node = Mapping[str, Any]
INT_OR_STRING = "x-kubernetes-int-or-string"
EMBEDDED = "x-kubernetes-embedded-resource"
PRESERVE = "x-kubernetes-preserve-unknown-fields"
_ROOT, _FIELD, _ITEM = "at the root", "for specified object fields", "for specified array items"
_EITHER = [{"type": "integer"}, {"type": "string"}]
_NESTED = (
    ("type", "empty"),
    ("additionalProperties", "undefined"),
    ("default", "undefined"),
    ("title", "empty"),
    ("description", "empty"),
    ("nullable", "false"),
    (PRESERVE, "false"),
    (EMBEDDED, "false"),
    (INT_OR_STRING, "false"),
    ("x-kubernetes-list-map-keys", "empty"),
    ("x-kubernetes-list-type", "undefined"),
    ("x-kubernetes-map-type", "undefined"),
    ("x-kubernetes-validations", "empty"),
)
"""What may not be said within a combination, and what it has to be instead."""
_SHALLOW = frozenset({"type", "properties", "default", "nullable"})


def structural_causes(schema: Node, where: str) -> list[Cause]:
    """What keeps a schema from being structural, in the order of its text."""
    found = [*_invariants(schema, where, _ROOT), *_completeness(schema, schema, where, where)]
    return sorted(found, key=lambda cause: f"{cause.field}: {cause.message}")


def _invariants(node: Node, where: str, level: str) -> Iterator[Cause]:
    if node.get("type") == "array" and node.get("items") is None:
        yield Cause("FieldValueRequired", "Required value: must be specified", f"{where}.items")
    if isinstance(node.get("items"), Mapping):
        yield from _invariants(node["items"], f"{where}.items", _ITEM)
    for name, below in (node.get("properties") or {}).items():
        # Go has a zero value for what is null.
        yield from _invariants(below or {}, f"{where}.properties[{name}]", _FIELD)
    additional = node.get("additionalProperties")
    if additional is not None and level == _ROOT:
        yield _forbidden(f"{where}.additionalProperties", "must not be used at the root")
    if isinstance(additional, Mapping):
        yield from _invariants(additional, f"{where}.additionalProperties", _FIELD)
    if node.get(INT_OR_STRING):
        for name in (PRESERVE, EMBEDDED):
            if node.get(name):
                yield _invalid(f"{where}.{name}", True, "must be false if x-kubernetes-int-or-string is true")
    yield from _combinations(node, where, level)
    yield from _type(node, where, level)
    yield from _resource(node, where, level)


def _type(node: Node, where: str, level: str) -> Iterator[Cause]:
    type_ = node.get("type") or ""
    if node.get(EMBEDDED) and type_ != "object":
        why = "must be object if x-kubernetes-embedded-resource is true"
        yield _invalid(f"{where}.type", type_, why) if type_ else _required(f"{where}.type", why)
    elif not type_ and not node.get(INT_OR_STRING) and not node.get(PRESERVE):
        yield _required(f"{where}.type", f"must not be empty {level}")
    if node.get(EMBEDDED) and node.get("additionalProperties") is not None:
        why = "must not be used if x-kubernetes-embedded-resource is set"
        yield _forbidden(f"{where}.additionalProperties", why)
    if level == _ROOT and type_ not in ("", "object"):
        yield _invalid(f"{where}.type", type_, "must be object at the root")


def _resource(node: Node, where: str, level: str) -> Iterator[Cause]:
    """What every object has is declared by the server; a schema may restrict names alone."""
    properties = node.get("properties") or {}
    whole = level == _ROOT or node.get(EMBEDDED)
    for name in ("kind", "apiVersion"):
        if whole and name in properties and (properties[name] or {}).get("type") != "string":
            found = (properties[name] or {}).get("type") or ""
            yield _invalid(f"{where}.properties[{name}].type", found, "must be string")
    metadata = properties.get("metadata")
    if metadata is not None:
        at = f"{where}.properties[metadata]"
        if whole and metadata.get("type") != "object":
            yield _invalid(f"{at}.type", metadata.get("type") or "", "must be object")
        more = (metadata.get("properties") or {}).keys() - {"name", "generateName"}
        if level == _ROOT and (more or metadata.keys() - _SHALLOW - {"description"}):
            why = "must not specify anything other than name and generateName, but metadata is implicitly "
            yield _forbidden(at, f"{why}specified")
    if node.get(EMBEDDED) and not node.get(PRESERVE) and not properties:
        why = (
            "must not be empty if x-kubernetes-embedded-resource is true without "
            "x-kubernetes-preserve-unknown-fields"
        )
        yield _required(f"{where}.properties", why)


def _combinations(node: Node, where: str, level: str) -> Iterator[Cause]:
    either = node.get("anyOf") == _EITHER
    for at, part in enumerate(node.get("anyOf") or () if not either else ()):
        yield from _nested(part, f"{where}.anyOf[{at}]", level)
    for at, part in enumerate(node.get("allOf") or ()):
        first = at == 0 and part.get("anyOf") == _EITHER
        known = {k: v for k, v in part.items() if k != "anyOf"} if first else part
        yield from _nested(known, f"{where}.allOf[{at}]", level)
    for at, part in enumerate(node.get("oneOf") or ()):
        yield from _nested(part, f"{where}.oneOf[{at}]", level)
    if node.get("not") is not None:
        yield from _nested(node["not"], f"{where}.not", level)
    if node.get("pattern") and (problem := pattern_problem(node["pattern"])):
        why = f"must be a valid regular expression, but isn't: {problem}"
        yield _invalid(f"{where}.pattern", node["pattern"], why)


def _nested(node: Node, where: str, level: str) -> Iterator[Cause]:
    yield from _combinations(node, where, level)
    if isinstance(node.get("items"), Mapping):
        yield from _nested(node["items"], f"{where}.items", level)
    for name, below in (node.get("properties") or {}).items():
        yield from _nested(below or {}, f"{where}.properties[{name}]", _FIELD)
    for name, instead in _NESTED:
        if node.get(name):
            yield _forbidden(f"{where}.{name}", f"must be {instead} to be structural")
    if "metadata" in (node.get("properties") or {}):
        yield _forbidden(f"{where}.properties[metadata]", "must not be specified in a nested context")


def _completeness(node: Node, declared: Node | None, where: str, said: str) -> Iterator[Cause]:
    """What combinations speak of and nobody has declared."""
    if declared is None:
        yield _required(where, f"because it is defined in {said}")
        return
    for name in ("not", "allOf", "anyOf", "oneOf"):
        parts = node.get(name)
        each = parts if isinstance(parts, list) else [] if parts is None else [parts]
        for at, part in enumerate(each):
            step = f"{name}[{at}]" if isinstance(parts, list) else name
            yield from _nested_completeness(part, declared, where, f"{said}.{step}")


def _nested_completeness(node: Node, declared: Node, where: str, said: str) -> Iterator[Cause]:
    yield from _completeness(node, declared, where, said)
    if isinstance(node.get("items"), Mapping):
        items = declared.get("items")
        if isinstance(items, Mapping):
            yield from _nested_completeness(node["items"], items, f"{where}.items", f"{said}.items")
        else:
            yield _required(f"{where}.items", f"because it is defined in {said}.items")
    for name, below in (node.get("properties") or {}).items():
        known, step = (declared.get("properties") or {}).get(name), f"properties[{name}]"
        if known is None:
            yield _required(f"{where}.{step}", f"because it is defined in {said}.{step}")
        else:
            yield from _nested_completeness(below or {}, known, f"{where}.{step}", f"{said}.{step}")


def pattern_problem(pattern: str) -> str:
    """Why a pattern is none; empty where it is one."""
    try:
        regexes.compiled(pattern)
    except ValueError as error:
        return str(error)
    return ""


def _required(field: str, why: str) -> Cause:
    return Cause("FieldValueRequired", f"Required value: {why}", field)


def _forbidden(field: str, why: str) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {why}", field)


def _invalid(field: str, value: Any, why: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {canonical_json(value).decode()}: {why}", field)
