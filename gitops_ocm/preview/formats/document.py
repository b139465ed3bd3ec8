"""A preview as a versioned JSON document, and the schema of it; both follow the model, field by field.

Names are camelCase. Lists are always there; a text, a place or a time that there is none of is left out, and
so is the side of a change on which the field is `ABSENT`. What has the form of a secret is not shown. The
schema is published as `preview.schema.json` beside this module (`gitops-ocm preview --schema` prints it). A
field may be added under the same version; one that goes, or means something else, needs the next.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import orjson
from pydantic.alias_generators import to_camel

from gitops_ocm.objects.diff import ABSENT, Difference
from gitops_ocm.objects.ref import Ref
from gitops_ocm.preview.formats.fields import safe
from gitops_ocm.preview.formats.words import exit_status, outcome, verdict
from gitops_ocm.preview.model import Preview, Value

API_VERSION = "preview.gitops-ocm.io/v1alpha1"
KIND = "Preview"
_SNAKE = re.compile(r"(?<=`)[a-z]+_[a-z_]+(?=`)")
_NAMED = ("kind", "name")
_BEYOND = 1 << 62
_CHANGES = (Difference, Value)
"""What has a `before` and an `after` that may hold anything, or be absent."""


def to_json(found: Preview) -> str:
    """The document, in the same bytes for the same preview."""
    document = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "outcome": outcome(found),
        "exitStatus": exit_status(found),
        "verdict": verdict(found),
        **_plain(found),
    }
    return _text(document) + "\n"


def _text(document: Any) -> str:
    try:
        return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONEncodeError:
        # Integers beyond 64 bits, or half of a surrogate pair: YAML can write them, orjson cannot.
        return json.dumps(document, indent=2)


def _plain(value: Any) -> Any:
    """A value of the model as JSON has it."""
    match value:
        case StrEnum():
            return value.value
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        case timedelta():
            return f"{value.total_seconds():g}s"
        case Ref():
            return {key: text for key, text in value._asdict().items() if text or key in _NAMED}
        case tuple():
            return [_plain(item) for item in value]
        case _ if is_dataclass(value):
            return dict(_items(value))
        case _:
            return value


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    sides = safe(value.before, value.after, _BEYOND) if isinstance(value, _CHANGES) else ()
    for name, key in _keys(value.__class__):
        if sides and name in ("before", "after"):
            side = sides[name == "after"]
            if side is not ABSENT:
                yield key, side
            continue
        item = getattr(value, name)
        if item is None or item == "":
            continue
        plain = _plain(item)
        if plain != {}:
            yield key, plain


@cache
def _keys(of: type[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, to_camel(field.name)) for field in fields(of))


# The schema


def schema() -> str:
    """The document's JSON Schema."""
    kinds: dict[str, Any] = {}
    document = _object_schema(Preview, kinds)
    document["properties"] = {
        "apiVersion": {"const": API_VERSION},
        "kind": {"const": KIND},
        "outcome": {"enum": ["Unchanged", "Changed", "Refused"]},
        "exitStatus": {"enum": [0, 1, 3], "description": "What the command ends with."},
        "verdict": {"type": "string", "description": "One line for people."},
        **document["properties"],
    }
    document["required"] = ["apiVersion", "kind", "outcome", "exitStatus", "verdict", *document["required"]]
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{KIND} {API_VERSION}",
        **document,
        "$defs": dict(sorted(kinds.items())),
    }
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


_SCHEMAS: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    timedelta: {"type": "string", "pattern": r"^[0-9.e+]+s$"},
    Any: {"description": "Any JSON value; not there where the field is not."},
}


def _schema_of(hint: Any, kinds: dict[str, Any]) -> dict[str, Any]:
    """The schema of a type; objects go into `kinds`."""
    if hint in _SCHEMAS:
        return _SCHEMAS[hint]
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _schema_of(get_args(hint)[0], kinds)}
    if get_origin(hint) in (Union, UnionType):
        (one,) = (option for option in get_args(hint) if option is not NoneType)
        return _schema_of(one, kinds)
    name = hint.__name__
    if name not in kinds:
        kinds[name] = {}  # it may hold itself
        kinds[name] = _type_schema(hint, kinds)
    return {"$ref": f"#/$defs/{name}"}


def _type_schema(hint: Any, kinds: dict[str, Any]) -> dict[str, Any]:
    if issubclass(hint, StrEnum):
        return {"enum": [member.value for member in hint]}
    if hint is Ref:
        texts = {name: {"type": "string"} for name in Ref._fields}
        return {"type": "object", "properties": texts, "required": list(_NAMED)}
    return _object_schema(hint, kinds)


def _object_schema(of: Any, kinds: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(of)
    properties = {key: _schema_of(hints[name], kinds) for name, key in _keys(of)}
    always = [
        key for name, key in _keys(of) if get_origin(hints[name]) is tuple or hints[name] in (int, bool)
    ]
    about = " ".join((of.__doc__ or "").split())
    return {"type": "object", "description": about, "properties": properties, "required": always}


def _always(hint: Any) -> bool:
    """Whether a field of this type is never left out: what may be empty, or is any value, may be."""
    if hint in (int, bool, datetime, timedelta) or get_origin(hint) is tuple:
        return True
    return isinstance(hint, type) and issubclass(hint, (StrEnum, Ref))
