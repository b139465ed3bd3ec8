"""ManifestWorkReplicaSet: one ManifestWork for each cluster its placements have decided for.

A cluster that several placement references select gets one work, under the first of them. Each reference
rolls the template out by its own strategy (`decide.rollout`); a cluster whose turn has not come keeps the
work it has. What the agents make of the works comes back as conditions: `decide.work_states` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from gitops_ocm.api.placement import PLACEMENT_LABEL
from gitops_ocm.api.work_replicaset import PLACEMENT_NOT_FOUND, REPLICA_SET_FINALIZER, REPLICA_SET_LABEL
from gitops_ocm.decide.contract import DONE, Apply, Outcome, Propagation, Result, Update, View, Write
from gitops_ocm.decide.kinds import PLACEMENT, REPLICA_SET
from gitops_ocm.decide.placement.decisions import decisions_of
from gitops_ocm.decide.rollout import Group, RolloutError, advance, groups_of
from gitops_ocm.decide.rollout.limits import has_deadline, with_concurrency_of
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.decide.work_states import (
    MAX_LABEL,
    Inputs,
    Part,
    Tally,
    name_too_long,
    report_on,
    state_of,
    summed_up,
)
from gitops_ocm.decide.work_template import (
    is_of_template,
    labelled,
    normalised,
    placement_of,
    work_name,
    written,
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
)
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Ref

BY_OWNER = "works-by-replica-set"
BY_CLUSTER = "decisions-by-cluster"


def owner_value(owner: Ref) -> str:
    """The label value by which a replica set finds its works."""
    return f"{owner.namespace}.{owner.name}"


@dataclass(frozen=True)
class ReplicaSets:
    """The row: rolls out as the settings say, ours or to the letter as OCM does."""

    settings: HubSettings = field(default_factory=HubSettings)

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
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
        rollouts, stale = rollouts_of(view, owner, works, now, compat=self.settings.rollout_compat)
        removals = [w for work in stale for w in delete(work)]
        if rollouts.missing():
            return Outcome((*removals, *report_on(owner, [PLACEMENT_NOT_FOUND], now)))
        return _roll_out(rollouts, removals)


def _finalize(owner: Object, works: Sequence[Object]) -> Outcome:
    """Delete the works; a Background deletion does not wait for them."""
    writes: list[Write] = [w for work in works for w in delete(work)]
    foreground = (owner.get("spec") or {}).get("cascadeDeletionPolicy") == Propagation.FOREGROUND
    if not (foreground and works):
        writes += drop_finalizer(owner, REPLICA_SET_FINALIZER)
    return Outcome(tuple(writes))


def rollouts_of(
    view: View, owner: Object, works: Iterable[Object], now: datetime, *, compat: bool = False
) -> tuple[Rollouts, list[Object]]:
    """A set's rollouts, and those of its works that are under no placement of it or one too many."""
    names = {ref["name"] for ref in _refs(owner)}
    mine = list(works)
    kept, stale = _one_each(owner, [w for w in mine if placement_of(w) in names])
    stale += [w for w in mine if placement_of(w) not in names]
    return Rollouts(view, owner, kept, now, compat), stale


def _refs(owner: Object) -> Sequence[Mapping[str, Any]]:
    return (owner.get("spec") or {}).get("placementRefs") or []


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


@dataclass(frozen=True)
class Rollouts:
    """A set's rollouts as they stand, one for each placement it refers to."""

    view: View
    owner: Object
    kept: Mapping[str, Object]
    now: datetime
    compat: bool

    @property
    def template(self) -> Mapping[str, Any]:
        """What each cluster is to get."""
        return (self.owner.get("spec") or {}).get("manifestWorkTemplate") or {}

    def missing(self) -> list[str]:
        """The placements that are referred to and not there."""
        names = sorted({ref["name"] for ref in _refs(self.owner)})
        return [n for n in names if self.view.get(Ref(*PLACEMENT, namespace_of(self.owner), n)) is None]

    def parts(self) -> list[Part]:
        """Each reference's part, in order; clusters that an earlier one has are not in a later one."""
        found: list[Part] = []
        taken: set[str] = set()
        for ref in _refs(self.owner):
            part = self._part(ref, taken)
            taken |= part.placed
            found.append(part)
        return found

    def _part(self, ref: Mapping[str, Any], taken: set[str]) -> Part:
        name, tally = ref["name"], Tally()
        placement = self.view.get(Ref(*PLACEMENT, namespace_of(self.owner), name)) or {}
        try:
            groups = self._groups(name, placement, taken)
        except RolloutError as fault:
            # Who is chosen cannot be known: the works there are stay as they are.
            mine = {c for c, work in self.kept.items() if placement_of(work) == name}
            return Part(name, frozenset(mine - taken), tally, fault=fault.message)
        placed = frozenset(cluster for group in groups for cluster in group.clusters)
        known = self._current(placed)
        states = [state_of(work, self.template, compat=self.compat) for work in known.values()]
        for state in states:
            tally.count(known[state.cluster], state.state)
        strategy = ref.get("rolloutStrategy")
        if not self.compat:
            strategy = with_concurrency_of(placement, strategy)
        try:
            step = advance(strategy, groups, states, self.now, compat=self.compat)
        except RolloutError as fault:
            return Part(name, placed, tally, fault=fault.message)
        return Part(name, placed, tally, step, Inputs(strategy, tuple(groups), tuple(states), known))

    def _groups(self, name: str, placement: Mapping[str, Any], taken: set[str]) -> list[Group]:
        decisions = decisions_of(self.view, namespace_of(self.owner), name)
        found = groups_of(decisions, None if self.compat else placement)
        return [replace(g, clusters=tuple(c for c in g.clusters if c not in taken)) for g in found]

    def _current(self, clusters: Iterable[str]) -> dict[str, Object]:
        """The works of the clusters that have been given the template as it is."""
        held = {c: self.kept[c] for c in sorted(clusters) if c in self.kept}
        wanted = normalised(self.template)
        return {c: work for c, work in held.items() if is_of_template(work, self.template, wanted)}

    def writes(self, part: Part) -> Iterable[Write]:
        """Give the template to whose turn it is; labels follow wherever it is already."""
        if part.inputs is None or part.step is None:
            return
        known = part.inputs.works
        for work in known.values():
            yield from labelled(work, self.owner, part.name)
        timed = has_deadline(part.inputs.strategy) and not self.compat
        for cluster in part.step.starting:
            if cluster not in known:
                started = self.now if timed else None
                yield from written(self.kept.get(cluster), self.owner, cluster, part.name, started=started)

    def removals(self, parts: Iterable[Part]) -> list[Write]:
        """Take the works of clusters that no placement chooses any more."""
        taken = {cluster for part in parts for cluster in part.placed}
        gone = [work for cluster, work in sorted(self.kept.items()) if cluster not in taken]
        return [w for work in gone for w in delete(work)]


def _roll_out(rollouts: Rollouts, removals: Sequence[Write]) -> Outcome:
    """Write the works the strategies let through, then sum up what there is."""
    parts, now = rollouts.parts(), rollouts.now
    given = [write for part in parts for write in rollouts.writes(part)]
    writes = (*removals, *given, *rollouts.removals(parts))
    rechecks = [part.step.recheck for part in parts if part.step and part.step.recheck]

    def then(results: Sequence[Result]) -> Outcome:
        for result in results:
            if isinstance(result.write, (Apply, Update)) and result.obj is not None:
                cluster = namespace_of(result.obj)
                part = next(p for p in parts if cluster in p.placed)
                part.tally.existing.add(cluster)
        failed = errors(results)
        status = summed_up(rollouts.view, rollouts.owner, parts, [f.message for f in failed], now)
        failed = [fault for fault in failed if not _is_namespace_missing(fault)]
        wakes = [seconds_until(at, now) for at in rechecks]
        if failed:
            again = after_failure(failed)
            wakes += [again.requeue_after] if again.requeue_after is not None else []
            return Outcome(status, requeue_after=min(wakes, default=None), retry=again.retry)
        return Outcome(status, requeue_after=min(wakes, default=None))

    return Outcome(tuple(writes), then=then, keep_going=True) if writes else then(())


def _is_namespace_missing(fault: ApiError) -> bool:
    """Whether a work could not be made because its cluster was not accepted yet: that is no failure.

    The cluster's namespace wakes the row when it comes.
    """
    return fault.http_code == 404 and fault.message.startswith("namespaces ")


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


def of_namespace(view: View, namespace: Object) -> Iterable[Ref]:
    """The replica sets whose placements have selected the cluster that a namespace is for."""
    decisions = view.indexed(BY_CLUSTER, name_of(namespace))
    return sorted({ref for decision in decisions for ref in of_decision(view, decision)})


def of_decision(view: View, decision: Object) -> Iterable[Ref]:
    """The replica sets that refer to the placement of a decision."""
    return _referring(view, namespace_of(decision), labels_of(decision).get(PLACEMENT_LABEL, ""))


def _referring(view: View, namespace: str, placement: str) -> list[Ref]:
    return [
        Ref(*REPLICA_SET, namespace, name_of(owner))
        for owner in view.list(REPLICA_SET, namespace)
        if any(r.get("name") == placement for r in (owner.get("spec") or {}).get("placementRefs") or ())
    ]
