"""The values of a rollout: a cluster's state, what may be done now, and what holds the rest back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gitops_ocm.errors import GitopsError


class RolloutError(GitopsError):
    """A rollout strategy, or decision groups, that say something that cannot be."""

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
    """One cluster's state, and since when.

    `given`: it has been given the wanted state and has not answered yet. OCM takes that for `ToApply`, and
    so it is told; but it is given to nobody twice, and its deadline runs.
    """

    cluster: str
    state: State = State.TO_APPLY
    since: datetime | None = None
    given: bool = False


class HoldReason(StrEnum):
    """Why clusters that have not got the wanted state are not given it now."""

    BREACH = "MaxFailures"
    """More have failed than may: nothing more starts."""
    MANDATORY = "MandatoryDecisionGroups"
    """The mandatory groups come first."""
    GROUP = "DecisionGroup"
    """An earlier group is not done."""
    BATCH = "Batch"
    """Behind mandatory groups nobody joins those of whom it is known that they are under way."""
    CONCURRENCY = "MaxConcurrency"
    """As many are under way as may be."""


@dataclass(frozen=True)
class Hold:
    """What holds a rollout, and which clusters have to become something else for it to go on."""

    reason: HoldReason
    by: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """What may be done now.

    `roll_out` are clusters to have the wanted state (`starting` are to be given it), `timed_out` took too
    long, `removed` are no longer placed; `recheck` is when time changes this. `breach`: more have failed
    than may. `done` have the wanted state, and have soaked; `held` are placed and have to wait for what
    `hold` says. `unknown` are mandatory groups that are named and not there.
    """

    roll_out: tuple[ClusterState, ...] = ()
    timed_out: tuple[ClusterState, ...] = ()
    removed: tuple[ClusterState, ...] = ()
    recheck: datetime | None = None
    breach: bool = False
    done: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    hold: Hold | None = None
    unknown: tuple[str, ...] = ()

    @property
    def starting(self) -> tuple[str, ...]:
        """The clusters that are to be given the wanted state in this step."""
        return tuple(s.cluster for s in self.roll_out if s.state is State.TO_APPLY and not s.given)

    @property
    def under_way(self) -> tuple[ClusterState, ...]:
        """The clusters that have been given it and are not done."""
        return tuple(s for s in self.roll_out if s.state is not State.TO_APPLY or s.given)

    @property
    def failed(self) -> tuple[ClusterState, ...]:
        """Those of them that have failed and may still become good."""
        return tuple(s for s in self.roll_out if s.state is State.FAILED)
