"""A hub whose controllers run, and agents that register with it, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.hub.daemon import HubOptions, hub_groups, run_hub
from gitops_ocm.klusterlet.agent import KlusterletOptions, run_klusterlet
from gitops_ocm.klusterlet.kept import Folder, Kept
from gitops_ocm.klusterlet.registration import Beside, Registered, Registration, RegistrationOptions
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.testing.clusters import connected, memory
from gitops_ocm.testing.joining import CLUSTERS, accept, approve_all, bootstrap_kubeconfig, requests_of


@dataclass
class Hub:
    """A hub as its administrator reaches it."""

    admin: Cluster
    kubeconfig: Path
    bootstrap: Path

    async def cluster(self, name: str) -> Object:
        """A ManagedCluster."""
        return await self.admin.get(CLUSTERS, "", name)

    async def known(self, name: str) -> bool:
        """Whether there is a ManagedCluster of that name."""
        try:
            return bool(await self.cluster(name))
        except ApiError:
            return False

    async def available(self, name: str) -> bool:
        """Whether the agent has said that it has joined, and that its cluster is well."""
        found = await self.cluster(name)
        return is_true(found, "ManagedClusterJoined") and is_true(found, "ManagedClusterConditionAvailable")

    async def approved(self, name: str) -> list[str]:
        """Approve what waits; which that was."""
        return await approve_all(self.admin, name)

    async def accept(self, name: str, verdict: bool = True) -> None:
        """Let it in, or not."""
        await accept(self.admin, name, verdict)

    async def requests(self, name: str) -> list[Object]:
        """Its certificate requests."""
        return await requests_of(self.admin, name)


@asynccontextmanager
async def hub_at(kubeconfig: Path, folder: Path) -> AsyncIterator[Hub]:
    """The hub of a kubeconfig with its controllers at work."""
    stop, ready = asyncio.Event(), asyncio.Event()
    async with connected(kubeconfig) as admin:
        bootstrap = await bootstrap_kubeconfig(admin, kubeconfig, folder / "bootstrap")
        groups = frozenset(hub_groups()) - {"sync"}
        running = asyncio.create_task(run_hub(admin, HubOptions(groups), stop, ready=ready.set))
        try:
            await ready.wait()
            yield Hub(admin, kubeconfig, bootstrap)
        finally:
            stop.set()
            await running


@dataclass
class Agent:
    """One agent: where it keeps things, and its managed cluster."""

    options: RegistrationOptions
    kept: Kept
    notes: Kept
    spoke: Cluster
    clock: Clock | None = None
    served: list[Registered] = field(default_factory=list)
    hubs: list[Cluster] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Agent]:
        """Run it."""
        stop = asyncio.Event()
        registration = Registration(self.options, self.kept, self.notes, clock=self.clock)
        running = asyncio.create_task(registration.run(self._serve, stop))
        try:
            yield self
        finally:
            stop.set()
            await running

    async def _serve(
        self, hub: Cluster, who: Registered, leave: asyncio.Event, beside: Sequence[Beside]
    ) -> None:
        self.served.append(who)
        self.hubs.append(hub)
        options = KlusterletOptions(AgentSettings(who.cluster_name, hub_server=hub.server))
        await run_klusterlet(hub, self.spoke, options, leave, beside=beside, clock=self.clock)


Make = Callable[..., Agent]


@pytest.fixture
async def spoke() -> AsyncIterator[Cluster]:
    """A managed cluster."""
    async with memory() as cluster:
        yield cluster


@pytest.fixture
async def hub(embedded_kubeconfig: Path, tmp_path: Path) -> AsyncIterator[Hub]:
    """The embedded hub."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(hub_at(embedded_kubeconfig, tmp_path))


@pytest.fixture
def agent(hub: Hub, spoke: Cluster, tmp_path: Path, unique: Callable[[str], str]) -> Make:
    """Agents of new clusters, which keep what they have in a directory of the test."""

    def make(name: str = "", clock: Clock | None = None, **settings: object) -> Agent:
        name = name or unique("joining")
        folder = tmp_path / "agents" / name
        given: dict[str, object] = {"cluster_name": name, "look": 0.05, **settings}
        bootstraps = given.pop("bootstraps", (hub.bootstrap,))
        options = RegistrationOptions(bootstraps, **given)  # type: ignore[arg-type]
        return Agent(options, Folder(folder), Folder(folder / "pending"), spoke, clock)

    return make
