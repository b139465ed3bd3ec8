"""The hub's controllers at work on a cluster, for as long as a test needs them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gitops_ocm.hub.daemon import SYNC, HubOptions, hub_groups, run_hub
from gitops_ocm.kube.cluster import Cluster

CONTROLLERS = HubOptions(frozenset(hub_groups()) - {SYNC})
"""All of the controller table, but no syncs."""


@asynccontextmanager
async def controllers_on(cluster: Cluster, options: HubOptions = CONTROLLERS) -> AsyncIterator[None]:
    """Entered once they are ready; left once they have ended. What ends them early is raised."""
    stop, ready = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(run_hub(cluster, options, stop, ready=ready.set))
    reached = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({running, reached}, return_when=asyncio.FIRST_COMPLETED)
        if not ready.is_set():
            await running
        yield
    finally:
        stop.set()
        reached.cancel()
        await asyncio.gather(running, reached, return_exceptions=True)
    running.result()
