"""A hub that is one process: a ClusterManager there is answered without a single pod."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from gitops_ocm.decide.operators.table import in_process_rows
from gitops_ocm.hub.daemon import HubOptions, run_hub
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CRDS, DEPLOYMENTS
from gitops_ocm.runtime.tasks import Tasks
from gitops_ocm.testing.clusters import memory

Eventually = Callable[..., Awaitable[Any]]
MANAGERS = Resource(
    "operator.open-cluster-management.io", "v1", "ClusterManager", "clustermanagers", namespaced=False
)
MADE: Object = {
    "apiVersion": "operator.open-cluster-management.io/v1",
    "kind": "ClusterManager",
    "metadata": {"name": "cluster-manager"},
    "spec": {},
}


@pytest.mark.slow
async def test_a_cluster_manager_without_pods(eventually: Eventually) -> None:
    """It is applied, up to date and functional at once; deleted and made anew, the hub's kinds come back."""
    stop, ready = asyncio.Event(), asyncio.Event()
    async with memory() as cluster, Tasks("test") as tasks:
        options = replace(HubOptions(groups=frozenset({"placement"})), beside=in_process_rows())
        tasks.start("hub", run_hub(cluster, options, stop, ready=ready.set))
        await ready.wait()

        async def reasons() -> dict[str, str]:
            live = await cluster.get(MANAGERS, "", "cluster-manager")
            conditions = (live.get("status") or {}).get("conditions") or []
            return {c["type"]: c["reason"] for c in conditions if find(conditions, c["type"])}

        async def functional() -> bool:
            return await reasons() == {
                "Applied": "ClusterManagerApplied",
                "Progressing": "ClusterManagerUpToDate",
                "HubRegistrationDegraded": "RegistrationFunctional",
                "HubPlacementDegraded": "PlacementFunctional",
                "ValidFeatureGates": "FeatureGatesAllValid",
            }

        async def gone() -> bool:
            try:
                await cluster.get(MANAGERS, "", "cluster-manager")
            except ApiError as error:
                return error.http_code == 404
            return False

        async def kinds() -> set[str]:
            return {c["spec"]["names"]["kind"] for c in (await cluster.list(CRDS)).items}

        async def serves_clusters() -> bool:
            return "ManagedCluster" in await kinds()

        for _ in range(2):
            await cluster.create(MANAGERS, MADE)
            await eventually(functional)
            await eventually(serves_clusters)
            await cluster.delete(MANAGERS, "", "cluster-manager")
            await eventually(gone)
            assert not {"ManagedCluster", "ManifestWork", "Placement"} & await kinds()
        assert (await cluster.list(DEPLOYMENTS)).items == []
        stop.set()
