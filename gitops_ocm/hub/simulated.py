"""Keeps the embedded managed clusters of a hub alive: runs the simulated workloads of each.

The judgements are `apiserver.workloads`; here is only who runs them, and how long.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.apiserver.workloads import workload_controllers
from gitops_ocm.apiserver.workloads_pods import Pace
from gitops_ocm.decide.contract import Side
from gitops_ocm.live.runner import Runner
from gitops_ocm.runtime.tasks import Tasks


@asynccontextmanager
async def simulated_workloads(
    members: Mapping[str, Api], stop: asyncio.Event, *, pace: Pace | None = None
) -> AsyncIterator[None]:
    """Simulate workloads on each of the clusters as long as the block lasts, or until `stop`."""
    async with Tasks("simulated workloads") as tasks:
        for name, api in members.items():
            runner = Runner(workload_controllers(pace), {Side.HUB: LocalCluster(api)})
            tasks.start(name, runner.run(stop))
        try:
            yield
        finally:
            tasks.stop()
