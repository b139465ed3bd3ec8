"""Values seen through a schema, as server-side apply sees them.

A map is granular or atomic, a list atomic, a set, or a map by keys; without a schema maps are
granular and lists atomic. Here are the walks over such values: which fields a value has
(`fields_of`), what differs (`compare`), merging, and taking fields out or away. The rules are those
of sigs.k8s.io/structured-merge-diff. Who owns which field is `ownership`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from gitops_ocm.objects.faults import ApiError, unclassified
from gitops_ocm.objects.fieldset import DOT, MEMBER, FieldSet, is_member
from gitops_ocm.objects.schema import Schema

_SORTED = orjson.OPT_SORT_KEYS


class Mistyped(Exception):
    """A value that does not fit its schema; the text starts with the path."""


def _granular(schema: Schema | None) -> bool:
    return schema is None or schema.map_type != "atomic"


def _associative(schema: Schema | None) -> bool:
    return schema is not None and schema.list_type != "atomic" and schema.items is not None


def item_key(item: Any, schema: Schema) -> str:
    """The field-set key (`k:{"name":"a"}`, `v:"x"`) of an item of a map or set list."""
    if schema.list_type == "set":
        return "v:" + orjson.dumps(item).decode()
    if not isinstance(item, dict):
        raise Mistyped("associative list with keys may not have non-map elements")
    if not any(name in item or _has_default(name, schema) for name in schema.list_keys):
        listed = " ".join(f'"{name}"' for name in schema.list_keys)
        text = f"associative list with keys has an element that omits all key fields [{listed}]"
        raise Mistyped(f"{text} (and doesn't have default values for any key fields)")
    keys = {
        name: item[name] if name in item else _default_key(name, schema)
        for name in schema.list_keys
        if name in item or _has_default(name, schema)
    }
    return "k:" + orjson.dumps(keys, option=_SORTED).decode()


def _default_key(name: str, schema: Schema) -> Any:
    node = schema.items.field(name) if schema.items else None
    return node.default_value if node is not None else None


def _has_default(name: str, schema: Schema) -> bool:
    node = schema.items.field(name) if schema.items else None
    return node is not None and node.has_default


def fields_of(value: Any, schema: Schema | None) -> FieldSet:
    """The members below `value`: its leaves, the keys of free maps, the items of lists."""
    return _fields(value, schema)[1]


def _fields(value: Any, schema: Schema | None) -> tuple[bool, FieldSet]:
    """Whether the value is itself a member, and what is below it."""
    if isinstance(value, dict):
        if not _granular(schema):
            return True, MEMBER
        if schema is not None and schema.plain:
            return False, {f"f:{name}": MEMBER for name in value}
        below: FieldSet = {}
        for name, under in value.items():
            node = schema.field(name) if schema is not None else None
            member, inner = _fields(under, node)
            declared = schema is not None and name in schema.properties
            if member or not declared or under is None or under == {}:
                below[f"f:{name}"] = {DOT: MEMBER, **inner} if inner else MEMBER
            elif inner:
                below[f"f:{name}"] = inner
        return False, below
    if isinstance(value, list):
        if schema is None or not _associative(schema):
            return True, MEMBER
        items: FieldSet = {}
        for item in value:
            inner = _fields(item, schema.items)[1]
            items[item_key(item, schema)] = {DOT: MEMBER, **inner} if inner else MEMBER
        return False, items
    return True, MEMBER


def every_field(value: Any, schema: Schema | None) -> FieldSet:
    """What is below a value that is wholly new or wholly gone: each container is a member too."""
    below: FieldSet = {}
    if isinstance(value, dict) and _granular(schema):
        if schema is not None and schema.plain:
            below = {f"f:{name}": MEMBER for name in value}
            return {DOT: MEMBER, **below} if below else MEMBER
        for name, under in value.items():
            below[f"f:{name}"] = every_field(under, schema.field(name) if schema is not None else None)
    elif isinstance(value, list) and schema is not None and _associative(schema):
        for item in value:
            below[item_key(item, schema)] = every_field(item, schema.items)
    else:
        return MEMBER
    return {DOT: MEMBER, **below} if below else MEMBER


class Comparison(NamedTuple):
    """The fields in which two values differ."""

    added: FieldSet
    removed: FieldSet
    modified: FieldSet


def compare(old: Any, new: Any, schema: Schema | None) -> Comparison:
    """What `new` has more, less and otherwise than `old`."""
    found = Comparison({}, {}, {})
    _compare(old, new, schema, found)
    return found


def _compare(old: Any, new: Any, schema: Schema | None, into: Comparison) -> bool:
    """Fill `into` with differences below; True when the value as a whole was modified."""
    if old is new:
        return False
    if isinstance(old, dict) and isinstance(new, dict) and _granular(schema):
        if schema is None:
            _compare_keys(old, new, None, into)
        else:
            _compare_keys(old, new, schema, into)
        return False
    if isinstance(old, list) and isinstance(new, list) and schema is not None and _associative(schema):
        _compare_items(old, new, schema, into)
        return False
    return type(old) is not type(new) or bool(old != new)


def _compare_keys(
    old: Mapping[str, Any], new: Mapping[str, Any], schema: Schema | None, into: Comparison
) -> None:
    for name, now in new.items():
        node = schema.field(name) if schema is not None else None
        if name not in old:
            into.added[f"f:{name}"] = every_field(now, node)
        elif old[name] is not now:
            _descend(f"f:{name}", old[name], now, node, into)
    for name, was in old.items():
        if name not in new:
            node = schema.field(name) if schema is not None else None
            into.removed[f"f:{name}"] = every_field(was, node)


def _compare_items(old: list[Any], new: list[Any], schema: Schema, into: Comparison) -> None:
    before = {item_key(item, schema): item for item in old}
    after = {item_key(item, schema): item for item in new}
    for key, now in after.items():
        if key not in before:
            into.added[key] = every_field(now, schema.items)
        elif schema.list_type == "map":
            _descend(key, before[key], now, schema.items, into)
    for key, was in before.items():
        if key not in after:
            into.removed[key] = every_field(was, schema.items)


def _descend(key: str, old: Any, new: Any, schema: Schema | None, into: Comparison) -> None:
    below = Comparison({}, {}, {})
    if _compare(old, new, schema, below):
        into.modified[key] = MEMBER
        return
    for whole, part in zip(into, below, strict=True):
        if part:
            whole[key] = part


def merge(live: Any, config: Any, schema: Schema | None) -> Any:
    """`live` with everything `config` says; what `config` does not mention stays the same object."""
    if isinstance(config, dict) and isinstance(live, dict) and _granular(schema):
        result = dict(live)
        if schema is not None and schema.plain:
            result.update(config)
            return result
        for name, value in config.items():
            if name in live:
                node = schema.field(name) if schema is not None else None
                result[name] = merge(live[name], value, node)
            else:
                result[name] = value
        return result
    if isinstance(config, list) and isinstance(live, list) and schema is not None and _associative(schema):
        return _merge_items(live, config, schema)
    if config is None and _is_in_parts(live, schema):
        return live  # nothing is said of any of its parts
    return live if type(live) is type(config) and live == config else config


def _is_in_parts(value: Any, schema: Schema | None) -> bool:
    """Whether a value's parts are owned one by one."""
    if isinstance(value, dict):
        return _granular(schema)
    return isinstance(value, list) and schema is not None and _associative(schema)


def _merge_items(live: list[Any], config: list[Any], schema: Schema) -> list[Any]:
    """Items of `config` in their order; items only in `live` keep their place before the next shared."""
    left = {item_key(item, schema): item for item in live}
    right = {item_key(item, schema): item for item in config}
    if len(right) < len(config):
        raise Mistyped("duplicate entries for key")
    left_keys, right_keys = list(left), list(right)
    shared = iter([key for key in right_keys if key in left])
    expected = next(shared, None)
    result: list[Any] = []
    at = 0
    for key in right_keys:
        while at < len(left_keys) and left_keys[at] != expected:
            if left_keys[at] not in right:
                result.append(left[left_keys[at]])
            at += 1
        if key in left:
            result.append(merge(left[key], right[key], schema.items))
            expected = next(shared, None)
            at += at < len(left_keys) and left_keys[at] == key
        else:
            result.append(right[key])
    result += [left[key] for key in left_keys[at:] if key not in right]
    return result


def named_members(fields: FieldSet, schema: Schema | None) -> FieldSet:
    """The set with each declared field above a member made a member itself."""
    result: FieldSet = {}
    for key, below in fields.items():
        if not below:
            result[key] = below
            continue
        node = _below(key, schema)
        inner = named_members(below, node)
        declared = schema is not None and key[:2] == "f:" and key[2:] in schema.properties
        result[key] = {DOT: MEMBER, **inner} if declared else inner
    return result


def _below(key: str, schema: Schema | None) -> Schema | None:
    if schema is None:
        return None
    return schema.field(key[2:]) if key[:2] == "f:" else schema.items


def remove(value: Any, fields: FieldSet, keep: FieldSet = MEMBER) -> Any:
    """The value without the members of `fields`; what is emptied by that goes, unless `keep` has it.

    kube-apiserver leaves a null where the emptied map is owned by somebody, and then refuses it in a
    custom resource; here the owner keeps the empty map.
    """
    if isinstance(value, dict):
        result = {}
        for name, under in value.items():
            below = fields.get(f"f:{name}")
            if below is None:
                result[name] = under
            elif not is_member(below):
                kept = keep.get(f"f:{name}")
                rest = remove(under, below, kept or MEMBER)
                if rest is not _GONE:
                    result[name] = rest
                elif kept is not None and is_member(kept):
                    result[name] = type(under)()
        return result if result or not value else _GONE
    if isinstance(value, list):
        items = []
        for item in value:
            below = _selected(item, fields)
            if below is None:
                items.append(item)
            elif not is_member(below):
                rest = remove(item, below, _selected(item, keep) or MEMBER)
                if rest is not _GONE:
                    items.append(rest)
        return items if items or not value else _GONE
    return value


_GONE: Any = object()


def emptied(value: Any) -> bool:
    """Whether `remove` left nothing."""
    return value is _GONE


def extract(value: Any, fields: FieldSet, schema: Schema | None = None) -> Any:
    """Only what the members of `fields` name; list items keep what is theirs.

    A member with nothing below it stands for the whole value; a map or list that the schema says is
    merged by key is then only the empty container, as its contents have owners of their own.
    """
    below = {k: v for k, v in fields.items() if k != DOT}
    if not below:
        return _alone(value, schema)
    if isinstance(value, dict):
        found = ((name, below.get(f"f:{name}"), under) for name, under in value.items())
        return {
            name: extract(under, inner, schema.field(name) if schema is not None else None)
            for name, inner, under in found
            if inner is not None
        }
    if isinstance(value, list):
        items = []
        for item in value:
            inner = _selected(item, below)
            if inner is not None:
                items.append(extract(item, inner, schema.items if schema is not None else None))
        return items
    return value


def _alone(value: Any, schema: Schema | None) -> Any:
    if schema is not None and isinstance(value, dict) and _granular(schema):
        return {}
    return [] if isinstance(value, list) and _associative(schema) else value


def _selected(item: Any, fields: FieldSet) -> FieldSet | None:
    """What a field set holds under a list item's key, by value or by the keys it names."""
    if not fields:
        return None
    if isinstance(item, dict):
        for key, below in fields.items():
            if key[:2] == "k:" and _has_keys(item, orjson.loads(key[2:])):
                return _fields_below(below)
        return None
    found: FieldSet | None = fields.get("v:" + orjson.dumps(item).decode())
    return found


def _fields_below(below: Any) -> FieldSet:
    result: FieldSet = below
    return result


def _has_keys(item: Mapping[str, Any], keys: Mapping[str, Any]) -> bool:
    return all(item.get(name) == value for name, value in keys.items())


def mistyped(where: str, why: str) -> ApiError:
    """The answer to a fragment that does not fit the schema."""
    return unclassified(f"failed to create typed patch object ({where}): {why}")
