"""What wakes somebody who waits for changes in a clone, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import run

import pytest

from gitops_ocm.git.watching import Watched

pytestmark = pytest.mark.slow

SOON, NEVER = 20.0, 0.3


def git(folder: Path, *args: str) -> None:
    """A git command in Ann's name."""
    name = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    run(["git", *name, *args], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with one commit; its path has a word in it that Git's own folders have."""
    folder = tmp_path / "refs" / "fleet"
    (folder / "works").mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "works/a.yaml").write_text("a: 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "Start")
    return folder


def _save(clone: Path) -> None:
    """As editors do: another file, put in its place."""
    (clone / "works/a.yaml~").write_text("a: 2\n")
    (clone / "works/a.yaml~").rename(clone / "works/a.yaml")


@pytest.mark.parametrize(
    "change",
    [
        lambda clone: (clone / "works/a.yaml").write_text("a: 2\n"),
        _save,
        lambda clone: (clone / "works/a.yaml").unlink(),
        lambda clone: (clone / "works").rename(clone / "moved"),
        lambda clone: git(clone, "commit", "--quiet", "--allow-empty", "-m", "More"),
        lambda clone: git(clone, "branch", "status"),
        lambda clone: git(clone, "symbolic-ref", "HEAD", "refs/heads/other"),
        lambda clone: git(clone, "pack-refs", "--all"),
    ],
    ids=["write", "replace", "delete", "rename-folder", "commit", "branch", "checkout", "pack"],
)
def test_what_wakes(clone: Path, change: Callable[[Path], object]) -> None:
    """A saved file, one that goes, a branch or HEAD that moves."""
    with Watched(clone) as changes:
        change(clone)
        assert changes.wait(SOON)


def test_a_new_folder(clone: Path) -> None:
    """A folder that was not there at the start is watched too."""
    with Watched(clone) as changes:
        (clone / "hub").mkdir()
        assert changes.wait(SOON)
        (clone / "hub/b.yaml").write_text("b: 1\n")
        assert changes.wait(SOON)


def test_a_linked_worktree(clone: Path) -> None:
    """Branches of a worktree are in the repository it belongs to."""
    git(clone, "worktree", "add", "--quiet", "../linked", "-b", "topic")
    with Watched(clone.parent / "linked") as changes:
        git(clone, "branch", "status")
        assert changes.wait(SOON)


def test_what_does_not_wake(clone: Path) -> None:
    """Reading, Git's own objects and index, and what is written because of a change."""
    with Watched(clone, besides=[clone / "preview.html"]) as changes:
        (clone / "works/a.yaml").read_text()
        git(clone, "hash-object", "-w", "works/a.yaml")
        (clone / "preview.html").write_text("<html>")
        (clone / "preview.html").write_text("<html></html>")
        git(clone, "update-index", "--force-remove", "works/a.yaml")
        assert not changes.wait(NEVER)
