"""The live runner: reads the controller table and keeps it running against real APIs.

    runner = Runner(hub_controllers(settings), {Side.HUB: cluster})
    await runner.run(stop)

One process, one event loop, one watch per kind. A reconciler that fails, or crashes, fails alone.
`decide` says what should be, `live.controller` runs one row, `live.commit` writes.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial

from gitops_ocm.decide.contract import Controller, Laborious, Side, Unread, Want
from gitops_ocm.decide.damping import Damping
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.cache import Cache, WatchStatus, drop_managed_fields
from gitops_ocm.live.commit import Committer
from gitops_ocm.live.complaints import Complaints
from gitops_ocm.live.controller import ControllerLoop, ControllerStatus, Shell
from gitops_ocm.live.dependents import Dependents
from gitops_ocm.live.events import Recorder
from gitops_ocm.live.hold import Holds, Owner
from gitops_ocm.live.labour import Labour
from gitops_ocm.live.queue import RateLimit
from gitops_ocm.live.reflector import WatchSettings
from gitops_ocm.live.view import LiveView
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of
from gitops_ocm.runtime.backoff import Backoff
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.runtime.log import get_logger
from gitops_ocm.runtime.tasks import Tasks, first_of

_log = get_logger("runner")


@dataclass(frozen=True)
class RunnerSettings:
    """How the runner goes about it. `field_manager` is for rows that name none."""

    field_manager: str = "gitops-ocm"
    instance: str = "gitops-ocm"
    grace: float = 15.0
    """Seconds that running reconciles get to finish at a stop."""
    unused: float = 300.0
    """Seconds after which a watch that nobody rests on any more is ended."""
    missing_kind: float = 2.0
    """Seconds, doubling to a minute, between looks for a kind that a reconciler misses."""
    watch: WatchSettings = field(default_factory=lambda: WatchSettings(transform=drop_managed_fields))
    retry: RateLimit | None = None


@dataclass(frozen=True)
class RunnerStatus:
    """What the runner is doing, for health endpoints and people."""

    controllers: tuple[ControllerStatus, ...]
    watches: tuple[WatchStatus, ...]

    @property
    def ready(self) -> bool:
        """Whether every controller has started."""
        return all(c.started for c in self.controllers)

    @property
    def idle(self) -> bool:
        """Whether nothing is ready, worked on or failing (keys may still wait for a time)."""
        return self.ready and not any(c.ready or c.busy or c.failing for c in self.controllers)


class Runner:
    """Runs controllers against clusters until told to stop."""

    def __init__(
        self,
        controllers: Sequence[Controller],
        clusters: Mapping[Side, Cluster],
        *,
        clock: Clock | None = None,
        settings: RunnerSettings | None = None,
        transforms: Mapping[Kind, Callable[[Object], Object]] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.settings = settings or RunnerSettings()
        self.clock = clock or SystemClock()
        self._rng = rng or random.Random()  # noqa: S311 -- spreads load, guards nothing
        _check(controllers, clusters)
        self.mappers = {
            side: Mapper(cluster, clock=self.clock, min_age=1.0) for side, cluster in clusters.items()
        }
        self.caches = {
            side: Cache(
                side,
                cluster,
                self.mappers[side],
                clock=self.clock,
                settings=self.settings.watch,
                transforms={**_whole_kinds(controllers, side), **(transforms or {})},
                rng=self._rng,
            )
            for side, cluster in clusters.items()
        }
        self._dependents = Dependents()
        self._damping = Damping()
        self._holds = Holds(self.caches, self._release)
        self._shell = Shell(
            self.caches,
            self.clock,
            self._rng,
            self._holds,
            self._dependents,
            Complaints(),
            self._watch,
            self._work_out,
        )
        self._recorders = {
            side: Recorder(
                cluster,
                self.mappers[side],
                self.clock,
                component=self.settings.field_manager,
                instance=self.settings.instance,
            )
            for side, cluster in clusters.items()
        }
        self._loops = {c.name: self._loop(c, clusters) for c in controllers}
        self._static = {want for c in controllers for want in c.wants()}
        self._dynamic: dict[tuple[Side, Want], float] = {}
        self._parked: set[Hashable] = set()
        self._labour = Labour()
        self._laborious: set[Hashable] = set()
        self._tasks = Tasks("runner")
        self._ended = asyncio.Event()

    def _loop(self, controller: Controller, clusters: Mapping[Side, Cluster]) -> ControllerLoop:
        manager = controller.field_manager or self.settings.field_manager
        committer = Committer(clusters, self.mappers, field_manager=manager, recorders=self._recorders)
        limit = replace(self.settings.retry) if self.settings.retry else None
        return ControllerLoop(controller, self._shell, committer, limit=limit)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then let running reconciles finish."""
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(self._tasks)
            for side, cache in self.caches.items():
                await stack.enter_async_context(cache)
                cache.listen(partial(self._changed, side), partial(self._holds.progress, side))
            for index in [i for loop in self._loops.values() for i in loop.controller.indexes]:
                self.caches[index.side].add_index(index)
            for projection in [p for loop in self._loops.values() for p in loop.controller.projections]:
                self.caches[projection.side].project(projection)
            for side, want in sorted(self._static):
                self.caches[side].subscribe(want, pinned=True)
            for side, recorder in self._recorders.items():
                tasks.start(f"{side} events", recorder.run())
                tasks.start(f"{side} discovery", self._discover(side))
            tasks.start("unused watches", self._tidy())
            running = {loop: tasks.start(name, loop.run()) for name, loop in self._loops.items()}
            try:
                await stop.wait()
                await self._finish(running)
            finally:
                self._ended.set()
                self._labour.close()
                tasks.stop()

    async def synced(self) -> bool:
        """Wait until every controller has started: its kinds can be read and its keys are queued.

        False if the runner was stopped before that.
        """

        async def started() -> None:
            for loop in self._loops.values():
                await loop.started.wait()

        await first_of(started(), self._ended.wait())
        return all(loop.started.is_set() for loop in self._loops.values())

    def status(self) -> RunnerStatus:
        """What is going on."""
        return RunnerStatus(
            tuple(loop.status() for loop in self._loops.values()),
            tuple(status for cache in self.caches.values() for status in cache.status()),
        )

    def view(self) -> LiveView:
        """What the caches hold, for reports; kinds that nobody watches raise `Unread`."""
        return LiveView(self.caches)

    def wake(self, controller: str, key: Ref) -> None:
        """Have a controller look at a key although nothing has changed."""
        self._loops[controller].queue.add(key)

    # What happened

    def _changed(self, side: Side, kind: Kind, old: Object | None, new: Object | None) -> None:
        obj = new if new is not None else old
        assert obj is not None
        ref = ref_of(obj)
        self._holds.changed(side, ref)
        for loop in self._loops.values():
            loop.changed(side, kind, old, new)
        for name, key in self._dependents.of(side, ref):
            wait = self._damping.delay((name, key), self.clock.monotonic())
            self._loops[name].queue.add_after(key, wait)

    def _release(self, owner: Owner) -> None:
        name, key = owner
        self._loops[name].queue.release(key)

    def _watch(self, unread: Unread, token: Hashable, then: Callable[[], None]) -> None:
        """Watch what a reconciler found unread; `then` is called once it can be read.

        Whoever is parked already (same `token`) asks again after the first wait is over.
        """
        now = self.clock.monotonic()
        for want in unread.wants:
            self.caches[unread.side].subscribe(want, hurried=True)
            if (unread.side, want) not in self._static:
                self._dynamic.setdefault((unread.side, want), now)
        if token not in self._parked:
            self._parked.add(token)
            self._tasks.start(f"wait for {unread.side}", self._parked_until(unread, token, then))

    async def _parked_until(self, unread: Unread, token: Hashable, then: Callable[[], None]) -> None:
        await self.mappers[unread.side].discovered.wait()
        await self.caches[unread.side].synced(unread.wants)
        self._parked.discard(token)
        then()

    def _work_out(self, task: Laborious, token: Hashable, then: Callable[[Exception | None], None]) -> None:
        """Have worked out what takes long; `then` is called when there is less of it left, or it crashed."""
        if token not in self._laborious:
            self._laborious.add(token)
            self._tasks.start("work out", self._worked_out(task, token, then))

    async def _worked_out(
        self, task: Laborious, token: Hashable, then: Callable[[Exception | None], None]
    ) -> None:
        crashed: Exception | None = None
        try:
            await self._labour.work(task)
        except Exception as error:  # noqa: BLE001 -- a bug in what one reconcile needs must not stop the others
            crashed = error
        self._laborious.discard(token)
        then(crashed)

    # Behind the scenes

    async def _discover(self, side: Side) -> None:
        """Learn what a side serves; then look again now and then for kinds somebody misses."""
        mapper = self.mappers[side]
        connecting = Backoff(rng=self._rng)
        while not mapper.discovered.is_set():
            try:
                await mapper.refresh(force=True)
            except GitopsError as error:
                if not connecting.failures:
                    _log.warning("API not reached yet", side=side.value, error=error)
                await self.clock.sleep(connecting.next())
        missed: set[tuple[str, str]] = set()
        pause = Backoff(self.settings.missing_kind, 60.0, rng=self._rng)
        while True:
            await self.clock.sleep(pause.next() if missed else self.settings.missing_kind)
            before, missed = missed, self._dependents.missing(side)
            if missed - before:
                pause.reset()
            if missed:
                await self._look_for(side, missed)

    async def _look_for(self, side: Side, missed: set[tuple[str, str]]) -> None:
        mapper = self.mappers[side]
        try:
            await mapper.refresh(force=True)
        except GitopsError as error:
            _log.debug("discovery failed", side=side.value, error=error)
            return
        for api_version, kind in sorted(missed):
            if mapper.known_for(api_version, kind) or mapper.known_named(api_version, kind):
                _log.info("kind is served now", side=side.value, api_version=api_version, kind=kind)
                for name, key in self._dependents.of_missing(side, api_version, kind):
                    self._loops[name].queue.add(key)

    async def _tidy(self) -> None:
        """End the watches that were started for somebody who is gone."""
        while True:
            await self.clock.sleep(min(60.0, self.settings.unused))
            now, used = self.clock.monotonic(), self._dependents.used()
            self._damping.forget(now)
            kinds = {(side, kind) for side, kind, _ in used}
            for (side, want), since in tuple(self._dynamic.items()):
                if (side, want.kind, want.namespace) in used or (
                    not want.namespace and (side, want.kind) in kinds
                ):
                    self._dynamic[side, want] = now
                elif now - since >= self.settings.unused:
                    del self._dynamic[side, want]
                    self.caches[side].unsubscribe(want)

    async def _finish(self, running: Mapping[ControllerLoop, asyncio.Task[None]]) -> None:
        """No new keys; those that are worked on get time to finish."""
        for loop in running:
            loop.queue.shut_down()
        started = [task for loop, task in running.items() if loop.started.is_set()]
        if not started:
            return
        _, late = await asyncio.wait(started, timeout=self.settings.grace)
        if late:
            _log.warning("reconciles cut off at stop", tasks=sorted(t.get_name() for t in late))


def _whole_kinds(controllers: Sequence[Controller], side: Side) -> Mapping[Kind, Callable[[Object], Object]]:
    """The kinds a row wants to see with their managedFields."""
    whole = {r.kind for c in controllers for r in c.reads if r.managed_fields and r.side is side}
    return dict.fromkeys(whole, _as_it_is)


def _as_it_is(obj: Object) -> Object:
    return obj


def _check(controllers: Sequence[Controller], clusters: Mapping[Side, Cluster]) -> None:
    """A table that cannot be run is refused before anything starts."""
    names = [c.name for c in controllers]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise GitopsError(f"controllers named twice: {', '.join(twice)}")
    for controller in controllers:
        if missing := sorted({side for side, _ in controller.wants()} - set(clusters)):
            raise GitopsError(
                f"controller {controller.name} needs the {missing[0]} API", hint="Give its kubeconfig too."
            )
