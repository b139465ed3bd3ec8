"""The add-on manager alone on each kind of API server; the test is the scheduler and the registration.

Only the group `addon` runs, as it does beside OCM's own parts. What it writes has to be accepted as it is,
and the server's garbage collector has to follow the owner references it makes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from gitops_ocm.decide.contract import Create, Delete, MergePatch, Side, Write
from gitops_ocm.decide.controllers import hub_controllers, in_groups
from gitops_ocm.decide.kinds import (
    CLUSTER_ADDON,
    MANAGEMENT_ADDON,
    PLACEMENT,
    PLACEMENT_DECISION,
    cluster_ref,
)
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.live.commit import Committer
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Ref, Resource
from gitops_ocm.testing import objects as make

Eventually = Callable[..., Awaitable[object]]
Unique = Callable[[str], str]
HOSTING = "addon.open-cluster-management.io/hosting-cluster-name"
OLDER = Resource(
    "addon.open-cluster-management.io",
    "v1alpha1",
    "ManagedClusterAddOn",
    "managedclusteraddons",
    namespaced=True,
)
"""The version every hub serves; the later one keeps the namespace in an annotation."""


class Manager:
    """The add-on manager at work on a hub, and everybody else."""

    def __init__(self, cluster: Cluster, runner: Runner) -> None:
        self._cluster = cluster
        self._runner = runner
        self._others = Committer({Side.HUB: cluster}, runner.mappers, field_manager="kubectl")

    async def act(self, *writes: Write) -> None:
        """Do this; nothing may be refused."""
        for result in await self._others.write_all(writes):
            assert result.error is None, result.error

    async def get(self, ref: Ref) -> Object | None:
        """An object, if it is there."""
        resource = await self._runner.mappers[Side.HUB].resource_of(ref.of)
        assert resource is not None
        try:
            return await self._cluster.get(resource, ref.namespace, ref.name)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            return None

    async def decide(self, namespace: str, *clusters: str, decided: int | None = None) -> None:
        """What a scheduler writes: the decision first, then how many it has selected."""
        decisions = [{"clusterName": name, "reason": ""} for name in clusters]
        number = len(clusters) if decided is None else decided
        await self.act(
            MergePatch(
                Ref(*PLACEMENT_DECISION, namespace, "p-decision-1"),
                {"status": {"decisions": decisions}},
                subresource="status",
            ),
            MergePatch(
                Ref(*PLACEMENT, namespace, "p"),
                {"status": {"numberOfSelectedClusters": number, "decisionGroups": []}},
                subresource="status",
            ),
        )

    def idle(self) -> bool:
        """Whether nothing is left to do."""
        return self._runner.status().idle


@asynccontextmanager
async def managing(cluster: Cluster) -> AsyncIterator[Manager]:
    """The group `addon`, running."""
    stop = asyncio.Event()
    runner = Runner(in_groups(hub_controllers(), ["addon"]), {Side.HUB: cluster})
    running = asyncio.create_task(runner.run(stop))
    try:
        await runner.synced()
        yield Manager(cluster, runner)
    finally:
        stop.set()
        await running


def decision(namespace: str) -> Object:
    """A PlacementDecision of the placement `p`, still empty."""
    return {
        "apiVersion": "cluster.open-cluster-management.io/v1beta1",
        "kind": PLACEMENT_DECISION.kind,
        "metadata": {
            "name": "p-decision-1",
            "namespace": namespace,
            "labels": {"cluster.open-cluster-management.io/placement": "p"},
        },
    }


async def test_every_hub_takes_what_the_add_on_manager_writes(
    cluster: Cluster, namespace: str, unique: Unique, eventually: Eventually
) -> None:
    """Installed, marked, kept in doubt, removed, adopted, collected: the same on all three."""
    name, one, two = unique("hello"), unique("one"), unique("two")
    first, second = (Ref(*CLUSTER_ADDON, each, name) for each in (one, two))
    cma = Ref(*MANAGEMENT_ADDON, "", name)
    async with managing(cluster) as hub:

        async def has(ref: Ref, *, there: bool = True) -> bool:
            return (await hub.get(ref) is not None) is there

        async def owned(ref: Ref) -> bool:
            addon, by = await hub.get(ref), await hub.get(cma)
            assert addon is not None
            assert by is not None
            (owner,) = addon["metadata"].get("ownerReferences") or [{}]
            return bool(owner.get("uid") == by["metadata"]["uid"] and owner["controller"])

        for each in (one, two):
            made = make.managed_cluster(each, cluster_set="")
            made["metadata"]["annotations"] = {HOSTING: "host"}
            await hub.act(Create(made), Create(make.namespace(each)))
        await hub.act(Create(make.placement("p", namespace)), Create(decision(namespace)))
        await hub.act(Create(make.addon(name, [(namespace, "p")])))
        await hub.decide(namespace, one, two)
        await eventually(lambda: has(first))
        await eventually(lambda: has(second))
        assert await owned(first)
        installed = await cluster.get(OLDER, one, name)
        assert installed["spec"] == {"installNamespace": "open-cluster-management-agent-addon"}
        assert installed["metadata"]["annotations"] == {HOSTING: "host"}

        await hub.decide(namespace, two, decided=2)  # being rewritten: one cluster is in no decision
        await hub.act(MergePatch(cluster_ref(one), {"metadata": {"annotations": None}}))

        async def unmarked() -> bool:
            return "annotations" not in (await cluster.get(OLDER, one, name))["metadata"]

        await eventually(unmarked)
        await eventually(hub.idle)
        assert await has(first)
        await hub.decide(namespace, two)
        await eventually(lambda: has(first, there=False))

        await hub.act(MergePatch(cma, {"spec": {"installStrategy": {"type": "Manual"}}}))
        await hub.act(Create(make.cluster_addon(name, one)))
        await eventually(lambda: owned(first))
        await hub.act(Delete(cma))
        await eventually(lambda: has(first, there=False), 60)
        await eventually(lambda: has(second, there=False), 60)
    await hub.act(*(Delete(Ref("", "Namespace", "", each)) for each in (one, two)))
    await hub.act(*(Delete(cluster_ref(each)) for each in (one, two)))
