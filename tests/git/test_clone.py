"""Which folders are a person's clone, and what is said of those that are none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gitops_ocm.git.clone import Clone
from gitops_ocm.git.errors import RefNotFound, RepositoryNotFound
from gitops_ocm.git.watching import Watched
from gitops_ocm.verbs.hooks import install_hooks


def _git(*args: object) -> None:
    subprocess.run(["git", *map(str, args)], check=True, capture_output=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clone without a commit, with a folder in it."""
    found = tmp_path / "fleet"
    _git("init", "--quiet", found)
    (found / "hub").mkdir()
    return found


def test_a_folder_in_a_clone(folder: Path) -> None:
    """The clone's root is found, and the folder below it."""
    clone = Clone.at(folder / "hub")
    assert (clone.root, clone.prefix, clone.git_dir) == (folder, "hub", folder / ".git")


@pytest.mark.parametrize(
    ("flag", "said", "hint"),
    [
        (None, "is not in a clone of a Git repository", "gitops-ocm repo init"),
        ("--bare", "is a bare repository", "git clone"),
    ],
)
def test_no_clone(tmp_path: Path, flag: str | None, said: str, hint: str) -> None:
    """A folder without a work tree is refused by what it is."""
    if flag is not None:
        _git("init", "--quiet", flag, tmp_path)
    with pytest.raises(RepositoryNotFound, match=said) as refused:
        Clone.at(tmp_path)
    assert hint in refused.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_clone_of_another_user(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused, as by git, unless the person's own configuration trusts it (pipelines' checkouts do)."""
    for path in (folder, folder / ".git"):
        os.chown(path, os.geteuid() + 1000, -1)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    with pytest.raises(RepositoryNotFound, match="belongs to another user") as refused:
        Clone.at(folder)
    assert f"safe.directory {folder}" in refused.value.hint
    _git("config", "--file", tmp_path / ".gitconfig", "safe.directory", folder)
    assert not Clone.at(folder).tree("main").entries


def test_an_option_is_no_revision(folder: Path) -> None:
    """What git would take for an option is not handed to it."""
    with pytest.raises(RefNotFound, match="'--all' is no revision") as refused:
        Clone.at(folder).resolve("--all")
    assert "HEAD~2" in refused.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_hooks_in_a_clone_of_another_user(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the person trusts the clone, hooks are installed, and its files are watched."""
    for path in (folder, folder / ".git"):
        os.chown(path, os.geteuid() + 1000, -1)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    with pytest.raises(RepositoryNotFound):
        install_hooks(folder)
    _git("config", "--file", tmp_path / ".gitconfig", "safe.directory", folder)
    assert {hook.parent for hook in install_hooks(folder)} == {folder / ".git/hooks"}
    with Watched(folder) as changes:
        (folder / "hub/a.yaml").write_text("a: 1\n")
        changes.wait()
