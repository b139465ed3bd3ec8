"""Requests that take long are worked out in threads, so that the event loop stays free for all the others.

A large object is decoded, checked, merged and encoded in Python, which may take seconds; a thread can be
interrupted in that, a callback on the loop cannot. Only the last step of a write, keeping what it came to,
belongs to the loop: it is handed back there (`Place`), and finds out whether what the write was worked out
from still holds. Where it does not (`Overtaken`) all is done again, and at last it is a conflict. The thread
goes on when the write is on disk: only there and then is it known which commit it is part of.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from gitops_ocm.apiserver.values import Keep, Overtaken, Place
from gitops_ocm.objects.cel.patience import OutOfPatience, Patience, hasty
from gitops_ocm.objects.faults import MODIFIED, ApiError, conflict
from gitops_ocm.objects.ref import Object

T = TypeVar("T")
LARGE = 64 * 1024
"""Bytes of JSON from which on an object is worked on in a thread."""
THREADS = 2
_TRIES = 8
_LOOP_SECONDS, _LOOP_UNITS = 0.02, 20_000
"""How long expressions in CEL may take on the loop, and what one call in them may cost there."""
_THREAD_SECONDS, _ANY = 10.0, 10**12


@contextmanager
def briefly() -> Iterator[None]:
    """For what is done on the loop: raises OutOfPatience where expressions take long, which a thread may."""
    end = time.monotonic() + _LOOP_SECONDS
    with hasty(Patience(lambda: time.monotonic() > end, _LOOP_UNITS)):
        yield


def at_length(work: Callable[[], T]) -> Callable[[], T]:
    """For what is done in a thread: expressions may take long, but others wait for a thread, too."""

    def done() -> T:
        end = time.monotonic() + _THREAD_SECONDS
        try:
            with hasty(Patience(lambda: time.monotonic() > end, _ANY)):
                return work()
        except OutOfPatience:
            text = "Timeout: request did not complete within requested timeout - context deadline exceeded"
            raise ApiError("Timeout", text, details={}) from None

    return done


class Workers:
    """The threads of one server; `settled` waits for its writes to be on disk."""

    def __init__(self, settled: Callable[[], Awaitable[None]], threads: int = THREADS) -> None:
        self._settled = settled
        self._threads = ThreadPoolExecutor(threads, "request")
        self._waiting: set[Future[Object]] = set()
        self._closed = False

    async def read(self, work: Callable[[], T]) -> T:
        """What the work comes to; it only reads, and nothing that another may change."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, at_length(work))

    async def soon(self, work: Callable[[], T]) -> T:
        """What work that only reads comes to: on the loop, unless that takes long."""
        try:
            with briefly():
                return work()
        except OutOfPatience:
            return await self.read(work)

    async def write(self, work: Callable[[Place], T]) -> T:
        """What the work comes to; what it writes it hands to the place it is given."""
        loop = asyncio.get_running_loop()

        def on_loop(keep: Keep) -> Object:
            if self._closed:
                raise CancelledError
            kept = asyncio.run_coroutine_threadsafe(self._kept(keep), loop)
            self._waiting.add(kept)
            try:
                return kept.result()
            finally:
                self._waiting.discard(kept)

        for _ in range(_TRIES):
            try:
                return await loop.run_in_executor(self._threads, at_length(partial(work, on_loop)))
            except Overtaken as overtaken:
                lost = overtaken.key
        raise conflict(lost.group, lost.plural, lost.name, MODIFIED)

    async def _kept(self, keep: Keep) -> Object:
        obj = keep()
        await self._settled()
        return obj

    def close(self) -> None:
        """Let the threads end; who waits for the loop waits no longer."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for kept in list(self._waiting):
            kept.cancel()
