"""Placements: the decisions alone, and `gitops-ocm hub run --controllers=placement` on a real control plane.

    python -m tests.bench.placement [CLUSTERS [PLACEMENTS]]     # 5000 100

Alone: ten thousand clusters and a thousand placements, decided from nothing, then after one label changed. On
a control plane: placements that each select a quarter of the clusters by a label and a claim, with groups,
from their creation until all decisions are written, and from one label's change until all are corrected.
`PLACEMENT_PROGRAM` names another program's command line (`{kubeconfig}`) in place of ours.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from gitops_ocm.api.crd import crds
from gitops_ocm.decide.contract import Side, Want
from gitops_ocm.decide.kinds import MANAGED_CLUSTER, PLACEMENT
from gitops_ocm.decide.placement import decisions, wakes
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.live.cache import Cache
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.objects.served import NAMESPACES
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.view import WorldView
from gitops_ocm.simulate.world import World
from gitops_ocm.testing.clusters import connected
from gitops_ocm.testing.controlplane import ControlPlane, control_plane
from gitops_ocm.testing.objects import binding, cluster_set, managed_cluster, namespace, placement
from gitops_ocm.testing.programs import Programs, ensure
from gitops_ocm.verbs import listing
from gitops_ocm.verbs.listing import BINDINGS, PLACEMENTS, SETS
from tests.bench.measure import cpu_of, resident_of
from tests.bench.table import Row, render

HOME = "fleet"
CLUSTERS, PLACED = 5_000, 100
AT_ONCE = 32
POLL = 0.02
REST = 5.0
"""Seconds at rest that are looked at."""
TOLD = 30.0
"""Seconds after which all events are written."""
_GO_MODULE = Path(__file__).parents[1] / "controlplane"
PROGRAM = "PLACEMENT_PROGRAM"


def _cluster(number: int) -> Object:
    labels = {"ring": f"r{number % 2}", "team": f"t{number % 100}", "canary": str(number % 50 == 0).lower()}
    made = managed_cluster(f"cluster-{number:05}", cluster_set="bench", labels=labels)
    cpu = str(4 * (1 + number % 7))
    made["status"] = {
        "clusterClaims": [
            {"name": "region", "value": f"r{number // 2 % 2}"},
            {"name": "id.k8s.io", "value": f"id-{number}"},
        ],
        "capacity": {"cpu": cpu, "memory": "64Gi"},
        "allocatable": {"cpu": cpu, "memory": f"{32 + number % 9}Gi"},
    }
    return made


def _placement(number: int, team: str = "") -> Object:
    """A quarter of the clusters, or of those of one team."""
    labels = {"team": team} if team else {"ring": "r0"}
    region = {"key": "region", "operator": "In", "values": ["r0"]}
    selector = {"labelSelector": {"matchLabels": labels}, "claimSelector": {"matchExpressions": [region]}}
    canary = {"labelSelector": {"matchLabels": {"canary": "true"}}}
    return placement(
        f"placement-{number:04}",
        HOME,
        predicates=[{"requiredClusterSelector": selector}],
        prioritizerPolicy={
            "configurations": [
                {"scoreCoordinate": {"builtIn": "ResourceAllocatableCPU"}, "weight": 1},
                {"scoreCoordinate": {"builtIn": "ResourceAllocatableMemory"}, "weight": 1},
            ]
        },
        decisionStrategy={
            "groupStrategy": {
                "clustersPerDecisionGroup": "25%",
                "decisionGroups": [{"groupName": "canary", "groupClusterSelector": canary}],
            }
        },
        **({"numberOfClusters": 20} if team and number % 2 else {}),
    )


# --- the decisions alone ----------------------------------------------------------------------------


def alone_rows(clusters: int = 10_000, placements: int = 1_000) -> list[Row]:
    """The scheduler as a function, on objects in memory; CPU seconds of this process."""
    world = World(load_catalog(), admission=None)
    world.put(namespace(HOME))
    for obj in (cluster_set("bench"), binding("bench", HOME), *map(_cluster, range(clusters))):
        world.put(obj)
    asked = [_placement(n, team=f"t{n % 100}") for n in range(placements)]
    keys = [ref_of(world.put(obj)) for obj in asked]
    view, now = WorldView({Side.HUB: world}, {}), datetime(2026, 1, 1, tzinfo=UTC)
    start = time.process_time()
    for key in keys:
        decisions.reconcile(view, key, now)
    whole = time.process_time() - start
    view.projected(wakes.INTERESTS)  # as a process keeps them from its start
    old = world.get(Ref(*MANAGED_CLUSTER, "", "cluster-00004"))
    assert old is not None
    meta = {**old["metadata"], "labels": {**old["metadata"]["labels"], "team": "t0"}}
    del meta["resourceVersion"]
    start = time.process_time()
    new = world.put({**old, "metadata": meta})
    woken = wakes.by_cluster(view, old, new)
    for key in woken:
        decisions.reconcile(view, key, now)
    one = time.process_time() - start
    size = f"{clusters:,} clusters, {placements:,} placements"
    return [
        Row(f"{size}: all decided from nothing, CPU", whole, "s", 1),
        Row(f"{size}: placements that one label's change affects", len(woken), ""),
        Row(f"{size}: these decided, CPU", one * 1e3, "ms", 20),
    ]


# --- on a control plane -----------------------------------------------------------------------------


def placement_rows_on(programs: Programs, directory: Path, clusters: int, placements: int) -> list[Row]:
    """A process that decides, against a real kube-apiserver."""
    with control_plane(programs, directory / "placement", manifests=crds()) as plane:
        return asyncio.run(_measured(plane, clusters, placements))


async def _measured(plane: ControlPlane, clusters: int, placements: int) -> list[Row]:
    async with connected(plane.kubeconfig) as hub:
        await hub.create(NAMESPACES, namespace(HOME))
        await hub.create(SETS, cluster_set("bench"))
        await hub.create(BINDINGS, binding("bench", HOME))
        await _side_by_side(_joined(hub, _cluster(n)) for n in range(clusters))
        async with Cache(Side.HUB, hub) as cache:
            cache.subscribe(Want(PLACEMENT))
            await cache.synced()
            with _program(plane) as process:
                await asyncio.sleep(2 * REST)  # it lists the clusters
                return await _rows(hub, cache, plane, process, (clusters, placements))


async def _rows(
    hub: Cluster, cache: Cache, plane: ControlPlane, process: subprocess.Popen[bytes], sizes: tuple[int, int]
) -> list[Row]:
    clusters, placements = sizes
    each = f"{placements} placements of {clusters // 4:,} of {clusters:,} clusters"
    ours, servers = [process.pid], list(plane.pids.values())
    watch = _Watch(ours, servers)
    await _side_by_side(hub.create(PLACEMENTS, _placement(n)) for n in range(placements))
    await _until(lambda: _counts(cache) == [clusters // 4] * placements)
    whole = watch.stop()
    await asyncio.sleep(TOLD)
    watch = _Watch(ours, servers)
    await asyncio.sleep(REST)
    rest = watch.stop()
    watch = _Watch(ours, servers)
    patch = {"metadata": {"labels": {"ring": "r1"}}}
    await hub.patch(listing.CLUSTERS, "", f"cluster-{clusters // 2:05}", patch, type=PatchType.MERGE)
    await _until(lambda: _counts(cache) == [clusters // 4 - 1] * placements)
    flip = watch.stop()
    return [
        Row(f"{each}: all decided", whole[0], "s", 10),
        Row(f"{each}: CPU of the controllers", whole[1], "s"),
        Row(f"{each}: CPU of the servers meanwhile", whole[2], "s"),
        Row(f"{each}: one label's change, all corrected", flip[0], "s", 0.5),
        Row(f"{each}: CPU of the controllers", flip[1], "s"),
        Row(f"{each}: CPU of the servers meanwhile", flip[2], "s"),
        Row(f"{each}: at rest, CPU of the controllers", rest[1] / rest[0] * 100, "%"),
        Row(f"{each}: memory of the controllers", resident_of(ours), "MiB", 300),
    ]


class _Watch:
    """Wall clock, and the CPU of the controllers and of the servers."""

    def __init__(self, ours: Sequence[int], servers: Sequence[int]) -> None:
        self._pids = (ours, servers)
        self._began = (time.perf_counter(), cpu_of(ours), cpu_of(servers))

    def stop(self) -> tuple[float, float, float]:
        """The seconds so far."""
        ours, servers = self._pids
        wall, own, served = self._began
        return time.perf_counter() - wall, cpu_of(ours) - own, cpu_of(servers) - served


def _counts(cache: Cache) -> list[int]:
    """How many clusters each placement has in its status, which is written last."""
    return [(p.get("status") or {}).get("numberOfSelectedClusters", -1) for p in cache.list(PLACEMENT)]


async def _joined(hub: Cluster, cluster: Object) -> None:
    body = {key: value for key, value in cluster.items() if key != "status"}
    await hub.create(listing.CLUSTERS, body)
    name, status = cluster["metadata"]["name"], {"status": cluster["status"]}
    await hub.patch(listing.CLUSTERS, "", name, status, type=PatchType.MERGE, subresource="status")


async def _side_by_side(work: Iterable[Awaitable[object]]) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(each: Awaitable[object]) -> None:
        async with gate:
            await each

    await asyncio.gather(*map(one, work))


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(POLL)


@contextmanager
def _program(plane: ControlPlane) -> Iterator[subprocess.Popen[bytes]]:
    """The controllers as a process: ours, or what `PLACEMENT_PROGRAM` names."""
    ours = [sys.executable, "-m", "gitops_ocm", "hub", "run", "--controllers=placement", "--no-leader-elect"]
    line = os.environ.get(PROGRAM, "").replace("{kubeconfig}", str(plane.kubeconfig))
    command = shlex.split(line) or [*ours, f"--kubeconfig={plane.kubeconfig}"]
    with (plane.directory / "placement.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Measure and print."""
    clusters, placements = (*map(int, sys.argv[1:]), *(CLUSTERS, PLACED)[len(sys.argv) - 1 :])
    rows = alone_rows()
    with tempfile.TemporaryDirectory(prefix="gitops-ocm-bench-") as name:
        rows += placement_rows_on(ensure(os.environ, _GO_MODULE), Path(name), clusters, placements)
    print(render(rows))


if __name__ == "__main__":
    main()
