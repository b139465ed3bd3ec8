"""`gitops-ocm replay`: a past commit's decisions are computed again, and are what came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from subprocess import run

import pytest
from click.testing import CliRunner, Result

from gitops_ocm.cli.replay import replay
from gitops_ocm.desired.tree import Tree
from gitops_ocm.errors import GitopsError
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.testing import objects as make
from tests.preview.fleets import merge, ordinary, repository, running
from tests.preview.truth import account

pytestmark = pytest.mark.slow
WEB = "works/web.yaml"
WHEN = "2026-01-01T01:00:00+00:00"


def _git(folder: Path, *args: str) -> str:
    dates = {
        "GIT_AUTHOR_DATE": WHEN,
        "GIT_COMMITTER_DATE": WHEN,
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
    }
    done = run(["git", *args], cwd=folder, check=True, capture_output=True, text=True, env=dates)
    return done.stdout.strip()


def _commit(folder: Path, branch: str, files: Mapping[str, str], message: str) -> str:
    """A commit of exactly these files on a branch."""
    _git(
        folder,
        "checkout",
        "--quiet",
        "-B" if _has(folder, branch) else "--orphan",
        branch,
        *_at(folder, branch),
    )
    _git(folder, "rm", "-r", "--quiet", "--force", "--ignore-unmatch", ".")
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "-m", message)
    return _git(folder, "rev-parse", "HEAD")


def _has(folder: Path, branch: str) -> bool:
    return bool(_git(folder, "branch", "--list", branch))


def _at(folder: Path, branch: str) -> list[str]:
    return [branch] if _has(folder, branch) else []


def _texts(tree: Tree) -> dict[str, str]:
    return {path: tree.read(path).decode() for path in tree.entries}


def _history(folder: Path, *, meddled: bool = False) -> tuple[str, str]:
    """A clone in which one commit followed another, as the fleet told of it; the second, and its account."""
    folder.mkdir()
    _git(folder, "init", "--quiet", "--initial-branch=main")
    _git(folder, "config", "user.name", "Ann")
    _git(folder, "config", "user.email", "ann@example.com")
    old, new = ordinary(), ordinary()
    new[WEB] = [make.replica_set("web", "fleet", ["eu"], [make.config_map("other")])]
    commits = []
    for number, files in enumerate((old, new)):
        texts = {path: "---\n".join(map(to_yaml, objects)) for path, objects in files.items()}
        commits.append(_commit(folder, "main", texts, f"Desire {number}"))
    base, head = repository(old, commits[0]), repository(new, commits[1])
    fleet = running(base)
    _commit(folder, "status", _texts(account(fleet, base)), f"Report\n\nSource-Commit: {commits[0]}")
    merge(fleet, base, head)
    fleet.advance(minutes=5)
    told = _texts(account(fleet, head))
    if meddled:
        del told["clusters/c1/works/one.yaml"]
    answer = _commit(folder, "status", told, f"Report\n\nSource-Commit: {commits[1]}")
    return commits[1], answer


def _shown(folder: Path, *args: str) -> Result:
    result = CliRunner().invoke(replay, ["--repo", str(folder), *args], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result


def test_it_came_as_computed(tmp_path: Path) -> None:
    """By the commit or by its account, twice: equal bytes, nothing differs, exit status 0."""
    head, answer = _history(tmp_path / "fleet")
    outputs = [_shown(tmp_path / "fleet", revision, "-o", "json") for revision in (head, answer, head)]
    assert {result.return_value for result in outputs} == {0}
    assert len({result.stdout for result in outputs}) == 1
    found = json.loads(outputs[0].stdout)
    assert found["differences"] == []
    assert found["commits"]["head"] == head
    assert found["clusters"] == ["c1", "c2", "c3", "c4", "c5", "c6"]


def test_something_else_came(tmp_path: Path) -> None:
    """A work that is gone although nobody said so is named, exit status 1."""
    head, _ = _history(tmp_path / "fleet", meddled=True)
    result = _shown(tmp_path / "fleet", head)
    assert result.return_value == 1
    assert "c1/one: computed spec" in result.stdout
    assert "came not there" in result.stdout


def test_a_commit_nobody_applied(tmp_path: Path) -> None:
    """The first commit has no fleet before it: that is said, with what to give instead."""
    _history(tmp_path / "fleet")
    with pytest.raises(GitopsError, match="does not tell of a fleet before"):
        _shown(tmp_path / "fleet", "main~1")
