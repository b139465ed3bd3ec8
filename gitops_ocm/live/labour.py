"""What takes long to work out (`contract.Laborious`) is worked out in a thread, a second at a time.

The event loop is everybody's: a decision that asks much (`decide.placement.judging`) gets a fiftieth of a
second of it, then a thread does the rest, and the decision is made again. There is one thread for the whole
process, each second of it followed by as long a pause: whoever asks for much waits, and not all the others.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import TypeVar

from gitops_ocm.decide.contract import Laborious
from gitops_ocm.objects.cel.patience import Patience, hasty, hurried

T = TypeVar("T")
_LOOP_SECONDS, _LOOP_UNITS = 0.02, 20_000
"""How long it may take on the loop, and what one call in it may cost there: nothing stops that."""
_LONGEST_SECONDS, _ANY = 10.0, 10**12
"""How long it may take at once in the thread, in time of a processor."""


def brief() -> Patience:
    """As long as all others may wait."""
    end = time.monotonic() + _LOOP_SECONDS
    return Patience(lambda: time.monotonic() > end, _LOOP_UNITS)


def briefly(make: Callable[[], T]) -> T:
    """What comes of it; raises `Laborious` where that takes long."""
    with hurried(brief):
        return make()


class Labour:
    """The thread, made where it is needed first."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._closed = threading.Event()

    async def work(self, task: Laborious) -> None:
        """Do a part of a task, and pause for as long as that took."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "labour")
        took = await asyncio.get_running_loop().run_in_executor(
            self._thread, copy_context().run, self._part, task
        )
        await asyncio.sleep(took)

    async def result(self, make: Callable[[], T]) -> T:
        """What comes of it, however long it takes."""
        while True:
            try:
                return briefly(make)
            except Laborious as task:
                await self.work(task)

    def close(self) -> None:
        """Stop what is being worked out: nobody waits for it any more."""
        self._closed.set()
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)

    def _part(self, task: Laborious) -> float:
        started, begun = time.monotonic(), time.thread_time()

        def late() -> bool:
            if self._closed.is_set():
                raise _Closed
            return time.thread_time() > begun + _LONGEST_SECONDS

        with suppress(_Closed), hasty(Patience(late, _ANY)):
            task.work(lambda: time.thread_time() - begun)
        return time.monotonic() - started


class _Closed(Exception):
    """Nobody wants to know any more."""
