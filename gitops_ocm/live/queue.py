"""The work queue: which key next, never twice at once, and not again too soon.

`Backlog` is the pure part: every method takes the time, so its laws are tested on a made-up clock.
`WorkQueue` lets workers wait for it. Limits are client-go's: per key 5 ms doubling to 1000 s, and
for all retries together 10 a second after a burst of 100.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gitops_ocm.runtime.clock import Clock
from gitops_ocm.runtime.metrics import QUEUE_ADDS, QUEUE_DEPTH, QUEUE_RETRIES

K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class RateLimit:
    """How long a retry has to wait: the longer of the key's backoff and the shared bucket."""

    base: float = 0.005
    cap: float = 1000.0
    per_second: float = 10.0
    burst: float = 100.0
    patience: float = 60.0
    """The bucket alone never makes a key wait longer than this."""
    _tokens: float = field(default=0.0, init=False)
    _at: float | None = field(default=None, init=False)

    def delay(self, failures: int, now: float) -> float:
        """Seconds to wait before try `failures` + 1; takes a token from the bucket."""
        earned = self.burst if self._at is None else (now - self._at) * self.per_second
        self._at = now
        self._tokens = max(min(self.burst, self._tokens + earned) - 1, -self.patience * self.per_second)
        shared = max(0.0, -self._tokens / self.per_second)
        return max(shared, min(self.cap, self.base * 2.0 ** min(failures, 40)))


class Backlog(Generic[K]):
    """Keys that are ready, being worked on, waiting for a time, or held back. Pure.

    A key added while it is worked on or held becomes ready once that is over, and only once.
    """

    def __init__(self, limit: RateLimit | None = None) -> None:
        self._limit = limit or RateLimit()
        self._ready: dict[K, None] = {}
        self._busy: set[K] = set()
        self._again: set[K] = set()
        self._held: dict[K, float] = {}
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._sequence = 0
        self._failures: dict[K, int] = {}

    def add(self, key: K) -> None:
        """Have `key` worked on as soon as may be."""
        if key in self._busy or key in self._held:
            self._again.add(key)
        else:
            self._ready.setdefault(key)

    def add_at(self, key: K, when: float) -> None:
        """Add `key` at `when`, or earlier if it was already to be added earlier."""
        if key not in self._due or when < self._due[key]:
            self._due[key] = when
            self._push(when, key)

    def retry(self, key: K, now: float) -> float:
        """Add `key` after its backoff; answers with the wait."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        wait = self._limit.delay(failures, now)
        self.add_at(key, now + wait)
        return wait

    def failures(self, key: K) -> int:
        """How often `key` was retried since it last went well."""
        return self._failures.get(key, 0)

    def forget(self, key: K) -> None:
        """`key` went well: its backoff starts anew."""
        self._failures.pop(key, None)

    def hold(self, key: K, until: float) -> None:
        """Keep `key` back until `release`, at most until `until`."""
        self._held[key] = until
        self._push(until, key)
        if key in self._ready:
            del self._ready[key]
            self._again.add(key)

    def release(self, key: K) -> None:
        """End a hold."""
        if self._held.pop(key, None) is not None and key not in self._busy and key in self._again:
            self._again.discard(key)
            self._ready.setdefault(key)

    def advance(self, now: float) -> list[K]:
        """Let what is due become ready; answers with the keys whose hold ran out."""
        expired: list[K] = []
        while self._heap and self._heap[0][0] <= now:
            _, _, key = heapq.heappop(self._heap)
            if self._held.get(key, now + 1) <= now:
                expired.append(key)
                self.release(key)
            if self._due.get(key, now + 1) <= now:
                del self._due[key]
                self.add(key)
        return expired

    def take(self) -> K | None:
        """The next ready key, now busy: nobody else gets it until `done`.

        What it was waiting for is off: working on it decides anew.
        """
        for key in self._ready:
            del self._ready[key]
            self._busy.add(key)
            self._due.pop(key, None)
            return key
        return None

    def done(self, key: K) -> None:
        """`key` is no longer worked on."""
        self._busy.discard(key)
        if key in self._again and key not in self._held:
            self._again.discard(key)
            self._ready.setdefault(key)

    def next_due(self) -> float | None:
        """When `advance` has something to do next."""
        while self._heap:
            when, _, key = self._heap[0]
            if self._due.get(key) == when or self._held.get(key) == when:
                return when
            heapq.heappop(self._heap)
        return None

    def _push(self, when: float, key: K) -> None:
        self._sequence += 1
        heapq.heappush(self._heap, (when, self._sequence, key))

    @property
    def ready(self) -> int:
        """How many keys could be taken now."""
        return len(self._ready)

    @property
    def busy(self) -> int:
        """How many keys are worked on."""
        return len(self._busy)

    @property
    def waiting(self) -> int:
        """How many keys wait for a time or a release."""
        return len(self._due.keys() | self._held.keys())

    @property
    def failing(self) -> int:
        """How many keys have failed and not yet gone well."""
        return len(self._failures)


class WorkQueue(Generic[K]):
    """A `Backlog` that workers await."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        *,
        limit: RateLimit | None = None,
        on_expired: Callable[[K], None] | None = None,
    ) -> None:
        self.backlog: Backlog[K] = Backlog(limit)
        self._clock = clock
        self._on_expired = on_expired
        self._waiters: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        self._closed = False
        self._depth = QUEUE_DEPTH.labels(name)
        self._adds = QUEUE_ADDS.labels(name)
        self._retries = QUEUE_RETRIES.labels(name)

    def add(self, key: K) -> None:
        """Have `key` worked on as soon as may be."""
        self._adds.inc()
        self.backlog.add(key)
        self._stir()

    def add_after(self, key: K, seconds: float) -> None:
        """Add `key` in a while."""
        if seconds <= 0:
            self.add(key)
        else:
            self.backlog.add_at(key, self._clock.monotonic() + seconds)
            self._stir()

    def retry(self, key: K) -> float:
        """Add `key` after its backoff; answers with the wait."""
        self._retries.inc()
        wait = self.backlog.retry(key, self._clock.monotonic())
        self._stir()
        return wait

    def forget(self, key: K) -> None:
        """`key` went well."""
        self.backlog.forget(key)

    def hold(self, key: K, seconds: float) -> None:
        """Keep `key` back until `release`, at most that long."""
        self.backlog.hold(key, self._clock.monotonic() + seconds)
        self._stir()

    def release(self, key: K) -> None:
        """End a hold."""
        self.backlog.release(key)
        self._stir()

    async def get(self) -> K | None:
        """The next key, busy until `done`; None once the queue is shut."""
        while not self._closed:
            self._stir()
            key = self.backlog.take()
            if key is not None:
                self._depth.set(self.backlog.ready)
                return key
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
                else:
                    self._wake(1)  # it was our turn: pass it on
                raise
        return None

    def done(self, key: K) -> None:
        """`key` is no longer worked on."""
        self.backlog.done(key)
        self._stir()

    def shut_down(self) -> None:
        """Hand out no more keys; whoever waits gets None."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._wake(len(self._waiters))

    def _stir(self) -> None:
        """Move what is due, wake as many waiters as there are keys, and set the next alarm."""
        if self._closed:
            return
        now = self._clock.monotonic()
        for key in self.backlog.advance(now):
            if self._on_expired is not None:
                self._on_expired(key)
        self._depth.set(self.backlog.ready)
        self._wake(self.backlog.ready)
        due = self.backlog.next_due()
        if self._timer is not None:
            if self._timer_due == due:
                return
            self._timer.cancel()
            self._timer = None
        if due is not None:
            self._timer_due = due
            self._timer = asyncio.get_running_loop().call_later(max(0.0, due - now), self._alarm)

    def _alarm(self) -> None:
        self._timer = None
        self._stir()

    def _wake(self, count: int) -> None:
        for _ in range(min(count, len(self._waiters))):
            waiter = self._waiters.pop(0)
            if not waiter.done():
                waiter.set_result(None)
