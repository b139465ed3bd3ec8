"""One HubSync in full: Git → hub, hub → Git, and what wakes them.

`SyncService` runs `loop` all the time. Beside it, for as long as the HubSync names the same repository,
it keeps the `status` branch (`push`), watches the refs of a repository on this machine, and answers
pushes into it (`git.hook`), so that `git push` shows how the sync went.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence, Set
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from gitops_ocm.decide.contract import Side, Want
from gitops_ocm.errors import GitopsError
from gitops_ocm.git.errors import Interrupted
from gitops_ocm.git.hook import HookServer, RefUpdate
from gitops_ocm.git.source import Repository, open_repository
from gitops_ocm.git.threads import in_thread
from gitops_ocm.git.triggers import watch_refs
from gitops_ocm.git.writer import Author, BranchWriter
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.cache import Cache
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.ref import Kind, Object
from gitops_ocm.runtime.backoff import Backoff
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.runtime.tasks import Tasks, ended_at, first_of
from gitops_ocm.sync.events import (
    Level,
    Listener,
    Phase,
    SyncEvent,
    Unrepeated,
    of_diagnostic,
    of_error,
    silent,
)
from gitops_ocm.sync.loop import SyncLoop, SyncSettings
from gitops_ocm.sync.publish import LAST_WORDS
from gitops_ocm.sync.pull import Attempt, ended
from gitops_ocm.sync.push import Push
from gitops_ocm.sync.record import HUBSYNC
from gitops_ocm.sync.spec import SyncSpec

AUTHOR = Author("gitops-ocm", "gitops-ocm@localhost")
"""Who writes the machine's branches."""


MOST_LINES = 50
"""So much is told of a push to who pushed."""


@dataclass(frozen=True)
class ServiceSettings:
    """`status_interval`: least seconds between two commits on the status branch.

    `hook_socket`: where pushes into the repository are reported (None: nobody listens).
    """

    sync: SyncSettings
    status_interval: float = 10.0
    hook_socket: Path | None = None
    author: Author = AUTHOR


class SyncService:
    """Runs the HubSync `name` until told to stop."""

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        *,
        settings: ServiceSettings,
        catalog: Catalog,
        create: Object | None = None,
        clock: Clock | None = None,
        listener: Listener = silent,
    ) -> None:
        self._cluster = cluster
        self._name = name
        self._settings = settings
        self._clock = clock or SystemClock()
        self._listeners: list[Listener] = [listener]
        self._mapper = Mapper(cluster, clock=self._clock)
        self.loop = SyncLoop(
            cluster,
            name,
            settings=settings.sync,
            catalog=catalog,
            create=create,
            clock=self._clock,
            listener=self._tell,
            mapper=self._mapper,
        )
        self._spec: SyncSpec | None = None
        self._moved = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; the pass and the status commit under way are finished first."""
        async with Tasks(f"sync {self._name}") as tasks:
            tasks.start("loop", self.loop.run(stop))
            tasks.start("repository", self._follow(stop))
            if self._settings.hook_socket is not None:
                tasks.start("hook", self._answer_pushes(self._settings.hook_socket, stop))

    async def _follow(self, stop: asyncio.Event) -> None:
        """Keep what belongs to a repository running, and start it anew when the HubSync names another."""
        async with Cache(Side.HUB, self._cluster, self._mapper, clock=self._clock) as cache:
            cache.listen(self._hubsync_changed)
            cache.subscribe(Want(HUBSYNC.of, version=HUBSYNC.version))
            while not stop.is_set():
                self._moved.clear()
                if self._spec is None:
                    await first_of(stop.wait(), self._moved.wait())
                else:
                    await self._beside(self._spec, stop)

    def _hubsync_changed(self, _kind: Kind, _old: Object | None, new: Object | None) -> None:
        if new is not None and new["metadata"]["name"] == self._name:
            try:
                spec = SyncSpec.of(new)
            except GitopsError:
                spec = None  # The loop tells what is wrong with it.
            if _home(spec) != _home(self._spec):
                self._moved.set()
            self._spec = spec

    async def _beside(self, spec: SyncSpec, stop: asyncio.Event) -> None:
        """The status branch and the file events of one repository, until it is another."""
        backoff, trouble = Backoff(0.5, 60.0), Unrepeated(self._tell)
        while not stop.is_set() and not self._moved.is_set():
            try:
                await self._with_repository(spec, stop)
            except Interrupted:
                continue
            except (GitopsError, OSError) as error:
                trouble.begin(after_failure=True)
                trouble(of_error(Phase.STATUS, error))
                await first_of(stop.wait(), self._moved.wait(), within=backoff.next())

    async def _with_repository(self, spec: SyncSpec, stop: asyncio.Event) -> None:
        settings = self._settings.sync
        repository = await in_thread(
            lambda: open_repository(spec.url, settings.cache_dir, credentials=settings.credentials)
        )
        try:
            async with ended_at(stop, repository.interrupt, grace=LAST_WORDS), AsyncExitStack() as stack:
                if repository.is_local and repository.git.git_dir is not None:
                    await self._watch_refs(repository.git.git_dir, stack)
                if spec.status_enabled:
                    await self._push(spec, repository, stop)
                else:
                    await first_of(stop.wait(), self._moved.wait())
        finally:
            await in_thread(repository.close)

    async def _watch_refs(self, git_dir: Path, stack: AsyncExitStack) -> None:
        """See commits at once; where this machine has no more file watches to give, at the next poll."""
        try:
            await stack.enter_async_context(watch_refs(git_dir, self._refs_moved))
        except OSError as error:
            hint = "raise fs.inotify.max_user_instances and max_user_watches, or wait for spec.interval"
            text = f"commits are only seen by polling: {error.strerror or error}"
            self._tell(SyncEvent(Phase.FETCH, text, Level.WARNING, hint=hint))

    async def _push(self, spec: SyncSpec, repository: Repository, stop: asyncio.Event) -> None:
        await in_thread(repository.prepare)
        remote = None if repository.is_local else repository.address
        writer = BranchWriter(repository.git, spec.status_branch, author=self._settings.author, remote=remote)
        push = Push(
            self._cluster,
            self._mapper,
            writer,
            repository,
            name=self._name,
            clock=self._clock,
            listener=self._tell,
            min_interval=self._settings.status_interval,
        )
        ended = asyncio.Event()
        async with push:
            running = asyncio.create_task(push.run(ended), name=f"push {self._name}")
            try:
                await first_of(stop.wait(), self._moved.wait(), _over(running))
            finally:
                ended.set()
                await asyncio.wait([running], timeout=LAST_WORDS)
                if not running.done():
                    repository.interrupt()
                    running.cancel()
                    await asyncio.wait([running])
            if not running.cancelled():
                running.result()

    def _refs_moved(self, _trigger: str) -> None:
        self.loop.poke()

    def _tell(self, event: SyncEvent) -> None:
        for listener in tuple(self._listeners):
            listener(event)

    # Pushes

    async def _answer_pushes(self, socket: Path, stop: asyncio.Event) -> None:
        async with HookServer(socket, self._answer):
            await stop.wait()

    async def _answer(self, updates: Sequence[RefUpdate]) -> AsyncIterator[str]:
        """Sync now and tell how it goes, for a push that moved the ref we follow."""
        if self._spec is None or self._spec.ref not in {update.ref for update in updates}:
            return
        lines: asyncio.Queue[str | None] = asyncio.Queue()

        def listen(event: SyncEvent) -> None:
            # What the status branch tells meanwhile is about earlier commits.
            if event.level is not Level.DETAIL and event.phase is not Phase.STATUS:
                lines.put_nowait(event.line())

        attempt = asyncio.create_task(self.loop.sync_now(), name="sync for a push")
        attempt.add_done_callback(lambda _: lines.put_nowait(None))
        self._listeners.append(listen)
        told: set[str] = set()
        try:
            while (line := await lines.get()) is not None:
                if line not in told and len(told) < MOST_LINES:
                    told.add(line)
                    yield f"gitops-ocm: {line}"
            for line in _untold(await attempt, told):
                yield f"gitops-ocm: {line}"
        finally:
            self._listeners.remove(listen)
            attempt.cancel()
            await asyncio.gather(attempt, return_exceptions=True)


def _untold(attempt: Attempt, told: Set[str]) -> Iterator[str]:
    """What who pushed has not heard yet: file events may have begun the pass before the hook listened."""
    lines = [of_diagnostic(Phase.CHECK, problem).line() for problem in attempt.problems]
    missing = [line for line in lines if line not in told]
    room = max(0, MOST_LINES - len(told))
    yield from missing[:room]
    if missing[room:]:
        yield f"and {len(missing[room:])} more problems; the log of the sync has them all"
    if (end := ended(attempt.verdict).line()) not in told:
        yield end


def _home(spec: SyncSpec | None) -> tuple[str, str, bool] | None:
    """What the parts beside the loop depend on."""
    return None if spec is None else (spec.url, spec.status_branch, spec.status_enabled)


async def _over(task: asyncio.Task[None]) -> None:
    await asyncio.wait([task])
