"""Group commit: changes go to the disk in a thread, all that have gathered meanwhile at once.

    async with group_commit(store) as commits:
        api.create(...)             # returns at once; readers do not see it yet
        await store.settled()       # now it is kept, and readers see it

One commit is under way at a time. What is written meanwhile waits for the next one, so that any number of
writers shares an fsync and the event loop never waits for one. Readers do not wait either: they see what
was kept last. When a commit fails, nothing that was waiting has happened, for one write follows from another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TypeVar

from gitops_ocm.apiserver.store import Store, StoreFailed
from gitops_ocm.apiserver.watch_history import Change
from gitops_ocm.runtime.log import get_logger

T = TypeVar("T")
SUPERSEDED = 4000
"""Versions forgotten in one transaction at most: a commit that waits for it does not wait long."""
COMPACTION_SECONDS = 30.0
KEPT_SECONDS = 3600.0
"""How long a change can be asked for, unless the window is too small for so many."""

log = get_logger(__name__)


class GroupCommit:
    """Carries one store's changes to its storage. Belongs to the event loop it was made in."""

    def __init__(self, store: Store, failed: Callable[[], None]) -> None:
        self._store = store
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, "store")
        self._waiting: list[Change] = []
        self._under_way: list[Change] = []
        self._next = self._loop.create_future()
        self._current = self._next
        self._asked = False

    def add(self, changes: list[Change]) -> None:
        """Keep these with the next commit, which begins when the loop has run what is ready to run."""
        self._waiting.extend(changes)
        self._ask()

    def _ask(self) -> None:
        if not self._asked and not self._under_way:
            self._asked = True
            self._loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._asked = False
        self._under_way, self._waiting = self._waiting, []
        self._current, self._next = self._next, self._loop.create_future()
        records = self._store.records(self._under_way)
        self._thread.submit(self._store.storage.append, records).add_done_callback(self._tell)

    def _tell(self, done: Future[None]) -> None:
        self._loop.call_soon_threadsafe(self._end, done)

    def _end(self, done: Future[None]) -> None:
        changes, self._under_way = self._under_way, []
        error = done.exception()
        if error is None:
            self._store.publish(changes)
            self._current.set_result(None)
        else:
            self._lose(error)
        if self._waiting:
            self._ask()

    def _lose(self, error: BaseException) -> None:
        """What waits was decided by looking at what has just been lost."""
        lost, self._next = self._next, self._loop.create_future()
        self._waiting.clear()
        self._store.forget_unkept()
        self._failed()
        for future in (self._current, lost):
            future.set_exception(error)
            future.exception()  # nobody need have waited for it
        log.error("writes were lost", error=error)

    async def settled(self) -> None:
        """Wait until everything written so far is kept; raises StoreFailed where it could not be."""
        if self._waiting:
            await asyncio.shield(self._next)
        elif self._under_way:
            await asyncio.shield(self._current)

    async def run(self, work: Callable[[], T]) -> T:
        """Do something with the storage between two commits."""
        return await self._loop.run_in_executor(self._thread, work)

    async def compact(self) -> None:
        """Forget what is too old, and take from the file what nobody can ask for any more."""
        store = self._store
        store.compact(before=store.clock() - KEPT_SECONDS)
        while store.superseded:
            some, store.superseded = store.superseded[:SUPERSEDED], store.superseded[SUPERSEDED:]
            try:
                await self.run(partial(store.storage.compact, store.history.floor, some))
            except BaseException:
                store.superseded = [*some, *store.superseded]
                raise

    async def keep_compacting(self) -> None:
        """Compact now and then, for ever."""
        while True:
            await asyncio.sleep(COMPACTION_SECONDS)
            with suppress(StoreFailed):  # said when a write fails for the same reason
                await self.compact()

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown()


@asynccontextmanager
async def group_commit(store: Store, failed: Callable[[], None]) -> AsyncIterator[GroupCommit]:
    """Commit a store's writes in groups while the block runs; `failed` hears that some were lost."""
    commits = GroupCommit(store, failed)
    store.commits = commits
    compacting = asyncio.create_task(commits.keep_compacting(), name="compaction")
    try:
        yield commits
    finally:
        compacting.cancel()
        await asyncio.gather(compacting, return_exceptions=True)
        with suppress(StoreFailed):
            await commits.settled()
        store.commits = None
        commits.close()
