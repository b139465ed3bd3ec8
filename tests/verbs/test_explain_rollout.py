"""`explain rollout` on a hub: what it says is what the controller does next."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitops_ocm.decide.rollout.explanation import Standing
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.testing.clusters import memory
from gitops_ocm.testing.commands import environment, run_each
from gitops_ocm.testing.hub import controllers_on
from gitops_ocm.testing.objects import binding, config_map, managed_cluster, namespace, placement, replica_set
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs.explain import NotExplained
from gitops_ocm.verbs.explain_rollout import RolloutQuestion, explain_rollout_on, named
from tests.verbs.doctoring import made

WORKS = Resource("work.open-cluster-management.io", "v1", "ManifestWork", "manifestworks", namespaced=True)
LOST = {"key": "cluster.open-cluster-management.io/unreachable", "operator": "Exists"}


def web(strategy: Object) -> Object:
    """A replica set that rolls out by a strategy."""
    owner = replica_set("web", "fleet", ["p"], [config_map("c")])
    owner["spec"]["placementRefs"][0]["rolloutStrategy"] = strategy
    return owner


@pytest.fixture
async def hub() -> AsyncIterator[Cluster]:
    """A hub with three clusters whose agents never answer."""
    async with memory() as cluster:
        await made(
            cluster,
            namespace("fleet"),
            binding("default", "fleet"),
            *(managed_cluster(name) for name in ("c1", "c2", "c3")),
            placement("p", "fleet", tolerations=[LOST]),
        )
        yield cluster


async def test_an_explanation_is_the_rollout(hub: Cluster) -> None:
    """Who has a work is under way, who has none is held; before that, who would start is who then has one."""
    await made(hub, web({"type": "Progressive", "progressive": {"maxConcurrency": 2}}))
    async with controllers_on(hub):

        async def given() -> bool:
            return len((await hub.list(WORKS)).items) == 2

        await eventually(given)
    (found,) = await explain_rollout_on(hub, RolloutQuestion("fleet", "web"), datetime.now(UTC))
    works = {work["metadata"]["namespace"] for work in (await hub.list(WORKS)).items}
    assert {r.cluster for r in found.rows if r.standing is Standing.UNDER_WAY} == works == {"c1", "c2"}
    assert [r.cluster for r in found.rows if r.standing is Standing.HELD] == ["c3"]
    for work in (await hub.list(WORKS)).items:
        await hub.delete(WORKS, work["metadata"]["namespace"], work["metadata"]["name"])
    (before,) = await explain_rollout_on(hub, RolloutQuestion("fleet", "web"), datetime.now(UTC))
    assert set(before.step.starting) == works


async def test_what_cannot_be_explained_is_said(hub: Cluster) -> None:
    """No set, no placement, no strategy that could be: each in one sentence."""
    now = datetime.now(UTC)
    with pytest.raises(NotExplained, match="there is no ManifestWorkReplicaSet fleet/web"):
        await explain_rollout_on(hub, RolloutQuestion("fleet", "web"), now)
    await made(hub, replica_set("astray", "fleet", ["q"], [config_map("c")]))
    with pytest.raises(NotExplained, match="placements that do not exist: q"):
        await explain_rollout_on(hub, RolloutQuestion("fleet", "astray"), now)
    await made(hub, web({"type": "Progressive", "progressive": {"maxConcurrency": "5"}}))
    with pytest.raises(NotExplained, match="string is not a percentage"):
        await explain_rollout_on(hub, RolloutQuestion("fleet", "web"), now)


@pytest.mark.parametrize(("text", "name"), [("web", "web"), ("mwrs/web", "web")])
def test_a_set_is_named_as_kubectl_names_it(text: str, name: str) -> None:
    """With its kind or without."""
    assert named(text) == name


def test_other_kinds_have_no_rollout() -> None:
    """Taken for nothing else."""
    with pytest.raises(NotExplained, match="a placements has no rollout"):
        named("placements/web")


@pytest.mark.slow
async def test_the_command(embedded_cluster: Cluster, embedded_kubeconfig: Path, tmp_path: Path) -> None:
    """As a table and as JSON; an error is one sentence."""
    await made(
        embedded_cluster,
        namespace("rolling"),
        placement("p", "rolling"),
        {**web({"type": "All"}), "metadata": {"name": "web", "namespace": "rolling"}},
    )
    command = ("explain", "rollout", "mwrs/web", f"--kubeconfig={embedded_kubeconfig}", "-n")
    table, data, failed = await asyncio.to_thread(
        run_each,
        [(*command, "rolling"), (*command, "rolling", "-o", "json"), (*command, "elsewhere")],
        env=environment(tmp_path),
    )
    assert table.stdout.startswith("Placement p: All")
    assert json.loads(data.stdout)["rollouts"][0]["placement"] == "p"
    assert failed.returncode == 2
    assert "there is no ManifestWorkReplicaSet elsewhere/web" in failed.stderr
