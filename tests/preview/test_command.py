"""`gitops-ocm preview` in a clone: what is compared with what, and how it ends."""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import run

import click
import pytest
from click.testing import CliRunner, Result

from gitops_ocm.cli.preview import preview
from gitops_ocm.errors import GitopsError
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.testing import objects as make
from tests.preview.clones import Clone, account, cloned, texts
from tests.preview.fleets import ordinary

pytestmark = pytest.mark.slow

WEB = "works/web.yaml"


@pytest.fixture(scope="module")
def told() -> dict[str, bytes]:
    """The status branch of a fleet that runs the ordinary repository."""
    return account(ordinary())


@pytest.fixture
def clone(tmp_path: Path, told: dict[str, bytes]) -> Path:
    """A clone with `main` checked out and the fleet's account on `status`."""
    return cloned(tmp_path / "fleet", texts(ordinary()), told).path


def shown(folder: Path, *args: str) -> Result:
    """What the command prints and how it ends."""
    result = CliRunner().invoke(preview, ["--repo", str(folder), *args], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result


def _words(result: Result) -> str:
    """What it prints, however it is laid out."""
    return " ".join(result.stdout.split())


def _web(*names: str) -> str:
    return to_yaml(make.replica_set("web", "fleet", ["all"], [make.config_map(name) for name in names]))


def test_nothing_changed(clone: Path) -> None:
    """A clean clone: nothing changes, exit status 0."""
    result = shown(clone)
    assert result.return_value == 0
    assert result.stdout.startswith("nothing changes\n")


def test_age_of_the_account(clone: Path) -> None:
    """The status branch was written two hours ago: that is said, whichever way the branch is named."""
    then = (datetime.now(UTC) - timedelta(hours=2, minutes=5)).isoformat()
    Clone(clone).git("checkout", "--quiet", "status")
    amend = ("commit", "--quiet", "--amend", "--no-edit", f"--date={then}")
    run(["git", *amend], cwd=clone, check=True, env={**os.environ, "GIT_COMMITTER_DATE": then})
    Clone(clone).git("checkout", "--quiet", "main")
    for options in ((), ("--status-ref", "status")):
        assert re.search(r"the fleet as of [0-9a-f]{12}, 2 h \d+ min ago\n", shown(clone, *options).stdout)


def test_files_on_disk(clone: Path) -> None:
    """Changed and new files count before they are committed; ignored ones do not."""
    (clone / WEB).write_text(_web("web", "more"))
    (clone / "works/two.yaml").write_text(to_yaml(make.manifest_work("two", "c2", [make.config_map("two")])))
    (clone / ".gitignore").write_text("ignored.yaml\n")
    (clone / "works/ignored.yaml").write_text("nonsense: [")
    result = shown(clone)
    assert result.return_value == 1
    assert "1 new, 1 changed; 6 of 6 clusters (100%) touched" in result.stdout
    assert "+ create  ManifestWork" in result.stdout
    assert "works/two.yaml:1" in result.stdout
    assert "at once: 6 c1, c2, c3, c4, c5, c6" in _words(result)


def test_ranges(clone: Path) -> None:
    """`BASE..HEAD` compares two commits; a branch alone is compared with where it left main."""
    Clone(clone).git("checkout", "--quiet", "-b", "topic")
    Clone(clone).commit({"works/one.yaml": None}, "Take it away")
    Clone(clone).git("checkout", "--quiet", "main")
    Clone(clone).commit({WEB: _web("other")}, "Meanwhile")
    topic = shown(clone, "topic").stdout
    assert "- delete  ManifestWork" in topic
    assert WEB not in topic
    both = shown(clone, "topic..main").stdout
    assert "works/one.yaml" in both
    assert WEB in both
    Clone(clone).git("checkout", "--quiet", "topic")
    assert "- delete  ManifestWork" in shown(clone).stdout


def test_refused(clone: Path) -> None:
    """What the sync would not apply: each problem at its line, exit status 3."""
    (clone / WEB).write_text(_web("web").replace("placementRefs", "placementRef"))
    result = shown(clone)
    assert result.return_value == 3
    assert "unknown field 'spec.placementRef'" in result.stdout
    assert f"{WEB}:" in result.stdout
    assert result.stdout.startswith("refused")


def test_mass_deletion(clone: Path) -> None:
    """What the sync's guard would hold back is not told as gone, and how to confirm it is said."""
    for path in ordinary():
        if not path.startswith("hub/"):
            (clone / path).unlink()
    result = shown(clone)
    assert result.stdout.startswith("9 kept; 0 of 6 clusters (0%) touched")
    assert "! keep    ManagedCluster" in result.stdout
    assert "9 of 13 objects are no longer in Git and were kept" in result.stdout


def test_policy_on_disk(clone: Path) -> None:
    """The policy judges files that are in no commit yet, too; commits of the branch may let them through."""
    policy = "policy:\n  rules:\n    - {name: keep, protected: [{kinds: [ManifestWork]}]}\n"
    kind = "apiVersion: config.gitops-ocm.io/v1alpha1\nkind: FleetRepository\n"
    Clone(clone).commit({"gitops-ocm.yaml": kind + policy}, "Have a policy")
    (clone / "works/one.yaml").unlink()
    result = shown(clone)
    assert result.return_value == 3
    assert result.stdout.startswith("refused by policy (keep)")


STOPPED = "stopped: 1 of 6 clusters failed (c1), maxFailures is 0"
SLOWLY = {
    "type": "Progressive",
    "progressive": {"maxConcurrency": 2, "minSuccessTime": "5m", "progressDeadline": "10m"},
}


def _slowly() -> str:
    found = make.replica_set("web", "fleet", ["all"], [make.config_map("web"), make.config_map("more")])
    found["spec"]["placementRefs"][0]["rolloutStrategy"] = SLOWLY
    return to_yaml(found)


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ((), ["wave 2 after 5 min", "wave 3 after 10 min"]),
        (
            ("--assume-takes", "1m"),
            ["wave 2 after 6 min", "assumed: all clusters apply what they are given after 60 s"],
        ),
        (
            ("--assume-fail", "c1"),
            ["1 rollout would not finish", STOPPED, "assumed: c1 fail"],
        ),
        (("--assume-down", "label=region=eu"), ["not reached: ", "assumed: label=region=eu are down"]),
    ],
    ids=["well", "slowly", "failing", "down"],
)
def test_what_if(clone: Path, options: tuple[str, ...], lines: list[str]) -> None:
    """Where a rollout goes, and where it stops, if clusters take their time, fail, or do not answer."""
    (clone / WEB).write_text(_slowly())
    result = shown(clone, *options)
    assert [line for line in lines if line not in _words(result)] == [], result.stdout


def test_no_such_cluster(clone: Path) -> None:
    """A cluster that there is none of is not assumed anything about."""
    with pytest.raises(GitopsError, match="'set=nowhere' is none of the fleet's clusters"):
        shown(clone, "--assume-down", "set=nowhere")


def test_no_account(clone: Path) -> None:
    """Without a status branch the fleet is what Git declares, and that is said."""
    (clone / WEB).write_text(_web("web", "more"))
    Clone(clone).git("branch", "-D", "status")
    result = shown(clone)
    assert "there is no status branch" in result.stdout


@pytest.mark.parametrize("revisions", ["nowhere", "main..nowhere", "--output=x..main"])
def test_unknown_revisions(clone: Path, revisions: str) -> None:
    """A revision that is none is named."""
    with pytest.raises(GitopsError, match=r"names no commit|is no revision"):
        shown(clone, "--", revisions)


def test_outside_of_a_clone(tmp_path: Path) -> None:
    """A folder that is no clone is told so."""
    with pytest.raises(GitopsError, match="not in a clone"):
        shown(tmp_path)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_knows_few_signs(clone: Path, encoding: str) -> None:
    """What it cannot show is `?` in text; documents are UTF-8 all the same."""
    (clone / WEB).write_text(_web("web", "café"))
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}

    def printed(form: str) -> bytes:
        command = [sys.executable, "-m", "gitops_ocm", "preview", "--repo", str(clone), "-o", form]
        done = run(command, capture_output=True, env=environment, check=False)
        assert (done.returncode, done.stderr) == (1, b"")
        return done.stdout

    assert "????" in printed("text").decode("ascii", "ignore")
    assert "café" in printed("json").decode()


def test_one_format_is_printed(clone: Path) -> None:
    """Two on standard output would be of use to nobody; all but one go to files."""
    with pytest.raises(click.UsageError, match="one format, not json and text"):
        shown(clone, "-o", "json", "-o", "text")
    assert shown(clone, "-o", f"json={clone.parent / 'p.json'}", "-o", "text").return_value == 0
