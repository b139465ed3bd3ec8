"""Validation of a value by its schema, with the texts of kube-apiserver.

Three passes, as the server has them: the OpenAPI keywords, the uniqueness of set and map lists,
and the CEL rules, which are only evaluated where the first pass found nothing that would make
their types uncertain. What an update leaves as it was is at fault no more than before, though its schema
has changed since (ratcheting). Native kinds are only held to required fields and enums: the rest was said
when they were decoded (`decoding`) or is judged kind by kind (`native`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.cel import regexes
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.paths import Step, dotted
from gitops_ocm.objects.schema_rules import counterparts, rule_causes

if TYPE_CHECKING:
    from gitops_ocm.objects.schema import Schema

Path = tuple[Step, ...]

_BLOCKING = frozenset(
    {
        "FieldValueRequired",
        "FieldValueTypeInvalid",
        "FieldValueNotSupported",
        "FieldValueTooLong",
        "FieldValueTooMany",
    }
)
_UNCHECKED = Cause(
    "FieldValueInvalid",
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
    "<nil>",
)


def causes(obj: Mapping[str, Any], schema: Schema, old: Mapping[str, Any] | None) -> list[Cause]:
    """Every field of `obj` at fault; `old` is what the object was, for transition rules."""
    if schema.native:
        return list(_native(obj, schema, ()))
    found = list(_check(obj, schema, (), _NOTHING if old is None else old))
    if old is None or not any(_duplicates(old, schema, ())):
        found += _duplicates(obj, schema, ())
    if schema.ruled:
        if any(cause.reason in _BLOCKING for cause in found):
            found.append(_UNCHECKED)
        else:
            found += rule_causes(obj, schema, old)
    return found


def shown(value: Any) -> str:
    """A value as error texts print it."""
    return canonical_json(value).decode()


def _invalid(path: Path, value: Any, why: str) -> Cause:
    return Cause(
        "FieldValueInvalid", f"Invalid value: {shown(value)}: {dotted(path)} in body {why}", dotted(path)
    )


def _wrong_type(path: Path, wanted: str, found: str) -> Cause:
    field = dotted(path)
    text = f'Invalid value: "{found}": {field} in body must be of type {wanted}: "{found}"'
    return Cause("FieldValueTypeInvalid", text, field)


def _required(path: Path) -> Cause:
    return Cause("FieldValueRequired", "Required value", dotted(path))


def type_name(value: Any) -> str:
    """The JSON schema type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


_NOTHING = object()
"""What a value was where nothing was, or nobody can tell."""


def _check(value: Any, schema: Schema, path: Path, old: Any = _NOTHING) -> list[Cause]:
    """What is at fault with a value, unless it is what it was."""
    found = list(_faults(value, schema, path, old))
    return [] if found and path and old is not _NOTHING and _unchanged(value, old, schema) else found


def _unchanged(value: Any, old: Any, schema: Schema | None) -> bool:
    """Whether a value is what it was; of fields that no schema names nobody can tell."""
    if isinstance(value, dict) and isinstance(old, dict) and schema is not None:
        return len(value) == len(old) and all(
            name in old and (node := schema.field(name)) is not None and _unchanged(below, old[name], node)
            for name, below in value.items()
        )
    if isinstance(value, list) and isinstance(old, list) and schema is not None and schema.list_type == "map":
        was_of = counterparts(old, schema)
        return len(value) == len(old) and all(_unchanged(item, was_of(item), schema.items) for item in value)
    return type(value) is type(old) and bool(value == old)


def _faults(value: Any, schema: Schema, path: Path, old: Any) -> Iterator[Cause]:
    found = type_name(value)
    if value is None:
        if not schema.nullable and schema.type:
            yield _wrong_type(path, schema.type, "null")
        return
    if schema.int_or_string:
        if found not in ("integer", "string"):
            yield _wrong_type(path, "integer,string", found)
            return
    elif schema.type and found != schema.type and not (schema.type == "number" and found == "integer"):
        yield _wrong_type(path, schema.type, found)
        yield from _enum(value, schema, path)
        return
    yield from _enum(value, schema, path)
    if found == "object":
        yield from _object(value, schema, path, old if isinstance(old, dict) else {})
    elif found == "array":
        yield from _array(value, schema, path, old)
    elif found == "string":
        yield from _string(value, schema.raw, path)
    elif found in ("integer", "number"):
        yield from _number(value, schema.raw, path)
    if schema.raw.keys() & _COMBINATORS:
        yield from _combined(value, schema, path)


def _enum(value: Any, schema: Schema, path: Path) -> Iterator[Cause]:
    if schema.enum is not None and value not in schema.enum:
        supported = ", ".join(shown(v) for v in schema.enum)
        text = f"Unsupported value: {shown(value)}: supported values: {supported}"
        yield Cause("FieldValueNotSupported", text, dotted(path))


def _object(value: Mapping[str, Any], schema: Schema, path: Path, old: Mapping[str, Any]) -> Iterator[Cause]:
    raw = schema.raw
    most, least = raw.get("maxProperties"), raw.get("minProperties")
    if most is not None and len(value) > most:
        yield _too_many(path, len(value), most)
    if least is not None and len(value) < least:
        yield _invalid(path, len(value), f"should have at least {least} properties")
    required = [*schema.required, *(("apiVersion", "kind") if schema.embedded else ())]
    for name in required:
        if name not in value:
            yield _required((*path, name))
    for name, under in value.items():
        node = schema.field(name)
        if node is not None and not (len(path) == 0 and name == "metadata"):
            yield from _check(under, node, (*path, name), old.get(name, _NOTHING))


def _array(value: list[Any], schema: Schema, path: Path, old: Any) -> Iterator[Cause]:
    raw = schema.raw
    most, least = raw.get("maxItems"), raw.get("minItems")
    if most is not None and len(value) > most:
        yield _too_many(path, len(value), most)
    if least is not None and len(value) < least:
        yield _invalid(path, len(value), f"should have at least {least} items")
    if raw.get("uniqueItems") and len({shown(v) for v in value}) < len(value):
        yield _invalid(path, value, "shouldn't contain duplicates")
    items = schema.items
    if items is not None:
        was_of = counterparts(old, schema)
        for at, item in enumerate(value):
            was = was_of(item)
            yield from _check(item, items, (*path, at), _NOTHING if was is None else was)


def _too_many(path: Path, have: int, most: int) -> Cause:
    unit = "item" if most == 1 else "items"
    return Cause("FieldValueTooMany", f"Too many: {have}: must have at most {most} {unit}", dotted(path))


def _string(value: str, raw: Mapping[str, Any], path: Path) -> Iterator[Cause]:
    """Length, then pattern: the first that does not hold; and the format."""
    most, least, pattern = raw.get("maxLength"), raw.get("minLength"), raw.get("pattern")
    if most is not None and len(value) > most:
        unit = "byte" if most == 1 else "bytes"
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {most} {unit}", dotted(path))
    elif least is not None and len(value) < least:
        yield _invalid(path, value, f"should be at least {least} chars long")
    elif pattern is not None and not _fits(value, pattern):
        yield _invalid(path, value, f"should match '{pattern}'")
    form: str = raw.get("format") or ""
    if form in _FORMATS and not _FORMATS[form](value):
        text = f"Invalid value: {shown(value)}: {dotted(path)} in body must be of type {form}: {shown(value)}"
        yield Cause("FieldValueTypeInvalid", text, dotted(path))


def _fits(value: str, pattern: str) -> bool:
    try:
        return regexes.compiled(pattern).search(value.encode()) is not None
    except ValueError:
        return False  # of a definition that was taken when patterns were looked at less closely


def _is_date_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None and "T" in text.upper()
    except ValueError:
        return False


def _is_date(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return False
    return True


_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "date-time": _is_date_time,
    "date": _is_date,
    "uuid": lambda text: bool(_UUID.fullmatch(text)),
    "byte": lambda text: bool(_BASE64.fullmatch(text)),
    "ipv4": lambda text: bool(re.fullmatch(r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}", text)),
}


def _number(value: float, raw: Mapping[str, Any], path: Path) -> Iterator[Cause]:
    least, most, step = raw.get("minimum"), raw.get("maximum"), raw.get("multipleOf")
    if most is not None and (value >= most if raw.get("exclusiveMaximum") else value > most):
        words = "less than" if raw.get("exclusiveMaximum") else "less than or equal to"
        yield _invalid(path, value, f"should be {words} {most}")
    if least is not None and (value <= least if raw.get("exclusiveMinimum") else value < least):
        words = "greater than" if raw.get("exclusiveMinimum") else "greater than or equal to"
        yield _invalid(path, value, f"should be {words} {least}")
    if step and value % step:
        yield _invalid(path, value, f"should be a multiple of {step}")


_COMBINATORS = frozenset({"allOf", "anyOf", "oneOf", "not"})


def _combined(value: Any, schema: Schema, path: Path) -> Iterator[Cause]:
    """`allOf`, `anyOf`, `oneOf` and `not`, whose errors the server files under no field."""
    if schema.int_or_string:
        return
    for part in schema.parts("allOf"):
        yield from _check(value, part, path)
    for keyword, words in (
        ("anyOf", "at least one schema (anyOf)"),
        ("oneOf", "one and only one schema (oneOf). Found none valid"),
    ):
        outcomes = [_check(value, part, path) for part in schema.parts(keyword)]
        fitting = sum(not found for found in outcomes)
        if outcomes and not fitting:
            yield _unfiled(path, words)
            yield from min(outcomes, key=len)
        elif keyword == "oneOf" and fitting > 1:
            yield _unfiled(path, f"one and only one schema (oneOf). Found {fitting} valid alternatives")
    for part in schema.parts("not"):
        if not _check(value, part, path):
            text = f'Invalid value: "": "{dotted(path)}" must not validate the schema (not)'
            yield Cause("FieldValueInvalid", text, "<nil>")


def _unfiled(path: Path, words: str) -> Cause:
    return Cause("FieldValueInvalid", f'Invalid value: "": "{dotted(path)}" must validate {words}', "<nil>")


def _duplicates(value: Any, schema: Schema, path: Path) -> Iterator[Cause]:
    if isinstance(value, dict):
        for name, under in value.items():
            node = schema.field(name)
            if node is not None and isinstance(under, (list, dict)) and not (not path and name == "metadata"):
                yield from _duplicates(under, node, (*path, name))
    elif isinstance(value, list):
        seen = set()
        for at, item in enumerate(value):
            key = _item_key(item, schema)
            if key is not None and shown(key) in seen:
                yield Cause("FieldValueDuplicate", f"Duplicate value: {shown(key)}", dotted((*path, at)))
            seen.add(shown(key))
            if schema.items is not None:
                yield from _duplicates(item, schema.items, (*path, at))


def _item_key(item: Any, schema: Schema) -> Any:
    if schema.list_type == "set":
        return item
    if schema.list_type == "map" and isinstance(item, dict):
        return {k: item[k] for k in schema.list_keys if k in item}
    return None


_MAY_BE_EMPTY = frozenset({"rules", "limits", "endpoints", "ports", "drivers", "serviceName"})
"""Fields that OpenAPI calls required, because Go writes them in any case, and that need no value."""


def _is_missing(value: Mapping[str, Any], name: str, schema: Schema) -> bool:
    """Whether a required field of a native kind has no value: zero is one for numbers and booleans."""
    node = schema.field(name)
    if node is None or node.type in ("boolean", "integer") or name in _MAY_BE_EMPTY:
        return False
    found = value.get(name)
    return found is None or (schema.letters.get(name) in ("s", "l") and not found)


def _native(value: Any, schema: Schema, path: Path) -> Iterator[Cause]:
    """Required fields and enums of a native kind; a status is written by controllers and trusted."""
    if isinstance(value, dict):
        if schema.plain:
            return
        missing = [name for name in schema.required if _is_missing(value, name, schema)]
        for name in missing:
            yield _required((*path, name))
        for name, under in value.items():
            node = schema.field(name)
            if node is None or name in missing or (not path and name in ("metadata", "status")):
                continue
            yield from _native(under, node, (*path, name))
    elif isinstance(value, list) and schema.items is not None:
        for at, item in enumerate(value):
            yield from _native(item, schema.items, (*path, at))
    else:
        yield from _enum(value, schema, path)
