"""Functions that Kubernetes adds to CEL, beside the language's own, for rules in CRDs.

Strings, lists, regular expressions, URLs, IP addresses, CIDRs and quantities: by the names and
meanings of the Kubernetes documentation ("Common Expression Language in Kubernetes").
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import SplitResult, urlsplit

from gitops_ocm.objects.quantities import quantity


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return bool(parts.scheme) or text.startswith("/")


def _url(text: str) -> SplitResult:
    return urlsplit(text)


def _find(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found[0] if found else ""


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found = [m[0] for m in re.finditer(pattern, text)]
    return found if limit < 0 else found[:limit]


def _index_of(where: Any, what: Any, start: int = 0) -> int:
    if isinstance(where, str):
        return where.find(what, start)
    return next((i for i, v in enumerate(where) if v == what), -1)


def _last_index_of(where: Any, what: Any) -> int:
    if isinstance(where, str):
        return where.rfind(what)
    return next((i for i in range(len(where) - 1, -1, -1) if where[i] == what), -1)


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if separator == "":
        return list(text) if limit < 0 else [*text[: limit - 1], text[limit - 1 :]]
    return text.split(separator, limit - 1 if limit > 0 else -1)


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    return text.replace(old, new, limit)


def _substring(text: str, start: int, end: int | None = None) -> str:
    end = len(text) if end is None else end
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"index out of range: {start}")
    return text[start:end]


def _char_at(text: str, at: int) -> str:
    if not 0 <= at <= len(text):
        raise ValueError(f"index out of range: {at}")
    return text[at : at + 1]


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _is_cidr(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return "/" in text


def _is_quantity(text: str) -> bool:
    try:
        quantity(text)
    except ValueError:
        return False
    return True


def _compare(a: str, b: str) -> int:
    left, right = quantity(a), quantity(b)
    return (left > right) - (left < right)


def _checked_quantity(text: str) -> str:
    """`quantity(...)` stays text inside an expression: its methods read it again."""
    quantity(text)
    return text


def _is_sorted(items: list[Any]) -> bool:
    return all(a <= b for a, b in pairwise(items))


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "isSorted": _is_sorted,
    "sum": lambda items: sum(items),
    "indexOf": _index_of,
    "lastIndexOf": _last_index_of,
    "find": _find,
    "findAll": _find_all,
    "split": _split,
    "replace": _replace,
    "substring": _substring,
    "charAt": _char_at,
    "lowerAscii": str.lower,
    "upperAscii": str.upper,
    "trim": str.strip,
    "join": lambda items, separator="": separator.join(items),
    "isURL": _is_url,
    "url": lambda text: text,
    "getScheme": lambda text: _url(text).scheme,
    "getHost": lambda text: _url(text).netloc.rpartition("@")[2],
    "getHostname": lambda text: _url(text).hostname or "",
    "getPort": lambda text: str(_url(text).port or ""),
    "getEscapedPath": lambda text: _url(text).path,
    "isIP": _is_ip,
    "isCIDR": _is_cidr,
    "isQuantity": _is_quantity,
    "quantity": _checked_quantity,
    "isGreaterThan": lambda a, b: _compare(a, b) > 0,
    "isLessThan": lambda a, b: _compare(a, b) < 0,
    "compareTo": _compare,
}
"""Name → implementation; a method's receiver is its first argument."""
