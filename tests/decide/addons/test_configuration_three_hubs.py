"""Configuration and its rollout on each kind of API server: what is written has to be taken, and read back.

Only the group `addon` runs, as beside OCM's own parts; the test is the scheduler and the clusters' agents.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.contract import Create, Delete, MergePatch, Side
from gitops_ocm.decide.controllers import hub_controllers
from gitops_ocm.decide.kinds import (
    CLUSTER_ADDON,
    DEPLOYMENT_CONFIG,
    MANAGEMENT_ADDON,
    MANIFEST_WORK,
    PLACEMENT_DECISION,
    cluster_ref,
)
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.testing import objects as make
from tests.decide.addons.playing import SETS, config, deployment_config, everywhere, management, template
from tests.decide.addons.test_addons_three_hubs import Manager, decision, managing

Eventually = Callable[..., Awaitable[object]]
Unique = Callable[[str], str]
ONE_BY_ONE = {"type": "ProgressivePerGroup", "progressivePerGroup": {"progressDeadline": "1h"}}
PATIENCE = 60


class Fleet:
    """Two clusters in two decision groups, and an add-on made of a template."""

    def __init__(self, hub: Manager, namespace: str, name: str, clusters: tuple[str, str]) -> None:
        self.hub, self.namespace, self.name, self.clusters = hub, namespace, name, clusters
        self.cma = Ref(*MANAGEMENT_ADDON, "", name)

    async def begin(self) -> None:
        """Clusters, their decisions, the template, the configuration, the add-on."""
        for each in self.clusters:
            await self.hub.act(
                Create(make.managed_cluster(each, cluster_set="")), Create(make.namespace(each))
            )
        await self.hub.act(Create(make.placement("p", self.namespace)))
        for at, each in enumerate(self.clusters):
            made = decision(self.namespace)
            made["metadata"]["name"] = f"p-decision-{at + 1}"
            made["metadata"]["labels"] |= {
                "cluster.open-cluster-management.io/decision-group-index": str(at),
                "cluster.open-cluster-management.io/decision-group-name": "",
            }
            await self.hub.act(Create(made))
            ref = Ref(*PLACEMENT_DECISION, self.namespace, f"p-decision-{at + 1}")
            decided = {"status": {"decisions": [{"clusterName": each, "reason": ""}]}}
            await self.hub.act(MergePatch(ref, decided, subresource="status"))
        counted = {"status": {"numberOfSelectedClusters": 2, "decisionGroups": []}}
        placement = Ref("cluster.open-cluster-management.io", "Placement", self.namespace, "p")
        await self.hub.act(MergePatch(placement, counted, subresource="status"))
        made = deployment_config("one")
        made["metadata"]["namespace"] = self.namespace
        await self.hub.act(Create(template(f"{self.name}-t1", self.name)), Create(made))
        await self.hub.act(Create(self._addon()))

    def _addon(self) -> Object:
        made = management(("p", [config("one")], ONE_BY_ONE), name=self.name)
        made["spec"]["supportedConfigs"][0]["defaultConfig"]["name"] = f"{self.name}-t1"
        (entry,) = made["spec"]["installStrategy"]["placements"]
        entry["namespace"] = entry["configs"][0]["namespace"] = self.namespace
        return made

    async def configured(self, *expected: bool) -> bool:
        """Whether Configured says this of each cluster, and the configurations are those of the add-on."""
        for cluster, wanted in zip(self.clusters, expected, strict=True):
            addon = await self.hub.get(Ref(*CLUSTER_ADDON, cluster, self.name))
            status = at_beta(addon).get("status", {}) if addon else {}
            told = {c["type"]: c["status"] for c in status.get("conditions", ())}
            if told.get("Configured") != str(wanted):
                return False
            if wanted and await self._wanted() != [r["desiredConfig"] for r in status["configReferences"]]:
                return False
        return True

    async def _wanted(self) -> list[Object]:
        return [r["desiredConfig"] for r in (await self.progress())["configReferences"]]

    async def progress(self) -> Object:
        """The placement's part of the add-on's status."""
        cma = await self.hub.get(self.cma)
        assert cma is not None
        (found,) = at_beta(cma)["status"]["installProgressions"]
        assert isinstance(found, dict)
        return found

    async def completed(self) -> bool:
        """Whether all clusters are said to be done."""
        return [c["reason"] for c in (await self.progress())["conditions"]] == ["Completed"]

    async def comes_up(self, cluster: str) -> bool:
        """The agent on a cluster: applied and available, once there is a work of what is wanted."""
        ref = Ref(*MANIFEST_WORK, cluster, f"addon-{self.name}-deploy-0")
        addon, work = await self.hub.get(Ref(*CLUSTER_ADDON, cluster, self.name)), await self.hub.get(ref)
        if addon is None or work is None:
            return False
        generation = work["metadata"]["generation"]
        told = [
            {"type": kind, "status": "True", "reason": "Played", "message": "",
             "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z"}
            for kind in ("Applied", "Available")
        ]  # fmt: skip
        if (work.get("status") or {}).get("conditions") != told:
            await self.hub.act(MergePatch(ref, {"status": {"conditions": told}}, subresource="status"))
        return any(
            c["type"] == "Progressing" and c["reason"] == "Completed" for c in addon["status"]["conditions"]
        )

    async def end(self) -> None:
        """Take all of it away again."""
        await self.hub.act(Delete(self.cma), *(Delete(cluster_ref(c)) for c in self.clusters))
        await self.hub.act(*(Delete(Ref("", "Namespace", "", c)) for c in self.clusters))


@pytest.mark.slow
async def test_every_hub_rolls_out_a_configuration(
    cluster: Cluster, namespace: str, unique: Unique, eventually: Eventually
) -> None:
    """Group by group, first at the installation and again for a change; then nothing is left to be done."""
    name, one, two = unique("hello"), unique("one"), unique("two")
    async with managing(cluster) as hub:
        fleet = Fleet(hub, namespace, name, (one, two))
        await fleet.begin()
        for change in (None, {"customizedVariables": [{"name": "VALUE", "value": "<2>"}]}):
            if change is not None:
                ref = Ref(*DEPLOYMENT_CONFIG, namespace, "one")
                await hub.act(MergePatch(ref, {"spec": change}))
            await eventually(lambda: fleet.configured(True, False), PATIENCE)
            await eventually(lambda: fleet.comes_up(one), PATIENCE)
            await eventually(lambda: fleet.configured(True, True), PATIENCE)
            await eventually(lambda: fleet.comes_up(two), PATIENCE)
            await eventually(fleet.completed, PATIENCE)
        for reference in (await fleet.progress())["configReferences"]:
            assert reference["lastKnownGoodConfig"] == reference["desiredConfig"]
        await eventually(hub.idle, PATIENCE)
        await fleet.end()


PLATFORM = "platform.open-cluster-management.io"
ON_AWS = {"matchExpressions": [{"key": PLATFORM, "operator": "In", "values": ["AWS"]}]}


@asynccontextmanager
async def scheduling(cluster: Cluster) -> AsyncIterator[Manager]:
    """The groups `placement` and `addon`, and the rows of cluster sets, running."""
    stop = asyncio.Event()
    rows = [row for row in hub_controllers() if row.group in ("placement", "addon") or row.name in SETS]
    runner = Runner(rows, {Side.HUB: cluster})
    running = asyncio.create_task(runner.run(stop))
    try:
        await runner.synced()
        yield Manager(cluster, runner)
    finally:
        stop.set()
        await running


@pytest.mark.slow
async def test_every_hub_resolves_the_examples(
    cluster: Cluster, namespace: str, unique: Unique, eventually: Eventually
) -> None:
    """By claim with several configurations of one kind; by hand with the defaults; one cluster's own."""
    placed, manual, one, two = (unique(text) for text in ("placed", "manual", "one", "two"))
    async with scheduling(cluster) as hub:

        async def has(name: str, where: str, *configs: str) -> bool:
            addon = await hub.get(Ref(*CLUSTER_ADDON, where, name))
            status = at_beta(addon).get("status", {}) if addon else {}
            names = [r["desiredConfig"]["name"] for r in status.get("configReferences", ())]
            hashed = all(r["desiredConfig"]["specHash"] for r in status.get("configReferences", ()))
            return hashed and names == [*configs, f"{name}-t1"]

        await hub.act(Create(make.cluster_set(namespace)), Create(make.binding(namespace, namespace)))
        for name, platform in ((one, "AWS"), (two, "GCP")):
            claims = {"status": {"clusterClaims": [{"name": PLATFORM, "value": platform}]}}
            await hub.act(
                Create(make.namespace(name)), Create(make.managed_cluster(name, cluster_set=namespace))
            )
            await hub.act(MergePatch(cluster_ref(name), claims, subresource="status"))
        for name in ("global", "first", "second"):
            made = deployment_config(name)
            made["metadata"]["namespace"] = namespace
            await hub.act(Create(made))
        required = {"requiredClusterSelector": {"claimSelector": ON_AWS}}
        aws = everywhere("placement-aws", predicates=[required])
        aws["metadata"]["namespace"] = namespace
        await hub.act(Create(aws))

        def addon(name: str, *placements: object) -> Object:
            made = management(*placements, name=name, default="global")
            template_kind, config_kind = made["spec"]["supportedConfigs"]
            template_kind["defaultConfig"]["name"] = f"{name}-t1"
            config_kind["defaultConfig"]["namespace"] = namespace
            for entry in made["spec"]["installStrategy"].get("placements", ()):
                entry["namespace"] = namespace
                entry["configs"] = [{**each, "namespace": namespace} for each in entry["configs"]]
            return made

        several = [config("second"), config("first")]
        await hub.act(*(Create(template(f"{name}-t1", name)) for name in (placed, manual)))
        await hub.act(Create(addon(placed, ("placement-aws", several, None))), Create(addon(manual)))
        await eventually(lambda: has(placed, one, "second", "first"), PATIENCE)
        assert await hub.get(Ref(*CLUSTER_ADDON, two, placed)) is None
        await hub.act(Create(make.cluster_addon(manual, two)))
        await eventually(lambda: has(manual, two, "global"), PATIENCE)
        own = {"spec": {"configs": [{**config("first"), "namespace": namespace}]}}
        await hub.act(MergePatch(Ref(*CLUSTER_ADDON, two, manual), own))
        await eventually(lambda: has(manual, two, "first"), PATIENCE)
        await eventually(hub.idle, PATIENCE)
        await hub.act(*(Delete(Ref(*MANAGEMENT_ADDON, "", name)) for name in (placed, manual)))
        await hub.act(*(Delete(cluster_ref(name)) for name in (one, two)))
        await hub.act(*(Delete(Ref("", "Namespace", "", name)) for name in (one, two)))
