"""Server-side apply and `managedFields`: who owns which field of an object.

`apply` merges an applier's fragment into the live object, takes away what the applier no longer
says and nobody else owns, and refuses fields that others own. `track` records what any other write
(create, update, patch) changed. Both return whole objects whose `managedFields` are up to date, and
the live object itself when nothing changed. Walks by schema are `typed`, sets are `fieldset`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from gitops_ocm.objects import fieldset, native_values, typed
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.faults import ApiError, Cause, bad_request
from gitops_ocm.objects.fieldset import MEMBER, FieldSet
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.schema import Schema
from gitops_ocm.objects.typed_check import check_fragment

APPLY = "Apply"
UPDATE = "Update"
BEFORE_FIRST_APPLY = "before-first-apply"
ANCIENT = "ancient-changes"
MAX_UPDATE_MANAGERS = 10
"""More Update entries than this are folded into `ancient-changes`, as kube-apiserver does."""

_UNOWNED: FieldSet = {
    "f:apiVersion": MEMBER,
    "f:kind": MEMBER,
    "f:metadata": {
        ".": MEMBER,
        **{
            f"f:{name}": MEMBER
            for name in (
                *("name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName"),
                *("generation", "managedFields", "resourceVersion"),
            )
        },
    },
}
"""Fields that nobody owns: identity and what only the server sets."""


@dataclass(frozen=True, slots=True)
class Manager:
    """One entry of `managedFields`."""

    name: str
    operation: str
    api_version: str
    subresource: str
    fields: FieldSet
    time: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes an entry the same entry: an applier's does not depend on the version."""
        version = "" if self.operation == APPLY else self.api_version
        return self.operation, self.name, version, self.subresource

    def entry(self) -> Object:
        """As the wire has it."""
        result: Object = {
            "manager": self.name,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": self.fields,
        }
        if self.time:
            result["time"] = self.time
        if self.subresource:
            result["subresource"] = self.subresource
        return result


Managers = dict[tuple[str, str, str, str], Manager]


def apply(
    live: Object | None,
    fragment: Object,
    *,
    manager: str,
    force: bool,
    schema: Schema | None,
    now: datetime,
    subresource: str = "",
    reset: Set[str] = frozenset(),
) -> Object:
    """What `live` becomes when `manager` applies `fragment`; raises `ApiError` Conflict.

    Fields of others are taken over with `force`. Nobody who wrote before the first apply owns the fields in
    `reset`, which are not written here. The result has had neither defaulting nor
    validation: that is the caller's next step.
    """
    if (fragment.get("metadata") or {}).get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    check_fragment(fragment, schema)
    base = _bare(live) if live is not None else {}
    managers = _managers_for_apply(live, base, schema, now, subresource, reset)
    fields = fieldset.difference(typed.fields_of(fragment, schema), _UNOWNED)
    mine = Manager(manager, APPLY, fragment.get("apiVersion", ""), subresource, _of_part(fields, subresource))
    last = managers.get(mine.key)
    managers[mine.key] = replace(mine, time=last.time if last else "")
    merged = typed.merge(base, fragment, schema)
    if last is not None:
        merged = _pruned(merged, last.fields, managers.values(), schema)
    found = typed.compare(base, merged, schema)
    managers = _yielded(managers, mine.key, found, force=force)
    # Owning more or less of an unchanged object is recorded, but it is no change to date.
    same = last is not None and last.fields == mine.fields and last.api_version == mine.api_version
    if live is not None and not any(found) and same and managers.keys() == _decode(live).keys():
        return live
    if mine.key in managers and (live is None or any(found)):
        managers[mine.key] = replace(managers[mine.key], time=timestamp(now))
    return _with_managers(merged, managers)


def track(
    old: Object | None,
    new: Object,
    *,
    manager: str,
    operation: str = UPDATE,
    schema: Schema | None,
    now: datetime,
    subresource: str = "",
) -> Object:
    """`new` with `managedFields` telling that `manager` wrote what differs from `old`.

    `managedFields` in `new` are taken as sent (`[{}]` or `[]` clears them all), except on a
    subresource; none sent means those of `old`.
    """
    sent = (new.get("metadata") or {}).get("managedFields")
    if old is not None and not subresource and _is_reset(sent):
        return _with_managers(_bare(new), {})
    managers = _decode(new) if sent and not subresource else {}
    if old is not None:
        recorded = _decode(old)
        if not recorded or (sent and not managers and not subresource):
            return _with_managers(_bare(new), {})
        managers = managers or recorded
    before, after = (_bare(old) if old is not None else skeleton(schema)), _bare(new)
    try:
        found = typed.compare(before, after, schema)
    except typed.Mistyped:
        # Items without their keys are somebody's all the same, but it cannot be said whose.
        return _with_managers(after, managers)
    taken = fieldset.difference(fieldset.union(found.added, found.modified), _UNOWNED)
    taken = _of_part(taken, subresource)
    mine = Manager(manager, operation, new.get("apiVersion", ""), subresource, taken, timestamp(now))
    managers = _yielded(managers, None, found, force=True)
    if taken:
        held = managers.get(mine.key)
        if held is not None:
            mine = replace(mine, fields=fieldset.union(held.fields, taken))
        managers[mine.key] = mine
    return _with_managers(after, _capped(managers))


def track_creation(
    sent: Object, made: Object, *, manager: str, reset: Set[str], schema: Schema | None, now: datetime
) -> Object:
    """`made`, a new object, with `managedFields` telling what `manager` said of it in `sent`.

    What the server fills in on a creation, beside defaults, is nobody's; nor are the fields in `reset`.
    """
    said = {key: value for key, value in sent.items() if key not in reset}
    tracked = track(None, said, manager=manager, schema=schema, now=now)
    meta = {key: value for key, value in made["metadata"].items() if key != "managedFields"}
    if "managedFields" in tracked["metadata"]:
        meta["managedFields"] = tracked["metadata"]["managedFields"]
    return {**made, "metadata": meta}


def fields_owned_by(obj: Object, manager: str, *, operation: str = "", subresource: str = "") -> FieldSet:
    """All fields `manager` holds, in entries of that operation (any) and subresource."""
    result: FieldSet = {}
    for held in _decode(obj).values():
        wanted = held.name == manager and held.subresource == subresource
        if wanted and operation in ("", held.operation):
            result = fieldset.union(result, held.fields)
    return result


def extract(obj: Object, fields: FieldSet, schema: Schema | None = None) -> Object:
    """The part of `obj` that a field set names, with its identity.

    With the schema, an owned but empty map is just that; without, it stands for all that is in it.
    """
    part: Object = typed.extract(obj, fields, schema) if fields else {}
    meta = obj.get("metadata") or {}
    identity = {k: meta[k] for k in ("name", "namespace") if k in meta}
    top: Object = {k: obj[k] for k in ("apiVersion", "kind") if k in obj}
    return {**top, **part, "metadata": {**identity, **(part.get("metadata") or {})}}


def managers_of(obj: Object) -> tuple[Manager, ...]:
    """The entries of `managedFields` that can be read, in their order."""
    return tuple(_decode(obj).values())


def with_managers(obj: Object, managers: Iterable[Manager]) -> Object:
    """The object with these entries of `managedFields` and no others."""
    return _with_managers(obj, dict(enumerate(managers)))


@lru_cache(maxsize=1024)
def skeleton(schema: Schema | None) -> Object:
    """An object of a native kind before anything is said: what Go's types have in any case.

    Shared: read it, never change it.
    """
    return native_values.empty(schema) if schema is not None and schema.native else {}


def _bare(obj: Object) -> Object:
    """The object without `managedFields`, sharing everything else."""
    meta = obj.get("metadata")
    if not isinstance(meta, dict) or "managedFields" not in meta:
        return obj
    return {**obj, "metadata": {k: v for k, v in meta.items() if k != "managedFields"}}


def _decode(obj: Object) -> Managers:
    result: Managers = {}
    for entry in (obj.get("metadata") or {}).get("managedFields") or ():
        fields = entry.get("fieldsV1")
        if not isinstance(fields, dict) or entry.get("fieldsType") != "FieldsV1":
            return {}
        held = Manager(
            entry.get("manager", ""),
            entry.get("operation", ""),
            entry.get("apiVersion", ""),
            entry.get("subresource", ""),
            fields,
            entry.get("time") or "",
        )
        result[held.key] = held
    return result


def _is_reset(sent: Any) -> bool:
    return sent is not None and (len(sent) == 0 or (len(sent) == 1 and not any(sent[0].values())))


def _with_managers(obj: Object, managers: Mapping[Any, Manager]) -> Object:
    entries = [m.entry() for m in sorted(managers.values(), key=_order) if m.fields]
    meta = dict(obj.get("metadata") or {})
    if entries:
        meta["managedFields"] = entries
    else:
        meta.pop("managedFields", None)
    return {**obj, "metadata": meta}


def _order(held: Manager) -> tuple[str, str, str, str, str]:
    return held.operation, held.time, held.name, held.api_version, held.subresource


def _managers_for_apply(
    live: Object | None,
    base: Object,
    schema: Schema | None,
    now: datetime,
    subresource: str,
    reset: Set[str],
) -> Managers:
    """Those of `live`; where it has none, all it holds was there before the first apply."""
    if live is None:
        return {}
    managers = _decode(live)
    if managers:
        return managers
    written = {name: value for name, value in base.items() if name not in reset}
    fields = typed.compare(skeleton(schema), written, schema).added
    fields = fieldset.difference(fields, _UNOWNED)
    version = live.get("apiVersion", "")
    earlier = Manager(BEFORE_FIRST_APPLY, UPDATE, version, subresource, fields, timestamp(now))
    return {earlier.key: earlier} if fields else {}


def _of_part(fields: FieldSet, subresource: str) -> FieldSet:
    """Only what a write to `/status` can own."""
    if subresource == "status":
        return {k: v for k, v in fields.items() if k in ("f:status", "f:metadata")}
    return fields


def _yielded(
    managers: Managers, own: tuple[str, str, str, str] | None, found: typed.Comparison, *, force: bool
) -> Managers:
    """The managers after others gave up what changed under them; Conflict where they do not."""
    if not any(found):
        return {k: m for k, m in managers.items() if m.fields}
    changed = fieldset.union(found.added, found.modified)
    conflicts: list[tuple[Manager, FieldSet]] = []
    result: Managers = {}
    for key, held in managers.items():
        if key == own:
            result[key] = held
            continue
        lost = fieldset.intersection(held.fields, changed)
        if lost:
            conflicts.append((held, lost))
        rest = fieldset.difference(fieldset.difference(held.fields, lost), found.removed)
        if rest:
            result[key] = held if rest == held.fields else replace(held, fields=rest)
    if conflicts and not force:
        raise _conflict(conflicts)
    return {k: m for k, m in result.items() if m.fields}


def _conflict(conflicts: Iterable[tuple[Manager, FieldSet]]) -> ApiError:
    causes, by_manager = [], {}
    for held, lost in conflicts:
        paths = [fieldset.path_text(path) for path in fieldset.members(lost)]
        by_manager[_printed(held)] = paths
        causes += [Cause("FieldManagerConflict", f"conflict with {_printed(held)}", path) for path in paths]
    count = len(causes)
    if count == 1:
        text = f"Apply failed with 1 conflict: {causes[0].message}: {causes[0].field}"
    else:
        parts = [
            f"conflicts with {name}:\n" + "\n".join(f"- {path}" for path in by_manager[name])
            for name in sorted(by_manager)
        ]
        text = f"Apply failed with {count} conflicts: " + "\n".join(parts)
    return ApiError("Conflict", text, causes=causes)


def _printed(held: Manager) -> str:
    text = f'"{held.name}"'
    if held.subresource:
        text += f' with subresource "{held.subresource}"'
    return f"{text} using {held.api_version}" if held.operation == UPDATE else text


def _pruned(merged: Object, last: FieldSet, managers: Iterable[Manager], schema: Schema | None) -> Object:
    """`merged` without what the applier said last time and nobody owns any more."""
    owned: FieldSet = {}
    for held in managers:
        owned = fieldset.union(owned, held.fields)
    if fieldset.contains(owned, last):
        return merged
    last = typed.named_members(last, schema)
    named = typed.named_members(owned, schema)
    present = typed.named_members(typed.fields_of(merged, schema), schema)
    without_last = _kept(merged, last, schema, owned)
    unwanted = fieldset.difference(present, fieldset.union(without_last, named))
    kept = _kept(merged, unwanted, schema, owned)
    gone = fieldset.intersection(fieldset.difference(present, kept), last)
    result = typed.remove(merged, gone, owned)
    return {} if typed.emptied(result) else dict(result)


def _kept(merged: Object, unwanted: FieldSet, schema: Schema | None, owned: FieldSet) -> FieldSet:
    rest = typed.remove(merged, unwanted, owned)
    return {} if typed.emptied(rest) else typed.named_members(typed.fields_of(rest, schema), schema)


def _capped(managers: Managers) -> Managers:
    """At most `MAX_UPDATE_MANAGERS` Update entries: the oldest of a version become one."""
    updates = sorted((m for m in managers.values() if m.operation == UPDATE), key=_order)
    surplus = len(updates) - MAX_UPDATE_MANAGERS
    if surplus <= 0:
        return managers
    result = dict(managers)
    for held in updates:
        if surplus < 0 or (surplus == 0 and held.name != ANCIENT):
            break
        del result[held.key]
        bucket = Manager(ANCIENT, UPDATE, held.api_version, "", held.fields, held.time)
        have = result.get(bucket.key)
        if have is not None:
            bucket = replace(have, fields=fieldset.union(have.fields, held.fields), time=held.time)
            surplus -= 1
        result[bucket.key] = bucket
    return result
