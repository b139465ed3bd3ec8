"""What a preview says, as values. `effects` and its neighbours find it out; how it is shown is `formats`'.

Preview
├── Effect          an object of desired state that is made, changed or deleted, field by field
├── Selection       a placement: who is selected, before and after
│   └── Turn        one cluster that is selected now, or no longer, and what made it so
├── OnCluster       what one cluster gains, loses, or has changed
│   └── AddOnConfig     an add-on's effective configuration there
│       └── Value           one value of it, before and after, and where each comes from
├── Bystander       a cluster that nothing changes for, and that is told of all the same
├── Rollout         in which waves a replica set or an add-on spreads, and where it stops
│   └── Wave            clusters that start together
├── Share           how much of the fleet, and of each cluster set, is touched
└── Ruling          what one rule of the repository's policy says of all that
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from gitops_ocm.errors import Diagnostic, Location, Severity
from gitops_ocm.objects.diff import Difference
from gitops_ocm.objects.ref import Ref

NOWHERE = Location()


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
    """One object. `origin` is where the head commit has it, or where the base had it; `fields` are masked.

    `source` is where a moved object was before. `owner` is whose work on a cluster it is: a replica set's,
    which names the works of each cluster differently.
    """

    ref: Ref
    act: Act
    origin: Location = NOWHERE
    fields: tuple[Difference, ...] = ()
    why: str = ""
    source: Location = NOWHERE
    owner: Ref | None = None


@dataclass(frozen=True)
class Turn:
    """One cluster a placement takes or lets go.

    `why` is a line for people: which predicate, taint, score, limit or change of the cluster itself turned
    it. `cause` is where that is written, if it is in Git.
    """

    cluster: str
    gained: bool
    why: str
    cause: Location = NOWHERE


@dataclass(frozen=True)
class Selection:
    """A placement's clusters, before and after, sorted by name."""

    ref: Ref
    before: tuple[str, ...]
    after: tuple[str, ...]
    message: str = ""
    """Why it has not what it wants; `""` where it has."""
    turns: tuple[Turn, ...] = ()
    origin: Location = NOWHERE

    @property
    def gained(self) -> tuple[str, ...]:
        """Selected now."""
        return tuple(sorted(set(self.after) - set(self.before)))

    @property
    def lost(self) -> tuple[str, ...]:
        """Not selected any more."""
        return tuple(sorted(set(self.before) - set(self.after)))


@dataclass(frozen=True)
class Value:
    """One value of an add-on's effective configuration, before and after (`ABSENT`: there is none).

    `path` is the field's (`customizedVariables[IMAGE]`), `config` the object it is a field of. A level says
    who chose that object (`default`, `placement NAMESPACE/NAME`, `cluster`), an origin where the value is
    written.
    """

    config: Ref
    path: str
    before: Any
    after: Any
    level_before: str = ""
    level_after: str = ""
    origin_before: Location = NOWHERE
    origin_after: Location = NOWHERE


@dataclass(frozen=True)
class AddOnConfig:
    """What an add-on is effectively configured with on one cluster; only values that change."""

    addon: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class OnCluster:
    """What one cluster comes to: its own object, its works and its add-ons."""

    name: str
    effects: tuple[Effect, ...]
    configs: tuple[AddOnConfig, ...] = ()
    sets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bystander:
    """A cluster that is given nothing, and told of: a rollout does not reach it, a placement selects it."""

    name: str
    sets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wave:
    """Clusters that are given something at one moment: the earliest, if all before them go well.

    `groups` are the decision groups they are of; `soaked` is when they count as done at the earliest,
    `deadline` when one that is not good by then counts as failed (None: never).
    """

    at: datetime
    clusters: tuple[str, ...]
    groups: tuple[str, ...] = ()
    soaked: datetime | None = None
    deadline: datetime | None = None


@dataclass(frozen=True)
class Rollout:
    """How a replica set or an add-on spreads under one placement (`NAMESPACE/NAME`; `""`: under none).

    `waiting` clusters are not reached, for the reason in `why`. `strategy` says the rule in words
    (`Progressive, 25% at once, soak 5m`), `kind` is its type, `soak` how long a cluster has to stay good,
    `mandatory` are the decision groups that come first. `failed` clusters were given it and it went bad
    (assumed, or so already); `under_way` have been given it and are not done when the preview ends. `end` is
    when all is done at the earliest; None where that is never. `unfinished` clusters had not yet got what the
    base commit wants: a rollout is in progress.
    """

    owner: Ref
    waves: tuple[Wave, ...]
    waiting: tuple[str, ...] = ()
    why: str = ""
    strategy: str = ""
    failed: tuple[str, ...] = ()
    under_way: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    end: datetime | None = None
    origin: Location = NOWHERE
    placement: str = ""
    kind: str = ""
    soak: timedelta = timedelta(0)
    mandatory: tuple[str, ...] = ()


@dataclass(frozen=True)
class Share:
    """How many of a set's clusters are touched; the first is the whole fleet, whose `name` is `""`.

    `at_once` is the largest part of them that one moment gives something to.
    """

    name: str
    touched: int
    clusters: int
    at_once: int = 0


class Verdict(StrEnum):
    """What a rule says."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    OVERRIDDEN = "overridden"
    """It would refuse, but a commit's trailer says that this is meant."""


@dataclass(frozen=True)
class Ruling:
    """One rule of the policy, held against the change; `override` is a trailer's reason, `by` its commit.

    `until` is when it ceases to refuse by itself (None: never).
    """

    rule: str
    verdict: Verdict
    message: str = ""
    where: Location = NOWHERE
    override: str = ""
    by: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Preview:
    """Everything. `fleet` is how many clusters there are; `notes` say what was assumed; `bystanders` are the
    clusters beside `clusters` that placements and rollouts tell of.

    `state` is the commit of the status branch the preview is made of, `state_at` when that was written,
    `until` the moment at which `--at` stopped it (None: followed to its end). `refused_by_hub` are objects of
    the change that do not come about though the sync applies all else; `diagnostics` say why.
    """

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
    shares: tuple[Share, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    state_at: datetime | None = None
    until: datetime | None = None
    bystanders: tuple[Bystander, ...] = ()
    refused_by_hub: tuple[Ref, ...] = ()

    @property
    def changes_anything(self) -> bool:
        """Whether a merge would be noticed."""
        return bool(self.effects or self.clusters or self.selections)

    @property
    def broken(self) -> bool:
        """Whether the sync could not apply it, or not all of it."""
        return any(d.severity is Severity.ERROR for d in self.diagnostics)

    @property
    def forbidden(self) -> tuple[Ruling, ...]:
        """The rules that refuse it."""
        return tuple(r for r in self.rulings if r.verdict is Verdict.REFUSED)

    @property
    def refused(self) -> bool:
        """Whether the sync would not apply it: it is broken, or the policy forbids it."""
        return self.broken or bool(self.forbidden)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What a reviewer would want to know."""
        return tuple(d for d in self.diagnostics if d.severity is Severity.WARNING)
