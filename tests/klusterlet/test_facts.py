"""How often an agent looks at its cluster's API server."""

from __future__ import annotations

import asyncio
from typing import Any

from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.decide.agent.facts import SPOKE_FACTS
from gitops_ocm.decide.contract import Side
from gitops_ocm.klusterlet.facts import measure
from gitops_ocm.live.cache import Cache
from gitops_ocm.runtime.clock import SystemClock
from gitops_ocm.runtime.tasks import Tasks
from gitops_ocm.testing.clusters import memory
from gitops_ocm.testing.waiting import eventually


class _Upgraded(LocalCluster):
    """A cluster with another version at each look."""

    looks = 0

    async def version(self) -> dict[str, Any]:
        """The next one."""
        self.looks += 1
        return {"gitVersion": f"v1.{self.looks}.0"}


async def test_the_period_between_looks_is_the_one_asked_for() -> None:
    """With a short one an upgrade is noticed soon; with a long one the first look has to do."""
    stop = asyncio.Event()
    async with memory() as served, Tasks("test") as tasks:
        assert isinstance(served, LocalCluster)
        often, once = _Upgraded(served.api), _Upgraded(served.api)
        async with Cache(Side.SPOKE, often) as seen, Cache(Side.SPOKE, once) as seldom:
            tasks.start("often", measure(often, seen, SystemClock(), stop, period=0.01))
            tasks.start("once", measure(once, seldom, SystemClock(), stop, period=3600))

            def version(cache: Cache) -> str:
                found = cache.get(SPOKE_FACTS)
                assert found is not None
                return str(found["version"])

            await eventually(lambda: often.looks > 2)
            assert version(seen) != version(seldom) == "v1.1.0"
            stop.set()
