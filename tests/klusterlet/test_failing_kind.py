"""A kind that the managed cluster fails to list: a broken conversion webhook, or a server behind its API."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.klusterlet.agent import KlusterletOptions, run_klusterlet
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.conditions import find as condition
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import NAMESPACES
from gitops_ocm.testing.clusters import memory
from gitops_ocm.testing.objects import config_map, manifest_work, namespace
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs.targets import ocm

WORKS = ocm("work.open-cluster-management.io/v1", "ManifestWork")
CLASS: Object = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": "high"},
    "value": 5,
}
SAID = "conversion webhook failed"


class Failing:
    """A managed cluster that lists everything but one kind."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    async def list(self, resource: Resource, *place: Any, **options: Any) -> Any:
        """LIST."""
        if resource.kind == CLASS["kind"]:
            raise ApiError("InternalError", SAID)
        return await self._cluster.list(resource, *place, **options)


@pytest.mark.slow
async def test_it_holds_up_nothing_else() -> None:
    """The rest of the work is applied, what the server says is told of that object, and the work can go."""
    stop = asyncio.Event()
    async with memory() as hub, memory() as cluster:
        spoke: Any = Failing(cluster)
        await hub.create(NAMESPACES, namespace("c1"))
        await hub.create(WORKS, manifest_work("both", "c1", [config_map("a"), CLASS]))
        options = KlusterletOptions(AgentSettings("c1", hub_server="https://hub.example"))
        running = asyncio.create_task(run_klusterlet(hub, spoke, options, stop))
        try:

            async def told() -> bool:
                status = (await hub.get(WORKS, "c1", "both")).get("status") or {}
                manifests = (status.get("resourceStatus") or {}).get("manifests") or []
                said = [condition(m["conditions"], "Available") for m in manifests]
                assert [c and (c["status"], c["reason"]) for c in said] == [
                    ("True", "ResourceAvailable"),
                    ("Unknown", "FetchingResourceFailed"),
                ]
                applied = condition(manifests[1]["conditions"], "Applied") or {}
                return applied.get("message") == f"Failed to apply manifest: {SAID}"

            await eventually(told)
            await hub.delete(WORKS, "c1", "both")

            async def gone() -> bool:
                return await find(hub, WORKS, "both", "c1") is None

            await eventually(gone)
        finally:
            stop.set()
            await running
