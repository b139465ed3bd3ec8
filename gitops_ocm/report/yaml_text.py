"""JSON values as YAML, in one form only: sorted keys, block style, two spaces.

For files we commit, where equal values must be equal bytes and a diff should read well. It writes no
anchors, tags or comments. A string is plain only where YAML 1.1 and 1.2 both read it back as that
string, else it is a JSON string, which is YAML too. Reading YAML is `desired.documents`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@%+=-]*(?:[ :,][A-Za-z0-9_./@%+=()-]+)*\Z")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


def to_yaml(value: Any) -> str:
    """The one YAML text of a JSON value, ending in a newline."""
    return "\n".join(_lines(value, "")) + "\n"


def _lines(value: Any, indent: str) -> Iterator[str]:
    match value:
        case Mapping() if value:
            yield from _mapping(value, indent)
        case list() | tuple() if value:
            yield from _sequence(value, indent)
        case _:
            yield indent + _scalar(value, indent)


def _mapping(value: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key in sorted(value):
        item = value[key]
        head = f"{indent}{_string(key)}:"
        if _nested(item):
            yield head
            # A sequence stands at its key's own indentation, as kubectl prints it.
            yield from _lines(item, indent if isinstance(item, (list, tuple)) else indent + "  ")
        else:
            yield f"{head} {_scalar(item, indent)}"


def _sequence(value: Sequence[Any], indent: str) -> Iterator[str]:
    for item in value:
        if not _nested(item):
            yield f"{indent}- {_scalar(item, indent)}"
            continue
        first, *rest = _lines(item, indent + "  ")
        yield f"{indent}- {first[len(indent) + 2 :]}"
        yield from rest


def _nested(value: Any) -> bool:
    return isinstance(value, (Mapping, list, tuple)) and bool(value)


def _scalar(value: Any, indent: str) -> str:
    match value:
        case str():
            return _block(value, indent) if "\n" in value else _string(value)
        case Mapping():
            return "{}"
        case list() | tuple():
            return "[]"
        case _:
            return json.dumps(value)


def _string(text: str) -> str:
    plain = _PLAIN.match(text) and text.lower() not in _WORDS and ": " not in text
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    """A JSON string, with the characters escaped too that JSON may hold as they are and YAML may not."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def _block(text: str, indent: str) -> str:
    """A literal block for text of several lines, so that a diff shows the line that changed."""
    body = text.removesuffix("\n")
    lines = body.split("\n")
    if not lines[0] or lines[0][0] == " " or _CONTROL.search(text) or _UNPRINTABLE.search(text):
        return _quoted(text)
    if not lines[-1]:
        return _quoted(text)
    head = "|" if text.endswith("\n") else "|-"
    return "\n".join([head, *(f"{indent}  {line}" if line else "" for line in lines)])
