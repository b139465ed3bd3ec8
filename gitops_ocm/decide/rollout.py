"""Which clusters may get the wanted state now: the rollout strategies of placements.

Add-ons and ManifestWorkReplicaSets say in which state each placed cluster is, and are told which to
roll out to. A strategy is a function in `STRATEGIES`; `Step` and `ClusterState` are all they share.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from gitops_ocm.api.rollout import ALL
from gitops_ocm.api.scalars import parse_duration
from gitops_ocm.errors import GitopsError


class RolloutError(GitopsError):
    """A rollout strategy that says something that cannot be."""

    code = "rollout-strategy"


class State(StrEnum):
    """How far a cluster is with the wanted state."""

    TO_APPLY = "ToApply"
    PROGRESSING = "Progressing"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    TIME_OUT = "TimeOut"
    SKIP = "Skip"


@dataclass(frozen=True)
class ClusterState:
    """One cluster's state, and since when."""

    cluster: str
    state: State = State.TO_APPLY
    since: datetime | None = None


@dataclass(frozen=True)
class Step:
    """What may be done now.

    `roll_out` are clusters to have the wanted state (those still `ToApply` are to be written),
    `timed_out` took too long, `removed` are no longer placed; `recheck` is when time changes this.
    """

    roll_out: tuple[ClusterState, ...] = ()
    timed_out: tuple[ClusterState, ...] = ()
    removed: tuple[ClusterState, ...] = ()
    recheck: datetime | None = None


def deadline_of(options: Mapping[str, Any]) -> timedelta | None:
    """`progressDeadline`; None where there is none."""
    text = options.get("progressDeadline") or "None"
    if text == "None":
        return None
    if not re.search(r"[hms]", text):
        raise RolloutError("invalid timeout format", hint="write progressDeadline like 90s, 10m or None")
    try:
        return parse_duration(text)
    except ValueError as fault:
        raise RolloutError(f"progressDeadline {text!r}: {fault}") from fault


def judge(
    found: ClusterState, deadline: timedelta | None, now: datetime
) -> tuple[ClusterState, datetime | None]:
    """A cluster's state with its deadline counted in, and when that is to be looked at again."""
    if deadline is None or found.state not in (State.PROGRESSING, State.FAILED):
        return found, None
    end = (found.since or now) + deadline
    return (found, end) if now < end else (replace(found, state=State.TIME_OUT), None)


def advance(
    strategy: Mapping[str, Any] | None,
    placed: Sequence[str],
    states: Iterable[ClusterState],
    now: datetime,
) -> Step:
    """The next step of a rollout over the `placed` clusters; raises `RolloutError`."""
    kind = (strategy or {}).get("type", ALL)
    run = STRATEGIES.get(kind)
    if run is None:
        raise RolloutError(
            f"incorrect rollout strategy type {kind}",
            hint=f"this hub rolls out with: {', '.join(sorted(STRATEGIES))}",
        )
    known = sorted(states, key=lambda s: s.cluster)
    current = {s.cluster: s for s in known if s.cluster in placed}
    removed = tuple(s for s in known if s.cluster not in placed)
    return replace(run(strategy or {}, placed, current, now), removed=removed)


def _all(
    strategy: Mapping[str, Any], placed: Sequence[str], current: Mapping[str, ClusterState], now: datetime
) -> Step:
    """Every cluster at once, whatever fails."""
    deadline = deadline_of(strategy.get("all") or {})
    judged = [judge(current.get(name, ClusterState(name)), deadline, now) for name in sorted(placed)]
    done = (State.SUCCEEDED, State.TIME_OUT, State.SKIP)
    return Step(
        roll_out=tuple(s for s, _ in judged if s.state not in done),
        timed_out=tuple(s for s, _ in judged if s.state is State.TIME_OUT),
        recheck=min((at for _, at in judged if at is not None), default=None),
    )


Strategy = Callable[[Mapping[str, Any], Sequence[str], Mapping[str, ClusterState], datetime], Step]
STRATEGIES: Mapping[str, Strategy] = {ALL: _all}
