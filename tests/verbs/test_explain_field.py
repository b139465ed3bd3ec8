"""`gitops-ocm explain field`: who owns a field on a hub, and where in Git it is written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gitops_ocm.apiserver.serve import serve
from gitops_ocm.cli.explain_field import field
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.objects.ref import Resource
from gitops_ocm.objects.served import NAMESPACES
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.gitops import Repo
from gitops_ocm.verbs.explain_field import Owned, explain_field, text
from tests.cli.conftest import Hub

DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments", namespaced=True)


async def _deployed(cluster: Cluster, namespace: str) -> None:
    """A Deployment that one manager applies, another adds a label to, and a third reports on."""
    wanted = make.deployment("web", namespace)
    options: dict[str, Any] = {"type": PatchType.APPLY, "force": False}
    await cluster.patch(DEPLOYMENTS, namespace, "web", wanted, field_manager="ann", **options)
    label = {"metadata": {"labels": {"example.com/team": "shop"}}}
    await cluster.patch(DEPLOYMENTS, namespace, "web", label, type=PatchType.MERGE, field_manager="bob")
    report = {"status": {"replicas": 1}}
    await cluster.patch(
        DEPLOYMENTS,
        namespace,
        "web",
        report,
        type=PatchType.MERGE,
        subresource="status",
        field_manager="carl",
    )


async def _asked(cluster: Cluster, kind: str, namespace: str, path: str) -> Owned:
    return await explain_field(cluster, kind, namespace, "web", path)


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("metadata.labels[example.com/team]", {"bob": ("Update", "", False)}),
        ("spec.template.spec.containers[0].image", {"ann": ("Apply", "", False)}),
        ("spec.template.spec.containers[main].image", {"ann": ("Apply", "", False)}),
        ("status.replicas", {"carl": ("Update", "", False)}),
        ("metadata.labels", {"bob": ("Update", "", False)}),
        ("spec.strategy.type", {}),
    ],
)
async def test_owners(cluster: Cluster, namespace: str, path: str, owners: dict[str, Any]) -> None:
    """As managed fields have it: maps, items of lists by their keys, status, and nobody for defaults."""
    await _deployed(cluster, namespace)
    found = await _asked(cluster, "deployment", namespace, path)
    told = {
        h.manager: (h.operation, h.whole, h.below) for h in found.holders if h.manager != "ann" or not h.below
    }
    assert told == owners
    assert path in text(found)


async def test_an_atomic_whole(cluster: Cluster, namespace: str) -> None:
    """What is inside a selector is owned with it, for a selector is replaced as a whole."""
    await _deployed(cluster, namespace)
    found = await explain_field(
        cluster, "deployments.apps", namespace, "web", "spec.selector.matchLabels.app"
    )
    assert [(h.manager, h.whole) for h in found.holders] == [("ann", "spec.selector")]


@pytest.mark.parametrize(
    ("kind", "name", "path", "message"),
    [
        ("gadget", "web", "spec", "the hub serves no gadget"),
        ("deployment", "web", "spec.nothing", "has no field spec.nothing"),
        ("deployment", "web", "spec[", "is no path of a field"),
        ("deployment", "other", "spec", "not found"),
    ],
)
async def test_what_is_not_there(
    memory_cluster: Cluster, kind: str, name: str, path: str, message: str, unique: Callable[[str], str]
) -> None:
    """Kinds, objects and fields that there are none of are named, with what to do."""
    namespace = unique("field")
    await memory_cluster.create(NAMESPACES, make.namespace(namespace), field_manager="test")
    await _deployed(memory_cluster, namespace)
    with pytest.raises(GitopsError) as refused:
        await explain_field(memory_cluster, kind, namespace, name, path)
    assert message in refused.value.message
    assert refused.value.hint


@pytest.mark.slow
async def test_where_git_has_it(tmp_path: Path) -> None:
    """A field that a sync brought is the HubSync's, with its file, line and commit where a clone has it."""
    async with serve(tmp_path / "hub") as server:
        hub, repo = Hub(tmp_path, tmp_path / "hub"), Repo(tmp_path / "repo.git")
        commit = repo.commit({"hub/a.yaml": "# first\n" + to_yaml(make.config_map("a", data={"v": "1"}))})
        sync = ("sync", "--once", "--kubeconfig", str(server.kubeconfig_path), "--repo", str(repo.path))
        done = await asyncio.to_thread(hub.run, *sync)
        assert done.returncode == 0, done.stderr
        repo.git("clone", "--quiet", str(repo.path), str(tmp_path / "clone"))
        ask = ["configmap", "a", "data.v", "--kubeconfig", str(server.kubeconfig_path), "-o", "json"]
        found = {}
        for folder in ("clone", "hub"):
            args = [*ask, "--repo", str(tmp_path / folder)]
            told = await asyncio.to_thread(CliRunner().invoke, field, args, standalone_mode=False)
            assert told.exception is None, told.exception
            found[folder] = json.loads(told.stdout)
    where = {"path": "hub/a.yaml", "commit": commit}
    assert found["hub"]["origin"] == where
    assert found["clone"]["origin"] | {"column": 0} == {**where, "line": 4, "column": 0}
    assert found["clone"]["owners"][0]["sync"] == "fleet"
    assert (found["clone"]["value"], len(found["clone"]["owners"])) == ("1", 1)
