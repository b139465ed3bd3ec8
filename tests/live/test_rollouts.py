"""A rollout on each kind of API server: canary, soak, a tolerated failure, a breach, mending; kills between.

Only the controller of replica sets runs; the test is the scheduler and the clusters' agents. Soaks and
deadlines pass at once, while no controller is there: each time another one takes up what it finds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from gitops_ocm.api.work_replicaset import REPLICA_SET_LABEL
from gitops_ocm.decide.contract import Create, Delete, MergePatch, Side, Write
from gitops_ocm.decide.controllers import hub_controllers
from gitops_ocm.decide.kinds import MANIFEST_WORK, PLACEMENT, PLACEMENT_DECISION, REPLICA_SET
from gitops_ocm.decide.rollout.explanation import document
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.commit import Committer
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.ref import Kind, Object, Ref
from gitops_ocm.testing import objects as make
from gitops_ocm.verbs.explain_rollout import RolloutQuestion, explain_rollout_on
from tests.klusterlet.clock import Jumping
from tests.simulate.rollouts import SAID, template

Eventually = Callable[..., Awaitable[object]]
PATIENCE = 30
STRATEGY: Object = {
    "type": "Progressive",
    "progressive": {
        "mandatoryDecisionGroups": [{"groupName": "canary"}],
        "maxConcurrency": 2,
        "minSuccessTime": "5m",
        "progressDeadline": "10m",
        "maxFailures": 1,
    },
}
LABEL = "cluster.open-cluster-management.io/"


@dataclass
class Fleet:
    """Namespaces of clusters, a placement decided by hand in two groups, and the replica set `web`."""

    cluster: Cluster
    home: str
    prefix: str
    clock: Jumping = field(default_factory=Jumping)

    def __post_init__(self) -> None:
        self.mapper = Mapper(self.cluster)
        self.committer = Committer({Side.HUB: self.cluster}, {Side.HUB: self.mapper}, field_manager="test")
        self.set = Ref(*REPLICA_SET, self.home, "web")

    @asynccontextmanager
    async def controlled(self) -> AsyncIterator[None]:
        """The controller at work."""
        stop = asyncio.Event()
        rows = [row for row in hub_controllers() if row.name == "manifestwork-replicasets"]
        runner = Runner(rows, {Side.HUB: self.cluster}, clock=self.clock)
        running = asyncio.create_task(runner.run(stop))
        try:
            await runner.synced()
            yield
        finally:
            stop.set()
            await running

    def name(self, cluster: str) -> str:
        """A cluster's name in this run."""
        return f"{self.prefix}-{cluster}"

    async def act(self, *writes: Write) -> None:
        """Do this; nothing may be refused."""
        for result in await self.committer.write_all(writes):
            assert result.error is None, result.error

    async def begin(self, groups: Mapping[str, str]) -> None:
        """Clusters, what a scheduler writes for them, and the set."""
        names = {group: [self.name(c) for c in clusters] for group, clusters in groups.items()}
        await self.act(*(Create(make.namespace(c)) for found in names.values() for c in found))
        entry = {
            "groupName": "canary",
            "groupClusterSelector": {"labelSelector": {"matchLabels": {"a": "b"}}},
        }
        strategy = {"groupStrategy": {"decisionGroups": [entry]}}
        await self.act(Create(make.placement("p", self.home, decisionStrategy=strategy)))
        for index, (group, clusters) in enumerate(names.items()):
            ref = Ref(*PLACEMENT_DECISION, self.home, f"p-decision-{index + 1}")
            marks = {"placement": "p", "decision-group-index": str(index), "decision-group-name": group}
            meta = {
                "name": ref.name,
                "namespace": self.home,
                "labels": {LABEL + k: v for k, v in marks.items()},
            }
            made = {"apiVersion": f"{LABEL}v1beta1", "kind": ref.kind, "metadata": meta}
            chosen = {"decisions": [{"clusterName": c, "reason": ""} for c in clusters]}
            await self.act(Create(made), MergePatch(ref, {"status": chosen}, subresource="status"))
        count = {"numberOfSelectedClusters": sum(map(len, names.values())), "decisionGroups": []}
        placement = Ref(*PLACEMENT, self.home, "p")
        await self.act(MergePatch(placement, {"status": count}, subresource="status"))
        owner = make.replica_set("web", self.home, ["p"], [], cascadeDeletionPolicy="Foreground")
        owner["spec"]["manifestWorkTemplate"] = template("1")
        owner["spec"]["placementRefs"][0]["rolloutStrategy"] = STRATEGY
        await self.act(Create(owner))

    async def _list(self, kind: Kind, labels: str = "") -> list[Object]:
        resource = await self.mapper.resource_of(kind)
        assert resource is not None
        found = (await self.cluster.list(resource, label_selector=labels)).items
        return [{**obj, "apiVersion": resource.api_version, "kind": resource.kind} for obj in found]

    async def works(self) -> dict[str, Object]:
        """The works by cluster."""
        found = await self._list(MANIFEST_WORK, f"{REPLICA_SET_LABEL}={self.home}.web")
        return {w["metadata"]["namespace"].removeprefix(f"{self.prefix}-"): w for w in found}

    async def having(self, value: str, clusters: str) -> bool:
        """Whether exactly these clusters have that value."""
        found = {
            cluster
            for cluster, work in (await self.works()).items()
            if work["spec"]["workload"]["manifests"][0]["data"]["value"] == value
        }
        assert found == set(clusters.split()), found
        return True

    async def said(self, reason: str, message: str = "") -> bool:
        """Whether PlacementRolledOut says so."""
        (owner,) = [o for o in await self._list(REPLICA_SET) if o["metadata"]["namespace"] == self.home]
        told = {c["type"]: (c["reason"], c["message"]) for c in owner["status"]["conditions"]}
        assert told["PlacementRolledOut"] == (reason, message), told
        return True

    async def fares(self, how: str, clusters: str) -> None:
        """These clusters' agents tell how it goes."""
        works = await self.works()
        for cluster in clusters.split():
            work = works[cluster]
            told = [
                {
                    "type": type_,
                    "status": status,
                    "reason": "Test",
                    "message": "",
                    "observedGeneration": work["metadata"]["generation"],
                    "lastTransitionTime": timestamp(self.clock.now()),
                }
                for type_, status in SAID[how].items()
            ]
            ref = Ref(*MANIFEST_WORK, self.name(cluster), work["metadata"]["name"])
            await self.act(MergePatch(ref, {"status": {"conditions": told}}, subresource="status"))

    async def explained(self) -> Object:
        """What `explain rollout` says."""
        (found,) = await explain_rollout_on(self.cluster, RolloutQuestion(self.home, "web"), self.clock.now())
        return document(found)


@pytest.mark.slow
async def test_every_hub_rolls_a_replica_set_out(
    cluster: Cluster, namespace: str, unique: Callable[[str], str], eventually: Eventually
) -> None:
    """The same story on all three, with the controller ended and begun again in the middle."""
    fleet = Fleet(cluster, namespace, unique("roll"))

    async def have(value: str, clusters: str) -> None:
        await eventually(lambda: fleet.having(value, clusters), PATIENCE)

    async with fleet.controlled():
        await fleet.begin({"canary": "z", "": "abcdef"})
        await have("1", "z")
        await fleet.fares("good", "z")
    fleet.clock.jump(301)
    async with fleet.controlled():
        await have("1", "a b z")
        await fleet.fares("good", "a")
    fleet.clock.jump(602)
    async with fleet.controlled():
        await have("1", "a b c d z")
        await fleet.fares("bad", "c")
        await fleet.fares("busy", "d")
        names = ", ".join(fleet.name(c) for c in "bc")
        stopped = f"placement p: stopped, for {names} failed"
        await eventually(lambda: fleet.said("Progressing", stopped), PATIENCE)
        told = await fleet.explained()
        await fleet.fares("good", "c d")
    assert told["breach"]
    assert told["hold"] == {"reason": "MaxFailures", "by": [fleet.name(c) for c in "bc"]}
    held = [c["name"] for c in told["clusters"] if c["standing"] == "held"]
    assert held == told["next"]["neverStarting"] == [fleet.name(c) for c in "ef"]
    fleet.clock.jump(301)
    async with fleet.controlled():
        await have("1", "a b c d e f z")
        await fleet.fares("good", "b e f")
        await eventually(lambda: fleet.said("Complete"), PATIENCE)
        await fleet.act(MergePatch(fleet.set, {"spec": {"manifestWorkTemplate": template("2")}}))
        await have("2", "z")
        await have("1", "a b c d e f")
        await fleet.act(Delete(fleet.set))
        await have("1", "")
    await fleet.act(*(Delete(Ref("", "Namespace", "", fleet.name(c))) for c in "abcdefz"))
