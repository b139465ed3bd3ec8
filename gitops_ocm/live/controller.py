"""One row of the controller table at work: events become keys, keys are reconciled, writes are made.

`live.runner` gives it what all rows share (`Shell`) and starts it. Per key: reconcile, carry out
the writes, follow `then`, hold the key until its writes have been seen, wake it again when asked.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

from gitops_ocm.decide.contract import (
    Controller,
    Delete,
    Laborious,
    MergePatch,
    Outcome,
    Result,
    Side,
    Unread,
    Wake,
    Write,
    is_kept,
)
from gitops_ocm.errors import GitopsError
from gitops_ocm.live.cache import Cache
from gitops_ocm.live.commit import Committer
from gitops_ocm.live.complaints import Complaints
from gitops_ocm.live.dependents import Dependents
from gitops_ocm.live.hold import Expectation, Holds, Owner, expectation
from gitops_ocm.live.labour import briefly
from gitops_ocm.live.queue import RateLimit, WorkQueue
from gitops_ocm.live.repeats import Repeats
from gitops_ocm.live.table import Change
from gitops_ocm.live.view import LiveView, Reads
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.runtime.log import get_logger
from gitops_ocm.runtime.metrics import RECONCILE_SECONDS, RECONCILES, SCHEDULER, STAGES
from gitops_ocm.runtime.tasks import Tasks

_log = get_logger("controller")

_HOLD_SECONDS = 10.0
_QUICK_TRIES = 6
_QUICK_BASE = 0.02


@dataclass(frozen=True)
class Shell:
    """What the controllers of one process share.

    `watch` starts watching what was found unread, `labour` has worked out what takes long.
    """

    caches: Mapping[Side, Cache]
    clock: Clock
    rng: random.Random
    holds: Holds
    dependents: Dependents
    complaints: Complaints
    watch: Callable[[Unread, Hashable, Callable[[], None]], None]
    labour: Callable[[Laborious, Hashable, Callable[[Exception | None], None]], None]


@dataclass(frozen=True)
class ControllerStatus:
    """One row's queue."""

    name: str
    started: bool
    ready: int
    busy: int
    waiting: int
    failing: int


class ControllerLoop:
    """Runs one `Controller`."""

    def __init__(
        self, controller: Controller, shell: Shell, committer: Committer, *, limit: RateLimit | None = None
    ) -> None:
        self.controller = controller
        self.queue: WorkQueue[Ref] = WorkQueue(
            controller.name, shell.clock, limit=limit, on_expired=self._hold_expired
        )
        self._shell = shell
        self._committer = committer
        self._declared = frozenset((side, want.kind) for side, want in controller.wants())
        self._quick: dict[Ref, int] = {}
        self._repeats = Repeats()
        self.started = asyncio.Event()
        self._seconds = RECONCILE_SECONDS.labels(controller.name)
        self._stages = [stage.labels(SCHEDULER) for stage in STAGES.get(controller.name, ())]

    def status(self) -> ControllerStatus:
        """How it fares."""
        backlog = self.queue.backlog
        return ControllerStatus(
            self.controller.name,
            self.started.is_set(),
            backlog.ready,
            backlog.busy,
            backlog.waiting,
            backlog.failing,
        )

    # Waking

    async def run(self) -> None:
        """Start once everything declared can be read; return when the queue is shut."""
        for side, want in self.controller.wants():
            await self._shell.caches[side].synced([want])
        self.started.set()
        self.add_all()
        async with Tasks(self.controller.name) as tasks:
            workers = [tasks.start(f"worker {n}", self._work()) for n in range(self.controller.workers)]
            resync = tasks.start("resync", self._resync()) if self.controller.resync > 0 else None
            await asyncio.wait(workers)
            if resync is not None:
                resync.cancel()

    def changed(self, side: Side, kind: Kind, old: Object | None, new: Object | None) -> None:
        """A cache has seen a change: wake whom it concerns."""
        if not self.started.is_set():
            return  # all there is will be mapped at the start
        for number, wake in enumerate(self.controller.wakes):
            if wake.kind == kind and wake.side is side and self._matters(wake, old, new):
                self._map(number, [(old, new)])

    def _matters(self, wake: Wake, old: Object | None, new: Object | None) -> bool:
        try:
            return wake.when is None or wake.when(old, new)
        except Exception:  # noqa: BLE001 -- better to look once too often than never
            _log.exception("filter failed", controller=self.controller.name, kind=str(wake.kind))
            return True

    def add_all(self, *, spread: float = 0.0) -> None:
        """Wake every key there is, over so many seconds."""
        for seed in self.controller.seeds:
            self.queue.add(seed)
        for number, wake in enumerate(self.controller.wakes):
            if wake.affects is not None:
                continue
            try:
                objects = self._shell.caches[wake.side].list(wake.kind)
            except GitopsError as error:
                _log.warning("kind cannot be listed", controller=self.controller.name, error=error)
            else:
                self._map(number, [(None, obj) for obj in objects], spread=spread)

    def _map(self, number: int, changes: Iterable[Change], *, spread: float = 0.0) -> None:
        """Add the keys that one of the controller's wakes makes of changes."""
        wake = self.controller.wakes[number]
        view = LiveView(self._shell.caches)
        for old, new in changes:
            obj = new if new is not None else old
            assert obj is not None
            try:
                keys = wake.keys(view, old, new)
            except Unread as unread:
                token = (self.controller.name, number, ref_of(obj))
                self._shell.watch(unread, token, partial(self._map, number, [(old, new)]))
                continue
            except Exception:  # noqa: BLE001 -- one object that a mapper trips over must not stop the rest
                _log.exception("mapping failed", controller=self.controller.name, object=ref_of(obj))
                continue
            for key in keys:
                self.queue.add_after(key, self._shell.rng.random() * spread)

    async def _resync(self) -> None:
        every = self.controller.resync
        while True:
            await self._shell.clock.sleep(every * (0.9 + 0.2 * self._shell.rng.random()))
            self.add_all(spread=every * 0.1)

    # Working

    async def _work(self) -> None:
        while (key := await self.queue.get()) is not None:
            try:
                with self._seconds.time():
                    await self._one(key)
            finally:
                self.queue.done(key)

    async def _one(self, key: Ref) -> None:
        """One reconcile of one key, whatever comes of it."""
        owner: Owner = (self.controller.name, key)
        reads = Reads()
        view = LiveView(self._shell.caches, self._declared, reads)
        try:
            now = self._shell.clock.now()
            with self._stage(0):
                outcome = briefly(lambda: self.controller.reconcile(view, key, now))
            self._shell.dependents.record(owner, reads)
            with self._stage(1):
                await self._carry_out(owner, outcome, reads)
        except Unread as unread:
            self._count("unread")
            self._shell.dependents.record(owner, reads)
            self._shell.watch(unread, owner, partial(self.queue.add, key))
        except Laborious as task:
            self._count("laborious")
            self._shell.dependents.record(owner, reads)
            self._shell.labour(task, owner, partial(self._worked_out, owner))
        except GitopsError as error:
            self._failed(owner, error)
        except Exception as error:  # noqa: BLE001 -- a bug in one reconciler must not stop the others
            self._count("crash")
            self._shell.complaints.crashed(owner, error, wait=self.queue.retry(key))

    def _stage(self, number: int) -> AbstractContextManager[object]:
        return self._stages[number].time() if self._stages else nullcontext()

    def _worked_out(self, owner: Owner, error: Exception | None) -> None:
        """There is less left to be worked out than before, unless that crashed."""
        if error is None:
            self.queue.add(owner[1])
        else:
            self._count("crash")
            self._shell.complaints.crashed(owner, error, wait=self.queue.retry(owner[1]))

    async def _carry_out(self, owner: Owner, outcome: Outcome, reads: Reads) -> None:
        """Make the writes, step by step, and settle when the key is looked at again."""
        key = owner[1]
        requeue: float | None = None
        failed: Result | None = None
        expected: list[Expectation] = []
        judged = False  # of a chain the first writes count: what is asked before them is the same each time
        try:
            while True:
                if not judged and self._must_wait(owner, outcome.actions):
                    return
                judged = judged or any(is_kept(write) for write in outcome.actions)
                if outcome.requeue_after is not None:
                    requeue = min(
                        outcome.requeue_after, requeue if requeue is not None else outcome.requeue_after
                    )
                if outcome.notes:
                    _log.debug("reconciled", controller=owner[0], key=key, notes=outcome.notes)
                results = await self._write(outcome.actions, outcome.keep_going, expected)
                failed = next((r for r in results if not r.ok), None)
                if outcome.then is None:
                    break
                outcome = outcome.then(results)
                self._shell.dependents.record(owner, reads)  # a later step may have looked at more
        finally:
            if self._shell.holds.wait_for(owner, expected):
                self.queue.hold(key, _HOLD_SECONDS)
        if failed is not None and failed.error is not None:
            self._failed(owner, failed.error, lost_race=self._lost_race(failed))
        elif outcome.retry:
            self._failed(owner, GitopsError(outcome.retry))
        else:
            self._count("success")
            self._quick.pop(key, None)
            self.queue.forget(key)
            self._shell.complaints.went_well(owner)
        if requeue is not None:
            self.queue.add_after(key, requeue)

    def _must_wait(self, owner: Owner, actions: Iterable[Write]) -> bool:
        """Whether the same writes were made a moment ago, and did not stick: then they are put off."""
        wait = self._repeats.wait(owner, actions, self._shell.clock.monotonic())
        if wait <= 0:
            return False
        self._count("repeated")
        self._shell.complaints.repeated(owner, self._repeats.repeats(owner), wait=wait)
        self.queue.add_after(owner[1], wait)
        return True

    async def _write(
        self, actions: Iterable[Write], keep_going: bool, expected: list[Expectation]
    ) -> list[Result]:
        results: list[Result] = []
        for write in actions:
            before = self._before(write)
            result = await self._committer.write(write)
            results.append(result)
            if result.ok:
                if (seen := expectation(result, before)) is not None:
                    expected.append(seen)
            elif not keep_going:
                break
        return results

    def _before(self, write: Write) -> Object | None:
        """What the cache has of an object that is about to be deleted."""
        if not isinstance(write, Delete):
            return None
        cache = self._shell.caches[write.side]
        return cache.get(write.ref) if cache.watching(*_place(write.ref)) else None

    def _lost_race(self, result: Result) -> bool:
        """The cache was behind: the object has changed (409) or gone (404) since it was read.

        Not so when a field belongs to another manager: that stays until somebody decides.
        """
        error, write = result.error, result.write
        if error is None or any(cause.reason == "FieldManagerConflict" for cause in error.causes):
            return False
        if error.http_code == 404 and isinstance(write, MergePatch):
            return self._shell.caches[write.side].watching(*_place(write.ref))
        return error.http_code == 409

    def _failed(self, owner: Owner, error: GitopsError, *, lost_race: bool = False) -> None:
        """Put the key back: a lost race quickly and quietly, anything else with backoff."""
        key = owner[1]
        self._repeats.forget(owner)
        tries = self._quick.get(key, 0)
        if lost_race and tries < _QUICK_TRIES:
            self._count("conflict")
            self._quick[key] = tries + 1
            self.queue.add_after(key, _QUICK_BASE * 2**tries)
            return
        self._count("error")
        wait = self.queue.retry(key)
        self._shell.complaints.failed(owner, error, wait=wait)

    def _hold_expired(self, key: Ref) -> None:
        missing = self._shell.holds.give_up((self.controller.name, key))
        if missing:
            _log.warning(
                "own write not seen in time, going on", controller=self.controller.name, key=key,
                write=missing[0].ref, others=len(missing) - 1,
            )  # fmt: skip

    def _count(self, result: str) -> None:
        RECONCILES.labels(self.controller.name, result).inc()


def _place(ref: Ref) -> tuple[Kind, str, str]:
    return ref.of, ref.namespace, ref.name
