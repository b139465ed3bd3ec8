"""`gitops-ocm diff` as a script uses it: its exit status is `kubectl diff`'s, and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_ocm.testing.gitops import Repo
from tests.cli.conftest import Hub

pytestmark = pytest.mark.slow


def _config_map(name: str, value: str) -> str:
    meta = f"metadata: {{name: {name}, namespace: default}}"
    return f"apiVersion: v1\nkind: ConfigMap\n{meta}\ndata: {{v: '{value}'}}\n"


def test_exit_status(hub: Hub, unique: Callable[[str], str], tmp_path: Path) -> None:
    """1 before the first sync and after a change, 0 in step, 2 where the commit cannot be synced."""
    name, repo = unique("diff"), Repo(tmp_path / "repo.git")
    options = ("--name", name, "--kubeconfig", str(hub.kubeconfig), "--repo", str(repo.path))
    repo.commit({"hub/a.yaml": _config_map(name, "1")})
    first = hub.run("diff", *options)
    assert (first.returncode, f"ConfigMap default/{name}" in first.stdout) == (1, True)
    assert hub.run("sync", "--once", *options).returncode == 0
    assert hub.run("diff", *options).returncode == 0

    repo.commit({"hub/a.yaml": _config_map(name, "2")})
    changed = hub.run("diff", *options)
    assert changed.returncode == 1
    assert "data.v" in changed.stdout
    told = json.loads(hub.run("diff", "-o", "json", *options).stdout)
    assert told["objects"][0]["fields"] == [{"path": "data.v", "before": "1", "after": "2"}]
    assert told["objects"][0]["origin"].startswith("hub/a.yaml:1@")
    assert (told["exitStatus"], told["problems"]) == (1, [])

    bad = repo.commit({"hub/b.yaml": "kind: [\n"})
    refused = hub.run("diff", *options)
    assert refused.returncode == 2
    assert f"commit {bad[:12]} cannot be synced: 1 problem\n" in refused.stderr
    assert f"hub/b.yaml:2@{bad[:12]}" in refused.stderr
