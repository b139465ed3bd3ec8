"""A klusterlet with exactly the rights OCM gives one: from nobody to a cluster with its work applied.

The hub's RBAC is real, on the embedded server as on Kubernetes. The agent acts as the user and groups of
an agent's certificate; what it may do is what the hub's own controllers grant when a person accepts it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gitops_ocm.decide.access import agent_identity
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.klusterlet.agent import KlusterletOptions, run_klusterlet
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.conditions import find, is_true
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CONFIG_MAPS, LEASES
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.clusters import connected, memory
from gitops_ocm.testing.hub import controllers_on
from gitops_ocm.testing.witness import Witness

pytestmark = pytest.mark.slow

Eventually = Callable[..., Awaitable[Any]]
OCM = "open-cluster-management.io"
CLUSTERS = Resource(f"cluster.{OCM}", "v1", "ManagedCluster", "managedclusters", namespaced=False)
WORKS = Resource(f"work.{OCM}", "v1", "ManifestWork", "manifestworks", namespaced=True)
CLAIMS = Resource(f"cluster.{OCM}", "v1alpha1", "ClusterClaim", "clusterclaims", namespaced=False)
EVENTS = Resource("events.k8s.io", "v1", "Event", "events", namespaced=True)


@dataclass
class Scene:
    """A hub as its administrator and as an agent of `name` reach it, and the agent's own cluster."""

    name: str
    hub: Cluster
    agent: Witness
    spoke: Cluster

    async def cluster(self) -> Object:
        """The ManagedCluster."""
        return await self.hub.get(CLUSTERS, "", self.name)

    async def accept(self) -> None:
        """As a person does."""
        await self.hub.patch(
            CLUSTERS, "", self.name, {"spec": {"hubAcceptsClient": True}}, type=PatchType.MERGE
        )

    async def available(self) -> bool:
        """Whether the agent has said that its cluster is well."""
        found = await self.cluster()
        return is_true(found, "ManagedClusterJoined") and is_true(found, "ManagedClusterConditionAvailable")

    async def in_time(self) -> bool:
        """Whether the hub has seen by the agent's first sign of life that its clock is right."""
        return is_true(await self.cluster(), "ManagedClusterConditionClockSynced")

    async def applied(self, work: str) -> bool:
        """Whether a work is applied, as the agent says on the hub."""
        found = await self.hub.get(WORKS, self.name, work)
        return is_true(found, "Applied") and is_true(found, "Available")

    async def gone(self, work: str) -> bool:
        """Whether a work is gone from the hub."""
        works = await self.hub.list(WORKS, self.name)
        return work not in [obj["metadata"]["name"] for obj in works.items]

    async def events(self, reason: str) -> list[Object]:
        """The events of a reason in the cluster's own namespace."""
        found = await self.hub.list(EVENTS, self.name)
        return [event for event in found.items if event["reason"] == reason]


@asynccontextmanager
async def played(
    kubeconfig: Path, name: str, first: Callable[[Cluster], Awaitable[object]] | None = None
) -> AsyncIterator[Scene]:
    """The hub's controllers at work, then (once `first` is over) the agent of a cluster."""
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(connected(kubeconfig))
        spoke = await stack.enter_async_context(memory())
        own = HttpCluster(load_kubeconfig(kubeconfig).acting_as(*agent_identity(name, "agent")))
        stack.push_async_callback(own.close)
        agent: Any = Witness(own)
        await stack.enter_async_context(controllers_on(hub))
        if first is not None:
            await first(hub)
        options = KlusterletOptions(AgentSettings(name, hub_server=own.server, max_custom_claims=1))
        running = asyncio.create_task(run_klusterlet(agent, spoke, options, stop))
        try:
            yield Scene(name, hub, agent, spoke)
        finally:
            stop.set()
            await running


@pytest.fixture(
    scope="session", params=["embedded", pytest.param("kubernetes", marks=pytest.mark.controlplane)]
)
def kubeconfig(request: pytest.FixtureRequest) -> Path:
    """Each hub whose RBAC is asked."""
    found: Path = request.getfixturevalue(f"{request.param}_kubeconfig")
    return found


async def test_from_nobody_to_work_applied(
    kubeconfig: Path, unique: Callable[[str], str], eventually: Eventually
) -> None:
    """It waits without noise for its acceptance, then does all its work without a single refusal."""
    name = unique("least")
    with capture_logs() as logs:
        async with played(kubeconfig, name) as scene:
            await eventually(lambda: len(scene.agent.refused) >= 6)
            await scene.hub.create(CLUSTERS, make.managed_cluster(name, accepted=False))
            before = len(scene.agent.refused)
            await eventually(lambda: len(scene.agent.refused) >= before + 2)
            assert _complaints(logs) == ["not allowed to watch, waiting for the rights"]
            await scene.accept()
            await eventually(scene.available)
            await eventually(scene.in_time)
            (told,) = await eventually(lambda: scene.events("Available"))
            assert told["reportingController"] == "klusterlet-agent"
            await scene.hub.create(WORKS, make.manifest_work("first", name, [make.config_map("a")]))
            await eventually(lambda: scene.applied("first"))
            scene.agent.refused.clear()

            await scene.hub.create(WORKS, make.manifest_work("second", name, [make.config_map("b")]))
            await eventually(lambda: scene.applied("second"))
            assert await scene.spoke.get(CONFIG_MAPS, "default", "b")
            await scene.hub.delete(WORKS, name, "second")
            await eventually(lambda: scene.gone("second"))
            for claim in ("y.example.com", "x.example.com"):
                await scene.spoke.create(CLAIMS, _claim(claim))
            await eventually(lambda: scene.events("CustomClusterClaimsTruncated"))
            await eventually(lambda: scene.events("ManagedClusterAccepted"))
            beat = (await scene.hub.get(LEASES, name, "managed-cluster-lease"))["metadata"]
            assert beat["managedFields"]
            assert scene.agent.refused == []
            await scene.hub.delete(WORKS, name, "first")
            await eventually(lambda: scene.gone("first"))
    assert _complaints(logs) == ["not allowed to watch, waiting for the rights"]
    own = {f"list managedclusters metadata.name={name}", f"watch managedclusters metadata.name={name}"}
    asked = {a for a in scene.agent.asked if "managedclusters" in a}
    assert own <= asked <= own | {"get managedclusters", "patch managedclusters/status"}


async def test_denied_and_let_in_again(
    kubeconfig: Path, unique: Callable[[str], str], eventually: Eventually
) -> None:
    """An agent that starts while its cluster is denied sees that, waits, and works at once when let in."""
    name = unique("denied")

    async def denied(hub: Cluster) -> None:
        async def says(status: str) -> bool:
            conditions = (await hub.get(CLUSTERS, "", name)).get("status", {}).get("conditions", ())
            return (find(conditions, "HubAcceptedManagedCluster") or {}).get("status") == status

        await hub.create(CLUSTERS, make.managed_cluster(name))
        await eventually(lambda: says("True"))
        refusal = {"spec": {"hubAcceptsClient": False}}
        await hub.patch(CLUSTERS, "", name, refusal, type=PatchType.MERGE)
        await eventually(lambda: says("False"))

    with capture_logs() as logs:
        async with played(kubeconfig, name, denied) as scene:
            own = f"watch managedclusters metadata.name={name}"
            await eventually(lambda: own in scene.agent.asked and len(scene.agent.refused) >= 4)
            await scene.accept()
            await eventually(scene.available)
            await eventually(scene.in_time)
            (told,) = await eventually(lambda: scene.events("Available"))
            assert told["reportingController"] == "klusterlet-agent"
            await scene.hub.create(WORKS, make.manifest_work("first", name, [make.config_map("a")]))
            await eventually(lambda: scene.applied("first"))
            await scene.hub.delete(WORKS, name, "first")
            await eventually(lambda: scene.gone("first"))
    assert _complaints(logs) == ["not allowed to watch, waiting for the rights"]


async def test_others_are_out_of_reach(
    kubeconfig: Path, unique: Callable[[str], str], eventually: Eventually
) -> None:
    """An accepted agent may neither see nor touch another cluster, nor more of its own than OCM lets it."""
    name, other = unique("own"), unique("other")
    async with played(kubeconfig, name) as scene:
        for cluster in (name, other):
            await scene.hub.create(CLUSTERS, make.managed_cluster(cluster))
        await eventually(scene.available)
        lease: dict[str, Any] = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
        lease["metadata"] = {"name": "mine", "namespace": name}
        me: Any = scene.agent
        for attempt in (
            me.list(WORKS, other),
            me.list(LEASES, other),
            me.list(EVENTS, name),
            me.list(WORKS),
            me.list(CLUSTERS),
            me.get(CLUSTERS, "", other),
            me.list(CLUSTERS, field_selector=f"metadata.name={other}"),
            me.create(LEASES, lease),
            me.create(WORKS, make.manifest_work("mine", name, [])),
            me.delete(WORKS, name, "any"),
            me.patch(CLUSTERS, "", name, {"spec": {"hubAcceptsClient": True}}, type=PatchType.MERGE),
        ):
            with pytest.raises(ApiError) as refusal:
                await attempt
            assert refusal.value.http_code == 403


def _complaints(logs: list[Any]) -> list[str]:
    """What an operator would see of trouble."""
    return [str(line["event"]) for line in logs if line["log_level"] in ("warning", "error", "critical")]


def _claim(name: str) -> dict[str, Any]:
    return {
        "apiVersion": f"cluster.{OCM}/v1alpha1",
        "kind": "ClusterClaim",
        "metadata": {"name": name},
        "spec": {"value": "v"},
    }
