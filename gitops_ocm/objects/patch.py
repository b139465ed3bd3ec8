"""JSON merge patch (RFC 7386) and JSON patch (RFC 6902).

Targets are never changed in place. Strategic merge, which needs a schema, is `strategic`;
server-side apply is `ownership`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import orjson

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.faults import ApiError, bad_request

MAX_OPERATIONS = 10_000
"""How many operations one JSON patch may have, as kube-apiserver limits it."""
MAX_COPIED = 3 * 1024 * 1024
"""Bytes of JSON that the `copy` operations of one patch may add: each can double an object. Its limit too."""
_DIGITS = 10
_MAPS = (dict, Mapping)
"""Any map; to ask for a dict first takes a tenth of the time."""


def merge_patch(target: Any, patch: Any) -> Any:
    """`target` with `patch` merged in: maps by key, null removes, everything else replaces."""
    if not isinstance(patch, _MAPS):
        return _without_nulls(patch)
    result = dict(target) if isinstance(target, _MAPS) else {}
    for key, value in patch.items():
        if isinstance(value, str):  # as most are
            result[key] = value
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def _without_nulls(value: Any) -> Any:
    """A replacing value: nulls in maps inside it go too, as on kube-apiserver (the RFC keeps them)."""
    if isinstance(value, _MAPS):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return [_without_nulls(v) for v in value] if isinstance(value, list) else value


def merge_diff(old: Any, new: Any) -> Any:
    """The smallest merge patch that turns `old` into `new` (which has no nulls in maps)."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return new
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        if key not in old:
            patch[key] = value
        elif not _same(old[key], value):
            patch[key] = merge_diff(old[key], value)
    return patch


def json_patch(doc: Any, operations: Any) -> Any:
    """`doc` after all operations, or `ApiError` and nothing: BadRequest, or Invalid (422)."""
    if not isinstance(operations, Sequence) or isinstance(operations, str | bytes):
        raise bad_request("error decoding patch: a JSON patch is a list of operations")
    if len(operations) > MAX_OPERATIONS:
        raise ApiError(
            "RequestEntityTooLarge",
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}",
        )
    try:
        return _after(_copy_of(doc), operations)
    except RecursionError:
        raise _refused("the values are nested too deep") from None


def _after(result: Any, operations: Sequence[Any]) -> Any:
    copied = 0
    for operation in operations:
        if isinstance(operation, Mapping) and operation.get("op") == "copy":
            source = _read(result, _source(operation), "copy")
            copied += len(canonical_json(source))
            if copied > MAX_COPIED:
                raise _refused(f"the copies of the patch add more than {MAX_COPIED} bytes")
        result = _apply(result, operation)
    return result


def _copy_of(value: Any) -> Any:
    """A copy of a JSON value that shares nothing with it; by way of its text, which is far the fastest."""
    if not isinstance(value, dict | list):
        return value
    try:
        return orjson.loads(orjson.dumps(value))
    except orjson.JSONEncodeError:
        return deepcopy(value)  # a number beyond 64 bits


def _apply(doc: Any, operation: Any) -> Any:
    if not isinstance(operation, Mapping):
        raise _refused("an operation is an object")
    name = operation.get("op")
    step = _OPERATIONS.get(name) if isinstance(name, str) else None
    if step is None:
        raise _refused(f"Unexpected kind: {name}")
    return step(doc, _pointer(operation.get("path")), operation)


def _add(doc: Any, path: list[str], operation: Mapping[str, Any]) -> Any:
    return _insert(doc, path, _copy_of(_value_of(operation)), "add")


def _remove(doc: Any, path: list[str], operation: Mapping[str, Any]) -> Any:
    parent, last = _parent(doc, path, "remove")
    if isinstance(parent, dict):
        if last not in parent:
            raise _missing("remove", path)
        del parent[last]
    else:
        del parent[_index(last, len(parent) - 1, "remove")]
    return doc


def _replace(doc: Any, path: list[str], operation: Mapping[str, Any]) -> Any:
    value = _value_of(operation)
    if not path:
        return _copy_of(value)
    parent, last = _parent(doc, path, "replace")
    if isinstance(parent, dict):
        # RFC 6902 wants the member to be there; kube-apiserver does not insist, so neither do we.
        parent[last] = _copy_of(value)
    else:
        parent[_index(last, len(parent) - 1, "replace")] = _copy_of(value)
    return doc


def _move(doc: Any, path: list[str], operation: Mapping[str, Any]) -> Any:
    source = _source(operation)
    value = _read(doc, source, "move")
    if path == source:
        return doc
    if path[: len(source)] == source:
        raise _refused("move operation: a value cannot be moved into itself")
    return _insert(_remove(doc, source, operation), path, value, "move")


def _copy(doc: Any, path: list[str], operation: Mapping[str, Any]) -> Any:
    value = _copy_of(_read(doc, _source(operation), "copy"))
    return _insert(doc, path, value, "copy")


def _test(doc: Any, path: list[str], operation: Mapping[str, Any]) -> Any:
    wanted = operation.get("value")
    try:
        have = _read(doc, path, "test")
    except ApiError:
        if wanted is None:
            return doc
        raise
    if not _same(have, wanted):
        raise _refused(f"testing value /{'/'.join(path)} failed: test failed")
    return doc


_OPERATIONS: Mapping[str, Callable[[Any, list[str], Mapping[str, Any]], Any]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _source(operation: Mapping[str, Any]) -> list[str]:
    """Where a value is taken from; nowhere is it the whole document."""
    path = _pointer(operation.get("from"))
    if not path:
        raise _refused(f"{operation['op']} operation does not apply: the whole document cannot be its source")
    return path


def _pointer(text: Any) -> list[str]:
    """RFC 6901, with its `~0` and `~1` undone."""
    if not isinstance(text, str):
        raise _refused("an operation needs a path")
    if text == "":
        return []
    if not text.startswith("/"):
        raise _refused(f"path {text!r} does not begin with a slash")
    return [part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/")]


def _read(doc: Any, path: list[str], name: str) -> Any:
    for at, step in enumerate(path):
        if isinstance(doc, dict):
            if step not in doc:
                raise _missing(name, path[: at + 1])
            doc = doc[step]
        elif isinstance(doc, list):
            doc = doc[_index(step, len(doc) - 1, name)]
        else:
            raise _missing(name, path)
    return doc


def _parent(doc: Any, path: list[str], name: str) -> tuple[Any, str]:
    if not path:
        raise _refused(f"{name} operation does not apply: the whole document cannot be its target")
    parent = _read(doc, path[:-1], name)
    if not isinstance(parent, dict | list):
        raise _missing(name, path)
    return parent, path[-1]


def _insert(doc: Any, path: list[str], value: Any, name: str) -> Any:
    if not path:
        return value
    parent, last = _parent(doc, path, name)
    if isinstance(parent, dict):
        parent[last] = value
    elif last == "-":
        parent.append(value)
    else:
        parent.insert(_index(last, len(parent), name), value)
    return doc


def _index(text: str, highest: int, name: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]*", text):
        raise _refused(f"{name} operation does not apply: {text!r} is not a list position")
    if len(text) > _DIGITS or int(text) > highest:
        raise _refused(f"{name} operation does not apply: index {text} is out of bounds")
    return int(text)


def _value_of(operation: Mapping[str, Any]) -> Any:
    if "value" not in operation:
        raise _refused(f"{operation.get('op')} operation needs a value")
    return operation["value"]


def _missing(name: str, path: list[str]) -> ApiError:
    return _refused(f"{name} operation does not apply: doc is missing path: /{'/'.join(path)}: missing value")


def _refused(why: str) -> ApiError:
    """What the API server answers to a well-formed patch that does not fit the object: 422.

    The server keeps the reason to itself; ours goes into the hint.
    """
    return ApiError("Invalid", "the server rejected our request due to an error in our request", hint=why)


def _same(a: Any, b: Any) -> bool:
    """JSON equality: as Python's, except that true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_same(v, b[k]) for k, v in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return bool(a == b)
