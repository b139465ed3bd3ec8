"""Trailers of the commits between two: `Key: value` lines at the end of a message, as git tells them."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ocm.git import refs
from gitops_ocm.git.command import Git

_END = "\x1e"


def trailers_between(git: Git, key: str, base: str, head: str) -> Iterator[tuple[str, str]]:
    """(commit, value) of each trailer `key` of commits that only `head` has, newest first."""
    found = git.run(
        "log",
        f"--grep=^{key}",
        "--regexp-ignore-case",
        "--no-show-signature",
        "--no-patch",
        f"--format=%H%n%(trailers:key={key},valueonly,unfold,separator=%x00){_END}",
        "--end-of-options",
        f"{refs.commit(base)}..{refs.commit(head)}",
    )
    for record in found.out.decode("utf-8", "replace").split(_END)[:-1]:
        commit, _, values = record.lstrip("\n").partition("\n")
        yield from ((commit, value.strip()) for value in values.split("\0") if values)
