"""What calls cost as they are evaluated: by how big the values are that they look at or make.

One unit is about 50 ns of the reference implementation; text costs a tenth a character. What is estimated
before there are values is `estimates`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import Any

from gitops_ocm.objects.cel.named_formats import PATTERN_SIZES
from gitops_ocm.objects.cel.values import Cidr, Format, Ip, Quantity, Semver, Struct, Url, is_list, size

Args = Sequence[Any]
Price = Callable[[Args, Any], int]
TEXT, PATTERN, LIST = 0.1, 0.25, 10
_FIXED = (Quantity, Ip, Cidr, Format, Url, Semver)


def equality(one: Any, other: Any) -> int:
    """What it costs to compare two values."""
    return 1 if isinstance(one, _FIXED) else ceil(min(size(one), size(other)) * TEXT)


def _text(factor: float) -> Price:
    return lambda args, result: ceil(size(args[0]) * factor)


def _traversal(value: Any) -> int:
    if isinstance(value, (str, bytes)):
        return int(len(value if isinstance(value, bytes) else value.encode()) * TEXT)
    if is_list(value):
        return sum(map(_traversal, value))
    if isinstance(value, Struct):
        return sum(_traversal(key) + _traversal(value.get(key)) for key in value if value.has(key))
    if isinstance(value, dict):
        return sum(_traversal(key) + _traversal(held) for key, held in value.items())
    return 1


def _pattern(text: int, pattern: int) -> int:
    return ceil((1 + text) * TEXT) * ceil(pattern * PATTERN)


def _contains(extra: int, text: bool) -> Price:
    """A network's look at an address or network: twice its own bytes, and the text the other was."""

    def price(args: Args, result: Any) -> int:
        own = size(args[0])
        cost = ceil(2 * own * TEXT) + (ceil(own * TEXT) + extra if extra else 0)
        return cost + (ceil(size(args[1]) * TEXT) if text else 0)

    return price


def _sets(factor: int) -> Price:
    return lambda args, result: 1 + factor * size(args[0]) * size(args[1])


def _made(length: Callable[[Args], int]) -> Price:
    """A list as long as the arguments say."""
    return lambda args, result: max(length(args), 0) + 1 + LIST


def _flattened(args: Args, result: Any) -> int:
    return size(args[0]) * (args[1] if len(args) == 2 else 1) + 1 + LIST


def _compared(which: int) -> Price:
    """Every item of a list with every other."""

    def price(args: Args, result: Any) -> int:
        items = args[which]
        factor = 2 + (TEXT if items and isinstance(items[0], (str, bytes)) else 0)
        return int(len(items) ** 2 * factor) + 1 + LIST

    return price


def _ordered(args: Args, result: Any) -> int:
    return ceil(min(size(args[0]), size(args[1])) * TEXT)


_BY_FUNCTION: Mapping[str, Price] = {
    **{
        name: lambda args, result: _traversal(args[0])
        for name in ("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf")
    },
    **{
        name: _text(TEXT)
        for name in ("url", "lowerAscii", "upperAscii", "substring", "trim", "isIP", "cidr", "isCIDR")
    },
    **{name: _text(TEXT) for name in ("quantity", "isQuantity", "semver", "isSemver")},
    **{name: _text(2 * TEXT) for name in ("replace", "split", "ip.isCanonical")},
    "join": lambda args, result: ceil(size(result) * 2 * TEXT),
    "find": lambda args, result: _pattern(size(args[0]), size(args[1])),
    "findAll": lambda args, result: _pattern(size(args[0]), size(args[1])),
    "validate": lambda args, result: _pattern(size(args[1]), PATTERN_SIZES[args[0].name]),
    "sort": _compared(0),
    "@sortByAssociatedKeys": _compared(1),
}
_BY_OVERLOAD: Mapping[str, Price] = {
    "string_to_ip": _text(TEXT),
    "cidr_contains_ip_string": _contains(0, text=True),
    "cidr_contains_ip_ip": _contains(0, text=False),
    "cidr_contains_cidr_string": _contains(1, text=True),
    "cidr_contains_cidr": _contains(1, text=False),
    **{
        name: _text(TEXT)
        for name in (
            "starts_with_string",
            "ends_with_string",
            "string_to_bytes",
            "bytes_to_string",
            "strings_quote",
        )
    },
    "string_format": _text(TEXT),
    "in_list": lambda args, result: size(args[1]),
    **{
        f"{word}_{kind}": _ordered
        for word in ("less", "less_equals", "greater", "greater_equals")
        for kind in ("string", "bytes")
    },
    "add_string": lambda args, result: ceil((size(args[0]) + size(args[1])) * TEXT),
    "add_bytes": lambda args, result: ceil((size(args[0]) + size(args[1])) * TEXT),
    "matches_string": lambda args, result: _pattern(size(args[0]), size(args[1])),
    "contains_string": lambda args, result: ceil(size(args[0]) * TEXT) * ceil(size(args[1]) * TEXT),
    "list_sets_contains_list": _sets(1),
    "list_sets_intersects_list": _sets(1),
    "list_sets_equivalent_list": _sets(2),
    "list_slice": _made(lambda args: args[2] - args[1]),
    "lists_range": _made(lambda args: int(args[0])),
    "list_reverse": _made(lambda args: size(args[0])),
    "list_flatten": _flattened,
    "list_flatten_int": _flattened,
    "list_distinct": _compared(0),
}


BY_RESULT = frozenset({"list_join", "list_join_string"})
"""What is priced by what it made. All else is paid for before it is done, so that it may not be."""


def actual(function: str, overload: str) -> Price | None:
    """What a call costs by its values; None for those that always cost one."""
    return _BY_OVERLOAD.get(overload) or _BY_FUNCTION.get(function)
