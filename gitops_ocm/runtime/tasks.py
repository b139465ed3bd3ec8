"""Supervised asyncio tasks: none is forgotten, none dies unseen.

    async with Tasks("hub") as tasks:
        tasks.start("watch configmaps", watch())

Leaving the block waits for the tasks. When one crashes the others are cancelled and `TaskCrashed`,
which names it, is raised from the block. `stop()` cancels what is left and is a clean end.
`asyncio.TaskGroup` does the work; this adds names, a stop, and one error instead of a group.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from gitops_ocm.errors import GitopsError


class TaskCrashed(GitopsError):
    """A supervised task ended with an error; `task` names it, `__cause__` is the error."""

    code = "task-crashed"

    def __init__(self, task: str, error: Exception) -> None:
        self.task = task
        if isinstance(error, GitopsError):
            super().__init__(f"{task}: {error.message}", hint=error.hint, note=error.note, where=error.where)
        else:
            what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            super().__init__(f"{task} stopped: {what}", hint="This is a bug; please report it with the log.")


class Tasks:
    """A group of named tasks with one fate."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._crash: TaskCrashed | None = None

    def start(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[None]:
        """Run `work` in this group; cancelling the returned task alone is fine."""
        task: asyncio.Task[None] = self._group.create_task(work, name=f"{self.name}: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def stop(self) -> None:
        """Cancel every task that still runs."""
        for task in tuple(self._tasks):
            task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception) and self._crash is None:
            self._crash = TaskCrashed(task.get_name(), error)
            self._crash.__cause__ = error

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._group.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:
            if error is not None and not isinstance(error, asyncio.CancelledError):
                return  # the block's own error is the first cause
            raise self._crash or group.exceptions[0] from self._crash and self._crash.__cause__


async def first_of(*waits: Coroutine[Any, Any, Any], within: float | None = None) -> bool:
    """Wait until one of `waits` is over and cancel the rest; False when `within` seconds passed first."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
    return bool(done)


@asynccontextmanager
async def ended_at(
    stop: asyncio.Event, end: Callable[[], None], *, grace: float = 0.0
) -> AsyncIterator[None]:
    """While entered, call `end` once `stop` was set for `grace` seconds, to end what is waited for here."""

    async def watch() -> None:
        await stop.wait()
        await asyncio.sleep(grace)
        end()

    watching = asyncio.create_task(watch(), name="end when stopped")
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait([watching])
