"""`gitops-ocm accept --commit`: acceptance as a change to be reviewed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gitops_ocm.testing.commands import environment, run


def git(folder: Path, *args: str) -> str:
    """What git says, as somebody with a name."""
    named = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *named, *args], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.mark.slow
def test_acceptance_is_a_commit_on_a_branch(tmp_path: Path) -> None:
    """One line changes on the branch named, nothing where the work goes on, and what is next is said."""
    env = environment(tmp_path)
    fleet = tmp_path / "fleet"
    assert run("repo", "init", str(fleet), "--cluster", "east", env=env).returncode == 0
    if not (fleet / ".git").exists():
        git(fleet, "init", "-q")
    git(fleet, "config", "user.name", "Ann")
    git(fleet, "config", "user.email", "ann@example.com")
    declared = fleet / "clusters/east/cluster.yaml"
    declared.write_text(declared.read_text().replace("hubAcceptsClient: true", "hubAcceptsClient: false"))
    git(fleet, "add", "-A")
    git(fleet, "commit", "-qm", "Have east wait")
    done = run("accept", "--clusters", "east", "--commit=accept-east", "--repo", str(fleet), env=env)
    assert done.returncode == 0, done.stderr
    assert "set hubAcceptsClient to true for managed cluster east" in done.stdout
    assert "push -u origin accept-east" in done.stdout
    assert "gitops-ocm accept --clusters east" in done.stderr
    changed = [
        line
        for line in git(fleet, "diff", "HEAD", "accept-east").splitlines()
        if line.startswith(("+", "-")) and not line.startswith(("+++", "---"))
    ]
    assert changed == ["-  hubAcceptsClient: false", "+  hubAcceptsClient: true"]
    assert "hubAcceptsClient: false" in declared.read_text()
