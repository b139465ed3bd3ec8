"""A change of the repository, tried in memory: merged, reconciled, rolled out to the end.

    tried = attempt(base, head, state, catalog=catalog, now=now)

The sync's plan is `plan.compute`, the hub is the controller table, the clock the simulation's: nothing here
decides what becomes of a change. What people make of it is `preview.effects`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gitops_ocm.api.fleet import DIGEST_CHARS, PRUNE_ANNOTATION, PRUNE_DISABLED
from gitops_ocm.api.scalars import parse_duration
from gitops_ocm.decide.kinds import CLUSTER_SET, MANAGED_CLUSTER
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.decide.writes import annotations_of
from gitops_ocm.desired.compile import DesiredState
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.patch import merge_patch
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.plan.changes import ChangeSet, Live, Policy
from gitops_ocm.plan.compute import compute
from gitops_ocm.preview.agents import agent_row
from gitops_ocm.preview.assumptions import Assumptions
from gitops_ocm.preview.carried_out import Undone, carried_out
from gitops_ocm.preview.kept import at_kept_versions
from gitops_ocm.preview.own_managers import assumed_of_them, left_to_them
from gitops_ocm.preview.presence import joining, silent
from gitops_ocm.preview.reach import Alone, reach_of
from gitops_ocm.preview.rest import Rest
from gitops_ocm.preview.stage import MANAGER, Stage, set_up
from gitops_ocm.preview.state import FleetState
from gitops_ocm.preview.table import rows
from gitops_ocm.simulate.run import Simulation, Step
from gitops_ocm.simulate.world import World

HORIZON = timedelta(days=7)
"""How far a rollout is followed."""
ROUNDS = 3
"""So often a change is merged with no more than what it is known to reach; then with everything."""
QUIET = 200
"""So many timers in a row after which nothing was written: what is left only looks, again and again."""


@dataclass(frozen=True)
class Tried:
    """What came of trying: the hub as it was, the hub at the end, and each step on the way.

    `undone` changes did not come about. `ended` is the simulated moment of the end, `until` the one that was
    asked for (None: the end of all that follows); `compat` says that rollouts were OCM's own. `catalog` has
    the kinds there are, `policy` what the sync may do.
    """

    plan: ChangeSet
    before: Mapping[Ref, Object]
    after: Mapping[Ref, Object]
    steps: tuple[Step, ...]
    assumed: Assumptions
    undone: tuple[Undone, ...] = ()
    ended: datetime | None = None
    compat: bool = False
    until: datetime | None = None
    catalog: Catalog | None = None
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True)
class Settings:
    """How the hub that is tried is set, what its sync may do, and after which time (`until`) to look.

    Without `until` everything is followed to its end. `as_told` has the repository say how long clusters
    take, where it does.
    """

    hub: HubSettings = field(default_factory=HubSettings)
    policy: Policy = field(default_factory=Policy)
    assumed: Assumptions = field(default_factory=Assumptions)
    until: timedelta | None = None
    as_told: bool = True

    def told_by(self, base: DesiredState) -> Settings:
        """The same with what the commit in force says of its hub: a change cannot say how it is judged."""
        told = base.layout.preview
        compat = self.hub.rollout_compat or told.rollout_compat == "ocm"
        takes = self.assumed.takes
        if self.as_told and not takes:
            takes = parse_duration(told.assume_takes).total_seconds()
        if (compat, takes) == (self.hub.rollout_compat, self.assumed.takes):
            return self
        hub = replace(self.hub, rollout_compat=compat)
        return replace(self, hub=hub, assumed=replace(self.assumed, takes=takes))


DEFAULTS = Settings()


def attempt(
    base: DesiredState,
    head: DesiredState,
    state: FleetState,
    *,
    catalog: Catalog,
    now: datetime,
    settings: Settings = DEFAULTS,
    stage: Stage | None = None,
    whole: bool = False,
) -> Tried:
    """Merge `head` over `base` on a hub in `state`, and follow what happens until it is quiet.

    The `stage`, of that base and that state, may be one that other changes were tried on. With `whole`
    everything is reconciled, at rest or not: it comes to the same, and takes longer.
    """
    settings = settings.told_by(base)
    stage = stage or set_up(base, state, catalog)
    base, head = at_kept_versions(base), at_kept_versions(head)
    lacking = {item.ref for item in base.objects if state.lacks(item.ref, base.commit)}
    plan = planned(base, head, settings.policy, owner=state.sync, lacking=lacking)
    trial = _Trial(plan, head, state, stage, now, settings)
    if whole or not state.objects:
        return trial.merged()[0]
    rest = stage.rest(settings.hub, now)
    reach = reach_of(plan, stage.opened(now), rows(settings.hub))
    for _ in range(ROUNDS):
        tried, beyond = trial.merged(rest, reach)
        if not beyond:
            return tried
        reach |= beyond
    return trial.merged()[0]


@dataclass(frozen=True)
class _Trial:
    """A plan to be tried on a stage, as often as it takes."""

    plan: ChangeSet
    head: DesiredState
    state: FleetState
    stage: Stage
    now: datetime
    settings: Settings

    def merged(self, rest: Rest | None = None, reach: Collection[Ref] = ()) -> tuple[Tried, frozenset[Ref]]:
        """What comes of it, and what of it was reached beside that: see `reach.Alone`."""
        now, settings, table = self.now, self.settings, rows(self.settings.hub)
        world = self.stage.opened(now, {change.ref for change in self.plan.notable})
        alone = Alone(world, left_to_them(table), self.state, now, rest=rest, reach=reach)
        assumed, away = _resolved(settings.assumed, world, self.head), silent(self.state)
        absent = away | frozenset(assumed.down)
        clusters = replace(assumed, down=tuple(sorted(absent)))
        agents, joins = agent_row(clusters), joining(absent)
        quiet, woken = alone.beginning(agents, joins)
        # A cluster joins when the hub is done with all else: its agent has to be started first.
        hub = assumed_of_them(table, clusters)
        run = Simulation(world, (agents, *hub, joins), now=now, settled=quiet, woken=woken)
        undone = tuple(carried_out(run, self.plan))
        run.act(*assumed.relabelling(), manager=MANAGER)
        run.settle()
        until = None if settings.until is None else now + settings.until
        _follow(run, until or now + HORIZON)
        if until is not None:
            run.advance(seconds=(until - run.now).total_seconds())
        tried = Tried(
            self.plan,
            alone.before,
            world.objects(),
            tuple(run.steps),
            settings.assumed,
            undone,
            run.now,
            settings.hub.rollout_compat,
            until,
            catalog=world.catalog,
            policy=settings.policy,
        )
        return tried, alone.beyond(run.reconciled())


def _resolved(assumed: Assumptions, world: World, head: DesiredState) -> Assumptions:
    """What is assumed of clusters, by name: of those that are there, and of those to come."""
    if assumed == replace(Assumptions(), takes=assumed.takes):
        return assumed
    coming = [item.obj for item in head.objects if item.ref.of in (MANAGED_CLUSTER, CLUSTER_SET)]
    known = {ref_of(obj): obj for kind in (MANAGED_CLUSTER, CLUSTER_SET) for obj in world.list(kind)}
    known |= {ref_of(obj): merge_patch(known.get(ref_of(obj)) or {}, obj) for obj in coming}
    clusters = [obj for ref, obj in known.items() if ref.of == MANAGED_CLUSTER]
    return assumed.resolved(clusters, [obj for ref, obj in known.items() if ref.of == CLUSTER_SET])


def planned(
    base: DesiredState,
    head: DesiredState,
    policy: Policy,
    *,
    owner: str,
    lacking: Collection[Ref] = (),
) -> ChangeSet:
    """The plan of the HubSync `owner` for `head` where `base` is in force, but for what is `lacking`."""
    lives = {
        item.ref: Live(
            uid="-",
            ours=True,
            owner=owner,
            path=item.origin.path,
            commit=base.commit,
            digest=item.digest[:DIGEST_CHARS],
            wave=item.wave,
            prune_disabled=annotations_of(item.obj).get(PRUNE_ANNOTATION) == PRUNE_DISABLED,
        )
        for item in base.objects
        if item.ref not in lacking
    }
    return compute(head.objects, lives, owner=owner, commit=head.commit, policy=policy)


def _follow(run: Simulation, until: datetime) -> None:
    """Let time pass until nothing happens any more."""
    idle, done = 0, len(run.steps)
    while (at := run.due) is not None and at <= until and idle < QUIET:
        run.advance(seconds=max(0.0, (at - run.now).total_seconds()))
        run.settle()
        idle = 0 if any(_wrote(step) for step in run.steps[done:]) else idle + 1
        done = len(run.steps)


def _wrote(step: Step) -> bool:
    """Whether anything came of it; what is refused is tried again and again."""
    return any(result.ok for result in step.results)
