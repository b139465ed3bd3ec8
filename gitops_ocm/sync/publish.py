"""Files that follow objects, committed in batches: what `push` and `agent_push` share.

Somebody marks paths dirty; a while later all of them are rendered and go out in one commit. What a path
renders to is asked then, so ten changes of one object cost one file. Nothing is lost when a commit
fails: the paths stay dirty and are tried again with backoff. A branch that somebody else has deleted or
moved is brought back to what it is to say: that shows at the next commit, or when it is looked at anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from gitops_ocm.git.errors import GitError
from gitops_ocm.git.threads import in_thread
from gitops_ocm.git.writer import MAX_FILE, BranchWriter, Committed
from gitops_ocm.runtime.backoff import Backoff
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.runtime.tasks import first_of
from gitops_ocm.sync.events import Listener, Phase, SyncEvent, Unrepeated, of_error

BATCH = 5000
"""Most files in one commit."""
SETTLE = 0.1
"""Seconds from the first change to a commit when the last one is long ago: related changes come together."""
LOOK = 600.0
"""Seconds after which the branch is looked at although there is nothing to commit."""
LAST_WORDS = 5.0
"""Seconds that a last commit may take when all is to end."""


@dataclass(frozen=True)
class Message:
    """What a commit says."""

    subject: str
    trailers: tuple[tuple[str, str], ...] = ()


Render = Callable[[str], str | None]
"""A path's text now; None where there is to be no file."""
Prepare = Callable[[tuple[str, ...]], Awaitable[None]]
"""Called before some paths are rendered: the time to read what that needs."""
Describe = Callable[[tuple[str, ...]], Message]
"""The message for a commit of these paths."""


class Publisher:
    """Keeps one branch true to what `render` says."""

    def __init__(
        self,
        writer: BranchWriter,
        render: Render,
        describe: Describe,
        *,
        clock: Clock,
        listener: Listener,
        min_interval: float = 10.0,
        prepare: Prepare | None = None,
        look: float = LOOK,
    ) -> None:
        self._writer = writer
        self._look = look
        self._expected: Callable[[], Iterable[str]] = tuple
        self._ours: Callable[[str], bool] = lambda path: False
        self._prepare = prepare
        self._render = render
        self._describe = describe
        self._clock = clock
        self._listener = Unrepeated(listener)
        self._failed = False
        self._min_interval = min_interval
        self._dirty: dict[str, None] = {}
        self._news = asyncio.Event()
        self._last = float("-inf")

    def dirty(self, paths: Iterable[str]) -> None:
        """What these paths say may have changed."""
        for path in paths:
            if path:
                self._dirty[path] = None
        if self._dirty:
            self._news.set()

    async def adopt(self, expected: Callable[[], Iterable[str]], *, ours: Callable[[str], bool]) -> None:
        """At the start: everything expected is dirty, and so is every file of ours that nothing expects.

        Each of them is so again when it is found otherwise than it was left.
        """
        self._expected, self._ours = expected, ours
        blobs = await in_thread(self._writer.blobs)
        self._writer.strayed()
        self.dirty(expected())
        self.dirty(path for path in blobs if ours(path))

    async def look(self) -> None:
        """See where the branch is; what somebody else has changed of ours is dirty."""
        await in_thread(self._writer.refresh)
        self._mend()

    def _mend(self) -> None:
        if strayed := self._writer.strayed():
            expected = frozenset(self._expected())
            self.dirty(path for path in strayed if path in expected or self._ours(path))

    async def run(self, stop: asyncio.Event) -> None:
        """Commit batches until `stop` is set; what is dirty then goes out once more."""
        backoff = Backoff(0.5, 60.0)
        while not stop.is_set():
            idle = not await first_of(stop.wait(), self._news.wait(), within=self._look)
            if stop.is_set():
                break
            if idle:
                await self._try(backoff, self.look)
                continue
            pause = max(SETTLE, self._last + self._min_interval - self._clock.monotonic())
            await first_of(stop.wait(), within=pause)
            if not await self._try(backoff, self.flush):
                await first_of(stop.wait(), within=backoff.next())
        await self._try(backoff, self.flush)

    async def flush(self) -> list[Committed]:
        """Commit all that is dirty now."""
        commits = []
        while self._dirty:
            paths = tuple(sorted(self._dirty)[:BATCH])
            committed = await self._commit(paths)
            if committed is not None:
                commits.append(committed)
            self._mend()
        self._news.clear()
        return commits

    async def _try(self, backoff: Backoff, what: Callable[[], Awaitable[object]]) -> bool:
        self._listener.begin(after_failure=self._failed)
        try:
            await what()
        except (GitError, OSError) as error:
            self._listener(of_error(Phase.STATUS, error))
            self._failed = True
        else:
            self._failed = False
            backoff.reset()
        return not self._failed

    async def _commit(self, paths: tuple[str, ...]) -> Committed | None:
        for path in paths:
            self._dirty.pop(path, None)
        try:
            if self._prepare is not None:
                await self._prepare(paths)
            files = {path: self._content(path) for path in paths}
            known = await in_thread(self._writer.blobs)
            present = {path: data for path, data in files.items() if data is not None or path in known}
            if not present:  # all of it came and went between two commits
                return None
            message = self._describe(tuple(present))
            committed = await in_thread(
                lambda: self._writer.commit(
                    present, message.subject, now=self._clock.now(), trailers=message.trailers
                )
            )
        except BaseException:
            self.dirty(paths)
            raise
        self._last = self._clock.monotonic()
        if committed is not None:
            text = f"{committed.commit[:12]}: {message.subject}"
            self._listener(SyncEvent(Phase.STATUS, text))
        return committed

    def _content(self, path: str) -> bytes | None:
        text = self._render(path)
        data = None if text is None else text.encode()
        if data is not None and len(data) > MAX_FILE:
            return f"# {len(data)} bytes are more than a status file may have.\n".encode()
        return data
