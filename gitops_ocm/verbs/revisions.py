"""Which two states of a clone are compared: what a person writes, and what it is taken for.

    BASE..HEAD      two commits
    BASE...HEAD     where HEAD left BASE, and HEAD
    HEAD            where HEAD left the main branch, and HEAD
    (nothing)       where the branch left the main branch, and the files as they are on disk

A missing HEAD of a range is the files on disk, a missing BASE the main branch: the remote's, where the one
here was not pulled.

This module loads little: a `Reading` asks git while whoever judges what it finds is being loaded.
"""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from types import TracebackType

from gitops_ocm.desired.tree import Tree
from gitops_ocm.git.clone import Clone
from gitops_ocm.git.errors import RefNotFound

MAIN = "main"
_SHALLOW = (
    "this clone is shallow, its history is cut off: git fetch --unshallow; in a pipeline, clone all of it "
    "(actions/checkout: `fetch-depth: 0`, GitLab: `GIT_DEPTH: 0`)"
)


class Reading:
    """A clone, and both states that are compared, read in a thread of its own from now on.

    What goes wrong is raised for whoever asks for what did not come of it.
    """

    def __init__(self, folder: Path, words: str) -> None:
        self.words = words
        self._folder = folder
        self._clone: Clone | None = None
        self._found: tuple[Tree, Tree] | None = None
        self._error: Exception | None = None
        self._thread = Thread(target=self._read, name="reading", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            self._clone = Clone.at(self._folder)
            self._found = compared(self._clone, self.words)
        except Exception as error:  # noqa: BLE001 -- whoever waits for it gets it
            self._error = error

    def __enter__(self) -> Reading:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.join()
        if self._clone is not None:
            self._clone.close()

    @property
    def clone(self) -> Clone:
        """The clone, once nobody else uses it."""
        self._thread.join()
        if self._clone is None:
            assert self._error is not None
            raise self._error
        return self._clone

    @property
    def compared(self) -> tuple[Tree, Tree]:
        """The trees before and after, as `compared` finds them."""
        self._thread.join()
        if self._found is None:
            assert self._error is not None
            raise self._error
        return self._found


def compared(clone: Clone, words: str) -> tuple[Tree, Tree]:
    """The trees before and after; raises `RefNotFound` with what to do about it."""
    first, dots, last = _parts(words)
    head = clone.tree_at(_commit(clone, last)) if last else clone.work_tree()
    if dots == "..":
        return clone.tree_at(_trunk(clone, first)), head
    return clone.tree_at(_fork(clone, first, last or "HEAD")), head


def _parts(words: str) -> tuple[str, str, str]:
    for dots in ("...", ".."):
        first, between, last = words.partition(dots)
        if between:
            return first, dots, last
    return "", "", words


def _main(clone: Clone) -> str:
    """The branch that others leave and come back to."""
    try:
        clone.resolve(MAIN)
    except RefNotFound:
        if default := clone.default_branch:
            return default
        raise RefNotFound(
            f"{clone.root} has no branch {MAIN}, and does not know its remote's default branch",
            hint="say what to compare with: BASE..HEAD; or git remote set-head origin --auto",
        ) from None
    return MAIN


def _commit(clone: Clone, revision: str) -> str:
    try:
        return clone.resolve(revision)
    except RefNotFound as error:
        if revision == "HEAD":
            hint = "commit what is there: git add . && git commit"
            raise RefNotFound(f"{clone.root} has no commit yet", hint=hint) from None
        if clone.is_shallow:
            raise RefNotFound(error.message, hint=_SHALLOW) from None
        raise


def _trunk(clone: Clone, named: str) -> str:
    """The commit of the trunk, which is the main branch where none is named."""
    return _commit(clone, named) if named else clone.newest(_main(clone))


def _fork(clone: Clone, trunk: str, branch: str) -> str:
    """Where a branch left the trunk."""
    tip = _commit(clone, branch)
    if found := clone.fork_point(_trunk(clone, trunk), tip):
        return found
    raise RefNotFound(
        f"{branch} and {trunk or _main(clone)} have no commit in common",
        hint=_SHALLOW if clone.is_shallow else "say what to compare with: BASE..HEAD",
    )
