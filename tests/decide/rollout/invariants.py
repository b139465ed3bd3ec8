"""What holds of every rollout decision, as checks of one: asserted of random ones and of small models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from gitops_ocm.decide.rollout import ClusterState, Group, HoldReason, State, Step, advance
from gitops_ocm.decide.rollout.judging import BAD, KEPT, OPEN, Phase, judge
from gitops_ocm.decide.rollout.limits import Limits, first_groups, limits_of, size
from gitops_ocm.objects.ref import Object


class Seen:
    """A decision and what it was made from, to be asked about."""

    def __init__(
        self, strategy: Object, groups: Sequence[Group], states: Sequence[ClusterState], now: datetime
    ) -> None:
        self.groups, self.states, self.now = tuple(groups), states, now
        self.limits: Limits = limits_of(strategy)
        self.step: Step = advance(strategy, groups, states, now)
        self.first, _ = first_groups(self.limits, self.groups)
        self.rest = tuple(g for g in self.groups if g not in self.first)
        self.placed = named(self.groups)
        judged = (judge(s, self.limits, now) for s in states if s.cluster in self.placed)
        self.phases = {j.found.cluster: j.phase for j in judged}
        self.starting = set(self.step.starting)

    def within(self, groups: Iterable[Group], *phases: Phase) -> set[str]:
        """The clusters of the groups that are in one of the phases."""
        return {c for c in named(groups) if self.phases.get(c, Phase.DUE) in phases}


def named(groups: Iterable[Group]) -> set[str]:
    """The clusters of the groups."""
    return {c for g in groups for c in g.clusters}


def never_more_than_may_be_under_way(seen: Seen) -> None:
    """Who starts behind the mandatory groups fits in beside all that hold a place."""
    if seen.limits.kind != "Progressive" or not seen.starting - named(seen.first):
        return
    others = len(named(seen.rest))
    window = size(seen.limits.max_concurrency, others, others, "maxConcurrency")
    assert len(seen.within(seen.groups, *KEPT) | seen.starting) <= window


def never_past_the_failures_that_are_tolerated(seen: Seen) -> None:
    """Nobody starts once more have failed than may; by group, nobody of a later group."""
    limits = seen.limits
    if limits.kind == "All":
        return
    if limits.kind == "Progressive":
        most = size(limits.max_failures, len(seen.placed), 0, "maxFailures")
        if len(seen.within(seen.groups, *BAD)) > most:
            assert seen.starting <= named(seen.first)
    walked = [(g, 0) for g in seen.first]
    if limits.kind == "ProgressivePerGroup":
        walked += [(g, size(limits.max_failures, len(g.clusters), 0, "maxFailures")) for g in seen.rest]
    for place, (group, most) in enumerate(walked):
        if len(seen.within([group], *BAD)) > most:
            assert seen.starting <= named(g for g, _ in walked[: place + 1])


def nobody_starts_before_earlier_groups_are_done(seen: Seen) -> None:
    """Mandatory groups one by one, then the others; done is good, and soaked, or a tolerated failure."""
    if seen.limits.kind == "All":
        return
    walked = [*seen.first, *(seen.rest if seen.limits.kind == "ProgressivePerGroup" else ())]
    for place, group in enumerate(walked):
        undone = seen.within([group], Phase.DUE, *OPEN)
        if undone or (group in seen.first and seen.within([group], *BAD)):
            assert seen.starting <= named(walked[: place + 1])


def soaking_is_not_done(seen: Seen) -> None:
    """Success that is younger than the soak holds its place, and is looked at when it is over."""
    for found in seen.states:
        end = (found.since or seen.now) + seen.limits.soak
        if found.state is State.SUCCEEDED and found.cluster in seen.placed and end > seen.now:
            assert found in seen.step.roll_out
            assert seen.step.recheck is not None
            assert seen.step.recheck <= end


def everybody_is_in_one_part_of_a_step(seen: Seen) -> None:
    """Rolled out, timed out, done, held, or told to have timed out: nobody is lost, nobody twice."""
    step = seen.step
    out = {s.cluster for s in seen.states if s.state is State.TIME_OUT} & seen.placed
    parts = [*(s.cluster for s in (*step.roll_out, *step.timed_out)), *step.done, *step.held]
    assert len(parts) == len(set(parts))
    assert set(parts) | out == seen.placed
    assert {s.cluster for s in step.removed} == {s.cluster for s in seen.states} - seen.placed


def what_is_held_is_held_by_somebody(seen: Seen) -> None:
    """No rollout stands still without a cluster to point at that is open, failed or just starting."""
    hold = seen.step.hold
    assert (hold is None) == (not seen.step.held)
    if hold is not None:
        assert hold.by
        assert not set(hold.by) & set(seen.step.done)
        assert (hold.reason is HoldReason.BREACH) == seen.step.breach
        if hold.reason is HoldReason.CONCURRENCY:
            assert set(hold.by) <= seen.within(seen.groups, *KEPT) | seen.starting


CHECKS: tuple[Callable[[Seen], None], ...] = (
    never_more_than_may_be_under_way,
    never_past_the_failures_that_are_tolerated,
    nobody_starts_before_earlier_groups_are_done,
    soaking_is_not_done,
    everybody_is_in_one_part_of_a_step,
    what_is_held_is_held_by_somebody,
)
