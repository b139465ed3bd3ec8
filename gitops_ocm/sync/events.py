"""What a sync tells while it works: values, so that whoever listens decides how they look.

The command line renders them with rich, the hook server prints `line()` behind `remote:`, tests
compare them. Nothing in `sync` prints or logs progress itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from gitops_ocm.errors import Diagnostic, GitopsError, Location, Severity
from gitops_ocm.objects.ref import Ref
from gitops_ocm.plan.changes import Action, Change


class Phase(StrEnum):
    """Where in its way a commit is."""

    FETCH = "fetch"
    CHECK = "check"
    PLAN = "plan"
    APPLY = "apply"
    WAIT = "wait"
    PRUNE = "prune"
    DRIFT = "drift"
    DONE = "done"
    FAILED = "failed"
    STATUS = "status"


class Level(StrEnum):
    """How much it matters; `DETAIL` is one line per object."""

    DETAIL = "detail"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class SyncEvent:
    """One thing that happened. `done` of `total` is for a progress bar (total 0: no measure)."""

    phase: Phase
    message: str
    level: Level = Level.INFO
    ref: Ref | None = None
    where: Location = field(default_factory=Location)
    hint: str = ""
    done: int = 0
    total: int = 0

    def line(self) -> str:
        """One line of plain text."""
        place = f"{self.where}: " if str(self.where) else ""
        subject = f"{self.ref}: " if self.ref else ""
        sign = {Level.WARNING: "warning: ", Level.ERROR: "error: "}.get(self.level, "")
        return f"{sign}{place}{subject}{self.message}" + (f" ({self.hint})" if self.hint else "")


Listener = Callable[[SyncEvent], None]

_CARRIED_OUT = {
    Action.CREATE: "created",
    Action.ADOPT: "adopted",
    Action.CONFIGURE: "configured",
    Action.PRUNE: "pruned",
    Action.RELEASE: "released",
}


class Unrepeated:
    """Passes on what a pass tells, but not what the pass before, which failed too, has told already.

    A failing pass is made again and again, for hours if need be: whoever reads the log wants to know what
    is new. What was done to single objects is always told.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._before: set[str] = set()
        self._told: set[str] = set()

    def begin(self, *, after_failure: bool) -> None:
        """A pass begins."""
        self._before = self._told if after_failure else set()
        self._told = set()

    def __call__(self, event: SyncEvent) -> None:
        """Tell it, if it is news."""
        if event.level is not Level.DETAIL:
            line = event.line()
            self._told.add(line)
            if line in self._before:
                return
        self._listener(event)


def silent(event: SyncEvent) -> None:
    """The listener of those who do not listen."""


def of_diagnostic(phase: Phase, problem: Diagnostic) -> SyncEvent:
    """A problem as an event."""
    level = Level.ERROR if problem.severity is Severity.ERROR else Level.WARNING
    message = f"{problem.subject}: {problem.message}" if problem.subject else problem.message
    return SyncEvent(phase, message, level, where=problem.where, hint=problem.hint)


def of_error(phase: Phase, error: GitopsError | OSError, level: Level = Level.WARNING) -> SyncEvent:
    """Something that failed and is tried again."""
    if isinstance(error, GitopsError):
        return SyncEvent(phase, error.message, level, hint=error.hint)
    place = f" at {error.filename}" if error.filename else ""
    return SyncEvent(phase, f"{error.strerror or error}{place}", level)


def of_change(change: Change, *, done: int, total: int) -> SyncEvent:
    """A change that was carried out."""
    where = change.wanted.origin if change.wanted else Location(change.live.path if change.live else "")
    phase = Phase.APPLY if change.applies else Phase.PRUNE
    return SyncEvent(
        phase,
        f"{_CARRIED_OUT[change.action]} {change.ref}",
        Level.DETAIL,
        None,
        where,
        done=done,
        total=total,
    )
