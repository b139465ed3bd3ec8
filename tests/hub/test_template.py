"""The repository a fleet starts from."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from gitops_ocm.errors import GitopsError
from gitops_ocm.hub.template import template_files, write_template


def test_one_folder_per_cluster() -> None:
    """Every named cluster gets its own folder and nobody else's name."""
    files = template_files(["east", "west"])
    clusters = {path.parts[1] for path in files if path.parts[0] == "clusters"}
    assert clusters == {"east", "west"}
    assert not [path for path, text in files.items() if "cluster1" in text]
    assert "name: west" in files[PurePosixPath("clusters/west/cluster.yaml")]


def test_written_into_an_empty_clone(tmp_path: Path) -> None:
    """A fresh clone holds only `.git`; the template is written beside it."""
    (tmp_path / ".git").mkdir()
    paths = write_template(tmp_path, ["east"])
    assert PurePosixPath("gitops-ocm.yaml") in paths
    assert all(tmp_path.joinpath(*path.parts).is_file() for path in paths)


def test_never_over_what_is_there(tmp_path: Path) -> None:
    """A folder with files is refused, named, and left as it was."""
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(GitopsError, match=r"not empty: mine\.txt"):
        write_template(tmp_path, ["east"])
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("name", ["", "East", "-east", "east-", "a" * 64, "a.b", "../x", "a b"])
def test_bad_cluster_names(name: str) -> None:
    """A name that cannot be a namespace is refused before anything is written."""
    with pytest.raises(GitopsError, match="no name for a managed cluster"):
        template_files([name])
