"""`gitops-ocm explain commit`: the commit that set a value, whatever else happened to its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gitops_ocm.cli.explain_commit import commit
from gitops_ocm.errors import GitopsError
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.testing import objects as make
from tests.preview.clones import Clone

pytestmark = pytest.mark.slow

A, B = "hub/a.yaml", "hub/b.yaml"


def _maps(**values: str) -> str:
    """A file with a ConfigMap for each name."""
    return "---\n".join(to_yaml(make.config_map(name, data={"v": v, "w": "w"})) for name, v in values.items())


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A clone without a commit."""
    (tmp_path / "fleet").mkdir()
    clone = Clone(tmp_path / "fleet")
    clone.git("init", "--quiet", "--initial-branch=main")
    return clone


def told(clone: Clone, *args: str) -> dict[str, Any]:
    """What the command says of the ConfigMap `a`, as JSON."""
    command = ["configmap", "a", *args, "--repo", str(clone.path), "-o", "json"]
    done = CliRunner().invoke(commit, command, standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_else_happens_to_the_file(clone: Clone) -> None:
    """Neighbours, comments and other fields are passed over; the value before is told."""
    clone.commit({A: _maps(a="1")}, "Start")
    wanted = clone.commit({A: _maps(a="2")}, "Two")
    clone.commit({A: "# a comment\n" + _maps(a="2")}, "Comment")
    clone.commit({A: _maps(z="9", a="2")}, "Neighbour")
    last = clone.commit({A: _maps(z="9", a="2").replace("w: w", "w: x")}, "Another field")
    found = told(clone, "data.v")
    assert (found["commit"]["id"], found["commit"]["subject"]) == (wanted, "Two")
    assert (found["value"], found["before"]) == ("2", "1")
    assert found["commit"]["author"] == "Ann <ann@example.com>"
    assert found["origin"] == {"path": A, "line": 12}
    assert told(clone)["commit"]["id"] == last


def test_moves(clone: Clone) -> None:
    """A field keeps its commit through a rename, a move to a file that is there, and both at once."""
    wanted = clone.commit({A: _maps(a="1"), B: _maps(b="1")}, "Start")
    clone.commit({A: None, "works/c.yaml": _maps(a="1")}, "Rename")
    clone.commit({"works/c.yaml": None, B: _maps(b="2", a="1")}, "Merge two files")
    found = told(clone, "data.v")
    assert (found["commit"]["id"], found["commit"]["path"]) == (wanted, A)
    changed = clone.commit({B: _maps(b="2"), A: _maps(a="3")}, "Move and change")
    found = told(clone, "data.v")
    assert (found["commit"]["id"], found["before"]) == (changed, "1")
    assert told(clone, "data.w")["commit"]["id"] == wanted


def test_back_and_forth(clone: Clone) -> None:
    """A value that was there before counts from when it came back; one that was taken out and put in, too."""
    clone.commit({A: _maps(a="1")}, "One")
    clone.commit({A: _maps(a="2")}, "Two")
    wanted = clone.commit({A: _maps(a="1")}, "One again")
    assert told(clone, "data.v")["commit"]["id"] == wanted
    clone.commit({A: _maps(z="1")}, "Away")
    again = clone.commit({A: _maps(a="1")}, "Back")
    found = told(clone, "data.v")
    assert (found["commit"]["id"], "before" in found) == (again, False)


def test_branches(clone: Clone) -> None:
    """Of a merge it is the commit on the branch, unless the merge itself set the value."""
    clone.commit({A: _maps(a="1")}, "One")
    clone.git("checkout", "--quiet", "-b", "topic")
    wanted = clone.commit({A: _maps(a="2")}, "Two")
    clone.git("checkout", "--quiet", "main")
    clone.commit({B: _maps(b="1")}, "Meanwhile")
    clone.git("merge", "--quiet", "--no-ff", "-m", "Merge", "topic")
    assert told(clone, "data.v")["commit"]["id"] == wanted
    clone.git("checkout", "--quiet", "-b", "other", "main~1")
    clone.commit({A: _maps(a="3")}, "Three")
    clone.git("checkout", "--quiet", "main")
    clone.git("merge", "--quiet", "--no-commit", "-s", "ours", "other")
    merged = clone.commit({A: _maps(a="4")}, "Merge with another value")
    assert told(clone, "data.v")["commit"]["id"] == merged


def test_not_committed_yet(clone: Clone) -> None:
    """What is only on disk nobody has set; `--at` asks a commit instead."""
    first = clone.commit({A: _maps(a="1")}, "One")
    clone.write({A: _maps(a="2")})
    found = told(clone, "data.v")
    assert ("commit" in found, found["value"], found["before"]) == (False, "2", "1")
    assert told(clone, "data.v", "--at", "main")["commit"]["id"] == first


def test_secrets(clone: Clone) -> None:
    """That a Secret changed, and when, is told; its value is not."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "a", "namespace": "default"},
        "stringData": {"v": "hunter2"},
    }
    clone.commit({A: to_yaml(secret)}, "One")
    wanted = clone.commit({A: to_yaml({**secret, "stringData": {"v": "battery"}})}, "Two")
    command = ["secret", "a", "stringData.v", "--repo", str(clone.path)]
    done = CliRunner().invoke(commit, command, standalone_mode=False)
    assert wanted[:12] in done.stdout
    assert "hunter2" not in done.stdout
    assert "battery" not in done.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("data.x",), "has no field data.x"),
        (("data[",), "is no path of a field"),
        (("data.v", "-n", "other"), "Git declares no configmap a in the namespace other"),
        (("data.v", "--at", "nowhere"), "nowhere names no commit"),
    ],
)
def test_what_is_not_there(clone: Clone, args: tuple[str, ...], message: str) -> None:
    """Objects, fields and revisions that there are none of are named, with what to do."""
    clone.commit({A: _maps(a="1")}, "One")
    with pytest.raises(GitopsError, match=message.replace("[", r"\[")) as refused:
        told(clone, *args)
    assert refused.value.hint
