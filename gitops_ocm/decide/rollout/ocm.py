"""OCM's own decision, exactly: what a hub is told to make by `--rollout-compat=ocm`.

It is here to be compared with and to be had by who runs OCM's controllers on other hubs of a fleet. It
keeps what a plain reading of OCM's documentation would not expect: indexes with a gap lose their last
groups, a full window hides failures, anything open outside the mandatory groups freezes what is behind them.
Where `steps` decides otherwise, ARCHITECTURE.md says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gitops_ocm.api.rollout import ALL, PROGRESSIVE
from gitops_ocm.decide.rollout.groups import Group
from gitops_ocm.decide.rollout.judging import KEPT, Judged, Phase, judge
from gitops_ocm.decide.rollout.limits import Limits, Size, first_groups, size
from gitops_ocm.decide.rollout.model import ClusterState, State

_FAILURES = (State.FAILED, State.TIME_OUT)


@dataclass(frozen=True)
class Decision:
    """What the library answers; `first`: it is about the mandatory groups."""

    roll_out: tuple[Judged, ...]
    timed_out: tuple[ClusterState, ...]
    breach: bool
    first: bool = False


def counted(groups: Sequence[Group]) -> tuple[Group, ...]:
    """The groups that are looked at: as many as there are indexes, from 0 on."""
    indexes = {g.index for g in groups}
    return tuple(g for g in groups if 0 <= g.index < len(indexes))


def decide(
    limits: Limits, groups: Sequence[Group], current: Sequence[ClusterState], now: datetime
) -> Decision:
    """The decision over `current`, the states of the clusters in `counted(groups)`, in any order."""
    looked_at = counted(groups)
    total = len(_clusters(looked_at))
    if limits.kind == ALL:
        return _per_cluster(looked_at, total, total, limits, current, now)
    first, _ = first_groups(limits, groups)
    if first:
        decision = _per_group(first, 0, limits, current, now, first=True)
        if decision.roll_out or decision.timed_out:
            return decision
    rest = [g for g in looked_at if g not in first]
    if limits.kind == PROGRESSIVE:
        tolerated = size(limits.max_failures, total, 0, "maxFailures")
        others = len(_clusters(rest))
        window = size(limits.max_concurrency, others, others, "maxConcurrency")
        return _per_cluster(rest, window, tolerated, limits, current, now)
    return _per_group(rest, limits.max_failures, limits, current, now)


def _clusters(groups: Iterable[Group]) -> set[str]:
    return {cluster for g in groups for cluster in g.clusters}


def _per_cluster(
    groups: Sequence[Group],
    window: int,
    tolerated: int,
    limits: Limits,
    current: Iterable[ClusterState],
    now: datetime,
) -> Decision:
    """Fill a window by name: first with what has a state, then with what has none."""
    roll_out: list[Judged] = []
    timed_out: list[ClusterState] = []
    known: set[str] = set()
    failures = 0
    for found in sorted(current, key=lambda s: s.cluster):
        known.add(found.cluster)
        judged = judge(found, limits, now)
        if failures <= tolerated or judged.phase is not Phase.DUE:
            _sort_in(judged, roll_out, timed_out)
        failures += judged.found.state in _FAILURES
        if len(roll_out) >= window:
            return Decision(tuple(roll_out), tuple(timed_out), failures > tolerated)
    if failures <= tolerated:
        for cluster in sorted(_clusters(groups) - known):
            roll_out.append(Judged(ClusterState(cluster), Phase.DUE))
            if len(roll_out) >= window:
                break
    return Decision(tuple(roll_out), tuple(timed_out), failures > tolerated)


def _per_group(
    groups: Sequence[Group],
    max_failures: Size,
    limits: Limits,
    current: Iterable[ClusterState],
    now: datetime,
    *,
    first: bool = False,
) -> Decision:
    """Go group by group as long as nothing is rolled out but failures, wherever these are."""
    roll_out: list[Judged] = []
    timed_out: list[ClusterState] = []
    seen: dict[str, State] = {}
    for judged in (judge(found, limits, now) for found in current):
        if judged.phase is not Phase.DUE:
            _sort_in(judged, roll_out, timed_out)
            seen[judged.found.cluster] = judged.found.state
    breach, total = False, 0
    for group in groups:
        failures = sum(seen.get(cluster) in _FAILURES for cluster in group.clusters)
        breach = breach or failures > size(max_failures, len(group.clusters), 0, "maxFailures")
        due = [c for c in sorted(group.clusters) if c not in seen]
        roll_out += [Judged(ClusterState(cluster), Phase.DUE) for cluster in due]
        total += failures
        if len(roll_out) > total or breach:
            break
    return Decision(tuple(roll_out), tuple(timed_out), breach, first)


def _sort_in(judged: Judged, roll_out: list[Judged], timed_out: list[ClusterState]) -> None:
    if judged.phase is Phase.DUE or judged.phase in KEPT:
        roll_out.append(judged)
    elif judged.phase is Phase.TIMED_OUT:
        timed_out.append(judged.found)
