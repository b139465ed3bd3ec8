"""One cluster's state with the time counted in: is it done, does it still soak, has it taken too long?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from gitops_ocm.decide.rollout.limits import Limits
from gitops_ocm.decide.rollout.model import ClusterState, State


class Phase(Enum):
    """What a cluster's state means for a rollout."""

    DUE = auto()
    """Not given the wanted state."""
    GIVEN = auto()
    """Given it, and no answer yet."""
    UNDER_WAY = auto()
    SOAKING = auto()
    """Good, but not for long enough."""
    FAILED = auto()
    """Bad, within its deadline: it may still become good."""
    TIMED_OUT = auto()
    GIVEN_UP = auto()
    """Had timed out when it was told of: not told again."""
    DONE = auto()


OPEN = (Phase.GIVEN, Phase.UNDER_WAY, Phase.SOAKING)
"""Nobody knows yet how it ends."""
BAD = (Phase.FAILED, Phase.TIMED_OUT, Phase.GIVEN_UP)
"""Counts against `maxFailures`."""
KEPT = (*OPEN, Phase.FAILED)
"""Has the wanted state, or an attempt at it, and goes on having it: holds a place."""


@dataclass(frozen=True)
class Judged:
    """A cluster's state (which may have become `TimeOut`), its phase, and when time changes that."""

    found: ClusterState
    phase: Phase
    recheck: datetime | None = None


def judge(found: ClusterState, limits: Limits, now: datetime) -> Judged:
    """Count the soak and the deadline in. Without a time the state begins now, at each look."""
    match found.state:
        case State.TO_APPLY if not found.given:
            return Judged(found, Phase.DUE)
        case State.SKIP:
            return Judged(found, Phase.DONE)
        case State.TIME_OUT:
            return Judged(found, Phase.GIVEN_UP)
        case State.SUCCEEDED:
            end = after(found.since or now, limits.soak)
            return Judged(found, Phase.SOAKING, end) if now < end else Judged(found, Phase.DONE)
    phase = _PENDING[found.state]
    if limits.deadline is None:
        return Judged(found, phase)
    end = after(found.since or now, limits.deadline)
    if now < end:
        return Judged(found, phase, end)
    return Judged(replace(found, state=State.TIME_OUT), Phase.TIMED_OUT, end)


_PENDING = {
    State.TO_APPLY: Phase.GIVEN,
    State.PROGRESSING: Phase.UNDER_WAY,
    State.FAILED: Phase.FAILED,
}
"""What may still become good, within the deadline."""


def after(start: datetime, span: timedelta) -> datetime:
    """A later time; beyond the calendar's end it is that end."""
    try:
        return start + span
    except OverflowError:
        return datetime.max.replace(tzinfo=start.tzinfo)
