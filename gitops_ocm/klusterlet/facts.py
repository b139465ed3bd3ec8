"""Measures the managed cluster: is its API server well, which version is it.

What is measured goes into the cache as `decide.agent.facts`; deciding what it means is done there.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from gitops_ocm.decide.agent.facts import facts
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Cluster, Probed
from gitops_ocm.live.cache import Cache
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.runtime.tasks import first_of

FAILING_PERIOD = 5.0


async def measure(
    cluster: Cluster, cache: Cache, clock: Clock, stop: asyncio.Event, *, period: float
) -> None:
    """Look every `period` seconds, and sooner while something is wrong, until `stop`."""
    version = ""
    failing_since: datetime | None = None
    while not stop.is_set():
        failure = ""
        try:
            if isinstance(cluster, Probed):
                await cluster.probe()
            version = str((await cluster.version()).get("gitVersion", ""))
            failing_since = None
        except ApiError as error:
            failure = f"{error.http_code}: {error.message}"
        except GitopsError as error:
            failure = error.message
        if failure:
            failing_since = failing_since or clock.now()
        cache.put_local(facts(version=version, failing_since=failing_since, failure=failure))
        await first_of(stop.wait(), within=min(period, FAILING_PERIOD) if failure else period)
