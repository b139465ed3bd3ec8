"""Our engine, as a daemon: the first sync, then a resync, then one changed file, and its memory.

The clock of the first sync runs from the moment the daemon is asked until it says "applied": reading
Git, parsing, validating, planning, writing every object, and recording all that on the HubSync.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.runtime.memory import settle
from gitops_ocm.runtime.metrics import REQUESTS
from gitops_ocm.sync.events import Phase, SyncEvent
from gitops_ocm.sync.loop import SyncLoop, SyncSettings
from gitops_ocm.sync.pull import Attempt
from tests.bench.fleet import Fleet
from tests.bench.measure import Stopwatch, resident_mib

CHANGES = 5


class _Progress:
    """When the engine got past which phase."""

    def __init__(self) -> None:
        self.times: dict[Phase, float] = {}

    def __call__(self, event: SyncEvent) -> None:
        self.times[event.phase] = time.perf_counter()


async def sync_life(fleet: Fleet, kubeconfig: Path, servers: Sequence[int]) -> dict[str, float]:
    """The life of a daemon, in numbers."""
    progress = _Progress()
    settle()  # as the command line does
    async with _daemon(fleet, kubeconfig, progress) as loop:
        watch = Stopwatch(servers)
        _applied(await loop.sync_now())
        numbers = watch.stop()
        numbers["write"] = progress.times[Phase.DONE] - progress.times[Phase.PLAN]
        await _listed_again(loop)
        before, watch = _requests(), Stopwatch()
        assert (await loop.sync_now()).noop
        numbers["noop_ms"] = watch.stop()["wall"] * 1e3
        numbers["noop_requests"] = _requests() - before
        changes = []
        for number in range(CHANGES):
            commit = await asyncio.to_thread(fleet.change, f"level-{number}")
            watch = Stopwatch()
            attempt = await loop.sync_now()
            changes.append(watch.stop()["wall"] * 1e3)
            _applied(attempt)
            assert attempt.commit == commit
        numbers["change_ms"] = statistics.median(changes)
        numbers["rss_mib"] = resident_mib()
        return numbers


async def _listed_again(loop: SyncLoop) -> None:
    """After so many writes everything is listed once more, beside; what that asks is no resync's."""
    before = -1.0
    while before != (before := _requests()):
        assert (await loop.sync_now()).noop


@asynccontextmanager
async def _daemon(fleet: Fleet, kubeconfig: Path, progress: _Progress) -> AsyncIterator[SyncLoop]:
    cluster = HttpCluster(load_kubeconfig(kubeconfig))
    stop = asyncio.Event()
    with tempfile.TemporaryDirectory(prefix="gitops-ocm-bench-cache-") as cache:
        name = f"bench-{fleet.root.name}"
        loop = SyncLoop(
            cluster,
            name,
            settings=SyncSettings(Path(cache)),
            catalog=load_catalog(),
            create=_sync(name, fleet),
            listener=progress,
        )
        running = asyncio.create_task(loop.run(stop))
        try:
            yield loop
        finally:
            stop.set()
            await running
            await cluster.close()


def _sync(name: str, fleet: Fleet) -> dict[str, Any]:
    return {
        "apiVersion": "sync.gitops-ocm.io/v1alpha1",
        "kind": "HubSync",
        "metadata": {"name": name},
        "spec": {"repository": {"url": str(fleet.root)}, "interval": "1h"},
    }


def _applied(attempt: Attempt) -> None:
    assert attempt.ok, (attempt.verdict, attempt.problems[:3])


def _requests() -> float:
    """Requests of our client so far, watches included."""
    return sum(s.value for m in REQUESTS.collect() for s in m.samples if s.name.endswith("_total"))
