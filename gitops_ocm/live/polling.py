"""Reading single objects now and then, where watching their kind is not allowed.

The stand-in of `live.reflector` for an agent with narrow rights: only what somebody asked for by
name is read, so a list has no answer unless one name is all that it is about.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.live.table import Change, Table
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.runtime.clock import Clock

Name = tuple[str, str]


class Polled:
    """The objects of one kind that were asked for: (namespace, name) → read, and with what error."""

    def __init__(
        self,
        table: Table,
        settled: asyncio.Event,
        *,
        transform: Callable[[Object], Object] | None = None,
        wanted: Iterable[Name] = (),
    ) -> None:
        self._table = table
        self._settled = settled
        self._transform = transform
        self._wanted: set[Name] = set(wanted)
        self._pending: set[Name] = set(self._wanted)
        self._refused: dict[Name, ApiError] = {}
        self._asked = asyncio.Event()
        if not self._pending:
            settled.set()

    def knows(self, name: Name) -> bool:
        """Whether the table can answer for `name`; if not, it will after the next round.

        Raises the error where reading it was refused.
        """
        if name in self._refused:
            raise self._refused[name]
        if name in self._wanted and name not in self._pending:
            return True
        if name not in self._wanted:
            self._wanted.add(name)
            self._pending.add(name)
            self._settled.clear()
            self._asked.set()
        return False

    async def run(
        self,
        cluster: Cluster,
        resource: Resource,
        *,
        every: float,
        until: float,
        clock: Clock,
        on_change: Callable[[Change], None],
    ) -> None:
        """Read all that is wanted, again `every` so many seconds and at once when asked for more."""
        while clock.monotonic() < until:
            self._asked.clear()
            for name in sorted(self._wanted):
                if change := await self._read(cluster, resource, name):
                    on_change(change)
            if not self._pending:
                self._settled.set()
            # Not wait_for: on Python 3.11 it can lose a cancellation.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await self._asked.wait()

    async def _read(self, cluster: Cluster, resource: Resource, name: Name) -> Change | None:
        try:
            obj = await cluster.get(resource, *name)
        except ApiError as error:
            self._pending.discard(name)
            if error.http_code == 404:
                self._refused.pop(name, None)
                return self._table.remove(*name)
            if error.transient:
                raise
            self._refused[name] = error
            return None
        self._pending.discard(name)
        self._refused.pop(name, None)
        return self._table.put(self._transform(obj) if self._transform else obj)
