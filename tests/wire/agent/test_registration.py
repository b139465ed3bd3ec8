"""The registration agent on the wire: its sign of life, and what it says of its cluster.

The hub's own controllers do not run: what they would do for an accepted cluster is done by hand.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import LEASES
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.waiting import eventually
from tests.wire.agent.conftest import Ground
from tests.wire.agent.expected import conditions_in, differences
from tests.wire.programs import Agent

pytestmark = pytest.mark.slow

OCM = "cluster.open-cluster-management.io"
CLUSTERS = Resource(OCM, "v1", "ManagedCluster", "managedclusters", namespaced=False)
CLAIMS = Resource(OCM, "v1alpha1", "ClusterClaim", "clusterclaims", namespaced=False)
NODES = Resource("", "v1", "Node", "nodes", namespaced=False)
EVENTS = Resource("events.k8s.io", "v1", "Event", "events", namespaced=True)
LEASE = "managed-cluster-lease"
ACCEPTED = {
    "type": "HubAcceptedManagedCluster",
    "status": "True",
    "reason": "HubClusterAdminAccepted",
    "message": "Accepted by hub cluster admin",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}
LONG_AGO = "2026-01-01T00:00:00.000000Z"
PLATFORM = "platform.open-cluster-management.io"


@dataclass
class Registered:
    """A cluster whose registration agent runs."""

    ground: Ground
    agent: Agent

    async def cluster(self) -> Object:
        """The ManagedCluster."""
        self.agent.check()
        return await self.ground.hub.get(CLUSTERS, "", self.agent.cluster)

    async def reports(self, **wanted: Any) -> None:
        """Wait until these fields of the status are exactly so."""

        async def so() -> bool:
            status = (await self.cluster()).get("status", {})
            found = [d for k, v in wanted.items() for d in differences(v, status.get(k), k)]
            assert not found, "\n".join(found)
            return True

        await eventually(so)

    async def has(self, **wanted: Any) -> None:
        """Wait until the status has at least these."""

        async def so() -> bool:
            status = (await self.cluster()).get("status", {})
            found = [d for k, v in wanted.items() for d in differences(v, status.get(k), k, part=True)]
            assert not found, "\n".join(found)
            return True

        await eventually(so)

    async def lease(self) -> Object:
        """The cluster's lease."""
        return await self.ground.hub.get(LEASES, self.agent.cluster, LEASE)


async def accept(ground: Ground, name: str) -> None:
    """What the hub's controllers do when a person accepts a cluster."""
    patch = {"status": {"conditions": [ACCEPTED]}}
    await ground.hub.patch(CLUSTERS, "", name, patch, subresource="status")
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": LEASE,
            "namespace": name,
            "labels": {"open-cluster-management.io/cluster-name": name},
        },
        "spec": {"holderIdentity": LEASE, "renewTime": LONG_AGO},
    }
    await ground.hub.create(LEASES, lease)


async def managed(ground: Ground, name: str) -> Agent:
    """A ManagedCluster with its namespace, and an agent for it that is not running yet."""
    agent = await ground.agent(name)
    agent.group = "registration"
    cluster = make.managed_cluster(agent.cluster)
    cluster["spec"]["leaseDurationSeconds"] = 2
    await ground.hub.create(CLUSTERS, cluster)
    return agent


@pytest.fixture(scope="module")
async def registered(ground: Ground) -> AsyncIterator[Registered]:
    """One agent for the whole module, on a managed cluster that had no nodes and no claims."""
    agent = await managed(ground, "joined")
    await accept(ground, agent.cluster)
    with agent:
        yield Registered(ground, agent)


async def test_joined_and_available(registered: Registered) -> None:
    """An accepted cluster is joined and available in the protocol's words; the hub's condition stays."""

    async def so() -> bool:
        found = conditions_in((await registered.cluster())["status"]["conditions"])
        wanted = {
            "HubAcceptedManagedCluster": (ACCEPTED["status"], ACCEPTED["reason"], ACCEPTED["message"], None),
            "ManagedClusterJoined": ("True", "ManagedClusterJoined", "Managed cluster joined", None),
            "ManagedClusterConditionAvailable": (
                "True",
                "ManagedClusterAvailable",
                "Managed cluster is available",
                None,
            ),
        }
        assert found == wanted
        return True

    await eventually(so)


async def test_version(registered: Registered) -> None:
    """The version is what the managed cluster's API server says."""
    version = (await registered.ground.spoke.version())["gitVersion"]
    await registered.reports(version={"kubernetes": version})


async def test_heartbeat(registered: Registered) -> None:
    """The lease is renewed each lease duration and up to a quarter; nothing else of it is touched."""
    times: list[str] = []

    async def thrice() -> bool:
        lease = await registered.lease()
        labels = {"open-cluster-management.io/cluster-name": registered.agent.cluster}
        assert lease["metadata"]["labels"] == labels
        assert {k: v for k, v in lease["spec"].items() if k != "renewTime"} == {"holderIdentity": LEASE}
        renewed = lease["spec"]["renewTime"]
        if renewed != LONG_AGO and renewed not in times:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", renewed)
            times.append(renewed)
        return len(times) == 3

    await eventually(thrice)
    moments = [datetime.fromisoformat(t) for t in times]
    for earlier, later in pairwise(moments):
        assert (later - earlier).total_seconds() >= 2.0


def _node(name: str, have: dict[str, str], **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "spec": spec,
        "status": {"capacity": have, "allocatable": {k: v for k, v in have.items() if k != "pods"}},
    }


async def test_capacity(registered: Registered) -> None:
    """Capacity is summed over all nodes, what can be allocated over those that are not cordoned."""
    ground, run = registered.ground, registered.ground.run
    first = _node(f"a-{run}", {"cpu": "2", "memory": "1Gi", "pods": "10"})
    second = _node(f"b-{run}", {"cpu": "500m", "memory": "512Mi"})
    for node in (first, second):
        await ground.spoke.create(NODES, node)
        body = {"status": node["status"]}
        await ground.spoke.patch(NODES, "", node["metadata"]["name"], body, subresource="status")
    await registered.reports(
        capacity={"cpu": "2500m", "memory": "1536Mi", "pods": "10"},
        allocatable={"cpu": "2500m", "memory": "1536Mi"},
    )
    await ground.spoke.patch(NODES, "", second["metadata"]["name"], {"spec": {"unschedulable": True}})
    await registered.reports(
        capacity={"cpu": "2500m", "memory": "1536Mi", "pods": "10"},
        allocatable={"cpu": "2", "memory": "1Gi"},
    )
    capacity = {"capacity": {"example.com/theirs": "1"}}
    await ground.hub.patch(CLUSTERS, "", registered.agent.cluster, {"status": capacity}, subresource="status")
    await ground.spoke.patch(NODES, "", second["metadata"]["name"], {"spec": {"unschedulable": False}})
    await registered.reports(
        capacity={"cpu": "2500m", "memory": "1536Mi", "pods": "10", "example.com/theirs": "1"},
        allocatable={"cpu": "2500m", "memory": "1536Mi"},
    )
    for node in (first, second):
        await ground.spoke.delete(NODES, "", node["metadata"]["name"])


def _claim(name: str, value: str = "v") -> Object:
    return make.cluster_claim(name, value)


async def test_claims(registered: Registered) -> None:
    """Reserved claims first, the others by name and cut at twenty; hidden ones and changes are seen."""
    ground = registered.ground
    names = [f"c{n:02}.example.com" for n in range(22)]
    hidden = _claim("hidden.example.com")
    hidden["metadata"]["labels"] = {"open-cluster-management.io/spoke-only": ""}
    claims = [*map(_claim, reversed(names)), _claim("id.k8s.io", "one"), _claim(PLATFORM, "here"), hidden]
    for claim in claims:
        await ground.spoke.create(CLAIMS, claim)
    reserved = [{"name": "id.k8s.io", "value": "one"}, {"name": PLATFORM, "value": "here"}]
    await registered.reports(clusterClaims=[*reserved, *({"name": n, "value": "v"} for n in names[:20])])
    await ground.spoke.patch(CLAIMS, "", names[0], {"spec": {"value": "w"}})
    await ground.spoke.delete(CLAIMS, "", names[1])
    left = [names[0], *names[2:21]]
    values = [{"name": n, "value": "w" if n == names[0] else "v"} for n in left]
    await registered.reports(clusterClaims=[*reserved, *values])

    async def told() -> bool:
        events = await ground.hub.list(EVENTS, registered.agent.cluster)
        return any(event["reason"] == "CustomClusterClaimsTruncated" for event in events.items)

    await eventually(told)
    for claim in claims:
        if claim["metadata"]["name"] != names[1]:
            await ground.spoke.delete(CLAIMS, "", claim["metadata"]["name"])


async def test_not_before_it_is_accepted(ground: Ground) -> None:
    """Until the hub has accepted the cluster nothing is said and no lease is renewed; then all at once."""
    waiting, witness = await managed(ground, "waiting"), await managed(ground, "witness")
    await accept(ground, witness.cluster)
    version = {"kubernetes": re.compile("^v")}
    with waiting, witness:
        # What the witness, which started later, has long said, the other would have said too.
        await Registered(ground, witness).has(version=version)
        cluster = await Registered(ground, waiting).cluster()
        assert "conditions" not in cluster.get("status", {})
        await accept(ground, waiting.cluster)
        await Registered(ground, waiting).has(version=version)

        async def renewed() -> bool:
            return bool((await Registered(ground, waiting).lease())["spec"]["renewTime"] != LONG_AGO)

        await eventually(renewed)
