"""What the body of a request says: JSON or YAML as Go's decoders read them, faults in their words.

    duplicates(b'{"a":1,"a":2}', {"a": 2})  →  ('duplicate field "a"',)

Protobuf is `protobuf`; what the value means is for `intake`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isinf
from typing import Any

import orjson

from gitops_ocm.desired import yaml_events
from gitops_ocm.objects.decoding import json_type
from gitops_ocm.objects.go_json import syntax_error
from gitops_ocm.runtime.memory import uncollected

SHOWN = 30
"""How many bytes of a body a message repeats."""
MAX_DEPTH = 200
"""How deep values may be nested: an answer puts a few levels around them, and the encoder ends at 254."""
_AROUND = 254 - MAX_DEPTH
KEPT_AROUND = _AROUND - 10
"""The same for an object with its `managedFields`, which are a little deeper than what they tell of."""
_LIMITS = yaml_events.Limits(document_bytes=4 * 2**20, depth=MAX_DEPTH)
_DUPLICATE = "yaml-duplicate-key"
_TOO_DEEP = f"exceeded max depth: values are nested more than {MAX_DEPTH} levels deep"
_DIGITS = 20
_MUCH = 64 * 1024
_SURROGATE = re.compile("[\ud800-\udfff]")
_TYPE_META = (
    r'struct { APIVersion string "json:\"apiVersion,omitempty\""; '
    r'Kind string "json:\"kind,omitempty\"" }'
)


class Unreadable(Exception):
    """The body is not what its Content-Type says; carries Go's words."""


@dataclass(frozen=True, slots=True)
class Body:
    """A decoded body, and what it says twice."""

    value: Any
    duplicates: tuple[str, ...] = ()


def read_json(body: bytes) -> Any:
    """The value of a JSON text; of a key that is given twice the last counts."""
    try:
        if len(body) < _MUCH:
            return _sound(orjson.loads(body), body)
        with uncollected():
            return _sound(orjson.loads(body), body)
    except orjson.JSONDecodeError:
        if problem := syntax_error(body):
            raise Unreadable(problem) from None
    # JSON all the same, but for what Go mends: strings that are no Unicode, numbers beyond 64 bits.
    try:
        found = json.loads(body.decode("utf-8", "replace"), parse_int=_number, parse_float=_number)
    except RecursionError:
        raise Unreadable(_TOO_DEEP) from None
    return _mended(_sound(found, body))


def read_yaml(body: bytes) -> Body:
    """The value of a YAML text (its first document), keys as text."""
    try:
        return Body(_sound(orjson.loads(body), body))
    except orjson.JSONDecodeError:
        pass
    found = yaml_events.read(body.decode("utf-8", "replace"), limits=_LIMITS)
    for problem in found.problems:
        if problem.code != _DUPLICATE:
            raise Unreadable(f"yaml: line {problem.at.line}: {problem.message}")
    return Body(_mended(_sound(found.value, body)), tuple(_twice(problem) for problem in found.problems))


def too_deep(value: Any, *, around: int = _AROUND) -> bool:
    """Whether a value is nested so deep that no answer, which puts `around` levels to it, could carry it."""
    for _ in range(around):
        value = [value]
    try:
        # Found out by the encoder, which is many times as fast as a walk.
        orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        return "ecursion" in str(error)
    return False


def _sound(value: Any, body: bytes) -> Any:
    # As many levels take as many bytes, and most bodies have fewer opening brackets than that.
    if len(body) > MAX_DEPTH and too_deep(value):
        raise Unreadable(_TOO_DEEP)
    return value


def _number(text: str) -> float:
    """A number as Go has it in a value of any type: whole where 64 bits hold it, and never infinite."""
    if len(text) < _DIGITS and text.lstrip("-").isdecimal() and -(2**63) <= int(text) < 2**63:
        return int(text)
    found = float(text)
    if isinf(found):
        raise Unreadable(f"json: cannot unmarshal number {text} into Go value of type float64")
    return found


def duplicates(body: bytes, value: Any) -> tuple[str, ...]:
    """`duplicate field "data.k"` for each key that a JSON text gives twice in one object."""
    if body.count(b'":') == _keys(value):
        return ()  # each key was seen once: what nearly every body is like, found out cheaply
    found: list[str] = []
    text = body.decode("utf-8", "replace")
    _note_twice(json.loads(text, object_pairs_hook=_Pairs), (), found)
    return tuple(f'duplicate field "{path}"' for path in dict.fromkeys(found))


def meta_problem(value: Any) -> str:
    """Why Go cannot even read the kind of a decoded body; empty where it can."""
    if not isinstance(value, dict):
        return f"json: cannot unmarshal {json_type(value)} into Go value of type {_TYPE_META}"
    for name in ("apiVersion", "kind"):
        if value.get(name) is not None and not isinstance(value[name], str):
            found = json_type(value[name])
            return f"json: cannot unmarshal {found} into Go struct field .{name} of type string"
    return ""


def summary(body: bytes) -> str:
    """The beginning of a body as messages repeat it: JSON as it is, anything else in hexadecimal."""
    if not body:
        return "<empty>"
    begun, more = body[:SHOWN], " ..." if len(body) > SHOWN else ""
    return (begun.decode("utf-8", "replace") if body[:1] == b"{" else begun.hex()) + more


class _Pairs(list[tuple[str, Any]]):
    """An object as its pairs."""


def _note_twice(value: Any, path: tuple[str, ...], found: list[str]) -> None:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for key, under in value:
            if key in seen:
                found.append(".".join((*path, key)))
            seen.add(key)
            _note_twice(under, (*path, key), found)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            _note_twice(item, (*path[:-1], f"{path[-1]}[{at}]") if path else (f"[{at}]",), found)


def _keys(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_keys(v) for v in value.values() if type(v) in (dict, list))
    if isinstance(value, list):
        return sum(_keys(v) for v in value if type(v) in (dict, list))
    return 0


def _twice(problem: yaml_events.YamlProblem) -> str:
    key = _texts(problem.message)
    return f'line {problem.at.line}: key "{next(key, "")}" already set in map'


def _texts(message: str) -> Iterator[str]:
    yield from re.findall(r"'(.*)'", message)


def _mended(value: Any) -> Any:
    """Text without halves of characters; numbers beyond 64 bits as Go has them."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_SURROGATE.sub("\ufffd", key): _mended(under) for key, under in value.items()}
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return _number(str(value))
    return [_mended(item) for item in value] if isinstance(value, list) else value
