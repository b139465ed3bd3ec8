"""Reads what a preview is made of from a clone: two states of the repository, and the fleet's own account.

    with Reviewer(Path("fleet")) as reviewer:
        found = reviewer.review("main..topic", now=now)      # the first reads everything
        found = reviewer.review("", now=now)                 # the next only what has changed since

Nothing is written and no cluster is asked. What it comes to is `preview`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType

from gitops_ocm.desired.cache import BlobCache
from gitops_ocm.desired.compile import DesiredState, compile_tree
from gitops_ocm.desired.tree import Tree
from gitops_ocm.git.clone import Clone
from gitops_ocm.git.errors import RefNotFound
from gitops_ocm.git.parsedfile import ParsedFile, folder_of
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.preview import account_record
from gitops_ocm.preview.effects import preview_of
from gitops_ocm.preview.model import Preview
from gitops_ocm.preview.policy.judge import judged
from gitops_ocm.preview.policy.overrides import TRAILER, Override, read_overrides
from gitops_ocm.preview.run import DEFAULTS, Settings, Tried, attempt
from gitops_ocm.preview.stage import Stage, set_up
from gitops_ocm.preview.state import FleetState, read_state
from gitops_ocm.runtime.build import build
from gitops_ocm.runtime.catalog import committed_kinds, load_catalog
from gitops_ocm.runtime.memory import uncollected
from gitops_ocm.verbs.revisions import Reading, compared


@dataclass(frozen=True)
class Inputs:
    """What a preview is made of."""

    base: DesiredState
    head: DesiredState
    state: FleetState


@dataclass(frozen=True)
class Reviewed:
    """A preview, and what was tried for it: nothing, where the sync would refuse the change at once."""

    preview: Preview
    inputs: Inputs
    tried: Tried | None = None


@dataclass(frozen=True)
class _Compiled:
    """What a commit means, with the memory of compiling it."""

    state: DesiredState
    cache: BlobCache


@dataclass(frozen=True)
class _Set:
    """A stage, and what it was set up of."""

    base: DesiredState
    state: FleetState
    stage: Stage


class Reviewer:
    """Previews of changes in the clone at `folder`, one after the other: what was read once is kept.

    `path` is the fleet's folder in the repository. The fleet's state is what the branch `status_ref` tells,
    or what `state` gives of the clone where that is set. In the folder `cache` parsed files are kept for the
    next process. A `reading` of that folder that is under way is the first to be taken. Not for several
    threads at a time.
    """

    def __init__(
        self,
        folder: Path,
        *,
        path: str = ".",
        status_ref: str = "status",
        state: Callable[[Clone], FleetState] | None = None,
        cache: Path | None = None,
        reading: Reading | None = None,
    ) -> None:
        self.clone = reading.clone if reading is not None else Clone.at(folder)
        self._reading = reading
        self._path, self._status_ref, self._state = path, status_ref, state
        kept = folder_of(cache, self.clone.git_dir) if cache is not None else None
        self._files = ParsedFile(kept / "desired") if kept else None
        self._told_files = ParsedFile(kept / "told", version=build()) if kept else None
        self._accounts = ParsedFile(kept / "accounts", version=build()) if kept else None
        self._verdicts = ParsedFile(kept / "verdicts", version=build()) if kept else None
        self._base: _Compiled | None = None
        self._told: FleetState | None = None
        self._stage: _Set | None = None
        self._catalog: Catalog | None = None

    def __enter__(self) -> Reviewer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process that reads objects."""
        self.clone.close()

    @property
    def catalog(self) -> Catalog:
        """The kinds a hub serves."""
        if self._catalog is None:
            self._catalog = load_catalog()
        return self._catalog

    def read(self, revisions: str) -> Inputs:
        """Both states of the repository, and the fleet's.

        `revisions` is `BASE..HEAD`, or a HEAD alone, whose base is where it left main; empty: the files as
        they are on disk against where the branch left main.
        """
        base, head = self._trees(revisions)
        before = self._compiled(base)
        # What both have the base had first; what only an earlier head had is nobody's.
        after = compile_tree(head, committed_kinds(), cache=replace(before.cache), path=self._path)
        state = self._state(self.clone) if self._state else self._state_told()
        for kept in (self._files, self._told_files, self._accounts, self._verdicts):
            if kept is not None:
                kept.save()
        for kept in (self._told_files, self._accounts):
            if kept is not None:
                kept.let_go()  # what they hold is told once for each commit
        return Inputs(before.state, after, state)

    def _trees(self, revisions: str) -> tuple[Tree, Tree]:
        """What is compared, as it is now: a reading is good for once."""
        reading, self._reading = self._reading, None
        if reading is not None and reading.words == revisions:
            return reading.compared
        return compared(self.clone, revisions)

    def _compiled(self, tree: Tree) -> _Compiled:
        """What a base means; compiled once for each commit."""
        if self._base is None or not tree.commit or self._base.state.commit != tree.commit:
            cache = BlobCache(self._files, self._verdicts)
            self._base = _Compiled(compile_tree(tree, committed_kinds(), cache=cache, path=self._path), cache)
        return self._base

    def _staged(self, base: DesiredState, state: FleetState) -> Stage:
        """The hub before the change; set up once for each base and each account of the fleet."""
        kept = self._stage
        if kept is None or kept.base is not base or kept.state is not state:
            self._stage = kept = None
            self._stage = kept = _Set(base, state, set_up(base, state, self.catalog))
        return kept.stage

    def _state_told(self) -> FleetState:
        """What the status branch tells; read once for each of its commits."""
        try:
            commit = self.clone.newest(self._status_ref)
        except RefNotFound:
            return FleetState()
        if self._told is None or self._told.commit != commit:
            self._told = self._recalled(commit) or self._told_by(commit)
        return self._told

    def _recalled(self, commit: str) -> FleetState | None:
        """What an earlier process read of a commit of the status branch."""
        kept = self._accounts.get_many([commit]) if self._accounts is not None else {}
        return account_record.read(commit, kept[commit]) if commit in kept else None

    def _told_by(self, commit: str) -> FleetState:
        """What a commit of the status branch tells, file by file."""
        found = state_of_commit(self.clone, commit, BlobCache(self._told_files))
        if self._accounts is not None and (data := account_record.written(found)):
            self._accounts.put_many({commit: data})
        return found

    def review(self, revisions: str, *, now: datetime, settings: Settings = DEFAULTS) -> Preview:
        """Preview a change; `revisions` as for `read`."""
        return self.reviewed(revisions, now=now, settings=settings).preview

    def reviewed(self, revisions: str, *, now: datetime, settings: Settings = DEFAULTS) -> Reviewed:
        """The same, with what it was found out from."""
        with uncollected():
            return self._reviewed(revisions, now.replace(microsecond=0), settings)  # as API times are

    def _reviewed(self, revisions: str, now: datetime, settings: Settings) -> Reviewed:
        found = self.read(revisions)
        before, after, state = found.base, found.head, found.state
        if not after.ok:
            refused = Preview(before.commit, after.commit, state.commit, now, state_at=state.at)
            return Reviewed(replace(refused, diagnostics=after.diagnostics), found)
        stage = self._staged(before, state)
        tried = attempt(before, after, state, catalog=self.catalog, now=now, settings=settings, stage=stage)
        preview = preview_of(tried, before, after, state, now)
        return Reviewed(judged(preview, before, after, self._overrides(before, after)), found, tried)

    def _overrides(self, before: DesiredState, after: DesiredState) -> Sequence[Override]:
        """What the commits of the change let through; nobody is asked where there is no policy."""
        if not before.layout.policy.rules and not after.layout.policy.rules:
            return ()
        tip = after.commit or self.clone.resolve("HEAD")  # what is on disk is in no commit yet
        return read_overrides(self.clone.trailers(TRAILER, before.commit, tip))


def review(
    folder: Path,
    revisions: str,
    *,
    now: datetime,
    path: str = ".",
    status_ref: str = "status",
    settings: Settings = DEFAULTS,
) -> Preview:
    """Preview one change in the clone at `folder`; see `Reviewer`."""
    with Reviewer(folder, path=path, status_ref=status_ref) as reviewer:
        return reviewer.review(revisions, now=now, settings=settings)


def state_at(clone: Clone, ref: str) -> FleetState:
    """What a status branch tells; where there is none, nothing."""
    try:
        return state_of_commit(clone, clone.newest(ref))
    except RefNotFound:
        return FleetState()


def state_of_commit(clone: Clone, commit: str, cache: BlobCache | None = None) -> FleetState:
    """What a commit of a status branch tells."""
    return read_state(clone.tree_at(commit, apart=True), cache, at=clone.committed_at(commit))
