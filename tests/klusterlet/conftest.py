"""A hub whose controllers run, and agents that register with it, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.decide.agent.certificates import Certificate
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.klusterlet.kept import Folder, Kept
from gitops_ocm.klusterlet.keys import read_certificate
from gitops_ocm.klusterlet.process import Klusterlet
from gitops_ocm.klusterlet.registration import RegistrationOptions
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.testing.clusters import connected, memory
from gitops_ocm.testing.hub import controllers_on
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
    async with connected(kubeconfig) as admin:
        file = folder / f"bootstrap-{kubeconfig.parent.name}"
        bootstrap = await bootstrap_kubeconfig(admin, kubeconfig, file)
        async with controllers_on(admin):
            yield Hub(admin, kubeconfig, bootstrap)


@dataclass
class Agent:
    """One agent: where it keeps things, and its managed cluster."""

    options: RegistrationOptions
    klusterlet: Klusterlet

    @property
    def name(self) -> str:
        """The cluster's name, where it was told."""
        return self.options.cluster_name

    @property
    def kept(self) -> Kept:
        """Where the hub kubeconfig is."""
        return self.klusterlet.kept

    async def certificate(self) -> Certificate:
        """The certificate that is kept; it belongs to its key."""
        data = await self.kept.read()
        found = read_certificate(data["tls.crt"], data["tls.key"])
        assert found is not None
        return found

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run it."""
        stop = asyncio.Event()
        running = asyncio.create_task(self.klusterlet.register(self.options, stop))
        try:
            yield
        finally:
            stop.set()
            await running


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


@pytest.fixture(params=["embedded", pytest.param("kubernetes", marks=pytest.mark.controlplane)])
async def each_hub(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Hub]:
    """The embedded hub, and a real control plane as one."""
    async with hub_at(request.getfixturevalue(f"{request.param}_kubeconfig"), tmp_path) as found:
        yield found


@pytest.fixture
def agent(hub: Hub, spoke: Cluster, tmp_path: Path, unique: Callable[[str], str]) -> Make:
    """Agents of new clusters, which keep what they have in a directory of the test."""

    def make(
        name: str = "", *, clock: Clock | None = None, settings: dict[str, Any] | None = None, **told: Any
    ) -> Agent:
        name = name or unique("joining")
        folder = tmp_path / "agents" / name
        given = {"bootstraps": (hub.bootstrap,), "cluster_name": name, "look": 0.05, **told}
        klusterlet = Klusterlet(
            spoke,
            spoke,
            Folder(folder),
            Folder(folder / "pending"),
            AgentSettings("", **(settings or {})),
            clock=clock or SystemClock(),
        )
        return Agent(RegistrationOptions(**given), klusterlet)

    return make
