"""The sync of one HubSync, kept going: when a pass is due, and what to do when one cannot be made.

    loop = SyncLoop(cluster, "fleet", settings=SyncSettings(cache_dir=...), catalog=committed_kinds())
    await loop.once()          # one pass, `gitops-ocm sync --once`
    await loop.run(stop)       # the daemon

A pass is due at the interval, when somebody pokes (a hook, a file watcher, a changed HubSync) and when
a watch tells of drift. After a pass that time may heal, and while the hub cannot be reached, it is
tried again with backoff.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_ocm.api.fleet import sync_field_manager
from gitops_ocm.decide.contract import Side
from gitops_ocm.errors import GitopsError
from gitops_ocm.git.command import Credentials
from gitops_ocm.git.errors import Interrupted
from gitops_ocm.git.threads import in_thread
from gitops_ocm.kube.cluster import Cluster, Unreachable
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.commit import CONCURRENCY, Committer
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.backoff import Backoff
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.runtime.tasks import ended_at, first_of
from gitops_ocm.sync.events import Level, Listener, Phase, Unrepeated, of_error, silent
from gitops_ocm.sync.hub import Hub
from gitops_ocm.sync.kinds import HubKinds
from gitops_ocm.sync.observed import Observed
from gitops_ocm.sync.pull import Attempt, Pull, PullSettings
from gitops_ocm.sync.record import Record, Superseded, SyncMissing
from gitops_ocm.sync.source import Source
from gitops_ocm.sync.spec import SyncSpec
from gitops_ocm.sync.watching import Watching

_ONCE_TRIES = 5
_UNREADABLE = 60.0


@dataclass(frozen=True)
class SyncSettings:
    """How a sync goes about it. Times are in seconds."""

    cache_dir: Path
    credentials: Credentials | None = None
    concurrency: int = CONCURRENCY
    patience: float = 2.0
    retry_base: float = 0.5
    retry_cap: float = 30.0


@dataclass
class _Parts:
    """What lives as long as the watches do."""

    record: Record
    watching: Watching
    pull: Pull


class SyncLoop:
    """Git → hub for the HubSync `name`. `create` is the HubSync to make where there is none."""

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        *,
        settings: SyncSettings,
        catalog: Catalog,
        create: Object | None = None,
        clock: Clock | None = None,
        listener: Listener = silent,
        mapper: Mapper | None = None,
    ) -> None:
        self._cluster = cluster
        self._name = name
        self._settings = settings
        self._create = create
        self._clock = clock or SystemClock()
        self._listener = listener
        self._trouble = Unrepeated(listener)
        self._mapper = mapper or Mapper(cluster, clock=self._clock)
        manager = sync_field_manager(name)
        committer = Committer({Side.HUB: cluster}, {Side.HUB: self._mapper}, field_manager=manager)
        self._hub = Hub(cluster, self._mapper, committer, manager)
        self._kinds = HubKinds(cluster, catalog, mapper=self._mapper, clock=self._clock)
        self._woken = asyncio.Event()
        self._waiters: list[asyncio.Future[Attempt]] = []

    def poke(self) -> None:
        """Somebody knows of news: make a pass now."""
        self._woken.set()

    async def sync_now(self) -> Attempt:
        """Make a pass now and answer with how it ended; for a hook that tells the person who pushed."""
        waiter: asyncio.Future[Attempt] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._woken.set()
        return await waiter

    async def once(self, stop: asyncio.Event | None = None) -> Attempt:
        """One pass; what the hub or Git refuse is raised or in the answer; `Interrupted` at `stop`.

        A hub's own daemon may be syncing the same HubSync: then what it wrote is read and looked at again.
        """
        for left in reversed(range(_ONCE_TRIES)):
            try:
                async with self._started(stop or asyncio.Event()) as parts:
                    return await parts.pull.attempt(parts.record)
            except Superseded:
                if not left:
                    raise
        raise AssertionError("unreachable")

    async def run(self, stop: asyncio.Event) -> None:
        """Passes until `stop` is set. Whatever goes wrong is told and tried again.

        What is being written then is finished; nobody waits for a remote that does not answer.
        """
        backoff = Backoff(self._settings.retry_base, self._settings.retry_cap)
        while not stop.is_set():
            try:
                async with self._started(stop) as parts:
                    await parts.watching.follow_sync()
                    await self._passes(parts, stop, backoff)
            except Interrupted:
                continue
            except (GitopsError, OSError) as error:
                self._tell(error)
                await first_of(stop.wait(), within=backoff.next())
        for waiter in self._waiters:
            waiter.cancel()

    async def _passes(self, parts: _Parts, stop: asyncio.Event, backoff: Backoff) -> None:
        while not stop.is_set():
            self._woken.clear()
            waiters, self._waiters = self._waiters, []
            attempt: Attempt | None = None
            try:
                wait, attempt = await self._pass(parts, backoff)
            finally:
                if attempt is None:  # Whoever asked is answered by the pass that gets through.
                    self._waiters = [w for w in (*waiters, *self._waiters) if not w.done()]
            for waiter in waiters:
                if attempt is not None and not waiter.done():
                    waiter.set_result(attempt)
            await first_of(stop.wait(), self._woken.wait(), within=wait)

    async def _pass(self, parts: _Parts, backoff: Backoff) -> tuple[float, Attempt | None]:
        """One pass, and how long to wait for the next."""
        if parts.watching.deleted:
            raise SyncMissing(f"HubSync {self._name} was deleted", hint="its objects stay as they are")
        if parts.watching.sync is not None:
            parts.record.seen(parts.watching.sync)
        try:
            attempt = await parts.pull.attempt(parts.record)
        except (Unreachable, ApiError) as error:
            if isinstance(error, ApiError) and not error.transient:
                raise
            self._tell(error)
            return backoff.next(), None
        self._trouble.begin(after_failure=False)
        if attempt.retry:
            return min(backoff.next(), _interval(parts.record)), attempt
        backoff.reset()
        wait = _interval(parts.record)
        if attempt.until is not None:
            wait = min(wait, max(0.0, (attempt.until - self._clock.now()).total_seconds()))
        return wait, attempt

    @asynccontextmanager
    async def _started(self, stop: asyncio.Event) -> AsyncIterator[_Parts]:
        record = await self._read()
        observed = Observed(self._name, self._woken.set)
        source = Source(self._settings.cache_dir, credentials=self._settings.credentials)
        watching = Watching(
            self._cluster, self._mapper, observed, self._woken, name=self._name, clock=self._clock
        )
        try:
            async with ended_at(stop, source.interrupt), watching:
                pull = Pull(
                    self._hub,
                    source,
                    self._kinds,
                    observed,
                    watching,
                    clock=self._clock,
                    listener=self._listener,
                    settings=PullSettings(self._settings.concurrency, self._settings.patience),
                )
                yield _Parts(record, watching, pull)
        finally:
            await in_thread(source.close)

    async def _read(self) -> Record:
        if self._create is not None:
            return await Record.read_or_create(self._cluster, self._hub.committer, self._create)
        return await Record.read(self._cluster, self._hub.committer, self._name)

    def _tell(self, error: GitopsError | OSError) -> None:
        level = Level.WARNING if isinstance(error, (Unreachable, Superseded)) else Level.ERROR
        self._trouble.begin(after_failure=True)
        self._trouble(of_error(Phase.FAILED, error, level))


def _interval(record: Record) -> float:
    """Seconds to the next pass; a HubSync that cannot be read wakes us itself when it is corrected."""
    try:
        return SyncSpec.of(record.sync).interval
    except GitopsError:
        return _UNREADABLE
