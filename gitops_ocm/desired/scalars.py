"""What a YAML scalar means to kubectl: the rules of go-yaml v2, then of JSON.

kubectl reads YAML with go-yaml v2 and turns it into JSON, so a manifest means what those two say:
YAML 1.1's words (`yes`, `on`, `y`), its octals (`012`) and underscores, but neither its base 60
nor its dates (they stay text); whole floats become integers, integers beyond 64 bits floats.
`yaml_events` asks for plain scalars and tagged ones; quoted scalars are text without being asked.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from typing import Any

Scalar = str | int | float | bool | None


class BadScalar(ValueError):
    """A scalar that cannot be what its tag says, or that JSON cannot hold."""


_TAG = "tag:yaml.org,2002:"
STR, BOOL, INT, FLOAT, NULL = (_TAG + name for name in ("str", "bool", "int", "float", "null"))
BINARY, TIMESTAMP, MERGE = (_TAG + name for name in ("binary", "timestamp", "merge"))

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGER = re.compile(r"([-+]?)(?:(0[xX])([0-9a-fA-F]+)|(0[bB])([01]+)|(0[oO]?)([0-7]+)|([1-9][0-9]*|0))")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DOT_FLOAT = re.compile(r"\.[0-9]+([eE][-+]?[0-9]+)?")
_DIGIT_OR_SIGN = frozenset("+-0123456789")


def plain(text: str) -> Scalar:
    """What an unquoted, untagged scalar means; floats may still be infinite or not a number."""
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first in _DIGIT_OR_SIGN:
        return _number(text)
    if first == "." and _DOT_FLOAT.fullmatch(text):
        value = float(text)
        return text if math.isinf(value) else value
    return text


def tagged(tag: str, text: str) -> Scalar:
    """What a scalar with an explicit tag means, or `BadScalar`."""
    if tag == BINARY:
        try:
            return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
        except ValueError:  # `binascii.Error` is one, and so is what a letter beyond ASCII raises
            raise BadScalar("!!binary value contains invalid base64 data") from None
    if tag in (STR, TIMESTAMP) or not tag.startswith(_TAG):
        return text
    if tag not in (BOOL, INT, FLOAT, NULL):
        return text
    value = plain(text)
    if tag == FLOAT and type(value) is int:
        return float(value)
    if _tag_of(value) != tag:
        raise BadScalar(f"cannot decode `{text}` as a !!{tag.removeprefix(_TAG)}")
    return value


def as_json(value: Scalar) -> Scalar:
    """The JSON value kubectl sends for a scalar, or `BadScalar` for what JSON has not."""
    if type(value) is int:
        return value if -(2**63) <= value < 2**63 else float(value)
    if type(value) is float:
        if not math.isfinite(value):
            raise BadScalar(f"{value} has no place in JSON; quote it if it is text")
        if value.is_integer() and -(2.0**63) <= value < 2.0**63:
            return int(value)
    return value


def as_key(value: Any) -> str:
    """A mapping's key as text, or `BadScalar`: JSON knows text only."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return str(value)
    if isinstance(value, float):
        return _float_key(value)
    shown = {type(None): "null", dict: "a mapping", list: "a list"}.get(type(value), str(value))
    raise BadScalar(f"{shown} cannot be a key")


def _number(text: str) -> Scalar:
    digits = text.replace("_", "")
    if match := _INTEGER.fullmatch(digits):
        sign, x, hexadecimal, b, binary, _, octal, decimal = match.groups()
        if decimal:
            value = int(decimal) if len(decimal) < 30 else None
        elif len(digits) > 80:
            return text
        else:
            value = int(hexadecimal or binary or octal, 16 if x else 2 if b else 8)
        negative = sign == "-"
        if value is not None and value <= (2**63 if negative else 2**64 - 1 if not sign else 2**63 - 1):
            return -value if negative else value
    if _FLOAT.fullmatch(digits):
        number = float(digits)
        return text if math.isinf(number) else number
    return text


def _tag_of(value: Scalar) -> str:
    kinds: dict[type, str] = {bool: BOOL, int: INT, float: FLOAT, type(None): NULL}
    return kinds.get(type(value), STR)


def _float_key(value: float) -> str:
    """Go's shortest text of a 32-bit float, format `g`: how sigs.k8s.io/yaml writes float keys."""
    if math.isnan(value):
        return ".nan"
    try:
        (single,) = struct.unpack("f", struct.pack("f", value))
    except OverflowError:
        single = math.copysign(math.inf, value)
    if math.isinf(single):
        return ".inf" if single > 0 else "-.inf"
    for precision in range(1, 10):
        digits, _, exponent = f"{single:.{precision - 1}e}".partition("e")
        if struct.pack("f", float(f"{digits}e{exponent}")) == struct.pack("f", single):
            break
    power = int(exponent)
    if power < -4 or power >= 6:
        return f"{digits}e{exponent}"
    return f"{float(f'{digits}e{exponent}'):.{max(0, precision - 1 - power)}f}"
