"""The decision of each strategy: who starts now, and what holds the others.

OCM's, except where its documentation promises otherwise; ARCHITECTURE.md lists where, `ocm` has the
original. What is under way stays in the answer until it is done, whatever else is decided, so that it is
looked at again in time; what a strategy decides is who starts beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitops_ocm.api.rollout import ALL, PROGRESSIVE
from gitops_ocm.decide.rollout.groups import Group
from gitops_ocm.decide.rollout.judging import BAD, KEPT, OPEN, Judged, Phase
from gitops_ocm.decide.rollout.limits import Limits, Size, first_groups, size
from gitops_ocm.decide.rollout.model import Hold, HoldReason


@dataclass(frozen=True)
class Start:
    """The clusters that start now, and what holds those that do not."""

    clusters: tuple[str, ...] = ()
    hold: Hold | None = None

    @property
    def breach(self) -> bool:
        """Whether more have failed than may."""
        return self.hold is not None and self.hold.reason is HoldReason.BREACH


@dataclass(frozen=True)
class Fleet:
    """The judged clusters by name; one without a state is due."""

    judged: Mapping[str, Judged]

    def phase(self, cluster: str) -> Phase:
        """A cluster's phase."""
        found = self.judged.get(cluster)
        return found.phase if found else Phase.DUE

    def within(self, clusters: Iterable[str], *phases: Phase) -> tuple[str, ...]:
        """Those of the clusters that are in one of the phases, by name."""
        return tuple(sorted(c for c in clusters if self.phase(c) in phases))

    def queue(self, clusters: Iterable[str]) -> tuple[str, ...]:
        """Who is due: first those that have been told of, by name."""
        due = self.within(clusters, Phase.DUE)
        return tuple(sorted(due, key=lambda cluster: cluster not in self.judged))


def start(limits: Limits, groups: Sequence[Group], judged: Mapping[str, Judged]) -> Start:
    """Who starts now, by the strategy of `limits`."""
    fleet = Fleet(judged)
    if limits.kind == ALL:
        return Start(fleet.queue(c for g in groups for c in g.clusters))
    first, _ = first_groups(limits, groups)
    if found := _group_by_group(fleet, first, 0, HoldReason.MANDATORY):
        return found
    rest = [g for g in groups if g not in first]
    if limits.kind == PROGRESSIVE:
        return _some_at_a_time(fleet, limits, [c for g in rest for c in g.clusters], groups, bool(first))
    return _group_by_group(fleet, rest, limits.max_failures, HoldReason.GROUP) or Start()


def _group_by_group(
    fleet: Fleet, groups: Sequence[Group], max_failures: Size, reason: HoldReason
) -> Start | None:
    """The first group that is not done starts as a whole; None where all are done.

    A tolerated failure holds no group. Too many in one stop the rollout behind it, not in it.
    """
    for group in groups:
        due = fleet.within(group.clusters, Phase.DUE)
        bad = fleet.within(group.clusters, *BAD)
        if len(bad) > size(max_failures, len(group.clusters), 0, "maxFailures"):
            return Start(due, Hold(HoldReason.BREACH, bad))
        if waited_for := tuple(sorted({*due, *fleet.within(group.clusters, *OPEN)})):
            return Start(due, Hold(reason, waited_for))
    return None


def _some_at_a_time(
    fleet: Fleet, limits: Limits, rest: Sequence[str], groups: Sequence[Group], in_batches: bool
) -> Start:
    """As many as may be under way; all failures are counted before anybody starts.

    Behind mandatory groups, as in OCM, nobody joins those of whom it is known that they are under way: so
    many start together, and the next when these are done.
    """
    everyone = [c for g in groups for c in g.clusters]
    window = size(limits.max_concurrency, len(rest), len(rest), "maxConcurrency")
    bad = fleet.within(everyone, *BAD)
    if len(bad) > size(limits.max_failures, len(everyone), 0, "maxFailures"):
        return Start((), Hold(HoldReason.BREACH, bad))
    kept, running = fleet.within(everyone, *KEPT), fleet.within(everyone, Phase.UNDER_WAY, Phase.SOAKING)
    if in_batches and running:
        return Start((), Hold(HoldReason.BATCH, running))
    starting = fleet.queue(rest)[: max(0, window - len(kept))]
    return Start(starting, Hold(HoldReason.CONCURRENCY, tuple(sorted({*kept, *starting}))))
