"""What becomes of the objects of desired state: made, changed, deleted, moved, or kept on the hub.

The plan says which (`plan.compute`); here it is said field by field, with where it is written, and what looks
like a rename is called one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from gitops_ocm.objects.canonical import digest
from gitops_ocm.objects.ref import Kind, Object, Ref
from gitops_ocm.objects.reviewed import reviewed
from gitops_ocm.plan.changes import Action, Change, Reason
from gitops_ocm.plan.wanted import Wanted
from gitops_ocm.preview.model import NOWHERE, Act, Effect
from gitops_ocm.preview.origins import Origins

_ACTS = {
    Action.CREATE: Act.CREATE,
    Action.ADOPT: Act.CREATE,
    Action.CONFIGURE: Act.CHANGE,
    Action.PRUNE: Act.DELETE,
}
RENAMED = "looks like a rename to"
SAME = "only how it is written changes: the hub will not notice"


def object_effects(changes: Iterable[Change], origins: Origins) -> Iterator[Effect]:
    """The effects of a plan's changes, in its order."""
    found = [effect for change in changes if (effect := _effect(change, origins)) is not None]
    renamed = dict(_renames(found, origins))
    return (replace(effect, why=renamed.get(effect.ref, effect.why)) for effect in found)


def _effect(change: Change, origins: Origins) -> Effect | None:
    old = origins.base.objects.get(change.ref)
    item = change.wanted or old
    if item is None:
        return None
    if change.action not in _ACTS:
        return Effect(change.ref, Act.KEEP, item.origin, why=change.reason.value)
    act = Act.MOVE if change.reason is Reason.MOVED else _ACTS[change.action]
    if act is Act.DELETE:
        return Effect(change.ref, act, item.origin, why=change.reason.value)
    if old is None or change.wanted is None:
        return Effect(change.ref, act, item.origin)
    now = origins.head.objects[change.ref].obj
    fields = tuple(reviewed(old.obj, now)) if act is Act.CHANGE else ()
    return Effect(
        change.ref,
        act,
        item.origin,
        fields,
        SAME if act is Act.CHANGE and not fields else "",
        source=old.origin if old.origin.path != item.origin.path else NOWHERE,
    )


# --- renames ----------------------------------------------------------------------------------------


def _renames(effects: Iterable[Effect], origins: Origins) -> Iterator[tuple[Ref, str]]:
    """What is to be said of a deleted and a new object of one kind that say the same.

    Only where there is one of each: of several nobody knows which became which.
    """
    gone: dict[tuple[Kind, str], list[Ref]] = {}
    made: dict[tuple[Kind, str], list[Ref]] = {}
    for effect in effects:
        if effect.act is Act.DELETE:
            _file(gone, effect.ref, origins.base.objects)
        elif effect.act is Act.CREATE:
            _file(made, effect.ref, origins.head.objects)
    for content, old in gone.items():
        new = made.get(content, [])
        if len(old) == len(new) == 1:
            yield old[0], f"{RENAMED} {_named(new[0])}: it is deleted, not renamed"
            yield new[0], f"looks like a rename of {_named(old[0])}: it is made anew"


def _file(into: dict[tuple[Kind, str], list[Ref]], ref: Ref, objects: Mapping[Ref, Wanted]) -> None:
    if (item := objects.get(ref)) is not None and (content := _content(item.obj)):
        into.setdefault((ref.of, digest(content)), []).append(ref)


def _content(obj: Object) -> Object:
    """What an object says but for its name; of one that says nothing (a namespace) no rename is known."""
    said = {k: v for k, v in obj.items() if k not in ("apiVersion", "kind", "metadata")}
    if not any(said.values()):
        return {}
    labels = obj["metadata"].get("labels") or {}
    return {**said, "labels": labels}


def _named(ref: Ref) -> str:
    return f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name
