"""Functions on text, and those of optional values: CEL's own extensions."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from typing import Any

from gitops_ocm.objects.cel.faults import EvalError, of_length
from gitops_ocm.objects.cel.formatting import formatted
from gitops_ocm.objects.cel.values import NONE, Optional

_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)
_QUOTED = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_QUOTED |= {"\\": "\\\\", '"': '\\"'}


def _within(text: str, at: int) -> int:
    if not 0 <= at <= len(text):
        raise EvalError(f"index out of range: {at}")
    return at


def _index_of(text: str, part: str, start: int = 0) -> int:
    if part == "":
        return start
    if start < 0:
        raise EvalError(f"index out of range: {start}")
    return text.find(part, start)


def _last_index_of(text: str, part: str, start: int | None = None) -> int:
    if part == "":
        return len(text) if start is None else start
    if start is None:
        return text.rfind(part)
    if start < 0:
        raise EvalError(f"index out of range: {start}")
    return -1 if start >= len(text) else text.rfind(part, 0, start + len(part))


def _substring(text: str, start: int, end: int | None = None) -> str:
    end = len(text) if end is None else end
    if start > end and end != len(text):
        raise EvalError(f"invalid substring range. start: {start}, end: {end}")
    return text[_within(text, start) : _within(text, end)]


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if separator == "":
        return list(text) if limit < 0 or limit >= len(text) else [*text[: limit - 1], text[limit - 1 :]]
    return text.split(separator, limit - 1 if limit > 0 else -1)


def _join(items: list[Any], separator: str = "") -> str:
    wrong = next((item for item in items if not isinstance(item, str)), None)
    if wrong is not None:
        raise EvalError(f"join: invalid input: {wrong}")
    of_length(sum(map(len, items)) + len(separator) * len(items))
    return separator.join(items)


def _replace(text: str, part: str, by: str, limit: int = -1) -> str:
    found = text.count(part)
    of_length(len(text) + (len(by) - len(part)) * (found if limit < 0 else min(found, limit)))
    return text.replace(part, by, limit)


def _quote(text: str) -> str:
    return '"' + "".join(_QUOTED.get(c, c) for c in text) + '"'


def _non_zero(value: Any) -> Optional:
    empty = value is None or (isinstance(value, (bool, int, float, str, bytes, list, dict)) and not value)
    return NONE if empty else Optional((value,))


def _unwrap(items: list[Any]) -> list[Any]:
    wrong = next((item for item in items if not isinstance(item, Optional)), None)
    if wrong is not None:
        raise EvalError(f"value {wrong} is not optional")
    return [item.held[0] for item in items if item.held]


IMPLEMENTATIONS: Mapping[str, Callable[..., Any]] = {
    "string_char_at_int": lambda text, at: text[_within(text, at) : at + 1],
    "string_index_of_string": _index_of,
    "string_index_of_string_int": _index_of,
    "string_last_index_of_string": _last_index_of,
    "string_last_index_of_string_int": _last_index_of,
    "string_lower_ascii": lambda text: text.translate(_LOWER),
    "string_upper_ascii": lambda text: text.translate(_UPPER),
    "string_replace_string_string": _replace,
    "string_replace_string_string_int": _replace,
    "string_split_string": _split,
    "string_split_string_int": _split,
    "string_substring_int": _substring,
    "string_substring_int_int": _substring,
    "string_trim": lambda text: text.strip(_SPACES),
    "string_format": formatted,
    "strings_quote": _quote,
    "list_join": _join,
    "list_join_string": _join,
    "optional_of": lambda value: Optional((value,)),
    "optional_ofNonZeroValue": _non_zero,
    "optional_none": lambda: NONE,
    "optional_unwrap": _unwrap,
    "optional_unwrapOpt": _unwrap,
    "optional_value": lambda optional: optional.value,
    "optional_hasValue": lambda optional: bool(optional.held),
    "optional_or_optional": lambda one, other: one if one.held else other,
    "optional_orValue_value": lambda one, other: one.held[0] if one.held else other,
    "list_last": lambda items: Optional((items[-1],)) if items else NONE,
    "list_first": lambda items: Optional((items[0],)) if items else NONE,
}
