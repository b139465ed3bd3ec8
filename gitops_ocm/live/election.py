"""Leader election by leases, as client-go does it: of several processes one works, the others wait.

    await lead(cluster, ["placement-lock"], settings, stop, work)

The record is client-go's, so that OCM's own controllers and ours keep out of each other's way. Time is
measured on our own clock from when a record was seen to change, for clocks of others may be wrong. A leader
that cannot renew within the deadline stops working before anybody else may begin.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Cluster, Unreachable
from gitops_ocm.kube.reading import find
from gitops_ocm.live.leader import is_gone, own_name
from gitops_ocm.objects.conditions import micro_timestamp
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import LEASES, NAMESPACES
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.runtime.log import get_logger
from gitops_ocm.runtime.tasks import Tasks, first_of

_log = get_logger("election")


class LeadershipLost(GitopsError):
    """The lease could not be renewed in time, or somebody else has it."""

    code = "leadership-lost"


@dataclass(frozen=True)
class ElectionSettings:
    """Where the leases are, and their times in seconds; the defaults are OCM's."""

    namespace: str
    duration: float = 137.0
    deadline: float = 107.0
    retry: float = 26.0


class Election:
    """One lease, and this process's part in it."""

    def __init__(
        self, cluster: Cluster, name: str, identity: str, settings: ElectionSettings, clock: Clock
    ) -> None:
        self.name = name
        self._cluster = cluster
        self._identity = identity
        self._settings = settings
        self._clock = clock
        self._lease: Object | None = None
        self._seen_at = clock.monotonic()
        self._said = ""

    async def acquire(self, stop: asyncio.Event) -> bool:
        """Wait for the lease; False where `stop` came first."""
        while not stop.is_set():
            try:
                if await self._take():
                    _log.info("leading", lease=self.name)
                    return True
            except (ApiError, Unreachable) as error:
                _log.warning("lease not taken, trying again", lease=self.name, error=error)
            else:
                self._say_who_holds()
            await first_of(stop.wait(), self._released(), within=self._patience())
        return False

    async def renew(self) -> None:
        """Renew until cancelled; raises when the lease is lost."""
        renewed = self._clock.monotonic()
        while True:
            await self._clock.sleep(self._settings.retry)
            why = ""
            try:
                async with asyncio.timeout(self._settings.retry):
                    if await self._take():
                        renewed = self._clock.monotonic()
                        continue
                if holder := self._holder():
                    raise LeadershipLost(
                        f"{holder} has taken the lease {self.name}",
                        hint="Two clocks differ, or this process stood still; start it again.",
                    )
            except (ApiError, Unreachable, TimeoutError) as error:
                why = str(error)
            if self._clock.monotonic() - renewed > self._settings.deadline - self._settings.retry:
                raise LeadershipLost(
                    f"the lease {self.name} was not renewed for {self._settings.deadline:.0f} s: {why}",
                    hint="See that the API server can be reached, and start this process again.",
                )

    async def release(self) -> None:
        """Let others lead at once, if the lease is ours."""
        lease = self._lease
        if lease is None or self._holder() != self._identity:
            return
        now = micro_timestamp(self._clock.now())
        spec = {**lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
        with suppress(ApiError, Unreachable):  # it runs out by itself
            await self._cluster.update(
                LEASES, {**lease, "spec": {**spec, "acquireTime": now, "renewTime": now}}
            )

    async def _take(self) -> bool:
        """One attempt to get or keep the lease."""
        lease = self._lease
        if lease is None or self._holder() != self._identity:
            lease = await self._read()
            if lease is None:
                return await self._make()
        if self._is_held(lease):
            return False
        try:
            self._observe(await self._cluster.update(LEASES, {**lease, "spec": self._record(lease["spec"])}))
        except ApiError as error:
            if error.http_code not in (404, 409):
                raise
            lease = await self._read()
            return lease is not None and not self._is_held(lease) and await self._take()
        return True

    async def _read(self) -> Object | None:
        lease = await find(self._cluster, LEASES, self.name, self._settings.namespace)
        if lease is None:
            self._lease = None
            return None
        self._observe(lease)
        return lease

    async def _make(self) -> bool:
        meta = {"name": self.name, "namespace": self._settings.namespace}
        lease = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": meta,
            "spec": self._record({}),
        }
        try:
            self._observe(await self._cluster.create(LEASES, lease))
        except ApiError as error:
            if error.reason == "AlreadyExists":
                return False
            if error.http_code != 404:
                raise
            home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self._settings.namespace}}
            with suppress(ApiError):  # made meanwhile, or refused: the next attempt says what is wrong
                await self._cluster.create(NAMESPACES, home)
            self._observe(await self._cluster.create(LEASES, lease))
        return True

    def _record(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """The spec with which we hold the lease."""
        now = micro_timestamp(self._clock.now())
        ours = before.get("holderIdentity") == self._identity
        transitions = int(before.get("leaseTransitions") or 0)
        return {
            **before,
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(self._settings.duration) or 1,
            "acquireTime": before["acquireTime"] if ours and before.get("acquireTime") else now,
            "renewTime": now,
            "leaseTransitions": transitions if ours or not before else transitions + 1,
        }

    def _observe(self, lease: Object) -> None:
        """Note what the lease is like, and when it was first seen so."""
        if self._lease is None or self._lease["spec"] != lease.get("spec"):
            self._seen_at = self._clock.monotonic()
        self._lease = {**lease, "spec": lease.get("spec") or {}}

    def _holder(self) -> str:
        return str(((self._lease or {}).get("spec") or {}).get("holderIdentity") or "")

    def _is_held(self, lease: Object) -> bool:
        """Whether somebody else holds it who may still be there."""
        holder = self._holder()
        return bool(holder) and holder != self._identity and self._left(lease) > 0 and not is_gone(holder)

    def _left(self, lease: Object) -> float:
        """Seconds until the lease as it was last seen runs out."""
        lasts = float(lease["spec"].get("leaseDurationSeconds") or self._settings.duration)
        return self._seen_at + lasts - self._clock.monotonic()

    def _patience(self) -> float:
        """How long to wait before the next attempt, if nothing changes meanwhile."""
        left = self._left(self._lease) if self._lease is not None else 0.0
        return min(self._settings.retry, left + 0.05) if left > 0 else self._settings.retry

    async def _released(self) -> None:
        """Return when the holder lets go; never where changes cannot be watched."""
        version = ((self._lease or {}).get("metadata") or {}).get("resourceVersion", "")
        with suppress(ApiError, Unreachable):
            events = self._cluster.watch(
                LEASES,
                self._settings.namespace,
                resource_version=version,
                field_selector=f"metadata.name={self.name}",
            )
            async for event in events:
                if event.type == "BOOKMARK":
                    continue
                if event.type == "DELETED":
                    return
                self._observe(event.object)
                if not self._holder():
                    return
        await asyncio.Event().wait()

    def _say_who_holds(self) -> None:
        if (holder := self._holder()) != self._said:
            self._said = holder
            _log.info("waiting for the leader to go", lease=self.name, holder=holder)


async def lead(
    cluster: Cluster,
    names: Sequence[str],
    settings: ElectionSettings,
    stop: asyncio.Event,
    work: Callable[[asyncio.Event], Awaitable[None]],
    *,
    clock: Clock | None = None,
    identity: str = "",
) -> None:
    """Have `work` done while this process holds all the leases; its argument says when to end.

    The leases are taken in the order of their names, so that two who want several never wait for each other.
    """
    clock, identity = clock or SystemClock(), identity or own_name()
    elections = [Election(cluster, name, identity, settings, clock) for name in sorted(names)]
    ending, lost = asyncio.Event(), list[GitopsError]()

    async def hold(election: Election) -> None:
        try:
            await election.renew()
        except LeadershipLost as error:
            lost.append(error)
            ending.set()

    async def follow() -> None:
        await stop.wait()
        ending.set()

    async with Tasks("election") as tasks:
        tasks.start("stop", follow())
        try:
            for election in elections:
                if not await election.acquire(ending):
                    break
                tasks.start(f"renew {election.name}", hold(election))
            else:
                await work(ending)
        finally:
            tasks.stop()
            for election in elections:
                await election.release()
    if lost:
        raise lost[0]
