"""Trailers of a range of commits, held to what `git interpret-trailers` says of each message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_ocm.git.source import open_repository
from tests.git.conftest import Repo

KEY = "Gitops-Override"
MESSAGES = [
    "Subject",
    "Subject\n\nGitops-Override: few: agreed in #12\n",
    "Subject\n\nA body.\n\nGitops-Override: few: agreed\nSigned-off-by: A <a@example.com>\n",
    "Subject\n\nSigned-off-by: A <a@example.com>\nGitops-Override: a: b\nGitops-Override: c: d\n",
    "Subject\n\ngitops-override: few: keys are of any case\n",
    # Folded over two lines.
    "Subject\n\nGitops-Override: few: a reason that goes on\n  in the next line\n",
    # Not the last paragraph, in the subject, in a quotation: not trailers.
    "Subject\n\nGitops-Override: few: too early\n\nThe end.\n",
    "Gitops-Override: few: in the subject\n",
    "Subject\n\n> Gitops-Override: few: quoted\n",
    "Subject\n\nSee Gitops-Override: few: in a sentence.\n",
    # Among other lines, where too few of them are trailers.
    "Subject\n\nGitops-Override: few: a\nwords\nwords\nwords\nwords\nwords\n",
    "Subject\n\nGitops-Override few: no colon\n",
    "Subject\n\nGitops-Override:few: no space\n",
    "Subject\n\nGitops-Override:\n",
    "Subject\n\nGitops-Override : few: a space before\n",
    "Subject\n\nGitops-Override: few: ünïcode — ✓\n",
    "Subject\n\nGitops-Override-Not: few: another key\n",
    "Subject\r\n\r\nGitops-Override: few: of another system\r\n",
    "Subject\n\nGitops-Override: few: a\n---\n diff --git\n",
]


@pytest.mark.parametrize("message", MESSAGES)
def test_a_trailer_is_what_git_says_it_is(
    make_repo: Callable[[], Repo], tmp_path: Path, message: str
) -> None:
    """Of one commit's message exactly the values that git itself finds, in its order."""
    repo = make_repo()
    base = repo("commit-tree", repo("mktree"), "-m", "base")
    head = repo("commit-tree", repo("mktree"), "-p", base, "-F", "-", stdin=message.encode())
    held = repo("log", "-1", "--format=%B", head).encode()
    parsed = repo("interpret-trailers", "--parse", "--no-divider", stdin=held).splitlines()
    pairs = (line.partition(":") for line in parsed)
    wanted = [value.strip() for key, _, value in pairs if key.lower() == KEY.lower() and value.strip()]
    assert list(open_repository(str(repo.path), tmp_path).trailers(KEY, base, head)) == [
        (head, value) for value in wanted
    ]


def test_a_range_is_what_the_head_has_and_the_base_has_not(
    make_repo: Callable[[], Repo], tmp_path: Path
) -> None:
    """Commits of both sides of a merge count, newest first; those the base has already do not."""
    repo = make_repo()
    tree = repo("mktree")

    def commit(words: str, when: int, *parents: str) -> str:
        given = [part for parent in parents for part in ("-p", parent)]
        text = f"S\n\n{KEY}: {words}\n"
        date = {"GIT_COMMITTER_DATE": f"{1700000000 + when} +0000"}
        return repo("commit-tree", tree, *given, "-F", "-", stdin=text.encode(), env=date)

    old = commit("old: before", 0)
    base = commit("base: before", 10, old)
    side = commit("side: meant", 20, old)
    main = commit("main: meant", 30, base)
    head = commit("merge: meant", 40, main, side)
    found = open_repository(str(repo.path), tmp_path).trailers(KEY, base, head)
    assert found == ((head, "merge: meant"), (main, "main: meant"), (side, "side: meant"))
