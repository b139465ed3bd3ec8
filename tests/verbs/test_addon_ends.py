"""Add-ons that leave clusters: what they wait for is said while they do, wherever one looks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from gitops_ocm.decide.addons.leaving import leaving, waits_for
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import NAMESPACES
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.clusters import memory
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs import addons, listing_work
from gitops_ocm.verbs.listing import CLUSTERS
from gitops_ocm.verbs.listing_work import CLUSTER_ADDONS
from gitops_ocm.verbs.targets import HubTarget
from gitops_ocm.verbs.voice import VerbError, WaitError
from gitops_ocm.verbs.waiting import Patience
from tests.verbs.test_hub_verbs import Told

ADDON = "addon.open-cluster-management.io"
HOOK = f"{ADDON}/addon-pre-delete"
HOSTING = {f"{ADDON}/hosting-cluster-name": "host"}


def going(*finalizers: str, message: str = "", **meta: Any) -> Object:
    """An add-on on `c1` that is being deleted."""
    addon = make.cluster_addon("hello", "c1")
    addon["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": list(finalizers), **meta}
    told = {"type": "HookManifestCompleted", "status": "False", "message": message}
    return {**addon, "status": {"conditions": [told]}}


WAITS: Mapping[str, tuple[Object, str]] = {
    "nothing": (make.cluster_addon("hello", "c1"), ""),
    "no finalizer": (going(), "the API server"),
    "a hook": (going(HOOK), "its pre-delete hook on c1"),
    "a hook that says why": (going(HOOK, message="job x runs"), "its pre-delete hook on c1 (job x runs)"),
    "a hook on its host": (
        going(f"{ADDON}/hosting-addon-pre-delete", annotations=HOSTING), "its pre-delete hook on host",
    ),
    "its host": (
        going(f"{ADDON}/hosting-manifests-cleanup", annotations=HOSTING), "what it has on host to be gone",
    ),
    "its works": (going("foregroundDeletion"), "its works on c1 to be gone"),
    "somebody else, and a hook": (
        going("z.example.com/mine", HOOK), "its pre-delete hook on c1; finalizer z.example.com/mine",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WAITS)
def test_what_an_add_on_waits_for(case: str) -> None:
    """Each finalizer has its words."""
    addon, expected = WAITS[case]
    assert waits_for(addon) == expected
    assert leaving([addon]) == ((f"c1: waits for {expected}",) if expected else ())


async def hub_with(cluster: Cluster, *finalizers: str) -> None:
    """A cluster with the add-on."""
    await cluster.create(CLUSTERS, make.managed_cluster("c1"))
    await cluster.create(NAMESPACES, make.namespace("c1"))
    addon = make.cluster_addon("hello", "c1")
    addon["metadata"]["finalizers"] = list(finalizers)
    await cluster.create(CLUSTER_ADDONS, addon)


async def test_disable_waits_and_says_what_for() -> None:
    """It returns once the add-on is gone; until then the finalizer is told; `get addon` shows it as well."""
    async with memory() as cluster:
        await hub_with(cluster, HOOK)
        told = Told()
        with pytest.raises(WaitError, match="its pre-delete hook on c1"):
            await addons.disable(HubTarget(cluster), told, ["hello"], ["c1"], Patience(0.2))
        found = await listing_work.addons(cluster)
        assert [list(row) for row in found.rows] == [["hello", 1]]
        assert found.tree["hello"]["c1"]["Deleting"] == "waits for its pre-delete hook on c1"
        waiting = asyncio.create_task(
            addons.disable(HubTarget(cluster), told, ["hello"], ["c1"], Patience(30))
        )
        held = await cluster.get(CLUSTER_ADDONS, "c1", "hello")
        await cluster.update(CLUSTER_ADDONS, {**held, "metadata": {**held["metadata"], "finalizers": []}})
        await asyncio.wait_for(waiting, 30)
        assert (await listing_work.addons(cluster)).rows == []


async def test_disable_says_that_a_placement_brings_it_back() -> None:
    """What is wanted there comes again: waiting for it to be gone would be in vain."""
    async with memory() as cluster:
        await hub_with(cluster, HOOK)
        waiting = asyncio.create_task(
            addons.disable(HubTarget(cluster), Told(), ["hello"], ["c1"], Patience(30))
        )

        async def deleted() -> bool:
            return "deletionTimestamp" in (await cluster.get(CLUSTER_ADDONS, "c1", "hello"))["metadata"]

        await eventually(deleted)
        held = await cluster.get(CLUSTER_ADDONS, "c1", "hello")
        await cluster.update(CLUSTER_ADDONS, {**held, "metadata": {**held["metadata"], "finalizers": []}})
        await cluster.create(CLUSTER_ADDONS, make.cluster_addon("hello", "c1"))
        with pytest.raises(VerbError, match="again: a placement of its install strategy selects"):
            await waiting
