"""The same add-on under the live runner, on the embedded store: placement to installation and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from gitops_ocm.decide.contract import Create, Delete, MergePatch, Side, Write
from gitops_ocm.decide.controllers import hub_controllers
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
from gitops_ocm.objects.ref import Kind, Object, Ref
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.clusters import memory

Eventually = Callable[..., Awaitable[object]]
NAME = "helloworld"
PLATFORM = "platform.open-cluster-management.io"
AWS = {"matchExpressions": [{"key": PLATFORM, "operator": "In", "values": ["AWS"]}]}
PLACED = make.placement(
    "placement-aws",
    "default",
    predicates=[{"requiredClusterSelector": {"claimSelector": AWS}}],
    tolerations=[{"operator": "Exists"}],
)


class Live:
    """A hub with its controllers at work, and a person at it."""

    def __init__(self, cluster: Cluster, runner: Runner) -> None:
        self._cluster = cluster
        self.runner = runner
        self._person = Committer({Side.HUB: cluster}, runner.mappers, field_manager="kubectl")

    async def act(self, *writes: Write) -> None:
        """Do this; nothing may be refused."""
        for result in await self._person.write_all(writes):
            assert result.error is None, result.error

    async def claim(self, cluster: str, value: str) -> None:
        """Say, as its agent would, where a cluster runs."""
        status = {"clusterClaims": [{"name": PLATFORM, "value": value}]}
        await self.act(MergePatch(cluster_ref(cluster), {"status": status}, subresource="status"))

    async def list(self, kind: Kind) -> list[Object]:
        """What there is of a kind."""
        resource = await self.runner.mappers[Side.HUB].resource_of(kind)
        assert resource is not None
        return (await self._cluster.list(resource)).items

    async def on(self, *clusters: str) -> bool:
        """Whether the add-on is on these clusters, labelled so, and the hub has come to rest."""
        addons = await self.list(CLUSTER_ADDON)
        found = [a["metadata"]["namespace"] for a in addons if not a["metadata"].get("deletionTimestamp")]
        return found == list(clusters) and self.runner.status().idle


@asynccontextmanager
async def live() -> AsyncIterator[Live]:
    """A new hub whose controllers run."""
    async with memory() as hub:
        stop = asyncio.Event()
        runner = Runner(hub_controllers(), {Side.HUB: hub})
        running = asyncio.create_task(runner.run(stop))
        try:
            await runner.synced()
            yield Live(hub, runner)
        finally:
            stop.set()
            await running


async def test_an_add_on_follows_its_placement_on_a_live_hub(eventually: Eventually) -> None:
    """Claims gained and lost, an installation, the placement, a cluster and the add-on deleted; then rest."""
    async with live() as hub:
        clusters = [make.managed_cluster(name) for name in ("c1", "c2")]
        await hub.act(*map(Create, [*clusters, make.binding("default", "default"), PLACED]))
        await hub.act(Create(make.addon(NAME, [("default", "placement-aws")])))
        await hub.claim("c1", "AWS")
        await eventually(lambda: hub.on("c1"))
        (addon,) = await hub.list(CLUSTER_ADDON)
        (cma,) = await hub.list(MANAGEMENT_ADDON)
        (owner,) = addon["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["controller"]) == (cma["metadata"]["uid"], True)
        assert addon["spec"] == {"installNamespace": "open-cluster-management-agent-addon"}

        await hub.claim("c2", "AWS")
        await eventually(lambda: hub.on("c1", "c2"))
        values = {"addon.open-cluster-management.io/values": "{}"}
        await hub.act(MergePatch(cluster_ref("c2"), {"metadata": {"annotations": values}}))

        async def handed_on(expected: object) -> bool:
            return bool((await hub.list(CLUSTER_ADDON))[1]["metadata"].get("annotations") == expected)

        await eventually(lambda: handed_on(values))
        await hub.act(MergePatch(cluster_ref("c2"), {"metadata": {"annotations": None}}))
        await eventually(lambda: handed_on(None))

        await hub.act(Delete(Ref(*CLUSTER_ADDON, "c1", NAME)))
        await eventually(lambda: hub.on("c1", "c2"))
        before = [a["metadata"]["uid"] for a in await hub.list(CLUSTER_ADDON)]

        async def decided(number: int) -> bool:
            return len(await hub.list(PLACEMENT_DECISION)) == number and await hub.on("c1", "c2")

        await hub.act(Delete(Ref(*PLACEMENT, "default", "placement-aws")))
        await eventually(lambda: decided(0))
        await hub.act(Create(PLACED))
        await eventually(lambda: decided(1))
        assert [a["metadata"]["uid"] for a in await hub.list(CLUSTER_ADDON)] == before
        await hub.claim("c1", "GCP")
        await eventually(lambda: hub.on("c2"))
        await hub.act(Delete(cluster_ref("c2")))
        await eventually(lambda: hub.on())
        await hub.claim("c1", "AWS")
        await eventually(lambda: hub.on("c1"))
        await hub.act(Delete(Ref(*MANAGEMENT_ADDON, "", NAME)))
        await eventually(lambda: hub.on())
