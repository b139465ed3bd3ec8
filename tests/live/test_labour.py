"""What takes long to work out is worked out beside the event loop, and what crashes there stops nobody."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import pytest

from gitops_ocm.decide.contract import DONE, Controller, Laborious, Outcome, Side, View, Wake
from gitops_ocm.decide.hub_table import placement_rows
from gitops_ocm.decide.placement.expressions import Expressions
from gitops_ocm.decide.placement.fleet import Fleet
from gitops_ocm.decide.placement.judging import Allowance
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.live.labour import Labour
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.ref import Object, Ref, Resource
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.clusters import apply, memory
from tests.live.running import CONFIG_MAP

Eventually = Callable[..., Awaitable[object]]
PLACEMENTS = Resource(
    "cluster.open-cluster-management.io", "v1beta1", "Placement", "placements", namespaced=True
)
CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
NESTED = "managedCluster.metadata.labels.all(a, managedCluster.metadata.labels.all(b, a + b != ''))"
"""A hundred thousand steps on a cluster of three hundred labels."""


@asynccontextmanager
async def at_work(cluster: Cluster, *rows: Controller) -> AsyncIterator[Runner]:
    """A runner."""
    stop, runner = asyncio.Event(), Runner(rows, {Side.HUB: cluster})
    task = asyncio.create_task(runner.run(stop))
    try:
        await runner.synced()
        yield runner
    finally:
        stop.set()
        await task


async def longest(stop: asyncio.Event) -> float:
    """The most time of a processor that the loop's thread spent before it came back to who waits."""
    worst = 0.0
    while not stop.is_set():
        before = time.thread_time()
        await asyncio.sleep(0.005)
        worst = max(worst, time.thread_time() - before)
    return worst


async def conditions(cluster: Cluster, name: str) -> dict[str, tuple[str, str]]:
    """What is said of a placement."""
    found = await cluster.get(PLACEMENTS, "fleet", name)
    told = (found.get("status") or {}).get("conditions") or ()
    return {c["type"]: (c["status"], c["message"]) for c in told}


@pytest.mark.slow
async def test_dear_expressions_hold_nobody_up(eventually: Eventually) -> None:
    """Placements that take seconds each are decided; others meanwhile, and the loop is nobody's for long."""
    labels = {f"label-{at}": "x" for at in range(300)}
    text = {"celSelector": {"celExpressions": [NESTED]}}
    async with memory() as hub:
        await apply(hub, [make.namespace("fleet"), make.cluster_set("ring"), make.binding("ring", "fleet")])
        await apply(hub, [make.managed_cluster(f"c{n}", cluster_set="ring", labels=labels) for n in range(5)])
        async with at_work(hub, *placement_rows(HubSettings())):
            stop = asyncio.Event()
            watched = asyncio.create_task(longest(stop))
            predicates = [{"requiredClusterSelector": text}]
            await hub.create(PLACEMENTS, make.placement("dear", "fleet", predicates=predicates))
            await hub.create(PLACEMENTS, make.placement("plain", "fleet"))

            async def decided(name: str) -> bool:
                assert "PlacementSatisfied" in await conditions(hub, name)
                return True

            await eventually(lambda: decided("plain"), 30)
            assert "PlacementSatisfied" not in await conditions(hub, "dear")
            await eventually(lambda: decided("dear"), 120)
            stop.set()
            assert await watched < 0.25
        found = await hub.get(PLACEMENTS, "fleet", "dear")
        assert found["status"]["numberOfSelectedClusters"] == 5


class Burdens:
    """A controller that needs, for each ConfigMap, two pieces of work; `broken` crashes in the thread."""

    def __init__(self) -> None:
        self.left: dict[str, int] = {}
        self.threads: set[bool] = set()
        self.crashes = 0
        self.row = Controller("burdens", "test", self.reconcile, (Wake(CONFIG_MAP),))

    def reconcile(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Work until nothing is left."""
        if self.left.setdefault(key.name, 2):
            raise Laborious("a test", lambda seconds: self.work(key.name, seconds))
        return DONE

    def work(self, name: str, seconds: Callable[[], float]) -> None:
        """One of the pieces."""
        assert seconds() >= 0
        self.threads.add(threading.current_thread() is not threading.main_thread())
        if name == "broken":
            self.crashes += 1
            raise ZeroDivisionError
        self.left[name] -= 1


async def test_what_crashes_in_the_thread_fails_alone(eventually: Eventually) -> None:
    """The key is put back with backoff, as for any crash, and others are worked out."""
    burdens = Burdens()
    maps: list[Object] = [make.config_map(name) for name in ("broken", "good", "other")]
    async with memory() as hub, at_work(hub, burdens.row):
        for obj in maps:
            await hub.create(CONFIG_MAPS, obj)

        async def done() -> bool:
            assert burdens.left == {"broken": 2, "good": 0, "other": 0}
            assert burdens.crashes >= 2
            return True

        await eventually(done, 30)
    assert burdens.threads == {True}


async def test_closing_stops_what_is_worked_out(eventually: Eventually) -> None:
    """Expressions that would take hours end when nobody wants to know any more."""
    labels = {f"label-{at}": "x" * 60 for at in range(3000)}
    fleet = Fleet.of([make.managed_cluster("c", labels=labels)])
    unpriced = "managedCluster.metadata.labels.all(a, [managedCluster] == [managedCluster])"
    judge, labour = Expressions.compile([unpriced], "Predicate"), Labour()
    waiting = asyncio.create_task(labour.result(lambda: fleet.judged(fleet.everyone, judge, Allowance())))

    async def begun() -> bool:
        assert any(thread.name.startswith("labour") for thread in threading.enumerate())
        return True

    await eventually(begun, 10)
    labour.close()
    with pytest.raises((RuntimeError, asyncio.CancelledError)):
        await waiting
