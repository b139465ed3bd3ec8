"""The documentation's rollout of an add-on on each kind of API server, with seconds for its minutes.

Placements, configuration and deployment are the running controllers'; the test is a person at the hub and
the clusters' agents. A watch keeps the order in which clusters got the upgrade, and that order is judged by
the times which the hub itself has written: a busy machine makes it later, never wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.contract import Create, Delete, MergePatch
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANAGEMENT_ADDON, MANIFEST_WORK, cluster_ref
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Kind, Object, Ref
from gitops_ocm.testing import objects as make
from tests.decide.addons.playing import TEMPLATE_KIND, everywhere, management, template
from tests.decide.addons.test_addons_three_hubs import Manager
from tests.decide.addons.test_configuration_three_hubs import scheduling

Eventually = Callable[..., Awaitable[object]]
PATIENCE = 60
SOAK, DEADLINE = timedelta(seconds=1), timedelta(seconds=1)
FAILURES = 2
CANARIES = {"prod-canary-west": ("w1", "w2"), "prod-canary-east": ("e1", "e2")}
OTHERS = tuple("abcdefgh")
AT_ONCE = 2
"""A quarter of the others."""
PUBLISHED = {
    "type": "Progressive",
    "progressive": {
        "mandatoryDecisionGroups": [{"groupName": name} for name in CANARIES],
        "maxConcurrency": "25%",
        "minSuccessTime": "1s",
        "progressDeadline": "1s",
        "maxFailures": FAILURES,
    },
}
STAGES = (*CANARIES.values(), OTHERS)


@dataclass(frozen=True)
class Moment:
    """What one write has said of the add-on on a cluster: its template, and how far it is since when."""

    cluster: str
    template: str
    reason: str
    since: datetime


@dataclass
class Example:
    """The example's fleet and its add-on on a hub, the agents of its clusters, and what was seen."""

    hub: Manager
    cluster: Cluster
    home: str
    prefix: str
    bad: set[str] = field(default_factory=set)
    moments: list[Moment] = field(default_factory=list)
    deployed: list[str] = field(default_factory=list)
    """The clusters in the order in which their works got the second template."""

    def __post_init__(self) -> None:
        self.clusters = {f"{self.prefix}-{short}": short for stage in STAGES for short in stage}
        self.cma = Ref(*MANAGEMENT_ADDON, "", self.prefix)

    # --- the person ---------------------------------------------------------------------------------

    async def begin(self) -> None:
        """The clusters, two templates, the placement with its canaries, and the add-on, not limited yet."""
        await self.hub.act(Create(make.cluster_set(self.home)), Create(make.binding(self.home, self.home)))
        groups = {short: group for group, members in CANARIES.items() for short in members}
        await asyncio.gather(
            *(self._join(name, groups.get(short, "prod")) for name, short in self.clusters.items())
        )
        for version in "12":
            made = template(self._template(version), self.prefix)
            made["spec"]["agentSpec"]["workload"]["manifests"][0]["data"] = {"version": version}
            await self.hub.act(Create(made))
        chosen = [
            {"groupName": name, "groupClusterSelector": {"labelSelector": {"matchLabels": {"group": name}}}}
            for name in CANARIES
        ]
        placement = everywhere(decisionStrategy={"groupStrategy": {"decisionGroups": chosen}})
        placement["metadata"]["namespace"] = self.home
        await self.hub.act(Create(placement), Create(self._addon()))

    async def upgrade(self) -> None:
        """The placement's template is the second, under the published strategy."""
        second = {**TEMPLATE_KIND, "name": self._template("2")}
        install = self._addon([second], PUBLISHED)["spec"]["installStrategy"]
        await self.hub.act(MergePatch(self.cma, {"spec": {"installStrategy": install}}, version="v1alpha1"))

    async def mend(self, short: str) -> None:
        """What is wrong with the agent on a cluster is put right."""
        self.bad.discard(short)
        found = await self.hub.get(self._work(f"{self.prefix}-{short}"))
        assert found is not None
        await self._tell(found)

    async def end(self) -> None:
        """Take all of it away again."""
        await self.hub.act(Delete(self.cma))
        left = ((cluster_ref(name), Ref("", "Namespace", "", name)) for name in self.clusters)
        await asyncio.gather(*(self.hub.act(*map(Delete, refs)) for refs in left))

    async def _join(self, name: str, group: str) -> None:
        joined = make.managed_cluster(name, cluster_set=self.home, labels={"group": group})
        await self.hub.act(Create(make.namespace(name)), Create(joined))

    def _template(self, version: str) -> str:
        return f"{self.prefix}-t{version}"

    def _addon(self, configs: list[Object] | None = None, strategy: Object | None = None) -> Object:
        made = management(("all", configs, strategy), name=self.prefix)
        made["spec"]["supportedConfigs"][0]["defaultConfig"]["name"] = self._template("1")
        made["spec"]["installStrategy"]["placements"][0]["namespace"] = self.home
        return made

    # --- the agents, and the watches ----------------------------------------------------------------

    @asynccontextmanager
    async def played(self) -> AsyncIterator[None]:
        """Agents answer to every work they get, and all that the hub tells of the add-on is kept."""
        async with asyncio.TaskGroup() as group:
            watches = [
                group.create_task(self._follow(CLUSTER_ADDON, self._keep)),
                group.create_task(self._follow(MANIFEST_WORK, self._answer)),
            ]
            yield
            for watch in watches:
                watch.cancel()

    async def _follow(self, kind: Kind, handle: Callable[[Object], Awaitable[None]]) -> None:
        resource = await Mapper(self.cluster).resource_of(kind)
        assert resource is not None
        start = (await self.cluster.list(resource)).resource_version
        async for event in self.cluster.watch(resource, resource_version=start):
            if event.type in ("ADDED", "MODIFIED") and event.object["metadata"]["namespace"] in self.clusters:
                await handle({**event.object, "apiVersion": resource.api_version, "kind": resource.kind})

    async def _keep(self, addon: Object) -> None:
        status = at_beta(addon).get("status") or {}
        told = conditions.find(status.get("conditions"), "Progressing")
        references = status.get("configReferences")
        if told is None or not references:
            return
        short = self.clusters[addon["metadata"]["namespace"]]
        since = datetime.fromisoformat(told["lastTransitionTime"])
        self.moments.append(Moment(short, references[0]["desiredConfig"]["name"][-1], told["reason"], since))

    async def _answer(self, work: Object) -> None:
        short = self.clusters[work["metadata"]["namespace"]]
        (carried,) = work["spec"]["workload"]["manifests"]
        if carried["data"]["version"] == "2" and short not in self.deployed:
            self.deployed.append(short)
        await self._tell(work)

    async def _tell(self, work: Object) -> None:
        """An agent says that it has applied the work, and whether what it applied has come up."""
        place, now = work["metadata"]["namespace"], "2026-01-01T00:00:00Z"
        told = [
            {"type": kind, "status": str(good), "reason": "Played", "message": "",
             "observedGeneration": work["metadata"]["generation"], "lastTransitionTime": now}
            for kind, good in (("Applied", True), ("Available", self.clusters[place] not in self.bad))
        ]  # fmt: skip
        if (work.get("status") or {}).get("conditions") != told:
            status = {"status": {"conditions": told}}
            await self.hub.act(MergePatch(self._work(place), status, subresource="status"))

    def _work(self, name: str) -> Ref:
        return Ref(*MANIFEST_WORK, name, f"addon-{self.prefix}-deploy-0")

    # --- what is seen -------------------------------------------------------------------------------

    async def says(self, expected: str) -> bool:
        """Whether the add-on's status says so of its placement."""
        cma = await self.hub.get(self.cma)
        assert cma is not None
        progressions = (at_beta(cma).get("status") or {}).get("installProgressions") or ()
        told = [c["message"] for each in progressions for c in each.get("conditions") or ()]
        assert any(expected in message for message in told), told
        return True

    def first(self, reason: str = "") -> dict[str, Moment]:
        """When each cluster first had the second template (and was said to be that), in this order."""
        found: dict[str, Moment] = {}
        for moment in self.moments:
            if moment.template == "2" and reason in ("", moment.reason):
                found.setdefault(moment.cluster, moment)
        return found

    def came_before(self, moment: Moment, other: Moment) -> bool:
        """Whether one of what was seen came before the other."""
        return self.moments.index(moment) < self.moments.index(other)


def breaches(example: Example) -> Iterator[str]:
    """Where a cluster got the upgrade though the strategy did not allow it yet."""
    given, done = example.first(), example.first("Completed")
    for cluster, start in given.items():
        stage = next(at for at, members in enumerate(STAGES) if cluster in members)
        for canary in (c for members in STAGES[:stage] for c in members):
            if canary not in done or start.since < done[canary].since + SOAK:
                yield f"{cluster} did not wait for the canary {canary}"
        if cluster not in OTHERS:
            continue
        before = [c for c in OTHERS if c in given and example.came_before(given[c], start)]
        good = {c for c in before if c in done and example.came_before(done[c], start)}
        until = {c: done[c].since + SOAK if c in good else given[c].since + DEADLINE for c in before}
        under_way = [c for c in before if start.since < until[c]]
        if len(under_way) >= AT_ONCE:
            yield f"{cluster} began beside {under_way}"
        failed = [c for c in before if c not in good and until[c] <= start.since]
        if len(failed) > FAILURES:
            yield f"{cluster} began in spite of {failed}"


@pytest.mark.slow
async def test_every_hub_plays_the_published_rollout(
    cluster: Cluster, namespace: str, unique: Callable[[str], str], eventually: Eventually
) -> None:
    """Canaries first, then a quarter at a time, past two failures; the third stops it until it is mended."""
    async with scheduling(cluster) as hub:
        example = Example(hub, cluster, namespace, unique("hello"))
        async with example.played():

            async def until(expected: str, *upgraded: str) -> None:
                await eventually(lambda: example.says(expected), PATIENCE)
                await eventually(hub.idle, PATIENCE)
                await eventually(lambda: sorted(example.first()) == sorted(upgraded), PATIENCE)
                await eventually(lambda: sorted(example.deployed) == sorted(upgraded), PATIENCE)

            canaries = [short for members in CANARIES.values() for short in members]
            await example.begin()
            await until("configured addons 12/12 completed with no errors, 0 failed 0 timeout.")
            example.bad = set("abc")
            await example.upgrade()
            await until("configured addons 5/12 progressing..., 0 failed 3 timeout.", *canaries, *"abcd")
            await example.mend("c")
            await until("configured addons 10/12 progressing..., 0 failed 2 timeout.", *canaries, *OTHERS)
        assert list(breaches(example)) == []
        order = list(example.first())
        together = ["".join(sorted(order[at : at + 2])) for at in range(0, len(order), 2)]
        assert together == ["w1w2", "e1e2", "ab", "cd", "ef", "gh"]
        assert set(example.deployed[:2]) == set(CANARIES["prod-canary-west"])
        assert set(example.deployed[2:4]) == set(CANARIES["prod-canary-east"])
        await example.end()
