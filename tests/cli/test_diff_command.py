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


def test_what_programs_read(hub: Hub, unique: Callable[[str], str], tmp_path: Path) -> None:
    """A versioned document of these fields and no others; a Secret's values are in neither form."""
    name, repo = unique("diff"), Repo(tmp_path / "repo.git")
    options = ("--name", name, "--kubeconfig", str(hub.kubeconfig), "--repo", str(repo.path))
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: default}}\n"
    repo.commit({"hub/a.yaml": _config_map(name, "1"), "hub/s.yaml": f"{secret}stringData: {{p: hunter1}}\n"})
    done = hub.run("diff", "-o", "json", *options)
    told = json.loads(done.stdout)
    assert (told["apiVersion"], told["kind"]) == ("diff.gitops-ocm.io/v1alpha1", "HubDiff")
    assert set(told) == {"apiVersion", "kind", "commit", "exitStatus", "objects", "problems"}
    for one in told["objects"]:
        assert set(one) == {"action", "reason", "object", "origin", "fields"}
        assert one["object"].keys() >= {"kind", "namespace", "name"}
        assert all("path" in field and len(field) > 1 for field in one["fields"])
    assert [problem["code"] for problem in told["problems"]] == ["plain-secret"]
    text = hub.run("diff", *options)
    for shown in (done.stdout, text.stdout, text.stderr):
        assert "hunter1" not in shown
        assert "aHVudGVyMQ" not in shown


def test_somebody_without_rights(hub: Hub, unique: Callable[[str], str], tmp_path: Path) -> None:
    """What may not be looked at is trouble: named, with who asked and what would have to be granted."""
    repo = Repo(tmp_path / "repo.git")
    repo.commit({"hub/a.yaml": _config_map("a", "1")})
    who = str(hub.of_user(unique("nobody")))
    done = hub.run("diff", "--name", unique("diff"), "--kubeconfig", who, "--repo", str(repo.path))
    assert done.returncode == 2
    assert "is forbidden" in done.stderr
    assert "grant a role" in done.stderr
    assert "Traceback" not in done.stderr
