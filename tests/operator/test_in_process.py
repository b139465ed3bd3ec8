"""A hub that is one process: what operators and clusteradm look for is there, with stand-ins for pods."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from gitops_ocm.api.crd import crds
from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.decide.operators.table import in_process_rows
from gitops_ocm.decide.writes import name_of
from gitops_ocm.hub.daemon import HubOptions, run_hub
from gitops_ocm.hub.simulated import simulated_workloads, stand_ins
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CRDS, DEPLOYMENTS, PODS
from gitops_ocm.runtime.tasks import Tasks
from gitops_ocm.testing.clusters import memory
from gitops_ocm.testing.objects import deployment

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
async def test_a_cluster_manager_in_one_process(eventually: Eventually) -> None:
    """It is applied and functional, its components are to be seen; deleted and made anew, all comes back."""
    stop, ready = asyncio.Event(), asyncio.Event()
    async with memory() as cluster, Tasks("test") as tasks:
        rows = (*in_process_rows("gitops-ocm:1"), *stand_ins())
        options = replace(HubOptions(groups=frozenset({"placement"})), beside=rows)
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

        async def running() -> set[str]:
            """The Deployments that the status names, all of whose pods are ready, as clusteradm asks."""
            live = await cluster.get(MANAGERS, "", "cluster-manager")
            found = set()
            for entry in live["status"]["relatedResources"]:
                if entry["resource"] == "deployments":
                    there = await cluster.get(DEPLOYMENTS, entry["namespace"], entry["name"])
                    assert there["status"]["availableReplicas"] == there["spec"]["replicas"] == 1
                    found.add(entry["name"].removeprefix("cluster-manager-"))
            app = "app=clustermanager-registration-controller"
            pods = await cluster.list(PODS, "open-cluster-management-hub", label_selector=app)
            assert [find(pod["status"]["conditions"], "Ready")["status"] for pod in pods.items] == ["True"]  # type: ignore[index]
            return found

        await cluster.create(DEPLOYMENTS, deployment("mine"))
        for _ in range(2):
            await cluster.create(MANAGERS, MADE)
            await eventually(functional)
            await eventually(serves_clusters)
            assert {"registration-controller", "registration-webhook", "work-webhook"} <= await running()
            await cluster.delete(MANAGERS, "", "cluster-manager")
            await eventually(gone)
            assert not {"ManagedCluster", "ManifestWork", "Placement"} & await kinds()
        assert [name_of(obj) for obj in (await cluster.list(DEPLOYMENTS)).items] == ["mine"]
        assert (await cluster.list(PODS)).items == []
        stop.set()


KLUSTERLETS = Resource(
    "operator.open-cluster-management.io", "v1", "Klusterlet", "klusterlets", namespaced=False
)
KLUSTERLET: Object = {
    "apiVersion": "operator.open-cluster-management.io/v1",
    "kind": "Klusterlet",
    "metadata": {"name": "klusterlet"},
    "spec": {"clusterName": "c1"},
}


@pytest.mark.slow
async def test_a_klusterlet_of_a_cluster_without_nodes(eventually: Eventually) -> None:
    """Once there can be Klusterlets they are looked after: `join --wait` finds what it waits for."""
    stop = asyncio.Event()
    async with memory() as cluster:
        assert isinstance(cluster, LocalCluster)
        (definition,) = [crd for crd in crds() if crd["spec"]["names"]["kind"] == "Klusterlet"]
        await cluster.delete(CRDS, "", name_of(definition))
        members = {"c1": cluster.api}
        async with simulated_workloads(members, stop, operator="gitops-ocm:1"):
            await cluster.create(CRDS, definition)

            async def made() -> Object:
                return await cluster.create(KLUSTERLETS, KLUSTERLET)

            async def degraded() -> dict[str, str]:
                live = await cluster.get(KLUSTERLETS, "", "klusterlet")
                conditions = (live.get("status") or {}).get("conditions") or []
                return {c["type"]: c["status"] for c in conditions if c["type"].endswith("Degraded")}

            async def as_wanted() -> bool:
                return await degraded() == {
                    "RegistrationDesiredDegraded": "False",
                    "WorkDesiredDegraded": "False",
                    "HubConnectionDegraded": "True",  # no agent has registered
                }

            await eventually(made)
            await eventually(as_wanted)
            await cluster.delete(KLUSTERLETS, "", "klusterlet")

            async def gone() -> bool:
                left = (await cluster.list(KLUSTERLETS)).items + (await cluster.list(DEPLOYMENTS)).items
                return not left

            await eventually(gone)
            stop.set()
