"""What a person wants to know of an attempt: `run.Tried` in, `model.Preview` out.

The world before is held against the world at the end, by what objects are to be; what agents and controllers
report of them is no change of a reviewer's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from gitops_ocm.api.placement import PLACEMENT_LABEL
from gitops_ocm.api.work_replicaset import REPLICA_SET_LABEL
from gitops_ocm.decide.contract import Apply, Create, MergePatch, Update, Write
from gitops_ocm.decide.kinds import (
    CLUSTER_ADDON,
    MANAGED_CLUSTER,
    MANAGEMENT_ADDON,
    MANIFEST_WORK,
    PLACEMENT,
    PLACEMENT_DECISION,
    REPLICA_SET,
)
from gitops_ocm.decide.placement.decisions import clusters_in
from gitops_ocm.decide.work_template import normalised
from gitops_ocm.desired.compile import DesiredState
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.diff import Difference, differences, masked_pair
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.plan.changes import Action, Change, Reason
from gitops_ocm.plan.wanted import Wanted
from gitops_ocm.preview.assumptions import Assumptions
from gitops_ocm.preview.model import Act, Effect, OnCluster, Preview, Rollout, Selection, Wave
from gitops_ocm.preview.run import Tried
from gitops_ocm.preview.state import FleetState

_ACTS = {
    Action.CREATE: Act.CREATE,
    Action.ADOPT: Act.CREATE,
    Action.CONFIGURE: Act.CHANGE,
    Action.PRUNE: Act.DELETE,
}
Objects = Mapping[Ref, Object]


def preview_of(
    tried: Tried, base: DesiredState, head: DesiredState, state: FleetState, now: datetime
) -> Preview:
    """The preview of an attempt."""
    wanted = {item.ref: item for item in base.objects}
    return Preview(
        base=base.commit,
        head=head.commit,
        state=state.commit,
        now=now,
        until=tried.until,
        fleet=sum(ref.of == MANAGED_CLUSTER for ref in tried.before.keys() | tried.after.keys()),
        effects=tuple(effect for change in tried.plan.notable for effect in _effect(change, wanted)),
        selections=tuple(_selections(tried.before, tried.after)),
        clusters=tuple(_clusters(tried.before, tried.after)),
        rollouts=tuple(_rollouts(tried)),
        diagnostics=(*head.diagnostics, *tried.plan.diagnostics, *tried.refused, *state.problems),
        notes=tuple(_notes(base, state, tried.assumed)),
    )


# What Git wants


def _effect(change: Change, before: Mapping[Ref, Wanted]) -> Iterator[Effect]:
    old = before.get(change.ref)
    item = change.wanted or old
    if item is None:
        return
    if change.action not in _ACTS:
        yield Effect(change.ref, Act.KEEP, item.origin, why=change.reason.value)
        return
    act = Act.MOVE if change.reason is Reason.MOVED else _ACTS[change.action]
    fields: tuple[Difference, ...] = ()
    if act is Act.CHANGE and old is not None and change.wanted is not None:
        fields = tuple(differences(*masked_pair(old.obj, change.wanted.obj)))
    yield Effect(change.ref, act, item.origin, fields, change.reason.value if act is Act.DELETE else "")


# Whom placements select


def _selections(before: Objects, after: Objects) -> Iterator[Selection]:
    old, new = _decided(before), _decided(after)
    for ref in sorted(ref for ref in before.keys() | after.keys() if ref.of == PLACEMENT):
        found = Selection(ref, tuple(sorted(old[ref])), tuple(sorted(new[ref])), _satisfied(after.get(ref)))
        if found.before != found.after:
            yield found


def _decided(objects: Objects) -> Mapping[Ref, set[str]]:
    found: dict[Ref, set[str]] = defaultdict(set)
    for ref, obj in objects.items():
        if ref.of == PLACEMENT_DECISION:
            name = (obj["metadata"].get("labels") or {}).get(PLACEMENT_LABEL, "")
            found[Ref(*PLACEMENT, ref.namespace, name)].update(clusters_in(obj))
    return found


def _satisfied(placement: Object | None) -> str:
    """Why a placement has not what it wants; `""` where it has."""
    conditions = ((placement or {}).get("status") or {}).get("conditions") or ()
    found = find(conditions, "PlacementSatisfied") or {}
    return str(found.get("message", "")) if found.get("status") == "False" else ""


# What clusters are given


def _clusters(before: Objects, after: Objects) -> Iterator[OnCluster]:
    found: dict[str, list[Effect]] = defaultdict(list)
    for ref in sorted(before.keys() | after.keys()):
        old, new = before.get(ref), after.get(ref)
        if ref.of not in _CONTENT or old is new:
            continue
        if effect := _on_cluster(ref, old, new):
            found[ref.namespace or ref.name].append(effect)
    for name in sorted(found):
        yield OnCluster(name, tuple(found[name]))


def _on_cluster(ref: Ref, old: Object | None, new: Object | None) -> Effect | None:
    content, owner = _CONTENT[ref.of], _owner(new or old or {})
    if old is None or new is None:
        return Effect(ref, Act.CREATE if old is None else Act.DELETE, owner=owner)
    was, now = masked_pair(content(old), content(new))
    fields = tuple(differences(was, now)) if was != now else ()
    return Effect(ref, Act.CHANGE, fields=fields, owner=owner) if fields else None


def _owner(work: Object) -> Ref | None:
    """The replica set a work is of."""
    label = (work["metadata"].get("labels") or {}).get(REPLICA_SET_LABEL, "")
    namespace, dot, name = str(label).partition(".")
    return Ref(*REPLICA_SET, namespace, name) if dot else None


def _work(obj: Object) -> Any:
    return {"spec": normalised(obj.get("spec") or {})}


def _addon(obj: Object) -> Any:
    desired = [
        {key: value for key, value in item.items() if key in ("group", "resource", "desiredConfig")}
        for item in (obj.get("status") or {}).get("configReferences") or ()
    ]
    return {"spec": obj.get("spec") or {}, "configReferences": desired}


def _cluster(obj: Object) -> Any:
    meta = obj["metadata"]
    return {"labels": meta.get("labels") or {}, "spec": obj.get("spec") or {}}


_CONTENT = {MANIFEST_WORK: _work, CLUSTER_ADDON: _addon, MANAGED_CLUSTER: _cluster}


# How it spreads


def _rollouts(tried: Tried) -> Iterator[Rollout]:
    """Replica sets and add-ons whose rows gave clusters something, in the order they did."""
    spread: dict[Ref, dict[datetime, set[str]]] = defaultdict(lambda: defaultdict(set))
    for step in tried.steps:
        if step.key.of not in (REPLICA_SET, MANAGEMENT_ADDON):
            continue
        for result in step.results:
            if result.ok and (ref := _given(result.write)) is not None:
                spread[step.key][step.at].add(ref.namespace)
    for owner in sorted(spread):
        waves = tuple(Wave(at, tuple(sorted(names))) for at, names in sorted(spread[owner].items()))
        waiting, why = _waiting(owner, tried.after)
        yield Rollout(owner, waves, waiting, why)


def _given(write: Write) -> Ref | None:
    """The work or add-on of a cluster that a write makes or changes."""
    match write:
        case Create() | Apply() | Update():
            ref = ref_of(write.obj)
        case MergePatch():
            ref = write.ref
        case _:
            return None
    return ref if ref.of in (MANIFEST_WORK, CLUSTER_ADDON) else None


def _waiting(owner: Ref, after: Objects) -> tuple[tuple[str, ...], str]:
    """The clusters that do not have what a replica set wants for them at the end, and why."""
    obj = after.get(owner)
    if obj is None or owner.of != REPLICA_SET:
        return (), ""
    spec = obj.get("spec") or {}
    wanted = normalised(spec.get("manifestWorkTemplate") or {})
    names = {str(ref.get("name")) for ref in spec.get("placementRefs") or ()}
    placed = {c for ref, found in _decided(after).items() if ref.name in names for c in found}
    have = {
        ref.namespace
        for ref, work in after.items()
        if ref.of == MANIFEST_WORK and normalised(work.get("spec") or {}) == wanted
    }
    missing = tuple(sorted(placed - have))
    conditions = (obj.get("status") or {}).get("conditions") or ()
    rolled = find(conditions, "PlacementRolledOut") or {}
    return missing, str(rolled.get("message", "")) if missing else ""


def _notes(base: DesiredState, state: FleetState, assumed: Assumptions) -> Iterable[str]:
    if not state.commit:
        yield "there is no status branch: no cluster is known but those that Git declares"
    elif state.source_commit and state.source_commit != base.commit:
        yield (
            f"the fleet's state answers commit {state.source_commit[:12]}, not {base.commit[:12]}: "
            "what lies between them counts as done"
        )
    yield f"assumed: {assumed}"
