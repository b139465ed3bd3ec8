"""ManifestWorkReplicaSet: one ManifestWork for each cluster its placements have decided for.

A cluster that several placement references select gets one work, under the first of them. What the
agents make of the works comes back as conditions: `decide.work_states` reads them and sums them up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from gitops_ocm.api.placement import PLACEMENT_LABEL
from gitops_ocm.api.work_replicaset import (
    PLACEMENT_NAME_LABEL,
    PLACEMENT_NOT_FOUND,
    REPLICA_SET_FINALIZER,
    REPLICA_SET_LABEL,
)
from gitops_ocm.decide.contract import DONE, Apply, Outcome, Propagation, Result, Update, View, Write
from gitops_ocm.decide.kinds import MANIFEST_WORK, PLACEMENT, REPLICA_SET
from gitops_ocm.decide.placement.decisions import decisions_of
from gitops_ocm.decide.rollout import Group, RolloutError, advance, groups_of
from gitops_ocm.decide.work_states import (
    MAX_LABEL,
    Tally,
    name_too_long,
    report_on,
    state_of,
    summed_up,
)
from gitops_ocm.decide.writes import (
    add_finalizer,
    after_failure,
    delete,
    drop_finalizer,
    errors,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    seconds_until,
    uid_of,
)
from gitops_ocm.objects.canonical import digest
from gitops_ocm.objects.diff import covers
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Ref

BY_OWNER = "works-by-replica-set"
WORK_VERSION = "work.open-cluster-management.io/v1"


def owner_value(owner: Ref) -> str:
    """The label value by which a replica set finds its works."""
    return f"{owner.namespace}.{owner.name}"


UNACCEPTED_RETRY = 5.0
"""Seconds between looks at a selected cluster that has no namespace, because nobody accepted it yet."""


def work_name(owner: Mapping[str, Any], cluster: str) -> str:
    """The name of the work for a cluster: always the same, so that a restart makes no second one."""
    return f"{name_of(owner)}-{digest([uid_of(owner), cluster])[:5]}"


def reconcile(view: View, key: Ref, now: datetime) -> Outcome:
    """Reconcile one ManifestWorkReplicaSet."""
    owner = view.get(key)
    if owner is None:
        return DONE
    works = list(view.indexed(BY_OWNER, owner_value(key)))
    if is_deleting(owner):
        return _finalize(owner, works)
    if marks := add_finalizer(owner, REPLICA_SET_FINALIZER):
        return Outcome(marks)
    if len(owner_value(key)) > MAX_LABEL:
        return Outcome(report_on(owner, [name_too_long(owner_value(key))], now))
    refs = (owner.get("spec") or {}).get("placementRefs") or []
    names = {ref["name"] for ref in refs}
    kept, stale = _one_each(owner, [w for w in works if _placement_of(w) in names])
    stale += [w for w in works if _placement_of(w) not in names]
    removals = [w for work in stale for w in delete(work)]
    missing = next((n for n in sorted(names) if view.get(Ref(*PLACEMENT, key.namespace, n)) is None), None)
    if missing is not None:
        return Outcome((*removals, *report_on(owner, [PLACEMENT_NOT_FOUND], now)))
    return _roll_out(view, owner, refs, kept, removals, now)


def _finalize(owner: Object, works: Sequence[Object]) -> Outcome:
    """Delete the works; a Background deletion does not wait for them."""
    writes: list[Write] = [w for work in works for w in delete(work)]
    foreground = (owner.get("spec") or {}).get("cascadeDeletionPolicy") == Propagation.FOREGROUND
    if not (foreground and works):
        writes += drop_finalizer(owner, REPLICA_SET_FINALIZER)
    return Outcome(tuple(writes))


def _placement_of(work: Mapping[str, Any]) -> str:
    return labels_of(work).get(PLACEMENT_NAME_LABEL, "")


def _one_each(owner: Object, works: Iterable[Object]) -> tuple[dict[str, Object], list[Object]]:
    """The work to keep for each cluster, and what there is too many."""
    kept: dict[str, Object] = {}
    surplus: list[Object] = []
    for work in works:
        cluster = namespace_of(work)
        held = kept.get(cluster)
        if held is None:
            kept[cluster] = work
        elif name_of(work) == work_name(owner, cluster):
            kept[cluster] = work
            surplus.append(held)
        else:
            surplus.append(work)
    return kept, surplus


def _roll_out(
    view: View,
    owner: Object,
    refs: Sequence[Mapping[str, Any]],
    kept: Mapping[str, Object],
    removals: Sequence[Write],
    now: datetime,
) -> Outcome:
    """Write the works the strategies let through, then sum up what there is."""
    template = (owner.get("spec") or {}).get("manifestWorkTemplate") or {}
    writes: list[Write] = list(removals)
    tallies: dict[str, Tally] = {}
    taken: set[str] = set()
    rechecks: list[datetime] = []
    faults: list[str] = []
    for ref in refs:
        name, tally = ref["name"], tallies.setdefault(ref["name"], Tally())
        try:
            groups = _groups(view, namespace_of(owner), name, taken)
        except RolloutError as fault:
            faults.append(fault.message)
            continue
        placed = [c for group in groups for c in group.clusters]
        taken.update(placed)
        current = {
            cluster: state_of(work, template)
            for cluster in placed
            if (work := kept.get(cluster)) is not None and _is_current(work, owner, name, template)
        }
        for cluster, state in current.items():
            tally.count(kept[cluster], state.state)
        try:
            step = advance(ref.get("rolloutStrategy"), groups, current.values(), now)
        except RolloutError as fault:
            faults.append(fault.message)
            continue
        rechecks += [step.recheck] if step.recheck else []
        due = [found.cluster for found in step.roll_out if found.cluster not in current]
        writes += [w for cluster in due for w in _write(kept.get(cluster), owner, cluster, name, template)]
    writes += [w for cluster, work in sorted(kept.items()) if cluster not in taken for w in delete(work)]

    def then(results: Sequence[Result]) -> Outcome:
        for result in results:
            if isinstance(result.write, (Apply, Update)) and result.obj is not None:
                tallies[_placement_of(result.obj)].existing.add(namespace_of(result.obj))
        failed = errors(results)
        problems = [*faults, *(fault.message for fault in failed)]
        waits = [fault for fault in failed if _is_namespace_missing(fault)]
        failed = [fault for fault in failed if not _is_namespace_missing(fault)]
        status = summed_up(view, owner, refs, tallies, len(taken), problems, now)
        wakes = [seconds_until(at, now) for at in rechecks] + [UNACCEPTED_RETRY] * bool(waits)
        if failed:
            again = after_failure(failed)
            wakes += [again.requeue_after] if again.requeue_after is not None else []
            return Outcome(status, requeue_after=min(wakes, default=None), retry=again.retry)
        return Outcome(status, requeue_after=min(wakes, default=None))

    return Outcome(tuple(writes), then=then, keep_going=True) if writes else then(())


def _groups(view: View, namespace: str, placement: str, taken: set[str]) -> list[Group]:
    """The decision groups of a placement, without the clusters that another one has taken."""
    found = groups_of(
        decisions_of(view, namespace, placement), view.get(Ref(*PLACEMENT, namespace, placement))
    )
    return [replace(g, clusters=tuple(c for c in g.clusters if c not in taken)) for g in found]


def _is_namespace_missing(fault: ApiError) -> bool:
    """Whether a work could not be made because its cluster was not accepted yet: that is no failure."""
    return fault.http_code == 404 and fault.message.startswith("namespaces ")


# --- one work ---------------------------------------------------------------------------------------


def normalised(spec: Mapping[str, Any]) -> Object:
    """A work's spec with the defaults of its schema filled in, for comparing only."""
    result: Object = {k: v for k, v in spec.items() if v not in (None, {}, [])}
    if option := spec.get("deleteOption"):
        result["deleteOption"] = {"propagationPolicy": "Foreground", **option}
    if configs := spec.get("manifestConfigs"):
        result["manifestConfigs"] = [_config(c) for c in configs]
    manifests = (spec.get("workload") or {}).get("manifests") or []
    result["workload"] = {"manifests": [_without_creation(m) for m in manifests]}
    return result


def _config(entry: Mapping[str, Any]) -> Object:
    result = {"feedbackScrapeType": "Poll", **entry}
    if strategy := entry.get("updateStrategy"):
        result["updateStrategy"] = {"type": "Update", **strategy}
        if server_side := strategy.get("serverSideApply"):
            result["updateStrategy"]["serverSideApply"] = {"fieldManager": "work-agent", **server_side}
    return result


def _without_creation(manifest: Mapping[str, Any]) -> Object:
    meta = manifest.get("metadata")
    if not isinstance(meta, Mapping) or meta.get("creationTimestamp", 0) is not None:
        return dict(manifest)
    return {**manifest, "metadata": {k: v for k, v in meta.items() if k != "creationTimestamp"}}


def _labels(owner: Object, placement: str) -> dict[str, str]:
    key = f"{namespace_of(owner)}.{name_of(owner)}"
    return {**labels_of(owner), REPLICA_SET_LABEL: key, PLACEMENT_NAME_LABEL: placement}


def _is_current(work: Object, owner: Object, placement: str, template: Mapping[str, Any]) -> bool:
    if is_deleting(work):
        return False
    same = normalised(work.get("spec") or {}) == normalised(template)
    return same and covers(_labels(owner, placement), labels_of(work))


def _write(
    work: Object | None, owner: Object, cluster: str, placement: str, template: Mapping[str, Any]
) -> tuple[Write, ...]:
    """Give a cluster its work; one that is being deleted is waited for."""
    if work is not None and is_deleting(work):
        return ()
    labels = _labels(owner, placement)
    if work is not None and covers(normalised(template), normalised(work.get("spec") or {})):
        # Only too much is there, owned by somebody else: an apply would leave it, so replace the spec.
        meta = {**work["metadata"], "labels": {**labels_of(work), **labels}}
        return (Update({**work, "metadata": meta, "spec": dict(template)}),)
    name = name_of(work) if work is not None else work_name(owner, cluster)
    fragment = {
        "apiVersion": WORK_VERSION,
        "kind": MANIFEST_WORK.kind,
        "metadata": {"name": name, "namespace": cluster, "labels": labels},
        "spec": dict(template),
    }
    return (Apply(fragment),)


# --- what wakes the row -----------------------------------------------------------------------------


def of_work(view: View, work: Object) -> Iterable[Ref]:
    """The replica set a work belongs to; neither part of its label value may have a dot."""
    namespace, dot, name = labels_of(work).get(REPLICA_SET_LABEL, "").partition(".")
    return (Ref(*REPLICA_SET, namespace, name),) if dot else ()


def owners(work: Object) -> Iterable[str]:
    """Under which replica set a work is filed in the index."""
    value = labels_of(work).get(REPLICA_SET_LABEL)
    return (value,) if value else ()


def of_placement(view: View, placement: Object) -> Iterable[Ref]:
    """The replica sets that refer to a placement."""
    return _referring(view, namespace_of(placement), name_of(placement))


def of_decision(view: View, decision: Object) -> Iterable[Ref]:
    """The replica sets that refer to the placement of a decision."""
    return _referring(view, namespace_of(decision), labels_of(decision).get(PLACEMENT_LABEL, ""))


def _referring(view: View, namespace: str, placement: str) -> list[Ref]:
    return [
        Ref(*REPLICA_SET, namespace, name_of(owner))
        for owner in view.list(REPLICA_SET, namespace)
        if any(r.get("name") == placement for r in (owner.get("spec") or {}).get("placementRefs") or ())
    ]
