"""Every HubSync on a hub, each kept going by a service of its own.

A HubSync that appears gets one, one that is deleted loses it; what it put on the hub stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gitops_ocm.decide.contract import Side, Want
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.cache import Cache
from gitops_ocm.objects.ref import Kind, Object
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.runtime.tasks import Tasks
from gitops_ocm.sync.service import SyncService

HUBSYNC = Kind("sync.gitops-ocm.io", "HubSync")


class HubSyncs:
    """Runs `make(name)` for every HubSync there is."""

    def __init__(
        self, cluster: Cluster, make: Callable[[str], SyncService], *, clock: Clock | None = None
    ) -> None:
        self._clock = clock or SystemClock()
        self._mapper = Mapper(cluster, clock=self._clock)
        self._cluster = cluster
        self._make = make
        self._services: dict[str, tuple[SyncService, asyncio.Event]] = {}
        self._tasks = Tasks("sync")

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; then the passes under way are finished."""
        async with self._tasks, Cache(Side.HUB, self._cluster, self._mapper, clock=self._clock) as cache:
            cache.listen(self._changed)
            cache.subscribe(Want(HUBSYNC))
            await stop.wait()
            for _, ended in self._services.values():
                ended.set()

    def _changed(self, _kind: Kind, old: Object | None, new: Object | None) -> None:
        obj = new if new is not None else old
        assert obj is not None
        name = obj["metadata"]["name"]
        if new is None or new["metadata"].get("deletionTimestamp"):
            if found := self._services.pop(name, None):
                found[1].set()
        elif name not in self._services:
            ended = asyncio.Event()
            service = self._make(name)
            self._services[name] = service, ended
            self._tasks.start(name, service.run(ended))
