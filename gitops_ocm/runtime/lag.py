"""How long the event loop of this process keeps what is ready to run waiting, as a metric.

    with watched_loop():
        ...

A timer that should fire is a request that should be answered: how late it fires is how late everything is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from gitops_ocm.runtime.metrics import LOOP_LAG, LOOP_LAG_MAX

INTERVAL = 0.25
"""Seconds between two looks: a stall of half a second is seen for certain, short ones often enough."""


@contextmanager
def watched_loop(interval: float = INTERVAL) -> Iterator[None]:
    """Measure the running loop for as long as the block lasts."""
    probe = _Probe(asyncio.get_running_loop(), interval)
    probe.start()
    try:
        yield
    finally:
        probe.stop()


class _Probe:
    def __init__(self, loop: asyncio.AbstractEventLoop, interval: float) -> None:
        self._loop = loop
        self._interval = interval
        self._worst = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        due = self._loop.time() + self._interval
        self._handle = self._loop.call_at(due, self._fire, due)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _fire(self, due: float) -> None:
        late = max(0.0, self._loop.time() - due)
        LOOP_LAG.observe(late)
        if late > self._worst:
            self._worst = late
            LOOP_LAG_MAX.set(late)
        self.start()
