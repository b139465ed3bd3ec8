"""The plan as values: what will be done to each object, and why.

    ChangeSet        all changes of one commit
    └── Change       one object: an `Action` from a closed set, and a `Reason` that only explains

`plan.compute` makes them, `plan.waves` orders them, `sync.pull` carries them out, `report.plan_text`
prints them. `Live` is what a plan needs to know of an object on the hub: `sync.observed` makes it
of watch events, so that a plan never needs the objects themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gitops_ocm.errors import Diagnostic
from gitops_ocm.objects.ref import Ref
from gitops_ocm.plan.wanted import Wanted


class Action(StrEnum):
    """What is done to one object."""

    CREATE = "create"
    ADOPT = "adopt"
    CONFIGURE = "configure"
    UNCHANGED = "unchanged"
    PRUNE = "prune"
    RELEASE = "release"
    SKIP = "skip"


_PLANNED = {
    Action.CREATE: "to create",
    Action.ADOPT: "to adopt",
    Action.CONFIGURE: "to configure",
    Action.UNCHANGED: "unchanged",
    Action.PRUNE: "to prune",
    Action.RELEASE: "to release",
    Action.SKIP: "skipped",
}
IDLE = (Action.UNCHANGED, Action.SKIP)
"""What needs no request."""


class Reason(StrEnum):
    """Why: text for people. No code decides by it."""

    NEW = "new in Git"
    GONE = "deleted on the hub"
    FOUND = "already on the hub, not managed by this HubSync"
    CHANGED = "changed in Git"
    MOVED = "moved to another file"
    DRIFTED = "changed on the hub"
    SAME = "as in Git"
    DRIFT_IGNORED = "changed on the hub; spec.drift.mode is Ignore"
    DRIFT_REPORTED = "changed on the hub; spec.drift.mode is Report"
    FOREIGN = "managed by another HubSync"
    REMOVED = "removed from Git"
    GOING = "removed from Git; being deleted"
    OPTED_OUT = "removed from Git; its annotation disables pruning"
    PRUNE_DISABLED = "removed from Git; spec.prune.mode is Disabled"
    STILL_NEEDED = "removed from Git; objects in Git need it"
    PRUNE_GUARDED = "removed from Git; held back by the prune guard"


class DriftMode(StrEnum):
    """`HubSync.spec.drift.mode`."""

    CORRECT = "Correct"
    REPORT = "Report"
    IGNORE = "Ignore"


@dataclass(frozen=True, slots=True)
class Live:
    """What is known of one object on the hub.

    `ours` says that it is proven to be this HubSync's: a label alone proves nothing, for controllers copy
    labels. `owner` is the HubSync its label names (`""`: none); `path`, `commit` and `digest` are our
    annotations. `in_sync` is False when fields of ours are not as Git wants them, `prune_disabled` and
    `wave` come from its annotations, `terminating` says that it is being deleted, `taints` that it
    is a cluster whose taints are as we applied them.
    """

    uid: str = ""
    ours: bool = False
    owner: str = ""
    path: str = ""
    commit: str = ""
    digest: str = ""
    wave: int = 0
    in_sync: bool = True
    prune_disabled: bool = False
    terminating: bool = False
    taints: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """How far a sync may go: `HubSync.spec` as the plan reads it."""

    prune: bool = True
    max_prune_percent: int = 50
    allow_commit: str = ""
    drift: DriftMode = DriftMode.CORRECT
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class PruneGuard:
    """A deletion that was stopped: the commit that wanted it, and how many objects it would have taken."""

    commit: str
    count: int


@dataclass(frozen=True, slots=True)
class Change:
    """One object's part of a plan.

    `wanted` is None for what left Git, `live` None for what was not seen on the hub. `force` says that
    fields held by other managers are taken over, but never an object that another HubSync has; `version`
    is the API version to use (`""`: the one the hub prefers).
    """

    ref: Ref
    action: Action
    reason: Reason
    wanted: Wanted | None = None
    live: Live | None = None
    force: bool = False
    version: str = ""

    @property
    def applies(self) -> bool:
        """Whether carrying this out is a server-side apply."""
        return self.action in (Action.CREATE, Action.ADOPT, Action.CONFIGURE)

    @property
    def drift(self) -> bool:
        """Whether the hub, not Git, is what moved."""
        return self.reason in (Reason.GONE, Reason.DRIFTED, Reason.DRIFT_REPORTED)

    def __str__(self) -> str:
        return f"{self.action} {self.ref} ({self.reason})"


@dataclass(frozen=True)
class ChangeSet:
    """Everything one commit means for the hub now. `changes` are sorted by identity.

    `guard` is the prune guard to record before any of it is carried out; `notable` are the changes that are
    any: of thousands of objects mostly few.
    """

    commit: str
    changes: tuple[Change, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    guard: PruneGuard | None = None
    counts: Mapping[Action, int] = field(init=False, compare=False)
    notable: tuple[Change, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        found = Counter(change.action for change in self.changes)
        object.__setattr__(self, "counts", {action: found.get(action, 0) for action in Action})
        notable = tuple(change for change in self.changes if change.action is not Action.UNCHANGED)
        object.__setattr__(self, "notable", notable)

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)

    @property
    def work(self) -> tuple[Change, ...]:
        """The changes that mean a request."""
        return tuple(c for c in self.notable if c.action not in IDLE)

    @property
    def nothing_to_do(self) -> bool:
        """Whether the hub is as it should be, as far as this plan may go."""
        return all(not count or action in IDLE for action, count in self.counts.items())

    def summary(self) -> str:
        """`2 to create, 1 to configure, 4997 unchanged`."""
        parts = [f"{count} {_PLANNED[action]}" for action, count in self.counts.items() if count]
        return ", ".join(parts) or "no objects"

    def __str__(self) -> str:
        return "\n".join([*map(str, self.notable), self.summary()])
