"""Sets of fields, in the shape `managedFields` carries them (FieldsV1).

A set is a nested dict: `{"f:spec": {"f:replicas": {}}}`. A key's empty dict means that the field
itself is a member; a non-empty one holds members below it, and `"."` in it says that the field is
a member too. Keys: `f:` a map's key, `k:` a list item by its keys, `v:` a set item by its value,
`i:` an item by its position. Never changed in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

FieldSet = dict[str, Any]

DOT = "."
MEMBER: FieldSet = {}
"""What stands under a key that is a member without anything below it. Never change it."""


def union(a: FieldSet, b: FieldSet) -> FieldSet:
    """Members of either."""
    if not a or a == b:
        return b
    if not b:
        return a
    result = dict(a)
    for key, under in b.items():
        have = result.get(key)
        result[key] = under if have is None else _joined(have, under)
    return result


def _joined(a: FieldSet, b: FieldSet) -> FieldSet:
    """Two sets under the same key: emptiness there means membership, not nothing."""
    if not a and not b:
        return a
    if not a:
        return b if DOT in b else {DOT: MEMBER, **b}
    if not b:
        return a if DOT in a else {DOT: MEMBER, **a}
    return union(a, b)


def intersection(a: FieldSet, b: FieldSet) -> FieldSet:
    """Members of both."""
    return _filtered(a, b, keep=True)


def difference(a: FieldSet, b: FieldSet) -> FieldSet:
    """Members of `a` that are not members of `b`."""
    return _filtered(a, b, keep=False) if a and b else a


def _filtered(a: FieldSet, b: FieldSet, *, keep: bool) -> FieldSet:
    result: FieldSet = {}
    for key, mine in a.items():
        if key == DOT:
            continue
        theirs = b.get(key)
        if theirs is None:
            if not keep:
                result[key] = mine
            continue
        below = _filtered(mine, theirs, keep=keep)
        member = is_member(mine) and is_member(theirs) is keep
        if member:
            result[key] = {DOT: MEMBER, **below} if below else MEMBER
        elif below:
            result[key] = below
    return result


def is_member(under: FieldSet) -> bool:
    """Whether the field whose set below is `under` is itself in the set."""
    return not under or DOT in under


def contains(whole: FieldSet, part: FieldSet) -> bool:
    """Whether every member of `part` is one of `whole`."""
    for key, theirs in part.items():
        if key == DOT:
            continue
        mine = whole.get(key)
        if mine is None or (is_member(theirs) and not is_member(mine)):
            return False
        if theirs and not contains(mine, theirs):
            return False
    return True


def without_below(a: FieldSet, b: FieldSet) -> FieldSet:
    """`a` without the members of `b` and without everything below them."""
    result: FieldSet = {}
    for key, mine in a.items():
        theirs = b.get(key)
        if theirs is None or key == DOT:
            result[key] = mine
        elif not is_member(theirs):
            rest = without_below(mine, theirs) if mine else mine
            if rest or not mine:
                result[key] = rest
    return result


def members(fields: FieldSet, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every member's path, in canonical order."""
    for key in sorted(fields, key=_order):
        if key == DOT:
            continue
        under = fields[key]
        path = (*above, key)
        if is_member(under):
            yield path
        yield from members(under, path)


_KINDS = {"f": 0, "k": 1, "v": 2, "i": 3, ".": -1}


def _order(key: str) -> tuple[int, str]:
    return _KINDS.get(key[:1], 9), key


def path_text(path: tuple[str, ...]) -> str:
    """`.spec.containers[name="web"].image`, as conflicts print it."""
    return "".join(map(_step_text, path))


def _step_text(key: str) -> str:
    kind, value = key[:1], key[2:]
    if kind == "f":
        return f".{value}"
    if kind == "k":
        keys = orjson.loads(value)
        return "[" + ",".join(f"{k}={orjson.dumps(keys[k]).decode()}" for k in sorted(keys)) + "]"
    return f"[={value}]" if kind == "v" else f"[{value}]"
