"""Judges a commit before it is one, or before a repository takes it: would the sync refuse it?

What is judged is read from the index, from files, from a commit or from a push that is being received; the
judgement is `desired.compile_tree`'s, as everywhere. The hooks of `repo-template/hooks` call this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitops_ocm.desired.cache import BlobCache
from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.tree import Tree, memory_tree
from gitops_ocm.errors import Diagnostic, Severity
from gitops_ocm.git import refs
from gitops_ocm.git.clone import Clone
from gitops_ocm.git.errors import RefNotFound
from gitops_ocm.git.parsedfile import ParsedFile, folder_of
from gitops_ocm.git.source import Repository, open_repository
from gitops_ocm.runtime.build import build
from gitops_ocm.runtime.catalog import committed_kinds
from gitops_ocm.runtime.memory import uncollected

if TYPE_CHECKING:
    from gitops_ocm.git.hook import RefUpdate

CACHE = "gitops-ocm"
"""The folder in a bare repository that keeps what its hook has found out."""
MACHINES = ("status", "agents/*")
"""Branches that only machines write: there is no desired state in them."""


@dataclass(frozen=True)
class Judged:
    """What was judged (`the index`, `main at 0123abcd`), and what is wrong with it."""

    what: str
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> int:
        """How many problems keep the sync from applying it."""
        return sum(d.severity is Severity.ERROR for d in self.diagnostics)

    @property
    def ok(self) -> bool:
        """Whether the sync would take it."""
        return not self.errors


class Judge:
    """Judges trees by one catalog, with the parsed files of earlier runs (`cache`, `git_dir`)."""

    def __init__(self, path: str, *, cache: Path | None = None, git_dir: Path | None = None) -> None:
        self._path = path
        kept = folder_of(cache, git_dir) if cache and git_dir else None
        self._files = (
            (ParsedFile(kept / "desired"), ParsedFile(kept / "verdicts", version=build())) if kept else ()
        )
        self._cache = BlobCache(*self._files)

    def judge(self, what: str, tree: Tree) -> Judged:
        """What the sync would say."""
        with uncollected():
            state = compile_tree(tree, committed_kinds(), cache=self._cache, path=self._path)
        for file in self._files:
            file.save()
        return Judged(what, state.diagnostics)


def in_clone(
    folder: Path, revision: str, *, staged: bool, index: Path | None, path: str, cache: Path | None
) -> Judged:
    """A revision of the clone at `folder`, its index, or (neither) the files as they are on disk."""
    clone = Clone.at(folder)
    try:
        judge = Judge(path, cache=cache, git_dir=clone.git_dir)
        if staged:
            return judge.judge("the index", clone.staged(index))
        if not revision:
            return judge.judge("the files on disk", clone.work_tree())
        commit = clone.resolve(revision)
        return judge.judge(f"{revision} at {commit[:12]}", clone.tree_at(commit))
    finally:
        clone.close()


def on_disk(folder: Path, *, path: str) -> Judged:
    """A folder's files, in a repository or not."""
    files = {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.is_symlink() and ".git" not in file.relative_to(folder).parts
    }
    return Judge(path).judge(str(folder), replace(memory_tree(files), commit=""))


def received(
    updates: Sequence[RefUpdate],
    folder: Path,
    *,
    branches: Sequence[str],
    environment: Mapping[str, str],
    path: str,
) -> Iterator[Judged]:
    """What a push brings for the branches that count.

    Without any named these are the default branch, or all while there is none yet: a repository's first
    push may well name another one than its `HEAD`. `environment` is what git told its hook: the pushed
    objects are in quarantine until it agrees. What was parsed and found right is kept in the repository's
    own folder for the next push.
    """
    repository = open_repository(str(folder.resolve()), folder, environment=environment)
    try:
        wanted = tuple(branches) or _default(repository, updates)
        git_dir = repository.git.git_dir
        judge = Judge(path, cache=git_dir / CACHE if git_dir else None, git_dir=git_dir)
        for update in updates:
            name = refs.short(update.ref)
            if update.ref.startswith("refs/heads/") and update.new.strip("0") and _counts(name, wanted):
                yield judge.judge(f"{name} at {update.new[:12]}", repository.tree(update.new))
    finally:
        repository.close()


def _default(repository: Repository, updates: Sequence[RefUpdate]) -> tuple[str, ...]:
    head = repository.git.run("symbolic-ref", "--quiet", "HEAD", check=False).text
    if not head:
        raise RefNotFound("the repository has no default branch", hint="name what counts: --branch main")
    if head in (update.ref for update in updates) or repository.list_refs(head):
        return (refs.short(head),)
    return ("*",)


def _counts(name: str, wanted: Sequence[str]) -> bool:
    machines = any(refs.matching(pattern, [name]) for pattern in MACHINES)
    return not machines and any(refs.matching(pattern, [name]) for pattern in wanted)
