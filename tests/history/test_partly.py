"""`gitops-ocm history` where a commit came in force but for an object that waits."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
from click.testing import CliRunner

from gitops_ocm.cli.history import history
from gitops_ocm.objects.ref import ref_of
from gitops_ocm.report.status_files import path_of
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.testing import objects as make
from tests.history.night import CLUSTERS, Night, Told, cluster, placement, web, work

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("in_utc")]


def _waited(folder: Path) -> Night:
    """A start, a commit of which one work waits while another changes, and one without that."""
    night = Night(folder / "fleet.git", folder / "clone")
    run(["git", "init", "-q", "--bare", "--initial-branch=main", str(night.bare)], check=True)
    namespace = to_yaml(make.namespace("fleet"))
    night.committed("Start", 0, {"hub/namespace.yaml": namespace, "works/web.yaml": web(1)})
    works = [work(name, 1, generation=1) for name in CLUSTERS]
    begun: list[Told] = [night.sync("Start"), placement(*CLUSTERS), *map(cluster, CLUSTERS), *works]
    night.told(1, *begun, source="Start")
    lost = to_yaml(make.manifest_work("lost", "c9", [make.config_map("x")]))
    night.committed("Web 2", 60, {"works/web.yaml": web(2), "works/lost.yaml": lost})
    night.told(61, *(work(name, 2, generation=2) for name in CLUSTERS), source="Start")
    night.told(62, night.sync("Start", "Web 2", reason="WaitingForDependency"), source="Start")
    night.committed("Web 1", 120, {"works/web.yaml": web(1), "works/lost.yaml": None})
    night.told(121, night.sync("Web 1"), source="Web 1")
    night.told(122, *(work(name, 1, generation=3) for name in CLUSTERS), source="Web 1")
    run(["git", "clone", "-q", str(night.bare), str(night.clone)], check=True)
    return night


def test_what_came_of_each(tmp_path: Path) -> None:
    """Each commit has the clusters it changed, though the sync told of one only when it was done waiting."""
    night = _waited(tmp_path)
    command = ["--repo", str(night.clone), "-o", "json"]
    result = CliRunner().invoke(history, command, standalone_mode=False, catch_exceptions=False)
    found: list[dict[str, Any]] = json.loads(result.stdout)["entries"]
    assert [(entry["subject"], entry["outcome"]) for entry in found] == [
        ("Web 1", "in force"),
        ("Web 2", "partly"),
        ("Start", "in force"),
    ]
    assert [len(entry["clusters"]["changed"]) for entry in found] == [3, 3, 3]
    lost = "ManifestWork.work.open-cluster-management.io c9/lost"
    assert [entry["objects"]["deleted"] for entry in found] == [[lost], [], []]
    assert [lost in entry["objects"]["created"] for entry in found] == [False, True, False]


def test_in_words(tmp_path: Path) -> None:
    """What waits is said, what was applied, and which commit is wholly in force."""
    night = _waited(tmp_path)
    command = ["--repo", str(night.clone)]
    result = CliRunner().invoke(history, command, standalone_mode=False, catch_exceptions=False)
    (text,) = (part for part in result.stdout.split("2026-03-01") if "partly" in part)
    assert "3 of 3 clusters changed (c1, c2, c3); all had it by then" in " ".join(text.split())
    assert f"{night.commits['Start'][:12]} is the last commit that is wholly in force" in text


def test_a_cluster_that_leaves(tmp_path: Path) -> None:
    """Who loses a work by leaving the fleet is one of those that the fleet had."""
    night = _waited(tmp_path)
    night.committed("Without c3", 180, {"works/web.yaml": web(3)})
    work_of_c3 = work("c3", 1, generation=3)
    gone = [path for obj in (cluster("c3"), work_of_c3) if (path := path_of(ref_of(obj)))]
    changed = (work(name, 3, generation=4) for name in ("c1", "c2"))
    night.told(181, night.sync("Without c3"), *changed, source="Without c3", gone=gone)
    run(["git", "-C", str(night.clone), "fetch", "-q"], check=True)
    command = ["--repo", str(night.clone), "-n", "1"]
    result = CliRunner().invoke(history, command, standalone_mode=False, catch_exceptions=False)
    assert "3 of 3 clusters changed (c1, c2, c3)" in result.stdout
