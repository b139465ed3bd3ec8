"""What two states of a clone a preview compares, and what is said where they cannot be found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_ocm.git import clone as git
from gitops_ocm.git.errors import RefNotFound, RepositoryNotFound
from gitops_ocm.verbs.revisions import Reading, compared
from tests.preview.clones import Clone

pytestmark = pytest.mark.slow


@pytest.fixture
def origin(tmp_path: Path) -> Clone:
    """Main with two commits; the branch `topic` left it after the first, and has one of its own."""
    (tmp_path / "origin").mkdir()
    clone = Clone(tmp_path / "origin")
    clone.git("init", "--quiet", "--initial-branch=main")
    clone.commit({"a": "1"}, "one")
    clone.git("checkout", "--quiet", "-b", "topic")
    clone.commit({"b": "1"}, "topic")
    clone.git("checkout", "--quiet", "main")
    clone.commit({"a": "2"}, "two")
    clone.git("checkout", "--quiet", "topic")
    return clone


@pytest.fixture
def opened() -> Iterator[list[git.Clone]]:
    """Clones to close."""
    clones: list[git.Clone] = []
    yield clones
    for clone in clones:
        clone.close()


def told(clone: Clone, words: str, opened: list[git.Clone]) -> tuple[dict[str, str], dict[str, str]]:
    """The files on both sides."""
    opened.append(found := git.Clone.at(clone.path))
    before, after = compared(found, words)
    return tuple({p: t.read(p).decode() for p in t.entries} for t in (before, after))  # type: ignore[return-value]


ONE, TWO, TOPIC, DISK = {"a": "1"}, {"a": "2"}, {"a": "1", "b": "1"}, {"a": "1", "b": "disk"}


@pytest.mark.parametrize(
    ("words", "before", "after"),
    [
        ("", ONE, DISK),
        ("topic", ONE, TOPIC),
        ("HEAD", ONE, TOPIC),
        ("main..topic", TWO, TOPIC),
        ("main...topic", ONE, TOPIC),
        ("main..", TWO, DISK),
        ("main...", ONE, DISK),
        ("..topic", TWO, TOPIC),
        ("main~1..main", ONE, TWO),
        ("topic..main", TOPIC, TWO),
    ],
)
def test_what_is_compared(
    origin: Clone, opened: list[git.Clone], words: str, before: dict[str, str], after: dict[str, str]
) -> None:
    """Ranges as git has them; what is left out is the main branch, or the files on disk."""
    origin.write({"b": "disk"})
    assert told(origin, words, opened) == (before, after)


def test_the_remotes_main_branch(origin: Clone, opened: list[git.Clone]) -> None:
    """Where nobody has a `main` it is the branch that the remote names as its default."""
    origin.git("branch", "-m", "main", "trunk")
    origin.git("checkout", "--quiet", "trunk")
    clone = Clone(origin.path.parent / "clone")
    origin.git("clone", "--quiet", str(origin.path), str(clone.path))
    clone.git("checkout", "--quiet", "topic")
    clone.git("branch", "-D", "trunk")
    assert told(clone, "", opened) == (ONE, TOPIC)


def test_a_detached_head(origin: Clone, opened: list[git.Clone]) -> None:
    """As a pipeline checks out: no branch of one's own, all of them at the remote."""
    clone = Clone(origin.path.parent / "clone")
    origin.git("clone", "--quiet", str(origin.path), str(clone.path))
    clone.git("checkout", "--quiet", "--detach", "origin/topic")
    clone.git("branch", "-D", "topic")
    assert told(clone, "", opened) == (ONE, TOPIC)


@pytest.mark.parametrize("words", ["", "main..topic"])
def test_a_shallow_clone(origin: Clone, opened: list[git.Clone], words: str) -> None:
    """A clone whose history is cut off is told what to ask of the pipeline."""
    clone = Clone(origin.path.parent / "clone")
    origin.git(
        "clone", "--quiet", "--depth=1", "--no-single-branch", f"file://{origin.path}", str(clone.path)
    )
    if words:
        clone.git("update-ref", "-d", "refs/remotes/origin/main")
    with pytest.raises(RefNotFound) as refused:
        told(clone, words, opened)
    assert "fetch-depth: 0" in refused.value.hint


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("nowhere", "nowhere names no commit", "git log"),
        ("main..nowhere", "nowhere names no commit", "git log"),
        ("--output=x..main", "is no revision", ""),
        ("alone", "alone and main have no commit in common", "BASE..HEAD"),
    ],
)
def test_what_is_not_there(
    origin: Clone, opened: list[git.Clone], words: str, message: str, hint: str
) -> None:
    """A revision that is none is named, and so are histories that have nothing to do with each other."""
    origin.git("checkout", "--quiet", "--orphan", "alone")
    origin.commit({}, "alone")
    with pytest.raises(RefNotFound, match=message) as refused:
        told(origin, words, opened)
    assert hint in refused.value.hint


def test_no_main_branch(origin: Clone, opened: list[git.Clone]) -> None:
    """Without a main branch anywhere one has to say what to compare with."""
    origin.git("branch", "-D", "main")
    with pytest.raises(RefNotFound, match="has no branch main") as refused:
        told(origin, "", opened)
    assert "BASE..HEAD" in refused.value.hint


@pytest.mark.parametrize("words", ["", "HEAD", "..HEAD"])
def test_no_commit_yet(tmp_path: Path, opened: list[git.Clone], words: str) -> None:
    """A repository that was only begun says so."""
    clone = Clone(tmp_path)
    clone.git("init", "--quiet", "--initial-branch=main")
    clone.write({"a": "1"})
    with pytest.raises(RefNotFound, match="has no commit yet"):
        told(clone, words, opened)


NAMES = (
    "HEAD",
    "main",
    "topic",
    "v1",
    "main~1",
    "main^",
    "main@{0}",
    "refs/heads/main",
    "a/b",
    "@",
)


@pytest.mark.parametrize("name", [*NAMES, "whole", "short"])
def test_names(origin: Clone, opened: list[git.Clone], name: str) -> None:
    """A commit is found by all that git takes for its name, as often as it is asked for."""
    origin.git("tag", "--annotate", "-m", "first", "v1", "main~1")
    origin.git("branch", "a/b", "main")
    main = origin.git("rev-parse", "main")
    name = {"whole": main, "short": main[:9]}.get(name, name)
    opened.append(found := git.Clone.at(origin.path))
    for _ in range(2):
        assert found.resolve(name) == origin.git("rev-parse", f"{name}^{{commit}}")
    origin.commit({"c": "1"}, "later")
    assert found.resolve("HEAD") == origin.git("rev-parse", "HEAD")


@pytest.mark.parametrize(
    "name", ["x", "main.", "main..topic", "0" * 40, "main@{99}", "a b", "a\nb", "main:a", "^main"]
)
def test_no_names(origin: Clone, opened: list[git.Clone], name: str) -> None:
    """What names no commit is told as such, and the next one is found."""
    opened.append(found := git.Clone.at(origin.path))
    with pytest.raises(RefNotFound, match="names no commit"):
        found.resolve(name)
    assert found.resolve("main") == origin.git("rev-parse", "main")


@pytest.mark.parametrize("words", ["", "main..topic", "main...topic"])
def test_read_meanwhile(origin: Clone, words: str) -> None:
    """What is read in a thread is what is read at once."""
    origin.write({"b": "disk"})
    with Reading(origin.path, words) as reading:
        found = [dict(tree.entries) for tree in reading.compared]
        assert found == [dict(tree.entries) for tree in compared(reading.clone, words)]


def test_read_meanwhile_in_vain(origin: Clone, tmp_path: Path) -> None:
    """What goes wrong is raised for whoever needs what did not come of it, each time."""
    with Reading(origin.path, "nowhere") as reading:
        for _ in range(2):
            assert reading.clone.root == origin.path
            with pytest.raises(RefNotFound, match="nowhere names no commit"):
                _ = reading.compared
    with Reading(tmp_path / "none", "") as reading, pytest.raises(RepositoryNotFound):
        _ = reading.clone


@pytest.mark.parametrize(
    ("words", "before"), [("", TWO), ("HEAD", TWO), ("..", TWO), ("main..HEAD", ONE), ("main...HEAD", ONE)]
)
def test_a_main_branch_that_was_not_pulled(
    origin: Clone, opened: list[git.Clone], tmp_path: Path, words: str, before: dict[str, str]
) -> None:
    """What others have merged is no part of a branch of the remote's main; what is named is as it is."""
    origin.git("clone", "--quiet", "--branch=main", str(origin.path), str(tmp_path / "clone"))
    clone = Clone(tmp_path / "clone")
    clone.git("checkout", "--quiet", "-b", "mine")
    clone.git("branch", "--quiet", "--force", "main", "main~1")
    clone.commit({"c": "1"}, "mine")
    assert told(clone, words, opened) == (before, {**TWO, "c": "1"})


@pytest.mark.parametrize(
    ("here", "there", "newest"),
    [
        ("main~1", "main", "main"),
        ("main", "main~1", "main"),
        ("main", "topic", "main"),
        ("topic", "main", "topic"),
        ("main", "", "main"),
        ("", "main", "main"),
    ],
)
def test_the_newest_of_a_branch(
    origin: Clone, opened: list[git.Clone], here: str, there: str, newest: str
) -> None:
    """The remote's counts where it goes on from the one here; one that went its own way is left alone."""
    for ref, at in (("refs/heads/status", here), ("refs/remotes/origin/status", there)):
        if at:
            origin.git("update-ref", ref, at)
    opened.append(found := git.Clone.at(origin.path))
    assert found.newest("status") == origin.git("rev-parse", newest)
