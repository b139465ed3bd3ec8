"""Requests that take long are worked out in threads, so that the event loop stays free for all the others.

A large object is decoded, checked, merged and encoded in Python, which may take seconds; a thread can be
interrupted in that, a callback on the loop cannot. Only the last step of a write, keeping what it came to,
belongs to the loop: it is handed back there (`Place`), and finds out whether what the write was worked out
from still holds. Where it does not (`Overtaken`) all is done again, at last on the loop itself. The thread
goes on when the write is on disk: only there and then is it known which commit it is part of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import TypeVar

from gitops_ocm.apiserver.values import Keep, Overtaken, Place, here
from gitops_ocm.objects.ref import Object

T = TypeVar("T")
LARGE = 64 * 1024
"""Bytes of JSON from which on an object is worked on in a thread."""
THREADS = 2
_TRIES = 3


class Workers:
    """The threads of one server; `settled` waits for its writes to be on disk."""

    def __init__(self, settled: Callable[[], Awaitable[None]], threads: int = THREADS) -> None:
        self._settled = settled
        self._threads = ThreadPoolExecutor(threads, "request")
        self._waiting: set[Future[Object]] = set()
        self._closed = False

    async def read(self, work: Callable[[], T]) -> T:
        """What the work comes to; it only reads, and nothing that another may change."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

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
                return await loop.run_in_executor(self._threads, work, on_loop)
            except Overtaken:
                continue
        return work(here)

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
