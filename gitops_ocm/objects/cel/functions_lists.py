"""Functions on lists, sets and maps: Kubernetes' and CEL's own extensions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from gitops_ocm.objects.cel.declarations import kubernetes
from gitops_ocm.objects.cel.faults import EvalError
from gitops_ocm.objects.cel.functions_language import IMPLEMENTATIONS as LANGUAGE
from gitops_ocm.objects.cel.values import (
    NO_OVERLOAD,
    Duration,
    Held,
    Uint,
    equal,
    has_key,
    is_list,
    shown,
)

_ZEROS: Mapping[str, Any] = {"int": 0, "uint": Uint(0), "double": 0.0, "duration": Duration(0)}
_ADD = {"int": "add_int64", "uint": "add_uint64", "double": "add_double", "duration": "add_duration_duration"}


def _sum(kind: str) -> Callable[[list[Any]], Any]:
    add, zero = LANGUAGE[_ADD[kind]], _ZEROS[kind]

    def total(items: list[Any]) -> Any:
        result = zero
        for item in items:
            if type(item) is not type(zero):
                raise EvalError(NO_OVERLOAD)
            result = add(result, item)
        return result

    return total


def _least(name: str, pick: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    def found(items: list[Any]) -> Any:
        if not items:
            raise EvalError(f"{name} called on empty list")
        return pick(items)

    return found


def _positions(items: list[Any], value: Any) -> Iterator[int]:
    return (at for at, item in enumerate(items) if equal(item, value))


def _contains(one: list[Any], other: list[Any]) -> bool:
    held = Held(one)
    return all(item in held for item in other)


def _intersects(one: list[Any], other: list[Any]) -> bool:
    held = Held(other)
    return any(item in held for item in one)


def _slice(items: list[Any], start: int, end: int) -> list[Any]:
    where = f"cannot slice({start}, {end}), "
    if start < 0 or end < 0:
        raise EvalError(f"{where}negative indexes not supported")
    if start > end:
        raise EvalError(f"{where}start index must be less than or equal to end index")
    if len(items) < end:
        raise EvalError(f"{where}list is length {len(items)}")
    return items[start:end]


def _flatten(items: list[Any], depth: int = 1) -> list[Any]:
    if depth < 0:
        raise EvalError("level must be non-negative")
    found: list[Any] = []
    for item in items:
        found += _flatten(item, depth - 1) if depth and is_list(item) else [item]
    return found


def _range(count: int) -> list[int]:
    return list(range(count))


def _distinct(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if not any(equal(item, held) for held in found):
            found.append(item)
    return found


def _sorted(items: list[Any], keys: list[Any] | None = None) -> list[Any]:
    keys = items if keys is None else keys
    if len({type(key) for key in keys}) > 1:
        raise EvalError("list elements must have the same type")
    if keys and (is_list(keys[0]) or isinstance(keys[0], dict)):
        raise EvalError("list elements must be comparable")
    order = sorted(range(len(items)), key=keys.__getitem__)
    return [items[at] for at in order]


def inserted(held: dict[Any, Any], key: Any, value: Any) -> dict[Any, Any]:
    """The map with one entry more; it must be new."""
    if not isinstance(key, (str, bool, int, float)):
        raise EvalError(NO_OVERLOAD)
    if has_key(held, key):
        raise EvalError(f"insert failed: key {shown(key)} already exists")
    held[key] = value
    return held


def _merged(held: dict[Any, Any], more: dict[Any, Any]) -> dict[Any, Any]:
    result = dict(held)
    for key, value in more.items():
        inserted(result, key, value)
    return result


def _templated() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Those that there is one of for each type of items."""
    made: Mapping[str, Callable[..., Any]] = {
        "isSorted": lambda items: all(a <= b for a, b in pairwise(items)),
        "max": _least("max", max),
        "min": _least("min", min),
        "sort": _sorted,
        "@sortByAssociatedKeys": _sorted,
    }
    for function, implementation in made.items():
        for overload in kubernetes()[function]:
            yield overload.name, implementation
    for overload in kubernetes()["sum"]:
        yield overload.name, _sum(overload.gives.kind)


IMPLEMENTATIONS: Mapping[str, Callable[..., Any]] = {
    **dict(_templated()),
    "list_a_index_of_int": lambda items, value: next(_positions(items, value), -1),
    "list_a_last_index_of_int": lambda items, value: max(_positions(items, value), default=-1),
    "list_sets_contains_list": _contains,
    "list_sets_equivalent_list": lambda one, other: _contains(one, other) and _contains(other, one),
    "list_sets_intersects_list": _intersects,
    "list_slice": _slice,
    "list_flatten": _flatten,
    "list_flatten_int": _flatten,
    "lists_range": _range,
    "list_reverse": operator.itemgetter(slice(None, None, -1)),
    "list_distinct": _distinct,
    "@mapInsert_map_key_value": lambda held, key, value: inserted(dict(held), key, value),
    "@mapInsert_map_map": _merged,
}
