"""Reading and replacing a value deep inside an object, without changing the object.

A path is a sequence of keys (and list positions). Writers copy only the containers on the way, so
the rest is shared between the old and the new object: treat both as read-only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gitops_ocm.objects.ref import Object

Step = str | int


def get(obj: Any, *path: Step, default: Any = None) -> Any:
    """The value at `path`; `default` where any step is missing or is not a container."""
    for step in path:
        if isinstance(obj, Mapping):
            if step not in obj:
                return default
            obj = obj[step]
        elif isinstance(obj, list) and isinstance(step, int):
            if not -len(obj) <= step < len(obj):
                return default
            obj = obj[step]
        else:
            return default
    return obj


def with_value(obj: Mapping[str, Any], path: Sequence[Step], value: Any) -> Object:
    """A copy with `value` at `path`; missing or null maps on the way are made."""
    result: Object = _set(obj, list(path), value)
    return result


def without(obj: Mapping[str, Any], path: Sequence[Step]) -> Object:
    """A copy without what is at `path`; the same content where there is nothing there."""
    if get(obj, *path, default=_MISSING) is _MISSING:
        return dict(obj)
    result: Object = _drop(obj, list(path))
    return result


def dotted(path: Sequence[Step]) -> str:
    """`spec.containers[0].image`, as the API machinery prints field paths."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{step}]"
    return text


_MISSING = object()
_PLAIN = re.compile(r"[^.\[\]/ ]+")


def _set(node: Any, path: list[Step], value: Any) -> Any:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        items = list(node) if isinstance(node, list) else []
        if step == len(items):
            items.append(_set(None, rest, value))
        else:
            items[step] = _set(items[step], rest, value)
        return items
    copy = dict(node) if isinstance(node, Mapping) else {}
    copy[step] = _set(copy.get(step), rest, value)
    return copy


def _drop(node: Any, path: list[Step]) -> Any:
    step, rest = path[0], path[1:]
    copy: Any = list(node) if isinstance(node, list) else dict(node)
    if rest:
        copy[step] = _drop(copy[step], rest)
    else:
        del copy[step]
    return copy
