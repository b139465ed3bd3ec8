"""Strategic merge patch: merging by schema, as `kubectl apply` and `kubectl edit` send it.

Lists with the patch strategy `merge` are merged by their merge key (or, of scalars, as sets), the
directives `$patch`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…` and `$retainKeys` are
obeyed; everything else merges as a JSON merge patch does. Custom resources do not have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ocm.objects.faults import bad_request, unclassified
from gitops_ocm.objects.schema import Schema
from gitops_ocm.objects.typed_check import go_text

_PATCH = "$patch"
_RETAIN = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"


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
        if key.startswith(_DELETE) and isinstance(base.get(key[len(_DELETE) :]), list):
            name = key[len(_DELETE) :]
            base[name] = [item for item in base[name] if item not in value]
    for key, value in patch.items():
        name = key[len(_ORDER) :]
        if key.startswith(_ORDER) and isinstance(base.get(name), list):
            base[name] = _ordered(base[name], value, schema.field(name) if schema is not None else None)
    return base


def _retained(base: dict[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """What `$retainKeys` leaves; it has to name all that the patch sets."""
    if not all(k in patch[_RETAIN] for k in patch if not k.startswith("$")):
        raise bad_request("invalid patch format of retainKeys")
    return {k: v for k, v in base.items() if k in patch[_RETAIN]}


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
    result = list(live) if isinstance(live, list) else []
    if not node.merge_key:
        return _settled(result + patch, patch, "", result)
    directives = [item for item in patch if isinstance(item, Mapping) and item.get(_PATCH)]
    if any(item[_PATCH] == "replace" for item in directives):
        return [item for item in patch if not (isinstance(item, Mapping) and item.get(_PATCH) == "replace")]
    for item in patch:
        if not isinstance(item, Mapping) or node.merge_key not in item:
            raise unclassified(f"map: {go_text(item)} does not contain declared merge key: {node.merge_key}")
        at = _position(result, item, node.merge_key)
        if item.get(_PATCH) == "delete":
            if at is not None:
                del result[at]
        elif at is None:
            result.append(strategic_merge(None, item, node.items))
        else:
            result[at] = strategic_merge(result[at], item, node.items)
    return _settled(result, patch, node.merge_key, live if isinstance(live, list) else [])


def _settled(items: list[Any], patch: list[Any], key: str, before: list[Any]) -> list[Any]:
    """The merged items in the order of the patch; others stay ahead of what they stood ahead of."""
    places = {_identity(item, key): at for at, item in reversed([*enumerate(before)])}
    by_name = {_identity(item, key): item for item in items}
    wanted = dict.fromkeys(_identity(item, key) for item in patch)
    others = [item for item in items if _identity(item, key) not in wanted]
    result: list[Any] = []
    for name in filter(by_name.__contains__, wanted):
        while others and places.get(_identity(others[0], key), len(before)) < places.get(name, 0):
            result.append(others.pop(0))
        result.append(by_name[name])
    return result + others


def _position(items: list[Any], wanted: Mapping[str, Any], key: str) -> int | None:
    for at, item in enumerate(items):
        if isinstance(item, Mapping) and item.get(key) == wanted[key]:
            return at
    return None


def _ordered(items: list[Any], order: Any, node: Schema | None) -> list[Any]:
    """Items named by `$setElementOrder` in that order; the others keep their places before them."""
    key = node.merge_key if node is not None else ""
    wanted = [item.get(key) if isinstance(item, Mapping) else item for item in order]
    named = {_identity(item, key): item for item in items if _identity(item, key) in wanted}
    result: list[Any] = []
    queue = [named[name] for name in wanted if name in named]
    for item in items:
        if _identity(item, key) not in wanted:
            result.append(item)
        elif queue:
            result.append(queue.pop(0))
    return result


def _identity(item: Any, key: str) -> Any:
    return item.get(key) if isinstance(item, Mapping) else item
