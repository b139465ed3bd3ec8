"""The functions of the language itself: operators, sizes, conversions, times."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from gitops_ocm.objects.cel import times
from gitops_ocm.objects.cel.faults import EvalError, of_length
from gitops_ocm.objects.cel.regexes import matches
from gitops_ocm.objects.cel.values import (
    NO_OVERLOAD,
    NONE,
    Duration,
    Held,
    KeyedList,
    Optional,
    SetList,
    Timestamp,
    Uint,
    equal,
    has_key,
    is_list,
    item_of,
    shown,
    type_of,
)

_LEAST, _MOST, _MOST_UINT = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1
Function = Callable[..., Any]


def _int(number: int) -> int:
    if not _LEAST <= number <= _MOST:
        raise EvalError("integer overflow")
    return number


def _uint(number: int) -> Uint:
    if not 0 <= number <= _MOST_UINT:
        raise EvalError("unsigned integer overflow")
    return Uint(number)


def _duration(nanos: int) -> Duration:
    if not _LEAST <= nanos <= _MOST:
        raise EvalError("duration overflow")
    return Duration(nanos)


def _timestamp(nanos: int) -> Timestamp:
    if not times.EARLIEST <= nanos <= times.LATEST:
        raise EvalError("timestamp overflow")
    return Timestamp(nanos)


# --- arithmetic ---------------------------------------------------------------------------------------


def _divided(a: int, b: int) -> int:
    if b == 0:
        raise EvalError("division by zero")
    quotient = abs(a) // abs(b)
    return _int(quotient if (a < 0) == (b < 0) else -quotient)


def _remainder(a: int, b: int) -> int:
    if b == 0:
        raise EvalError("modulus by zero")
    return int(math.copysign(1, a)) * (abs(a) % abs(b))


def _quotient(a: float, b: float) -> float:
    if b == 0:
        return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)
    return a / b


_ITEM = 16
"""Characters that take the memory of an item."""


def _joined(one: list[Any], other: list[Any]) -> list[Any]:
    """One list behind the other; a set or map takes what is new to it."""
    if isinstance(one, SetList):
        held = Held(one)
        return SetList([*one, *(item for item in other if item not in held)])
    if isinstance(one, KeyedList):
        items = {one.key(item): item for item in one} | {one.key(item): item for item in other}
        return KeyedList(list(items.values()), one.keys)
    of_length(_ITEM * (len(one) + len(other)))
    return [*one, *other]


# --- looking into things ------------------------------------------------------------------------------


def element(items: list[Any], at: Any) -> Any:
    """An item of a list by its index, which may be a whole number of any type."""
    if isinstance(at, bool) or not isinstance(at, (int, float)) or at != int(at):
        raise EvalError(f"unsupported index type '{type_of(at)}' in list")
    if not 0 <= at < len(items):
        raise EvalError(f"index out of bounds: {shown(at)}")
    return items[int(at)]


def index(held: Any, key: Any) -> Any:
    """What a list or map has at an index."""
    if isinstance(held, Optional):
        return optional_index(held, key)
    return element(held, key) if is_list(held) else item_of(held, key)


def optional_index(held: Any, key: Any) -> Optional:
    """What a list or map has at an index, if it has."""
    if isinstance(held, Optional):
        return optional_index(held.held[0], key) if held.held else NONE
    if is_list(held):
        return Optional((held[key],)) if 0 <= key < len(held) else NONE
    return Optional((item_of(held, key),)) if has_key(held, key) else NONE


def in_list(value: Any, items: list[Any]) -> bool:
    """Whether a list has a value."""
    if type(value) is str:
        return value in items
    return any(equal(value, item) for item in items)


# --- conversions --------------------------------------------------------------------------------------


def _bad(value: Any, wanted: str) -> EvalError:
    return EvalError(f"type conversion error from '{type_of(value).name}' to '{wanted}'")


def _bool_of(text: str) -> bool:
    if text in ("1", "t", "T", "TRUE", "true", "True"):
        return True
    if text in ("0", "f", "F", "FALSE", "false", "False"):
        return False
    raise _bad(text, "bool")


def _double_of(text: str) -> float:
    try:
        if "_" in text or text != text.strip():
            raise ValueError
        return float(text)
    except ValueError as error:
        raise _bad(text, "double") from error


def _int_of(text: str) -> int:
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()) or not _LEAST <= int(text) <= _MOST:
        raise _bad(text, "int")
    return int(text)


def _uint_of(text: str) -> Uint:
    if not (text.isascii() and text.isdigit()) or int(text) > _MOST_UINT:
        raise _bad(text, "uint")
    return Uint(text)


def _whole(number: float) -> int:
    if math.isnan(number) or math.isinf(number) or not -(2.0**63) < number < 2.0**63:
        raise EvalError("integer overflow")
    return int(number)


def _whole_uint(number: float) -> Uint:
    if math.isnan(number) or math.isinf(number) or not 0 <= number < 2.0**64:
        raise EvalError("unsigned integer overflow")
    return Uint(int(number))


def _duration_of(text: str) -> Duration:
    try:
        return Duration(times.duration(text))
    except ValueError as error:
        raise _bad(text, "google.protobuf.Duration") from error


def _timestamp_of(text: str) -> Timestamp:
    try:
        return _timestamp(times.moment(text))
    except ValueError as error:
        raise _bad(text, "google.protobuf.Timestamp") from error


def _text_of_bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise EvalError("invalid UTF-8 in bytes, cannot convert to string") from error


def double_text(number: float) -> str:
    """A double as Go writes it in the shortest way."""
    if math.isnan(number) or math.isinf(number):
        return "NaN" if math.isnan(number) else "+Inf" if number > 0 else "-Inf"
    text = repr(number)
    mantissa, _, exponent = text.partition("e")
    power = int(exponent) if exponent else 0
    if -5 < power < 21 or not exponent:
        return (f"{number:f}" if exponent else text).removesuffix(".0") if abs(number) < 1e21 else text
    return f"{mantissa}e{'+' if power >= 0 else '-'}{abs(power):02}"


# --- times --------------------------------------------------------------------------------------------

_FIELDS: Mapping[str, Callable[[Any, int], int]] = {
    "getFullYear": lambda at, nanos: at.year,
    "getMonth": lambda at, nanos: at.month - 1,
    "getDayOfYear": lambda at, nanos: at.timetuple().tm_yday - 1,
    "getDayOfMonth": lambda at, nanos: at.day - 1,
    "getDate": lambda at, nanos: at.day,
    "getDayOfWeek": lambda at, nanos: at.isoweekday() % 7,
    "getHours": lambda at, nanos: at.hour,
    "getMinutes": lambda at, nanos: at.minute,
    "getSeconds": lambda at, nanos: at.second,
    "getMilliseconds": lambda at, nanos: nanos % times.SECOND // 1_000_000,
}
_SPANS = {
    "getHours": 3600 * times.SECOND,
    "getMinutes": 60 * times.SECOND,
    "getSeconds": times.SECOND,
    "getMilliseconds": times.SECOND // 1000,
}


def _getter(name: str) -> Function:
    field = _FIELDS[name]

    def get(at: int, zone: str = "UTC") -> int:
        try:
            return field(times.local(at, zone), at)
        except ValueError as error:
            raise EvalError(str(error)) from error

    return get


def _span_getter(unit: int) -> Function:
    return lambda nanos: int(math.copysign(1, nanos)) * (abs(nanos) // unit)


def _ordering() -> dict[str, Function]:
    """`<` and the like are Python's, over all the types they are declared for."""
    from gitops_ocm.objects.cel.declarations import kubernetes

    signs = {"_<_": operator.lt, "_<=_": operator.le, "_>_": operator.gt, "_>=_": operator.ge}
    return {overload.name: compare for sign, compare in signs.items() for overload in kubernetes()[sign]}


def _same(value: Any) -> Any:
    return value


def _refused(*args: Any) -> Any:
    raise EvalError(NO_OVERLOAD)


IMPLEMENTATIONS: Mapping[str, Function] = {
    **_ordering(),
    "conditional": _refused,
    "logical_and": _refused,
    "logical_or": _refused,
    "not_strictly_false": _refused,
    "logical_not": operator.not_,
    "equals": equal,
    "not_equals": lambda a, b: not equal(a, b),
    "add_bytes": operator.add,
    "add_double": operator.add,
    "add_duration_duration": lambda a, b: _duration(a + b),
    "add_duration_timestamp": lambda a, b: _timestamp(a + b),
    "add_timestamp_duration": lambda a, b: _timestamp(a + b),
    "add_int64": lambda a, b: _int(a + b),
    "add_list": _joined,
    "add_string": operator.add,
    "add_uint64": lambda a, b: _uint(int(a) + int(b)),
    "divide_double": _quotient,
    "divide_int64": _divided,
    "divide_uint64": lambda a, b: Uint(_divided(a, b)),
    "modulo_int64": _remainder,
    "modulo_uint64": lambda a, b: Uint(_remainder(a, b)),
    "multiply_double": operator.mul,
    "multiply_int64": lambda a, b: _int(a * b),
    "multiply_uint64": lambda a, b: _uint(int(a) * int(b)),
    "negate_double": operator.neg,
    "negate_int64": lambda a: _int(-a),
    "subtract_double": operator.sub,
    "subtract_duration_duration": lambda a, b: _duration(a - b),
    "subtract_int64": lambda a, b: _int(a - b),
    "subtract_timestamp_duration": lambda a, b: _timestamp(a - b),
    "subtract_timestamp_timestamp": lambda a, b: _duration(a - b),
    "subtract_uint64": lambda a, b: _uint(int(a) - int(b)),
    "index_list": element,
    "index_map": item_of,
    "optional_list_index_int": optional_index,
    "optional_map_index_value": optional_index,
    "list_optindex_optional_int": optional_index,
    "optional_list_optindex_optional_int": optional_index,
    "map_optindex_optional_value": optional_index,
    "optional_map_optindex_optional_value": optional_index,
    "in_list": in_list,
    "in_map": lambda key, held: has_key(held, key),
    **{f"size_{kind}": len for kind in ("bytes", "list", "map", "string")},
    **{f"{kind}_size": len for kind in ("bytes", "list", "map", "string")},
    "type": type_of,
    "bool_to_bool": _same,
    "string_to_bool": _bool_of,
    "bytes_to_bytes": _same,
    "string_to_bytes": str.encode,
    "double_to_double": _same,
    "int64_to_double": float,
    "string_to_double": _double_of,
    "uint64_to_double": float,
    "duration_to_duration": _same,
    "int64_to_duration": Duration,
    "string_to_duration": _duration_of,
    "to_dyn": _same,
    "int64_to_int64": _same,
    "double_to_int64": _whole,
    "duration_to_int64": int,
    "string_to_int64": _int_of,
    "timestamp_to_int64": lambda nanos: int(nanos) // times.SECOND,
    "uint64_to_int64": lambda number: _int(int(number)),
    "string_to_string": _same,
    "bool_to_string": shown,
    "bytes_to_string": _text_of_bytes,
    "double_to_string": double_text,
    "duration_to_string": times.written_duration,
    "int64_to_string": str,
    "timestamp_to_string": times.written_moment,
    "uint64_to_string": str,
    "timestamp_to_timestamp": _same,
    "int64_to_timestamp": lambda seconds: _timestamp(seconds * times.SECOND),
    "string_to_timestamp": _timestamp_of,
    "uint64_to_uint64": _same,
    "double_to_uint64": _whole_uint,
    "int64_to_uint64": _uint,
    "string_to_uint64": _uint_of,
    "contains_string": lambda text, part: part in text,
    "ends_with_string": str.endswith,
    "starts_with_string": str.startswith,
    "matches": matches,
    "matches_string": matches,
    **{f"timestamp_{name}": _getter(name) for name in _FIELDS},
    **{f"timestamp_{name}_with_tz": _getter(name) for name in _FIELDS},
    **{f"duration_{name}": _span_getter(unit) for name, unit in _SPANS.items()},
}
