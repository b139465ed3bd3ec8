"""A rollout walked to its end: which clusters start together, when at the earliest, and who never does.

What is decided at each step is `advance`, called on a clock that jumps to when it next wants to look. What
the clusters will do is assumed: each is good as soon as it has the wanted state, but those said to fail.
Real clusters take longer, so every time is the earliest; nothing here is a promise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gitops_ocm.decide.rollout.advance import advance
from gitops_ocm.decide.rollout.groups import Group
from gitops_ocm.decide.rollout.judging import Phase, after, judge
from gitops_ocm.decide.rollout.limits import Limits, limits_of
from gitops_ocm.decide.rollout.model import ClusterState, Hold, State


@dataclass(frozen=True)
class Wave:
    """Clusters that start together at `start`, in these groups.

    `soaked` is when they are done at the earliest, `deadline` when one that is not good by then has failed.
    """

    start: datetime
    clusters: tuple[str, ...]
    groups: tuple[str, ...]
    soaked: datetime
    deadline: datetime | None = None


@dataclass(frozen=True)
class Plan:
    """The waves to come. `end` is when the last of them is done; None where `held` clusters never start.

    `hold` says what holds those. A breach is theirs, or has nobody left to hold.
    """

    waves: tuple[Wave, ...]
    end: datetime | None
    held: tuple[str, ...] = ()
    hold: Hold | None = None
    breach: bool = False


def plan_waves(
    strategy: Mapping[str, Any] | None,
    groups: Sequence[Group],
    states: Iterable[ClusterState],
    now: datetime,
    *,
    failing: Collection[str] = (),
    compat: bool = False,
) -> Plan:
    """Walk a rollout from its states now to where nothing moves any more; raises `RolloutError`.

    What is progressing becomes good now; what has failed or is late stays so, as do the `failing` once they
    start.
    """
    limits = limits_of(strategy)
    known = {s.cluster: _assumed(s, limits, failing, now) for s in states}
    names = {cluster: named(group) for group in groups for cluster in group.clusters}
    waves: list[Wave] = []
    at = now
    while True:
        step = advance(strategy, groups, known.values(), at, compat=compat)
        if step.starting:
            waves.append(_wave(step.starting, names, limits, at))
            known |= {c: ClusterState(c, _fate(c, failing), at) for c in step.starting}
        elif step.recheck is not None:
            at = step.recheck
        else:
            end = None if step.held else at
            return Plan(tuple(waves), end, step.held, step.hold, step.breach)


def named(group: Group) -> str:
    """A group as people call it: its name, with its index where that is needed to tell it."""
    return f"{group.name} ({group.index})" if group.name else str(group.index)


def _assumed(found: ClusterState, limits: Limits, failing: Collection[str], now: datetime) -> ClusterState:
    late = judge(found, limits, now).phase is Phase.TIMED_OUT
    if (found.state is State.PROGRESSING or found.given) and not late:
        since = (found.since or now) if found.cluster in failing else now
        return ClusterState(found.cluster, _fate(found.cluster, failing), since)
    return replace(found, since=found.since or now)


def _fate(cluster: str, failing: Collection[str]) -> State:
    return State.FAILED if cluster in failing else State.SUCCEEDED


def _wave(starting: Sequence[str], names: Mapping[str, str], limits: Limits, at: datetime) -> Wave:
    groups = tuple(dict.fromkeys(names[cluster] for cluster in sorted(starting, key=lambda c: names[c])))
    deadline = after(at, limits.deadline) if limits.deadline is not None else None
    return Wave(at, tuple(starting), groups, after(at, limits.soak), deadline)
