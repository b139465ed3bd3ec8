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
from gitops_ocm.errors import DiagnosticsError, GitopsError
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


def _history(folder: Path, *, meddled: bool = False, policy: str = "") -> tuple[str, str]:
    """A clone in which one commit followed another, as the fleet told of it; the second, and its account.

    The first has this `policy`, if any.
    """
    folder.mkdir()
    _git(folder, "init", "--quiet", "--initial-branch=main")
    _git(folder, "config", "user.name", "Ann")
    _git(folder, "config", "user.email", "ann@example.com")
    old, new = ordinary(), ordinary()
    new[WEB] = [make.replica_set("web", "fleet", ["eu"], [make.config_map("other")])]
    commits = []
    for number, files in enumerate((old, new)):
        texts = {path: "---\n".join(map(to_yaml, objects)) for path, objects in files.items()}
        if policy:
            texts["gitops-ocm.yaml"] = policy
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


RULES = """\
apiVersion: config.gitops-ocm.io/v1alpha1
kind: FleetRepository
policy:
  rules:
    - {name: few, maxClustersAtOnce: %s}
    - {name: deletions, maxDeletions: 90%%}
"""


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        ("", "3", ("not asked", "refused")),
        ("100%", "1", ("allowed", "refused")),
        ("100%", "", None),
        ("", "100%", None),
        ("3", "4", None),
        ("3", "", ("refused", "not asked")),
    ],
)
def test_another_policy(tmp_path: Path, then: str, now: str, told: tuple[str, str] | None) -> None:
    """What a rule of another commit, or on disk, would have decided is told, with file and line."""
    folder = tmp_path / "fleet"
    head, _ = _history(folder, policy=RULES % then if then else "")
    _git(folder, "checkout", "--quiet", "-B", "rules", head)
    (folder / "gitops-ocm.yaml").write_text(RULES % now if now else "")
    if not now:
        (folder / "gitops-ocm.yaml").unlink()
    on_disk = _shown(folder, head, "--against", ".")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--allow-empty", "-m", "Rules")
    committed = _shown(folder, head, "--against", "rules", "-o", "json")
    found = json.loads(committed.stdout)["against"]
    assert on_disk.return_value == committed.return_value == (1 if told else 0)
    if told is None:
        assert found["differences"] == []
        assert "the policy of what is on disk decides the same" in on_disk.stdout
        return
    (one,) = found["differences"]
    assert (one["rule"], one["then"] or "not asked", one["now"] or "not asked") == ("few", *told)
    assert one["where"].startswith("gitops-ocm.yaml:5")
    assert f"rule few: {told[0]} then, {told[1]} by what is on disk" in on_disk.stdout


def test_a_policy_that_cannot_be_read(tmp_path: Path) -> None:
    """It is named with its problem, and nothing is decided by half of it."""
    folder = tmp_path / "fleet"
    head, _ = _history(folder)
    _git(folder, "checkout", "--quiet", "-B", "rules", head)
    (folder / "gitops-ocm.yaml").write_text(RULES % "many")
    with pytest.raises(DiagnosticsError, match="policy of what is on disk cannot be read") as raised:
        _shown(folder, head, "--against", ".")
    assert [problem.where.line for problem in raised.value.diagnostics] == [5]


def test_what_is_not_here(tmp_path: Path) -> None:
    """No such commit, no status branch, a history that was cut off: each is said, with what to do."""
    folder = tmp_path / "fleet"
    head, _ = _history(folder)
    cut = tmp_path / "cut"
    _git(tmp_path, "clone", "--quiet", "--no-single-branch", "--depth=1", folder.as_uri(), str(cut))
    for place, args, message, hint in (
        (folder, ("f00ba4",), "f00ba4 names no commit of", "git log"),
        (folder, (head, "--status-ref", "told"), "there is no branch told here", "git fetch origin told"),
        (folder, (head, "--against", "nowhere"), "nowhere names no commit of", "git log"),
        (cut, (head,), "does not tell of a fleet before", "git fetch --unshallow"),
    ):
        with pytest.raises(GitopsError, match=message) as raised:
            _shown(place, *args)
        assert hint in raised.value.hint
    with pytest.raises(GitopsError, match="is not in a clone of a Git repository"):
        _shown(tmp_path, head)


def test_a_commit_that_only_the_status_branch_knows(tmp_path: Path) -> None:
    """Where the branch was rewritten since, the commit that is missing here is named."""
    folder = tmp_path / "fleet"
    head, answer = _history(folder)
    _git(folder, "checkout", "--quiet", "status")
    _git(folder, "commit", "--quiet", "--allow-empty", "-m", f"Report\n\nSource-Commit: {'ab' * 20}")
    with pytest.raises(
        GitopsError, match=r"status names abababababab as in force.* does not have that commit"
    ):
        _shown(folder, "status")
    assert _shown(folder, head).return_value == _shown(folder, answer).return_value == 0
