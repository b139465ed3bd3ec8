"""Rollouts that do not go on are found on a hub: of replica sets, and of an add-on's configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.testing.objects import binding, config_map, namespace, placement, replica_set
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs.doctor_text import text
from gitops_ocm.verbs.listing_work import CLUSTER_ADDONS
from gitops_ocm.verbs.targets import ocm
from tests.decide.addons.playing import deployment_config, management, template
from tests.verbs.doctoring import alive, causes, hub_in_memory, looked, made

pytestmark = pytest.mark.slow

WORKS = ocm("work.open-cluster-management.io/v1", "ManifestWork")
LOST = {"key": "cluster.open-cluster-management.io/unavailable", "operator": "Exists"}


@pytest.fixture
async def hub() -> AsyncIterator[Cluster]:
    """A hub with two clusters, the first of which is not well, and a placement that takes both."""
    async with hub_in_memory() as cluster:
        await alive(cluster, "c1", available="False")
        await alive(cluster, "c2")
        await made(
            cluster,
            namespace("fleet"),
            binding("default", "fleet"),
            placement("p", "fleet", tolerations=[LOST]),
        )
        yield cluster


async def test_a_replica_set_that_one_cluster_holds(hub: Cluster) -> None:
    """The set is named under the cluster that holds it, with who waits and the command that says more."""
    web = replica_set("web", "fleet", ["p"], [config_map("c")])
    one = {"type": "Progressive", "progressive": {"maxConcurrency": 1}}
    web["spec"]["placementRefs"][0]["rolloutStrategy"] = one
    await made(hub, web)

    async def given() -> bool:
        return [work["metadata"]["namespace"] for work in (await hub.list(WORKS)).items] == ["c1"]

    await eventually(given)
    found = await looked(hub)
    (held,) = causes(found)["rollout-held"]
    assert held.sentence == (
        "The rollout of ManifestWorkReplicaSet fleet/web over the placement p does not go on: "
        "maxConcurrency is 1: c1 under way; 1 cluster waits."
    )
    assert held.mend == "gitops-ocm explain rollout mwrs/web -n fleet"
    root = next(f for f in found.diagnosis.findings if held in f.follows)
    assert (root.cause, root.cluster) == ("cluster-api-unwell", "c1")
    assert held.sentence in text(found)
    assert "rollout-held" not in causes(await looked(hub, "c2"))


async def test_an_add_on_that_one_cluster_holds(hub: Cluster) -> None:
    """So is the rollout of an add-on's configuration."""
    one = {"type": "Progressive", "progressive": {"maxConcurrency": 1}}
    await made(hub, template("t1"), deployment_config("one"), management(("p", None, one)))

    async def configured() -> bool:
        addons = (await hub.list(CLUSTER_ADDONS)).items
        return [a["metadata"]["namespace"] for a in addons if is_true(a, "Configured")] == ["c1"]

    await eventually(configured)
    (held,) = causes(await looked(hub))["rollout-held"]
    assert held.sentence == (
        "The rollout of ClusterManagementAddOn hello over the placement fleet/p does not go on: "
        "maxConcurrency is 1: c1 under way; 1 cluster waits."
    )
    assert held.mend == "gitops-ocm explain rollout addon/hello"
