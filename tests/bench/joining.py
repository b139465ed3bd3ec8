"""How long a person waits for a cluster: from `accept` to joined and available, on a real control plane.

The hub's controllers and each cluster's agent are processes of their own; the managed side is an embedded
cluster. What `accept` does is done here, so that its own start is not in the numbers. Clusters one after
another: `python -m tests.bench.joining 3`.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops_ocm.api.crd import crds
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.log import configure
from gitops_ocm.testing.commands import Daemon, environment
from gitops_ocm.testing.controlplane import control_plane
from gitops_ocm.testing.joining import CLUSTERS, accept, approve_all, bootstrap_kubeconfig, requests_of
from gitops_ocm.testing.programs import Programs, ensure
from gitops_ocm.testing.waiting import eventually
from tests.bench.measure import resident_of
from tests.bench.table import Row, render

GO_MODULE = Path(__file__).parents[1] / "controlplane"
LIMIT, MEMORY = 0.3, 60.0


@dataclass
class Joined:
    """One cluster's numbers: seconds, and MiB of its agent."""

    approved: float
    accepted: float
    both: float
    memory: float


async def measured(kubeconfig: Path, spoke: Path, folder: Path, count: int) -> list[Joined]:
    """Let twice so many clusters in, one after another."""
    hub = HttpCluster(load_kubeconfig(kubeconfig))
    found = []
    try:
        boot = await bootstrap_kubeconfig(hub, kubeconfig, folder / "bootstrap")
        for number in range(count):
            found.append(await _one(hub, boot, spoke, folder, f"one-{number}", f"two-{number}"))
    finally:
        await hub.close()
    return found


async def _one(hub: Cluster, boot: Path, spoke: Path, folder: Path, first: str, second: str) -> Joined:
    """`first` is approved, then accepted; `second` both at once, as `accept` does it."""
    with _agent(first, boot, spoke, folder) as agent:
        await _asked(hub, first)
        kept = folder / first / "kubeconfig"
        approved = await _timed(approve_all(hub, first), eventually(kept.exists, 30))
        accepted = await _timed(accept(hub, first), _until(hub, first, _available))
        memory = resident_of([agent.pid])
    with _agent(second, boot, spoke, folder):
        await _asked(hub, second)
        both = await _timed(_let_in(hub, second), _until(hub, second, _available))
    return Joined(approved, accepted, both, memory)


def _agent(name: str, boot: Path, spoke: Path, folder: Path) -> Daemon:
    command = ("klusterlet", "run", "--bootstrap-kubeconfig", str(boot), "--cluster-name", name)
    where = ("--spoke-kubeconfig", str(spoke), "--hub-kubeconfig-dir", str(folder / name))
    return Daemon(*command, *where, "--agents", "registration", env=environment(folder))


async def _asked(hub: Cluster, name: str) -> None:
    async def asked() -> bool:
        return await find(hub, CLUSTERS, name) is not None and bool(await requests_of(hub, name))

    await eventually(asked, 60)


async def _let_in(hub: Cluster, name: str) -> None:
    await approve_all(hub, name)
    await accept(hub, name)


async def _timed(work: Any, then: Any) -> float:
    """Seconds from the start of one to the end of the other, which is looked for beside it."""
    started = time.perf_counter()
    await asyncio.gather(work, then)
    return time.perf_counter() - started


def _available(cluster: Object) -> bool:
    wanted = ("ManagedClusterJoined", "ManagedClusterConditionAvailable")
    return all(is_true(cluster, kind) for kind in wanted)


async def _until(hub: Cluster, name: str, holds: Callable[[Object], bool]) -> None:
    """Return as soon as a watch shows a cluster of which that holds."""
    cluster = await hub.get(CLUSTERS, "", name)
    watch: Any = hub.watch(
        CLUSTERS,
        resource_version=cluster["metadata"]["resourceVersion"],
        field_selector=f"metadata.name={name}",
        timeout=60,
    )
    async with aclosing(watch) as events:
        async for event in events:
            if event.type == "MODIFIED" and holds(event.object):
                return


def joining_rows(programs: Programs, folder: Path, count: int) -> list[Row]:
    """Measure; medians."""
    served = ("hub", "serve", "--data-dir", str(folder / "managed"), "--controllers", "placement")
    env = environment(folder)
    (folder / "plane").mkdir(parents=True)
    with (
        control_plane(programs, folder / "plane", manifests=crds()) as plane,
        Daemon(*served, env=env) as managed,
        Daemon("hub", "run", "--kubeconfig", str(plane.kubeconfig), "--no-leader-elect", env=env) as hub,
    ):

        async def work() -> list[Joined]:
            await managed.said("controllers run")
            await hub.said("controllers run")
            return await measured(plane.kubeconfig, folder / "managed/kubeconfig", folder, count)

        found = asyncio.run(work())
    middle = statistics.median
    return [
        Row("accepted until joined and available", middle(f.accepted for f in found), "s", LIMIT),
        Row("approved and accepted at once, until available", middle(f.both for f in found), "s"),
        Row("approved until the hub kubeconfig is kept", middle(f.approved for f in found), "s"),
        Row("memory of a registration agent", middle(f.memory for f in found), "MiB", MEMORY),
    ]


def main() -> None:
    """Measure and print."""
    configure(level="error", json=False)
    with tempfile.TemporaryDirectory(prefix="gitops-ocm-joining-") as name:
        count = int(sys.argv[1]) if len(sys.argv) > 1 else 3
        print(render(joining_rows(ensure(os.environ, GO_MODULE), Path(name), count)))


if __name__ == "__main__":
    main()
