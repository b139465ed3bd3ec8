"""When to look at a repository again: by the clock, and when its refs change on this disk.

A trigger only wakes; what there is to do, a fetch tells. So a wake-up too many costs a fetch that
finds nothing, and one that is lost is made up for by the next poll. The third trigger, a push into
a repository on this machine, is `hook`.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from gitops_ocm.git.source import common_dir

# It logs an error where the last events of a watch come while it is being ended: nobody wants them then.
logging.getLogger("watchdog.observers.inotify").setLevel(logging.CRITICAL)

Wake = Callable[[str], None]
"""Called on the event loop with the trigger's name."""


async def poll(wake: Wake, interval: float, *, jitter: float = 0.1) -> None:
    """Wake every `interval` seconds, give or take a part of it, so that a fleet of syncs spreads out."""
    while True:
        await asyncio.sleep(interval * random.uniform(1 - jitter, 1 + jitter))  # noqa: S311
        wake("poll")


@asynccontextmanager
async def watch_refs(git_dir: Path, wake: Wake, *, debounce: float = 0.05) -> AsyncIterator[None]:
    """While entered, wake when a ref of the repository at `git_dir` may have moved.

    A commit writes several files; changes closer together than `debounce` seconds wake once.
    """
    loop = asyncio.get_running_loop()
    pending: asyncio.TimerHandle | None = None

    def fire() -> None:
        nonlocal pending
        pending = None
        wake("refs")

    def touched() -> None:
        nonlocal pending
        if pending is None:
            pending = loop.call_later(debounce, fire)

    handler = _RefEvents(lambda: loop.call_soon_threadsafe(touched))
    observer = Observer()
    common = common_dir(git_dir)
    for folder, recursive in {(git_dir, False), (common, False), (common / "refs", True)}:
        observer.schedule(handler, str(folder), recursive=recursive)
    try:
        await asyncio.to_thread(observer.start)
    except OSError:
        observer.stop()  # those of its threads that had begun
        raise
    try:
        yield
    finally:
        handler.closed = True
        if pending is not None:
            pending.cancel()
        await asyncio.to_thread(_stop, observer)


class _RefEvents(FileSystemEventHandler):
    """Keeps, of all that happens in a git directory, what can mean that a ref moved."""

    def __init__(self, touched: Callable[[], object]) -> None:
        self._touched = touched
        self.closed = False

    def on_any_event(self, event: FileSystemEvent) -> None:
        if self.closed or event.event_type in ("opened", "closed_no_write"):
            return
        for name in (str(event.src_path), str(event.dest_path)):
            path = Path(name)
            if not name.endswith(".lock") and (path.name in ("HEAD", "packed-refs") or "refs" in path.parts):
                self._touched()
                return


def _stop(observer: object) -> None:
    observer.stop()  # type: ignore[attr-defined]
    observer.join(5)  # type: ignore[attr-defined]
