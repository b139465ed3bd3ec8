"""Git as a sync sees it: where the ref is now, and what a commit means.

Git and the compiler block, so both run in a worker thread. What a file means is found again in the
blob cache, so a commit costs what it changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import TypeVar

from gitops_ocm.desired.cache import BlobCache
from gitops_ocm.desired.compile import DesiredState, compile_tree
from gitops_ocm.desired.policy import OWN_RULE
from gitops_ocm.errors import Diagnostic, Severity
from gitops_ocm.git.blobcache import BlobCacheFile
from gitops_ocm.git.command import Credentials
from gitops_ocm.git.errors import Interrupted, from_os
from gitops_ocm.git.source import Fetched, Repository, open_repository
from gitops_ocm.git.threads import in_thread
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.preview.model import Ruling
from gitops_ocm.preview.policy.overrides import TRAILER, Override, chosen, read_override
from gitops_ocm.sync import judging
from gitops_ocm.sync.spec import SyncSpec

T = TypeVar("T")


@dataclass(frozen=True)
class Checked:
    """A commit that was compiled: what it means, and what is wrong with it."""

    state: DesiredState
    errors: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]


class Source:
    """The repository of one HubSync. Reopened when the HubSync names another."""

    def __init__(self, cache_dir: Path, *, credentials: Credentials | None = None) -> None:
        self._cache_dir = cache_dir
        self._credentials = credentials
        self._store = BlobCacheFile(cache_dir / "documents.db")
        self._blobs = BlobCache(self._store)
        self._repository: Repository | None = None
        self._url = ""
        self._stopping = False
        self._abandoned: list[Repository] = []

    async def fetch(self, spec: SyncSpec) -> Fetched:
        """Bring the ref up to date; raises `git.errors.GitError`. Cancelled, it leaves nothing running."""
        try:
            return await _in_thread(lambda: self.repository(spec.url).fetch(spec.ref))
        except asyncio.CancelledError:
            self._abandon()
            raise

    async def check(self, commit: str, spec: SyncSpec, catalog: Catalog) -> Checked:
        """Read and validate a whole commit."""
        return await _in_thread(lambda: self._check(commit, spec, catalog))

    async def rulings(
        self, base: Checked, head: Checked, spec: SyncSpec, *, catalog: Catalog, now: datetime, seconds: float
    ) -> tuple[Ruling, ...]:
        """What the policy of one commit says of the next; within so many seconds, or it raises."""
        until = monotonic() + seconds
        return await _in_thread(
            lambda: judging.rulings(
                self.repository(spec.url),
                base.state,
                head.state,
                spec,
                catalog=catalog,
                now=now,
                late=lambda: self._stopping or monotonic() > until,
            )
        )

    async def word(self, commit: str, spec: SyncSpec) -> Override | None:
        """What a commit itself says of the rule about the policy; None where it says nothing."""
        info = await _in_thread(lambda: self.repository(spec.url).commit_info(commit))
        return chosen(OWN_RULE, [read_override(info.trailers.get(TRAILER, ""), commit)])

    def repository(self, url: str) -> Repository:
        """The open repository; blocks when it has to be opened."""
        if self._stopping:
            raise Interrupted("the sync is about to stop")
        if self._repository is None or url != self._url:
            self._close_repository()
            self._repository = open_repository(url, self._cache_dir, credentials=self._credentials)
            self._url = url
        return self._repository

    def interrupt(self) -> None:
        """End what is under way, for good: it raises `git.errors.Interrupted`."""
        self._stopping = True
        if self._repository is not None:
            self._repository.interrupt()

    def close(self) -> None:
        """End what is under way and the helper processes, and close the cache."""
        self.interrupt()
        self._close_repository()
        self._store.close()

    def _abandon(self) -> None:
        """Whoever waits for this repository has given up; the next call opens it anew."""
        if self._repository is not None:
            self._repository.interrupt()
            self._abandoned.append(self._repository)
            self._repository = None

    def _close_repository(self) -> None:
        if self._repository is not None:
            self._abandoned.append(self._repository)
            self._repository = None
        while self._abandoned:
            self._abandoned.pop().close()

    def _check(self, commit: str, spec: SyncSpec, catalog: Catalog) -> Checked:
        tree = self.repository(spec.url).tree(commit)
        state = compile_tree(tree, catalog, cache=self._blobs, path=spec.path)
        errors = tuple(d for d in state.diagnostics if d.severity is Severity.ERROR)
        warnings = tuple(d for d in state.diagnostics if d.severity is not Severity.ERROR)
        return Checked(state, errors, warnings)


async def _in_thread(work: Callable[[], T]) -> T:
    try:
        return await in_thread(work)
    except OSError as error:
        raise from_os(error, f"work on {error.filename or 'the cache'}") from error
