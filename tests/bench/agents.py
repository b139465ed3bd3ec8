"""A join storm: many registration agents in one process against one hub, all at once, then at rest.

The hub is a process of its own that lets everybody in (the gate ManagedClusterAutoApproval). The managed
sides are one cluster in memory, which answers what an agent reads. `python -m tests.bench.agents 1000`.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.klusterlet.kept import Folder
from gitops_ocm.klusterlet.process import Klusterlet
from gitops_ocm.klusterlet.registration import RegistrationOptions
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.served import CSRS
from gitops_ocm.runtime.log import configure
from gitops_ocm.runtime.metrics import REQUESTS
from gitops_ocm.testing.clusters import memory
from gitops_ocm.testing.commands import Daemon, environment
from gitops_ocm.testing.joining import ACCOUNT, CLUSTERS, NAMESPACE, bootstrap_kubeconfig
from gitops_ocm.testing.waiting import eventually
from tests.bench.measure import cpu_of, resident_of
from tests.bench.table import Row, render

PROBE = 0.25
"""Seconds between two looks how fast the hub answers."""
LIST = 0.002
"""Seconds per cluster between two looks at all of them: looking is not what is measured."""
QUIET = 5.0
"""Seconds after the last cluster is available before rest is measured."""


@dataclass
class Storm:
    """What was found; times in seconds."""

    agents: int
    joined: float = 0.0
    answers: list[float] = field(default_factory=list)
    requests: int = 0
    """Certificate requests on the hub at the end."""
    rest: float = 0.0
    """API requests per agent and minute at rest, all of them: heartbeats, watches taken up again."""
    hub_cpu: float = 0.0
    """Share of one CPU that the hub takes at rest."""
    hub_memory: float = 0.0
    agent_memory: float = 0.0

    def rows(self) -> Iterator[Row]:
        """As a table."""
        each = f"{self.agents:,} agents join at once"
        ordered = sorted(self.answers)
        yield Row(f"{each}: until the last is available", self.joined, "s")
        yield Row(f"{each}: the hub answers, median", ordered[len(ordered) // 2] * 1000, "ms")
        yield Row(f"{each}: the hub answers, longest", ordered[-1] * 1000, "ms")
        yield Row(f"{each}: certificate requests per agent", self.requests / self.agents, "", 1.0)
        yield Row(f"{self.agents:,} agents at rest: requests per agent and minute", self.rest, "")
        yield Row(f"{self.agents:,} agents at rest: the hub's CPU", self.hub_cpu * 100, "%")
        yield Row(f"{self.agents:,} agents at rest: the hub's memory", self.hub_memory, "MiB")
        yield Row(f"{self.agents:,} agents at rest: this process, per agent", self.agent_memory, "MiB")


async def storm(count: int, folder: Path, *, rest: float, within: float) -> Storm:
    """Start a hub and `count` agents, wait until all are available, and look at them for `rest` seconds."""
    found = Storm(count)
    user = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
    command = (
        *("hub", "serve", "--data-dir", str(folder / "hub"), "--controllers", "registration"),
        *("--feature-gates", "ManagedClusterAutoApproval=true", "--auto-approved-csr-users", user),
        *("--log-level", "warning"),
    )
    with Daemon(*command, env=environment(folder)) as daemon:
        kubeconfig = folder / "hub" / "kubeconfig"
        await eventually(kubeconfig.exists)
        async with AsyncExitStack() as stack:
            admin = HttpCluster(load_kubeconfig(kubeconfig))
            stack.push_async_callback(admin.close)
            spoke = await stack.enter_async_context(memory())
            await eventually(lambda: _serves(admin), 60)
            bootstrap = await bootstrap_kubeconfig(admin, kubeconfig, folder / "bootstrap")
            before = resident_of([_self()])
            await _weather(found, admin, spoke, bootstrap, folder, (daemon.pid,), rest, within)
            found.agent_memory = (found.agent_memory - before) / count
    return found


async def _weather(
    found: Storm,
    admin: Cluster,
    spoke: Cluster,
    bootstrap: Path,
    folder: Path,
    hub: Sequence[int],
    rest: float,
    within: float,
) -> None:
    stop = asyncio.Event()
    probing = asyncio.create_task(_probe(admin, found))
    agents = [
        asyncio.create_task(_agent(f"storm-{n:04}", spoke, bootstrap, folder / "agents", stop))
        for n in range(found.agents)
    ]
    try:
        started = time.perf_counter()
        await eventually(lambda: _all_available(admin, found.agents), within)
        found.joined = time.perf_counter() - started
        found.requests = len((await admin.list(CSRS)).items)
        probing.cancel()
        await asyncio.sleep(QUIET)
        asked, cpu, began = _asked(), cpu_of(hub), time.perf_counter()
        await asyncio.sleep(rest)
        minutes = (time.perf_counter() - began) / 60
        found.rest = (_asked() - asked) / found.agents / minutes
        found.hub_cpu = (cpu_of(hub) - cpu) / (minutes * 60)
        found.hub_memory, found.agent_memory = resident_of(hub), resident_of([_self()])
    finally:
        probing.cancel()
        stop.set()
        await asyncio.gather(*agents, probing, return_exceptions=True)


async def _agent(name: str, spoke: Cluster, bootstrap: Path, folder: Path, stop: asyncio.Event) -> None:
    place = folder / name
    groups = frozenset({"registration"})
    klusterlet = Klusterlet(spoke, spoke, Folder(place), Folder(place / "pending"), AgentSettings(""), groups)
    await klusterlet.register(RegistrationOptions((bootstrap,), name), stop)


async def _probe(admin: Cluster, found: Storm) -> None:
    """How long the hub takes to answer somebody else, all the while."""
    while True:
        started = time.perf_counter()
        await admin.version()
        found.answers.append(time.perf_counter() - started)
        await asyncio.sleep(PROBE)


async def _serves(admin: Cluster) -> bool:
    return any(r.of == CLUSTERS.of for r in await admin.discover())


async def _all_available(admin: Cluster, count: int) -> bool:
    await asyncio.sleep(count * LIST)
    clusters = (await admin.list(CLUSTERS)).items
    joined = [c for c in clusters if is_true(c, "ManagedClusterConditionAvailable")]
    return len(joined) == count


def _asked() -> float:
    """The API requests of this process so far."""
    return sum(s.value for m in REQUESTS.collect() for s in m.samples if s.name.endswith("_total"))


def _self() -> int:
    return os.getpid()


def agent_rows(count: int) -> list[Row]:
    """Measure a storm of so many agents."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    configure(level="error", json=False)
    with tempfile.TemporaryDirectory(prefix="gitops-ocm-storm-") as name:
        return list(asyncio.run(storm(count, Path(name), rest=75, within=600)).rows())


def main() -> None:
    """Measure and print."""
    print(render(agent_rows(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)))


if __name__ == "__main__":
    main()
