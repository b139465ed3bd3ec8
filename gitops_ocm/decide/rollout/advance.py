"""One step of a rollout: strategy, groups and states in, what may be done now out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from gitops_ocm.api.rollout import PROGRESSIVE_PER_GROUP
from gitops_ocm.decide.rollout import ocm, steps
from gitops_ocm.decide.rollout.groups import Group
from gitops_ocm.decide.rollout.judging import BAD, KEPT, Judged, Phase, judge
from gitops_ocm.decide.rollout.limits import Limits, first_groups, limits_of
from gitops_ocm.decide.rollout.model import ClusterState, Hold, HoldReason, Step


def advance(
    strategy: Mapping[str, Any] | None,
    groups: Sequence[Group],
    states: Iterable[ClusterState],
    now: datetime,
    *,
    compat: bool = False,
) -> Step:
    """The next step of a rollout over the clusters of the groups; raises `RolloutError`.

    `states` are of clusters that somebody knows something about, placed or not; a placed one without a
    state is still to be given what is wanted. With `compat` the decision is OCM's own, to the letter.
    """
    limits = limits_of(strategy)
    ordered = sorted(groups, key=lambda g: (g.index, g.name))
    looked_at = ocm.counted(ordered) if compat else ordered
    placed = {cluster for g in looked_at for cluster in g.clusters}
    known = [replace(found, given=found.given and not compat) for found in states if found.cluster]
    current = [found for found in known if found.cluster in placed]
    judged = {found.cluster: judge(found, limits, now) for found in sorted(current, key=lambda s: s.cluster)}
    step = _as_ocm(limits, ordered, current, now) if compat else _ours(limits, ordered, judged)
    done = tuple(c for c in sorted(placed) if c in judged and judged[c].phase is Phase.DONE)
    named = {s.cluster for s in (*step.roll_out, *step.timed_out)}
    held = tuple(sorted(placed - named - set(done) - _given_up(judged)))
    return replace(
        step,
        removed=tuple(found for found in known if found.cluster not in placed),
        recheck=_earliest((judged.get(s.cluster) for s in step.roll_out), now),
        done=done,
        held=held,
        hold=step.hold if held else None,
        unknown=first_groups(limits, ordered)[1],
    )


def _ours(limits: Limits, groups: Sequence[Group], judged: Mapping[str, Judged]) -> Step:
    begun = steps.start(limits, groups, judged)
    kept = [j.found for j in judged.values() if j.phase in KEPT]
    started = [judged[c].found if c in judged else ClusterState(c) for c in begun.clusters]
    return Step(
        roll_out=(*kept, *started),
        timed_out=tuple(j.found for j in judged.values() if j.phase is Phase.TIMED_OUT),
        breach=begun.breach,
        hold=begun.hold,
    )


def _as_ocm(limits: Limits, groups: Sequence[Group], current: Sequence[ClusterState], now: datetime) -> Step:
    decision = ocm.decide(limits, groups, current, now)
    found = tuple(j.found for j in decision.roll_out)
    return Step(
        roll_out=found,
        timed_out=decision.timed_out,
        breach=decision.breach,
        hold=_hold(limits, decision),
    )


def _hold(limits: Limits, decision: ocm.Decision) -> Hold:
    """Why OCM's decision starts no more: it does not say, so it is read off its answer."""
    open_ones = tuple(sorted(j.found.cluster for j in decision.roll_out))
    out = tuple(sorted(s.cluster for s in decision.timed_out))
    if decision.breach:
        failed = [j.found.cluster for j in decision.roll_out if j.phase in BAD]
        return Hold(HoldReason.BREACH, tuple(sorted({*failed, *out})))
    if decision.first:
        return Hold(HoldReason.MANDATORY, tuple(sorted({*open_ones, *out})))
    per_group = limits.kind == PROGRESSIVE_PER_GROUP
    return Hold(HoldReason.GROUP if per_group else HoldReason.CONCURRENCY, open_ones)


def _given_up(judged: Mapping[str, Judged]) -> set[str]:
    return {cluster for cluster, j in judged.items() if j.phase is Phase.GIVEN_UP}


def _earliest(rolled_out: Iterable[Judged | None], now: datetime) -> datetime | None:
    times = (j.recheck for j in rolled_out if j is not None and j.recheck is not None)
    return min((at for at in times if at > now), default=None)
