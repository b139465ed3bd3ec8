"""Which two states of a clone are compared: what a person writes, and what it is taken for.

    BASE..HEAD      two commits
    BASE...HEAD     where HEAD left BASE, and HEAD
    HEAD            where HEAD left the main branch, and HEAD
    (nothing)       where the branch left the main branch, and the files as they are on disk

A missing HEAD of a range is the files on disk, a missing BASE the main branch.
"""

from __future__ import annotations

from gitops_ocm.desired.tree import Tree
from gitops_ocm.git.clone import Clone
from gitops_ocm.git.errors import RefNotFound

MAIN = "main"
_SHALLOW = (
    "this clone is shallow, its history is cut off: git fetch --unshallow; in a pipeline, clone all of it "
    "(actions/checkout: `fetch-depth: 0`, GitLab: `GIT_DEPTH: 0`)"
)


def compared(clone: Clone, words: str) -> tuple[Tree, Tree]:
    """The trees before and after; raises `RefNotFound` with what to do about it."""
    first, dots, last = _parts(words)
    head = clone.tree_at(_commit(clone, last)) if last else clone.work_tree()
    if dots == "..":
        return clone.tree_at(_commit(clone, first or _main(clone))), head
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


def _fork(clone: Clone, trunk: str, branch: str) -> str:
    """Where a branch left the trunk (`""`: the main branch)."""
    tip, trunk = _commit(clone, branch), trunk or _main(clone)
    if found := clone.fork_point(_commit(clone, trunk), tip):
        return found
    raise RefNotFound(
        f"{branch} and {trunk} have no commit in common",
        hint=_SHALLOW if clone.is_shallow else "say what to compare with: BASE..HEAD",
    )
