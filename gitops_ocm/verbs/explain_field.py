"""`explain field`: who owns a field of an object on the hub, by its managed fields, and where Git has it.

A field that no manager holds was put there by the server (a default, or metadata of its own).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_ocm.api.fleet import SYNC_NAME_LABEL, sync_field_manager
from gitops_ocm.errors import GitopsError, Location
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.diff import ABSENT
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.fieldset import DOT
from gitops_ocm.objects.paths import Step, dotted
from gitops_ocm.objects.ref import Object, Ref, Resource, ref_of
from gitops_ocm.objects.reviewed import shown as without_secrets
from gitops_ocm.preview.origins import Side
from gitops_ocm.verbs.explain import NotExplained, origin_told
from gitops_ocm.verbs.field_path import NoSuchField, follow, words_of
from gitops_ocm.verbs.fleet_at import Place, fleet_at

NOWHERE = Location()


@dataclass(frozen=True)
class Holder:
    """A field manager. `whole` is what it holds of which the field is a part (`""`: the field itself).

    `below` says that it holds no more than something inside of the field. `sync` names the HubSync whose
    manager it is.
    """

    manager: str
    operation: str
    subresource: str
    time: str
    whole: str = ""
    below: bool = False
    sync: str = ""


@dataclass(frozen=True)
class Owned:
    """A field of an object on the hub, its value (masked), and who holds it.

    `where` is where Git has it, if a sync brought it.
    """

    ref: Ref
    field: str
    value: Any
    holders: tuple[Holder, ...]
    steps: tuple[Step, ...]
    where: Location = NOWHERE


async def explain_field(hub: Cluster, kind: str, namespace: str, name: str, field: str) -> Owned:
    """Who owns a field; where it was written is only told as far as the object itself says it."""
    resource = await _resource(hub, kind)
    try:
        obj = await hub.get(resource, namespace if resource.namespaced else "", name)
    except ApiError as error:
        if error.reason == "NotFound":
            error.hint = f"see `kubectl get {resource.plural}`; -n names its namespace"
        raise
    obj = {**obj, "apiVersion": resource.api_version, "kind": resource.kind}
    words = words_of(field)
    steps, value = follow(obj, words)
    if value is ABSENT:
        what = f"the {resource.kind} {name} has no field {field}"
        raise NoSuchField(what, hint=f"kubectl get {resource.plural} {name} -o yaml shows those it has")
    holders = tuple(_holders(obj, steps))
    return Owned(
        ref_of(obj), field, follow(without_secrets(obj), words)[1], holders, steps, _told(obj, holders)
    )


async def _resource(hub: Cluster, word: str) -> Resource:
    """The kind a word means, as kubectl takes it: kind or plural, with its group where need be."""
    wanted = word.lower()
    for resource in await hub.discover():
        for name in (resource.kind.lower(), resource.plural):
            if wanted in (name, f"{name}.{resource.group}"):
                return resource
    raise NotExplained(f"the hub serves no {word}", hint="see `kubectl api-resources`")


def _told(obj: Object, holders: Sequence[Holder]) -> Location:
    return origin_told(obj) if any(holder.sync for holder in holders) else NOWHERE


def in_clone(found: Owned, place: Place) -> Owned:
    """The same with the line, if the clone has the commit and what was synced can be read there."""
    try:
        with fleet_at(Place(place.folder, found.where.commit, place.path, place.status_ref)) as fleet:
            where = Side(fleet.desired).of(found.ref, *found.steps)
    except GitopsError:
        return found
    if where.path != found.where.path:
        return found
    return Owned(found.ref, found.field, found.value, found.holders, found.steps, where)


def _holders(obj: Object, steps: Sequence[Step]) -> list[Holder]:
    meta = obj["metadata"]
    sync = str((meta.get("labels") or {}).get(SYNC_NAME_LABEL, ""))
    found = []
    for entry in meta.get("managedFields") or ():
        held = _held(entry.get("fieldsV1") or {}, obj, steps)
        if held is None:
            continue
        manager = str(entry.get("manager", ""))
        found.append(
            Holder(
                manager,
                str(entry.get("operation", "")),
                str(entry.get("subresource", "")),
                str(entry.get("time", "")),
                whole=dotted(steps[: held[0]]) if held[0] < len(steps) else "",
                below=held[1],
                sync=sync if sync and manager == sync_field_manager(sync) else "",
            )
        )
    return found


def _held(fields: Mapping[str, Any], obj: Any, steps: Sequence[Step]) -> tuple[int, bool] | None:
    """How many steps down a manager holds it, and whether only something below; None: not at all."""
    node = fields
    for depth, step in enumerate(steps):
        if depth and not node:
            return depth, False  # what is held as a whole
        key = next((key for key in node if _names(key, obj, step)), None)
        if key is None:
            return None
        node, obj = node[key], obj[step]
    return len(steps), bool(node) and DOT not in node


def _names(key: str, obj: Any, step: Step) -> bool:
    """Whether a key of a set of fields is about this step of an object."""
    form, _, rest = key.partition(":")
    if form == "f":
        return rest == step
    if not isinstance(obj, list) or not isinstance(step, int):
        return False
    if form == "i":
        return rest == str(step)
    try:
        value = json.loads(rest)
    except ValueError:
        return False
    item = obj[step]
    if form == "v":
        return bool(item == value)
    return form == "k" and isinstance(item, Mapping) and all(item.get(k) == v for k, v in value.items())


def text(found: Owned) -> str:
    """What is said of it."""
    shown = json.dumps(found.value, ensure_ascii=False, sort_keys=True)
    lines = [
        f"{found.ref} {found.field}",
        f"  value       {shown if len(shown) <= 160 else shown[:160] + '…'}",
    ]
    if not found.holders:
        lines.append("  owned by    nobody: the server put it there")
    for number, held in enumerate(found.holders):
        part = f", as a part of {held.whole}" if held.whole else ", something below it" if held.below else ""
        ours = f"; the HubSync {held.sync}" if held.sync else ""
        status = f" of {held.subresource}" if held.subresource else ""
        label = "owned by" if number == 0 else ""
        lines.append(f"  {label:<11} {held.manager} ({held.operation}{status}, {held.time}{ours}){part}")
    if found.where.path:
        lines.append(f"  written at  {found.where}")
    return "\n".join(lines) + "\n"


def document(found: Owned) -> dict[str, Any]:
    """The same for programs."""
    holders = [{k: v for k, v in vars(held).items() if v not in ("", False)} for held in found.holders]
    where = {k: v for k, v in vars(found.where).items() if v}
    return {
        "object": {k: v for k, v in found.ref._asdict().items() if v},
        "field": found.field,
        "value": found.value,
        "owners": holders,
        **({"origin": where} if where else {}),
    }
