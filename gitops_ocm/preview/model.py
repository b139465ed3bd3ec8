"""What a preview says, as values. `preview.run` finds it out; how it is shown is `report`'s.

Preview
├── Effect          an object of desired state that is made, changed or deleted, field by field
├── Selection       a placement: who is selected, before and after
├── OnCluster       what one cluster gains, loses, or has changed
└── Rollout         in which waves a replica set or an add-on spreads, and where it stops
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gitops_ocm.errors import Diagnostic, Location
from gitops_ocm.objects.diff import Difference
from gitops_ocm.objects.ref import Ref


class Act(StrEnum):
    """What becomes of an object."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    MOVE = "move"
    KEEP = "keep"
    """It left Git, and stays on the hub all the same."""


@dataclass(frozen=True)
class Effect:
    """One object. `origin` is where the head commit has it, or where the base had it; `fields` are masked."""

    ref: Ref
    act: Act
    origin: Location = field(default_factory=Location)
    fields: tuple[Difference, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Selection:
    """A placement's clusters."""

    ref: Ref
    before: tuple[str, ...]
    after: tuple[str, ...]
    message: str = ""

    @property
    def gained(self) -> tuple[str, ...]:
        """Selected now."""
        return tuple(sorted(set(self.after) - set(self.before)))

    @property
    def lost(self) -> tuple[str, ...]:
        """Not selected any more."""
        return tuple(sorted(set(self.before) - set(self.after)))


@dataclass(frozen=True)
class OnCluster:
    """What one cluster comes to: its own object, its works and its add-ons."""

    name: str
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Wave:
    """Clusters that are given something at one moment: the earliest, if all before them go well at once."""

    at: datetime
    clusters: tuple[str, ...]


@dataclass(frozen=True)
class Rollout:
    """How a replica set or an add-on spreads. `waiting` clusters are not reached, for the reason in `why`."""

    owner: Ref
    waves: tuple[Wave, ...]
    waiting: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Preview:
    """Everything. `fleet` is how many clusters there are; `notes` say what was assumed."""

    base: str
    head: str
    state: str
    now: datetime
    fleet: int = 0
    effects: tuple[Effect, ...] = ()
    selections: tuple[Selection, ...] = ()
    clusters: tuple[OnCluster, ...] = ()
    rollouts: tuple[Rollout, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def changes_anything(self) -> bool:
        """Whether a merge would be noticed."""
        return bool(self.effects or self.clusters or self.selections)

    @property
    def refused(self) -> bool:
        """Whether the sync would not apply it."""
        return any(d.severity == "error" for d in self.diagnostics)
