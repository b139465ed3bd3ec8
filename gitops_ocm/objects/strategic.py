"""Strategic merge patch: merging by schema, as `kubectl apply` and `kubectl edit` send it.

Lists with the patch strategy `merge` are merged by their merge key (or, of scalars, as sets), the
directives `$patch`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…` and `$retainKeys` are
obeyed; everything else merges as a JSON merge patch does. Custom resources do not have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ocm.objects.faults import bad_request
from gitops_ocm.objects.schema import Schema

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
        raise bad_request(f"Unknown patch directive type: {directive}")
    if _RETAIN in patch:
        base = {k: v for k, v in base.items() if k in patch[_RETAIN]}
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


def _merge_field(base: dict[str, Any], key: str, value: Any, node: Schema | None) -> None:
    if value is None:
        base.pop(key, None)
    elif isinstance(value, Mapping):
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
        return result + [item for item in patch if item not in result]
    directives = [item for item in patch if isinstance(item, Mapping) and item.get(_PATCH)]
    if any(item[_PATCH] == "replace" for item in directives):
        return [item for item in patch if not (isinstance(item, Mapping) and item.get(_PATCH) == "replace")]
    for item in patch:
        if not isinstance(item, Mapping) or node.merge_key not in item:
            raise bad_request(f"map: {item} does not contain declared merge key: {node.merge_key}")
        at = _position(result, item, node.merge_key)
        if item.get(_PATCH) == "delete":
            if at is not None:
                del result[at]
        elif at is None:
            result.append(strategic_merge(None, item, node.items))
        else:
            result[at] = strategic_merge(result[at], item, node.items)
    return result


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
