"""Strategic merge patch: merging by schema, as `kubectl apply` and `kubectl edit` send it.

Lists with the patch strategy `merge` are merged by their merge key (or, of scalars, as sets), the
directives `$patch`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…` and `$retainKeys` are
obeyed; everything else merges as a JSON merge patch does. Custom resources do not have it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.faults import bad_request, unclassified
from gitops_ocm.objects.schema import Schema
from gitops_ocm.objects.typed_check import go_text

_PATCH = "$patch"
_RETAIN = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"
_DELETED: Any = object()
_BAD_LIST = "invalid patch format of primitive list"
_BAD_RETAIN = "invalid patch format of retainKeys"


def strategic_merge(target: Any, patch: Any, schema: Schema | None) -> Any:
    """`target` with `patch` merged in by the schema's merge keys; the target is not changed."""
    if not isinstance(patch, Mapping):
        return patch
    base = dict(target) if isinstance(target, Mapping) else {}
    directive = patch.get(_PATCH)
    if directive == "replace":
        return {k: v for k, v in patch.items() if k != _PATCH}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise unclassified(f"unknown patch type: {directive} in map: {go_text(patch)}")
    if _RETAIN in patch:
        base = _retained(base, patch)
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_field(base, key, value, schema.field(key) if schema is not None else None)
    for key, value in patch.items():
        name = key[len(_DELETE) :]
        if key.startswith(_DELETE) and isinstance(base.get(name), list):
            unwanted = {_identity(item, "") for item in _listed(value, _BAD_LIST)}
            base[name] = [item for item in base[name] if _identity(item, "") not in unwanted]
    for key, value in patch.items():
        name = key[len(_ORDER) :]
        if key.startswith(_ORDER) and isinstance(base.get(name), list):
            base[name] = _ordered(base[name], value, schema.field(name) if schema is not None else None)
    return base


def _go_type(value: Any) -> str:
    """What Go has decoded JSON into."""
    names = {bool: "bool", int: "int64", float: "float64", str: "string", dict: "map[string]interface {}"}
    return names.get(type(value), "<nil>")


def _listed(value: Any, otherwise: str) -> list[Any]:
    """What a directive lists; 400 with those words where it is no list."""
    if not isinstance(value, list):
        raise bad_request(otherwise)
    return value


def _retained(base: dict[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """What `$retainKeys` leaves; it has to name all that the patch sets."""
    kept = {_identity(key, "") for key in _listed(patch[_RETAIN], _BAD_RETAIN)}
    if not all(k in kept for k in patch if not k.startswith("$")):
        raise bad_request(_BAD_RETAIN)
    return {k: v for k, v in base.items() if k in kept}


def _merge_field(base: dict[str, Any], key: str, value: Any, node: Schema | None) -> None:
    if value is None:
        base.pop(key, None)
    elif isinstance(value, Mapping):
        if key not in base and value.get(_PATCH) in ("replace", "delete"):
            return  # there is nothing it could be done to
        base[key] = strategic_merge(base.get(key), value, node)
    elif isinstance(value, list) and _merges(node):
        assert node is not None
        base[key] = _merge_list(base.get(key), value, node)
    else:
        base[key] = value


def _merges(node: Schema | None) -> bool:
    return node is not None and "merge" in node.merge_strategy.split(",")


def _merge_list(live: Any, patch: list[Any], node: Schema) -> list[Any]:
    before: list[Any] = list(live) if isinstance(live, list) else []
    if not node.merge_key:
        return _settled(before + patch, patch, "", before)
    directives = [item for item in patch if isinstance(item, Mapping) and item.get(_PATCH)]
    if any(item[_PATCH] == "replace" for item in directives):
        return [item for item in patch if not (isinstance(item, Mapping) and item.get(_PATCH) == "replace")]
    result = list(before)
    # Of items with the same key the first one counts.
    places = {_identity(item, node.merge_key): at for at, item in reversed([*enumerate(before)])}
    for item in patch:
        if not isinstance(item, Mapping) or node.merge_key not in item:
            raise unclassified(f"map: {go_text(item)} does not contain declared merge key: {node.merge_key}")
        name = _identity(item, node.merge_key)
        at = places.get(name)
        if item.get(_PATCH) == "delete":
            if at is not None:
                result[at] = _DELETED
                del places[name]
        elif at is None:
            places[name] = len(result)
            result.append(strategic_merge(None, item, node.items))
        else:
            result[at] = strategic_merge(result[at], item, node.items)
    left = [item for item in result if item is not _DELETED]
    return _settled(left, patch, node.merge_key, before)


def _settled(items: list[Any], patch: list[Any], key: str, before: list[Any]) -> list[Any]:
    """The merged items in the order of the patch; others stay ahead of what they stood ahead of."""
    places = {_identity(item, key): at for at, item in reversed([*enumerate(before)])}
    by_name = {_identity(item, key): item for item in items}
    wanted = dict.fromkeys(_identity(item, key) for item in patch)
    others = deque(item for item in items if _identity(item, key) not in wanted)
    result: list[Any] = []
    for name in filter(by_name.__contains__, wanted):
        while others and places.get(_identity(others[0], key), len(before)) < places.get(name, 0):
            result.append(others.popleft())
        result.append(by_name[name])
    return [*result, *others]


def _ordered(items: list[Any], order: Any, node: Schema | None) -> list[Any]:
    """Items named by `$setElementOrder` in that order; the others keep their places before them."""
    if not isinstance(order, list):
        raise unclassified(f"expected a []interface {{}}, but received a {_go_type(order)}")
    key = node.merge_key if node is not None else ""
    wanted = dict.fromkeys(_identity(item, key) for item in order)
    named = {name: item for item in items if (name := _identity(item, key)) in wanted}
    result: list[Any] = []
    queue = deque(named[name] for name in wanted if name in named)
    for item in items:
        if _identity(item, key) not in wanted:
            result.append(item)
        elif queue:
            result.append(queue.popleft())
    return result


def _identity(item: Any, key: str) -> Any:
    """What tells items of a list apart; something that can be looked up, whatever the client sent."""
    found = item.get(key) if key and isinstance(item, Mapping) else item
    return canonical_json(found) if isinstance(found, list | dict) else found
