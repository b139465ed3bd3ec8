"""A drawn change made on the embedded hub: the API server, the live runner, the sync of a real repository.

    played = played_on_hub(drawn(7), directory)
    played.untrue()         every difference to what the preview said, in words: none

A klusterlet runs for every cluster, against an API of its own. The status branch is the one the sync
commits, the preview is made of its files alone. Time is the loop's (`hurried`). What is compared is every
object in the end, and in which order clusters were given what; seconds are `truth`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Container, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.decide.admission import Webhooks
from gitops_ocm.decide.contract import Side
from gitops_ocm.decide.kinds import (
    ADDON_GROUP,
    ADDON_TEMPLATE,
    CLUSTER_ADDON,
    CLUSTER_SET,
    CLUSTER_SET_BINDING,
    DEPLOYMENT_CONFIG,
    MANAGED_CLUSTER,
    MANAGEMENT_ADDON,
    MANIFEST_WORK,
    PLACEMENT,
    PLACEMENT_DECISION,
    REPLICA_SET,
)
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.desired.tree import Tree
from gitops_ocm.git.source import Repository, open_repository
from gitops_ocm.git.writer import BranchWriter
from gitops_ocm.hub.daemon import run_hub
from gitops_ocm.klusterlet.agent import KlusterletOptions, agent_groups, run_klusterlet
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.ref import Kind, Object, Ref, Resource, ref_of
from gitops_ocm.plan.changes import Policy
from gitops_ocm.preview.run import Settings, Tried, attempt
from gitops_ocm.preview.state import read_state
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.runtime.tasks import Tasks
from gitops_ocm.sync.events import silent
from gitops_ocm.sync.loop import SyncLoop, SyncSettings
from gitops_ocm.sync.push import Push
from gitops_ocm.sync.service import AUTHOR
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.clusters import apply
from gitops_ocm.testing.gitops import SYNCS, Repo
from gitops_ocm.testing.hub import CONTROLLERS
from gitops_ocm.testing.simulated import HUB_URL
from tests.preview.drawn import NAMES, Case, Files
from tests.preview.fleets import CATALOG, repository
from tests.preview.hurried import LoopClock, PassingClock, hurried
from tests.preview.order import GIVEN, Given, Hands, Waves, orders, place_of, waves, written
from tests.preview.truth import HOURS, content_of, differences, gone_silent, workloads

KINDS = (
    MANAGED_CLUSTER,
    CLUSTER_SET,
    CLUSTER_SET_BINDING,
    PLACEMENT,
    PLACEMENT_DECISION,
    REPLICA_SET,
    MANIFEST_WORK,
    MANAGEMENT_ADDON,
    CLUSTER_ADDON,
    ADDON_TEMPLATE,
    DEPLOYMENT_CONFIG,
)
"""What is compared."""
OLD = "v1alpha1"
"""The version that Git has add-ons in here."""
REST = 5.0
"""Seconds after which whatever follows at once from a commit is done."""


@dataclass
class PlayedOnHub:
    """A preview, and what happened."""

    tried: Tried
    before: Mapping[Ref, Object]
    after: Mapping[Ref, Object]
    waves: Waves

    def untrue(self) -> list[str]:
        """What the preview had wrong."""
        said = waves(written(self.tried, self.before))
        return [
            *differences("before: ", _compared(self.tried.before), self.before),
            *differences("after: ", _compared(self.tried.after), self.after),
            *orders(said, self.waves),
        ]


def _compared(objects: Mapping[Ref, Object]) -> dict[Ref, Object]:
    return {ref: obj for ref, obj in objects.items() if ref.of in KINDS}


@dataclass
class HubFleet:
    """The hub, the clusters' own APIs, the repository, and the sync between them."""

    hub: Cluster
    clock: PassingClock
    repo: Repo
    repository: Repository
    directory: Path
    given: list[Given] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.mapper = Mapper(self.hub, clock=self.clock)

    async def merge(self, files: Files, *, maximum: int = 100) -> str:
        """`push` for objects; for a hub that has come to rest, a commit that changes nothing is one, too."""
        texts = {path: "---\n".join(map(to_yaml, objects)) for path, objects in files.items()}
        return await self.push({**texts, "README": str(self.clock.now())}, maximum=maximum)

    async def push(self, texts: Mapping[str, str], *, maximum: int = 100) -> str:
        """Push a commit, and let the sync take it; what it is.

        It looks before, and once more after: as one that always runs, it puts back what others did to its
        objects (add-ons deleted because their placement was not decided yet, lists of taints).
        """
        await self._synced(maximum)
        there = self.repo.git("ls-tree", "-r", "--name-only", "main").splitlines() if self._begun else []
        gone = {path: None for path in there if path not in texts}
        commit = self.repo.commit({**gone, **texts})
        for _ in range(2):
            await self._synced(maximum)
            await self.rest()
        return commit

    async def rest(self) -> None:
        """Let happen what follows at once."""
        await self.clock.pass_by(REST)

    @property
    def _begun(self) -> bool:
        return bool(self.repo.git("for-each-ref", "refs/heads/main"))

    async def _synced(self, maximum: int) -> None:
        if not self._begun:
            return
        body = {"spec": {"prune": {"maxPercent": maximum}}}
        await self.hub.patch(SYNCS, "", "fleet", body)
        settings = SyncSettings(self.directory / "cache", patience=0.3, retry_base=0.01)
        await SyncLoop(self.hub, "fleet", settings=settings, catalog=CATALOG, clock=self.clock).once()

    async def account(self) -> Tree:
        """The status branch, brought up to date."""
        writer = BranchWriter(self.repository.git, "status", author=AUTHOR)
        push = Push(
            self.hub,
            self.mapper,
            writer,
            self.repository,
            name="fleet",
            clock=self.clock,
            listener=silent,
            min_interval=0.0,
        )
        async with push:
            await push.once()
        return self.repository.tree(self.repository.resolve("refs/heads/status"), apart=True)

    async def resource(self, kind: Kind) -> Resource:
        """How the hub serves a kind, in the version that Git has here."""
        found = await self.mapper.resource_of(kind, OLD if kind.group == ADDON_GROUP else "")
        assert found is not None, kind
        return found

    async def all(self) -> dict[Ref, Object]:
        """Every object that is compared."""
        found = {}
        for kind in KINDS:
            for obj in (await self.hub.list(await self.resource(kind))).items:
                found[ref_of(obj)] = obj
        return found

    async def follow(self, kind: Kind, from_git: Container[Ref]) -> None:
        """Note who is given what from now on, by controllers: what is `from_git` the sync gives."""
        resource = await self.resource(kind)
        listed = await self.hub.list(resource)
        hands = Hands({place_of(obj): content_of(obj) for obj in listed.items})
        async for event in self.hub.watch(resource, resource_version=listed.resource_version):
            if event.type == "BOOKMARK":
                continue
            place, content = place_of(event.object), content_of(event.object)
            if event.type == "DELETED":
                self.given.append(hands.lose(place, self.clock.now()))
            elif hands.get(place, content, self.clock.now()) and ref_of(event.object) not in from_git:
                self.given.append(Given(self.clock.now(), place, content))


@asynccontextmanager
async def hub_fleet(
    clock: PassingClock,
    directory: Path,
    clusters: Mapping[str, Mapping[str, str]],
    *,
    hub: Cluster | None = None,
    make_fleet: type[HubFleet] = HubFleet,
) -> AsyncIterator[HubFleet]:
    """A hub (a new one, unless it is given) with its controllers, and klusterlets for clusters and claims."""
    repo = Repo(directory / "fleet.git")
    repository = open_repository(str(repo.path), directory / "cache")
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.callback(repository.close)
        hub = hub or _api(clock, stack, HUB_URL)
        tasks = await stack.enter_async_context(Tasks("fleet"))
        ready = asyncio.Event()
        tasks.start("hub", run_hub(hub, CONTROLLERS, stop, ready=ready.set, clock=clock))
        await ready.wait()
        fleet = make_fleet(hub, clock, repo, repository, directory)
        await hub.create(SYNCS, _hub_sync(repo))
        for name, claims in clusters.items():
            await _cluster(name, claims, clock, hub, stack, tasks, stop)
        try:
            yield fleet
        finally:
            stop.set()
            await clock.pass_by(60)


def _hub_sync(repo: Repo) -> Object:
    return {
        "apiVersion": "sync.gitops-ocm.io/v1alpha1",
        "kind": "HubSync",
        "metadata": {"name": "fleet"},
        "spec": {"repository": {"url": str(repo.path)}, "interval": "24h"},
    }


def _api(clock: PassingClock, stack: AsyncExitStack, server: str) -> LocalCluster:
    api = Api(CATALOG, now=clock.now, admission=Webhooks())
    stack.callback(api.close)
    return LocalCluster(api, server)


async def _cluster(
    name: str,
    claims: Mapping[str, str],
    clock: PassingClock,
    hub: Cluster,
    stack: AsyncExitStack,
    tasks: Tasks,
    stop: asyncio.Event,
) -> None:
    """A managed cluster with its claims, its workloads' controllers and its klusterlet."""
    spoke = _api(clock, stack, f"https://{name}.example.com:6443")
    settings = AgentSettings(
        name, HUB_URL, status_sync_interval=1800, resync_interval=3600, health_period=3600
    )
    options, ready = KlusterletOptions(settings, frozenset(agent_groups())), asyncio.Event()
    tasks.start(name, run_klusterlet(hub, spoke, options, stop, ready=ready.set, clock=clock))
    tasks.start(
        f"workloads of {name}", Runner((workloads(Side.HUB),), {Side.HUB: spoke}, clock=clock).run(stop)
    )
    await ready.wait()
    await apply(spoke, [make.namespace("open-cluster-management-agent-addon")])
    await apply(spoke, [make.cluster_claim(k, v) for k, v in claims.items()])


async def _silence(fleet: HubFleet, case: Case) -> None:
    resource = await fleet.resource(MANAGED_CLUSTER)
    there = {obj["metadata"]["name"]: obj for obj in (await fleet.hub.list(resource)).items}
    for name in sorted(case.silent & there.keys()):
        body = {"status": {"conditions": gone_silent(there[name])}}
        await fleet.hub.patch(resource, "", name, body, subresource="status")


async def _play(case: Case, directory: Path, clock: LoopClock) -> PlayedOnHub:
    alive = {name: case.claims.get(name, {}) for name in NAMES if name not in case.silent}
    async with hub_fleet(clock, directory, alive) as fleet:
        files = case.files
        commit = await fleet.merge(files)
        await _silence(fleet, case)
        await clock.pass_by(HOURS * 3600)
        if case.meanwhile is not None:
            files = case.meanwhile
            commit = await fleet.merge(files)
            await clock.pass_by(case.pause)
        state, now = read_state(await fleet.account()), clock.now()
        base, head = repository(files, commit), repository(case.head, "2" * 40)
        settings = Settings(policy=Policy() if case.guarded else Policy(max_prune_percent=100))
        tried = attempt(base, head, state, catalog=CATALOG, now=now, settings=settings)
        before = await fleet.all()
        async with Tasks("notes") as notes:
            for kind in GIVEN:
                notes.start(str(kind), fleet.follow(kind, {item.ref for item in head.objects}))
            await asyncio.sleep(0.01)
            await fleet.merge(case.head, maximum=50 if case.guarded else 100)
            await clock.pass_by(HOURS * 3600)
            notes.stop()
        return PlayedOnHub(tried, before, await fleet.all(), waves(fleet.given))


def played_on_hub(case: Case, directory: Path) -> PlayedOnHub:
    """Preview the change from the status branch alone, then push it, and let hours pass."""
    return hurried(lambda clock: _play(case, directory, clock))


def decided_alone(case: Case) -> Case:
    """The case without Balance: that looks at what others have, so what two placements come to that have to
    be decided at the same moment depends on whose turn comes first, on any hub.
    """
    for files in (case.files, case.meanwhile or {}, case.head):
        for placement in (obj for objects in files.values() for obj in objects if obj["kind"] == "Placement"):
            policy = placement["spec"].get("prioritizerPolicy") or {}
            kept = [c for c in policy.get("configurations") or () if _name(c) not in ("Balance", "Steady")]
            steady = {"scoreCoordinate": {"type": "BuiltIn", "builtIn": "Steady"}, "weight": 1}
            placement["spec"]["prioritizerPolicy"] = {"mode": "Exact", "configurations": [*kept, steady]}
    return case


def _name(configuration: Object) -> str:
    return str(configuration["scoreCoordinate"]["builtIn"])
