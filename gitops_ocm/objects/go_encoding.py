"""JSON byte for byte as Go's encoder writes it: what programs of OCM hash.

    go_json({"spec": {"share": 1.0}})    # b'{"spec":{"share":1}}'

Numbers are as in Go's untyped objects: int64 where they fit, else float64. Not `canonical`, which is our own
form for our own digests; what Go's decoder says of a text that is no JSON is `go_json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

_INT64 = 2**63
_MARKS = tuple((char.encode(), f"\\u{ord(char):04x}".encode()) for char in "<>&\u2028\u2029")
_PLAIN_FROM, _PLAIN_TO = 1e-6, 1e21
"""Between these magnitudes a float is written without an exponent."""


def go_json(value: Any) -> bytes:
    """Keys sorted by their bytes, no spaces, markup and line separators escaped."""
    text = b"".join(_pieces(value)) if _has_odd_numbers(value) else _dumped(value)
    for mark, escaped in _MARKS:
        text = text.replace(mark, escaped)
    return text


def _dumped(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _has_odd_numbers(value: Any) -> bool:
    """Whether a number is in it that Go writes otherwise than orjson would."""
    if isinstance(value, Mapping):
        return any(map(_has_odd_numbers, value.values()))
    if isinstance(value, list):
        return any(map(_has_odd_numbers, value))
    return isinstance(value, float) or (isinstance(value, int) and not -_INT64 <= value < _INT64)


def _pieces(value: Any) -> list[bytes]:
    match value:
        case Mapping():
            keys = sorted(value, key=lambda key: str(key).encode())
            inner = [[_dumped(key), b":", *_pieces(value[key])] for key in keys]
            return _enclosed(b"{", inner, b"}")
        case list():
            return _enclosed(b"[", [_pieces(each) for each in value], b"]")
        case float():
            return [go_float(value).encode()]
        case int() if not -_INT64 <= value < _INT64:
            return [go_float(float(value)).encode()]
    return [_dumped(value)]


def _enclosed(opening: bytes, items: list[list[bytes]], closing: bytes) -> list[bytes]:
    pieces = [opening]
    for at, item in enumerate(items):
        pieces += [b",", *item] if at else item
    return [*pieces, closing]


def go_float(value: float) -> str:
    """The shortest digits that read back as the same float64, as Go sets them."""
    if value == 0 or _PLAIN_FROM <= abs(value) < _PLAIN_TO:
        return _without_exponent(repr(value))
    mantissa, _, exponent = repr(value).partition("e")
    sign = "-" if exponent.startswith("-") else "+"
    return f"{mantissa.removesuffix('.0')}e{sign}{exponent.lstrip('+-').lstrip('0')}"


def _without_exponent(text: str) -> str:
    sign = "-" if text.startswith("-") else ""
    mantissa, _, exponent = text.removeprefix("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    shift = int(exponent or 0)
    if shift > 0:
        whole, fraction = whole + fraction[:shift].ljust(shift, "0"), fraction[shift:]
    elif shift < 0:
        whole, fraction = "0", whole.rjust(-shift, "0") + fraction
    fraction = fraction.rstrip("0")
    return sign + (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")
