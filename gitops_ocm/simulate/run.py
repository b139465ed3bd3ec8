"""Runs the controller table in memory until nothing changes, under a clock that only this moves.

    simulation = Simulation(hub, hub_controllers(), agents={"c1": (spoke, agent_controllers(...))}, now=...)
    simulation.settle()             # to the fixed point of this moment
    simulation.advance(hours=1)     # and on, through every timer on the way

The same rows as in `live.runner` with the same rules: keys, mappers of old and new object, `then` chains,
requeues, retries with backoff. The order is fixed (process, controller, key), so a run can be repeated.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import NamedTuple

from gitops_ocm.decide.contract import (
    Controller,
    Emit,
    Outcome,
    Result,
    Side,
    Write,
    is_kept,
)
from gitops_ocm.decide.damping import Damping
from gitops_ocm.decide.reads import Seen, outdated
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Kind, Object, Ref, kind_of, ref_of
from gitops_ocm.simulate.limit import check
from gitops_ocm.simulate.process import Process, process_of
from gitops_ocm.simulate.ready import Ready
from gitops_ocm.simulate.view import covered
from gitops_ocm.simulate.world import World

FIRST_BACKOFF, LAST_BACKOFF = 0.005, 1000.0
QUICK = 0.02


class Livelock(GitopsError):
    """The controllers never come to rest: the keys that ran most often are in the message."""

    code = "livelock"


Woken = tuple[str, Ref]
"""A row's name and one of its keys."""


class Item(NamedTuple):
    """A key in the queue of one controller of one process."""

    process: str
    controller: int
    key: Ref


@dataclass(frozen=True)
class Step:
    """One reconcile that wrote something, for those who want to watch."""

    at: datetime
    process: str
    controller: str
    key: Ref
    results: tuple[Result, ...]


class Simulation:
    """A hub and any number of clusters with their agents."""

    def __init__(
        self,
        hub: World,
        controllers: Sequence[Controller],
        *,
        agents: Mapping[str, tuple[World, Sequence[Controller]]] | None = None,
        now: datetime,
        step_limit: int = 100_000,
        settled: Collection[str] = (),
        woken: Collection[Woken] | None = None,
    ) -> None:
        """`settled` names rows that have nothing to do about what is there at the start.

        With `woken` no key of the hub's rows but those named begins: all others have nothing to do.
        """
        self.hub = hub
        self.spokes = {name: world for name, (world, _) in sorted((agents or {}).items())}
        self.now = now
        self.steps: list[Step] = []
        self._limit = step_limit
        self._processes = {"": process_of("", controllers, {Side.HUB: hub})}
        for name, (world, rows) in sorted((agents or {}).items()):
            self._processes[name] = process_of(name, rows, {Side.HUB: hub, Side.SPOKE: world})
        self._ready: Ready[Item] = Ready()
        self._timers: list[tuple[datetime, Item]] = []
        self._due: dict[Item, datetime] = {}
        self._failures: Counter[Item] = Counter()
        self._reads: dict[Item, frozenset[Seen]] = {}
        self._readers: dict[tuple[int, Seen], set[Item]] = defaultdict(set)
        self._known: set[Item] = set()
        self._damping = Damping()
        for process in self._processes.values():
            if woken is None or process.name:
                self._start(process, frozenset(settled))
            else:
                self._begin(woken)
        self._drain()

    # What people do

    def act(self, *writes: Write, cluster: str = "", manager: str = "test") -> list[Result]:
        """Writes from outside, to the hub or to a cluster."""
        world = self.spokes[cluster] if cluster else self.hub
        results = [world.write(write, manager=manager, now=self.now) for write in writes]
        self._drain()
        return results

    def settle(self, *, patience: float = 1.0) -> None:
        """Run until nothing is left to do but wait; retries due within `patience` seconds are run too."""
        limit = self.now + timedelta(seconds=patience)
        self._run_until(limit, stay=True)

    def advance(self, **span: float) -> None:
        """Let time pass (`seconds=`, `minutes=`, …), running every timer on the way."""
        until = self.now + timedelta(**span)
        self._run_until(until, stay=False)

    @property
    def due(self) -> datetime | None:
        """When the next timer fires."""
        return self._next_timer()

    def unsettled(self) -> list[tuple[str, str, Ref, Write]]:
        """What any controller would still write: nothing, at a fixed point."""
        found: list[tuple[str, str, Ref, Write]] = []
        for item in sorted(self._known):
            process, row = self._row(item)
            outcome = row.reconcile(process.view(), item.key, self.now)
            writes = [w for w in outcome.actions if not isinstance(w, Emit) and is_kept(w)]
            found += [(item.process, row.name, item.key, w) for w in writes]
        return found

    def reconciled(self) -> set[Woken]:
        """The hub's rows and keys that have run."""
        rows = self._processes[""].rows
        return {(rows[item.controller].name, item.key) for item in self._known if not item.process}

    def failing(self) -> Mapping[Item, int]:
        """The keys that are being retried, and how often they have failed."""
        return {item: count for item, count in self._failures.items() if count}

    # The clock

    def _run_until(self, until: datetime, *, stay: bool) -> None:
        ran: Counter[Item] = Counter()
        moment, in_moment = self.now, 0
        while True:
            if not self._ready:
                at = self._next_timer()
                if at is None or at > until:
                    break
                self.now = max(self.now, at)
                self._fire()
                continue
            in_moment = in_moment + 1 if self.now == moment else 1
            moment = self.now
            item = self._ready.pop()
            ran[item] += 1
            if in_moment > self._limit:
                raise self._livelock(ran)
            check()
            self._reconcile(item)
        if not stay:
            self.now = until

    def _next_timer(self) -> datetime | None:
        while self._timers and self._due.get(self._timers[0][1]) != self._timers[0][0]:
            heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def _fire(self) -> None:
        while (at := self._next_timer()) is not None and at <= self.now:
            _, item = heappop(self._timers)
            del self._due[item]
            self._ready.add(item)

    def _wake_after(self, item: Item, seconds: float) -> None:
        """Earliest wins: a key has one timer."""
        if seconds <= 0:
            self._ready.add(item)
            return
        at = self.now + timedelta(seconds=seconds)
        if item not in self._due or at < self._due[item]:
            self._due[item] = at
            heappush(self._timers, (at, item))

    def _livelock(self, ran: Counter[Item]) -> Livelock:
        worst = [
            f"{self._row(item)[1].name}{f' on {item.process}' if item.process else ''} {item.key} ×{count}"
            for item, count in ran.most_common(3)
        ]
        return Livelock(
            f"no rest after {self._limit} reconciles at {self.now.isoformat()}: {', '.join(worst)}",
            hint="two controllers undo each other's writes, or one writes what it has written already",
        )

    # One reconcile

    def _row(self, item: Item) -> tuple[Process, Controller]:
        process = self._processes[item.process]
        return process, process.rows[item.controller]

    def _reconcile(self, item: Item) -> None:
        process, row = self._row(item)
        view = process.view(row)
        self._known.add(item)
        outcome = row.reconcile(view, item.key, self.now)
        self._remember(item, view.seen)
        manager = row.field_manager or "gitops-ocm"
        done: list[Result] = []
        requeue: float | None = None
        while True:
            if outcome.requeue_after is not None:
                requeue = min(outcome.requeue_after, requeue or outcome.requeue_after)
            results = self._carry_out(process, outcome, manager)
            done += results
            if outcome.then is None:
                break
            outcome = outcome.then(results)
        if any(not isinstance(r.write, Emit) for r in done):
            self.steps.append(Step(self.now, item.process, row.name, item.key, tuple(done)))
        error = next((r.error for r in results if r.error is not None), None)
        if error is not None or outcome.retry:
            self._retry(item, error)
        else:
            self._failures.pop(item, None)
        if requeue is not None:
            self._wake_after(item, requeue)
        self._drain()

    def _carry_out(self, process: Process, outcome: Outcome, manager: str) -> list[Result]:
        results = []
        for write in outcome.actions:
            result = process.worlds[write.side].write(write, manager=manager, now=self.now)
            results.append(result)
            if not result.ok and not outcome.keep_going:
                break
        return results

    def _retry(self, item: Item, error: ApiError | None) -> None:
        tries = self._failures[item]
        self._failures[item] += 1
        lost = error is not None and error.http_code == 409 and not error.causes
        backoff = QUICK if lost else min(FIRST_BACKOFF * 2.0**tries, LAST_BACKOFF)
        self._wake_after(item, backoff)

    # Waking

    def _begin(self, woken: Collection[Woken]) -> None:
        numbers = {row.name: number for number, row in enumerate(self._processes[""].rows)}
        self._ready.update(Item("", numbers[row], key) for row, key in woken if row in numbers)

    def _start(self, process: Process, settled: frozenset[str]) -> None:
        for number, row in enumerate(process.rows):
            if row.name not in settled:
                self._ready.update(Item(process.name, number, key) for key in process.keys_of(row))

    def _remember(self, item: Item, reads: set[Seen]) -> None:
        """What a key has read outside its declared kinds wakes it when it changes."""
        process = self._processes[item.process]
        before, after = self._reads.get(item, frozenset()), frozenset(reads)
        for gone, ours in ((before - after, False), (after - before, True)):
            for read in gone:
                readers = self._readers[id(process.worlds[read[0]]), read]
                readers.add(item) if ours else readers.discard(item)
        self._reads[item] = after

    def _drain(self) -> None:
        """Turn the changes of all worlds into keys."""
        for world in (self.hub, *self.spokes.values()):
            for old, new in world.changes():
                self._changed(world, old, new)

    def _changed(self, world: World, old: Object | None, new: Object | None) -> None:
        present = [obj for obj in (old, new) if obj is not None]
        kind = kind_of(present[0])
        for process in self._processes.values():
            for side, own in process.worlds.items():
                if own is not world:
                    continue
                self._wake(process, side, kind, old, new)
                if not self._readers:
                    continue
                for obj in present:
                    for read in outdated(side, ref_of(obj)):
                        for item in sorted(self._readers.get((id(world), read), ())):
                            self._wake_after(item, self._damping.delay(item, self.now.timestamp()))

    def _wake(self, process: Process, side: Side, kind: Kind, old: Object | None, new: Object | None) -> None:
        wakes = process.wakes.get((side, kind))
        if not wakes:
            return
        view = process.view()
        wants = process.narrow.get((side, kind))
        before, after = (
            obj if obj is not None and (wants is None or covered(wants, obj)) else None for obj in (old, new)
        )
        if before is None and after is None:
            return
        for number, wake in wakes:
            if wake.when is None or wake.when(old, new):
                self._ready.update(Item(process.name, number, key) for key in wake.keys(view, before, after))
