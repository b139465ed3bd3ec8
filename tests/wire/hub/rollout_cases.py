"""Cases of ManifestWorkReplicaSets that roll out: who has which template, and who does not have it yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.objects import config_map
from tests.wire.hub.cases import Collected
from tests.wire.hub.stage import Stage
from tests.wire.hub.work_fleet import DONE, RULE, Fleet, status

case = Collected()
GOOD = DONE | {"Progressing": "False", "Degraded": "False"}
BUSY = DONE | {"Progressing": "True", "Degraded": "False"}
BAD = DONE | {"Progressing": "True", "Degraded": "True"}
LABEL = "cluster.open-cluster-management.io/"
CANARY = {"mandatoryDecisionGroups": [{"groupIndex": 0}]}


def template(value: str) -> Object:
    """What each cluster is to get."""
    return {"workload": {"manifests": [config_map("c", data={"v": value})]}, "manifestConfigs": [RULE]}


class Rollout:
    """A fleet in decision groups, and a set that rolls out over it by one strategy."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.fleet = stage, Fleet(stage)
        self.owner: Object = {}

    async def begin(self, groups: Sequence[str], kind: str, /, **options: Any) -> None:
        """Clusters have one letter; a group is a word of them."""
        await self.fleet.clusters(*"".join(groups))
        await self.fleet.decide("p", *(tuple(g) for g in groups))
        strategy = {"type": kind, kind[0].lower() + kind[1:]: options}
        ref = {"name": self.stage.name("p"), "rolloutStrategy": strategy}
        self.owner = await self.fleet.set("p", placementRefs=[ref], manifestWorkTemplate=template("1"))

    async def change(self, value: str) -> None:
        """Want something else."""
        await self.stage.patch(self.owner, {"spec": {"manifestWorkTemplate": template(value)}})

    async def having(self) -> dict[str, str]:
        """The clusters that have each value, as words."""
        found: dict[str, str] = {}
        for work in await self.fleet.works():
            value = work["spec"]["workload"]["manifests"][0]["data"]["v"]
            found[value] = found.get(value, "") + self.stage.plain(work["metadata"]["namespace"])
        return {value: "".join(sorted(clusters)) for value, clusters in found.items()}

    async def becomes(self, **values: str) -> None:
        """Wait until exactly these have those values (`v1="ab"`)."""
        await self.stage.becomes(self.having, {key[1:]: clusters for key, clusters in values.items()})

    async def counted(self, **counts: int) -> None:
        """Wait until the set's summary has these counts: then what was reported has been looked at."""

        async def summary() -> Any:
            told = (await status(self.stage, self.owner))["summary"]
            return {key: told[key] for key in counts}

        await self.stage.becomes(summary, counts)

    async def reports(self, clusters: str, said: Mapping[str, str]) -> None:
        """Each of these clusters' agents says so."""
        for cluster in clusters:
            await self.fleet.reports(cluster, said)

    async def keeps_saying(self, cluster: str, said: Mapping[str, str]) -> None:
        """An agent has taken a new generation up, and its conditions are as they have long been.

        What it says of each manifest begins anew with the generation, as agents have it.
        """
        work = await self.fleet.work(cluster)
        seen = {"observedGeneration": work["metadata"]["generation"], "reason": "Test", "message": ""}
        told = [
            {"type": type_, "status": status, "lastTransitionTime": "2026-01-01T00:00:00Z", **seen}
            for type_, status in said.items()
        ]
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        applied = {"type": "Applied", "status": "True", "lastTransitionTime": now, **seen}
        meta = {"ordinal": 0, "group": "", "version": "v1", "kind": "ConfigMap", "resource": "configmaps"}
        entry = {"resourceMeta": {**meta, "name": "c", "namespace": "default"}, "conditions": [applied]}
        await self.stage.report(work, {"conditions": told, "resourceStatus": {"manifests": [entry]}})


async def rollout(stage: Stage, groups: Sequence[str], kind: str, /, **options: Any) -> Rollout:
    """A rollout that has begun."""
    it = Rollout(stage)
    await it.begin(groups, kind, **options)
    return it


@case()
async def two_at_a_time(stage: Stage) -> None:
    it = await rollout(stage, ["abcd"], "Progressive", maxConcurrency=2)
    await it.becomes(v1="ab")
    await it.reports("a", BUSY)
    await it.counted(total=2, progressing=1)
    await it.becomes(v1="ab")
    await it.reports("a", GOOD)
    await it.becomes(v1="abc")
    await it.reports("bc", GOOD)
    await it.becomes(v1="abcd")


@case()
async def a_share_is_rounded_up(stage: Stage) -> None:
    it = await rollout(stage, ["abcde"], "Progressive", maxConcurrency="50%")
    await it.becomes(v1="abc")


@case()
async def a_failure_stops_it(stage: Stage) -> None:
    it = await rollout(stage, ["abcd"], "Progressive", maxConcurrency=2)
    await it.becomes(v1="ab")
    await it.reports("a", BAD)
    await it.reports("b", GOOD)
    await it.counted(total=2, applied=2, degraded=1)
    await it.becomes(v1="ab")
    await it.reports("a", GOOD)
    await it.becomes(v1="abcd")


@case()
async def a_failure_is_tolerated(stage: Stage) -> None:
    it = await rollout(stage, ["abcd"], "Progressive", maxConcurrency=2, maxFailures="25%")
    await it.becomes(v1="ab")
    await it.reports("a", BAD)
    await it.reports("b", GOOD)
    await it.becomes(v1="abc")
    await it.reports("c", BAD)
    await it.counted(total=3, degraded=2)
    await it.becomes(v1="abc")


@case()
async def canaries_first(stage: Stage) -> None:
    it = await rollout(stage, ["yz", "abcd"], "Progressive", maxConcurrency=2, **CANARY)
    await it.becomes(v1="yz")
    await it.reports("y", GOOD)
    await it.reports("z", BUSY)
    await it.counted(total=2, progressing=1)
    await it.becomes(v1="yz")
    await it.reports("z", GOOD)
    await it.becomes(v1="abyz")
    await it.reports("b", BUSY)
    await it.counted(progressing=1)
    await it.reports("a", GOOD)
    await it.counted(total=4, applied=4, progressing=1)
    await it.becomes(v1="abyz")
    await it.reports("b", GOOD)
    await it.becomes(v1="abcdyz")


@case()
async def who_is_silent_behind_canaries_is_joined(stage: Stage) -> None:
    it = await rollout(stage, ["z", "abcd"], "Progressive", maxConcurrency=2, **CANARY)
    await it.becomes(v1="z")
    await it.reports("z", GOOD)
    await it.becomes(v1="abz")
    await it.reports("a", GOOD)
    await it.becomes(v1="abcz")


@case(differs="a tolerated failure behind mandatory groups freezes the rollout")
async def a_tolerated_failure_behind_canaries(stage: Stage) -> None:
    it = await rollout(stage, ["z", "abcd"], "Progressive", maxConcurrency=2, maxFailures=1, **CANARY)
    await it.becomes(v1="z")
    await it.reports("z", GOOD)
    await it.becomes(v1="abz")
    await it.reports("a", BAD)
    await it.reports("b", GOOD)
    await it.becomes(v1="abcz")


@case()
async def a_failed_canary_stops_all(stage: Stage) -> None:
    it = await rollout(stage, ["z", "ab"], "Progressive", maxFailures=2, **CANARY)
    await it.becomes(v1="z")
    await it.reports("z", BAD)
    await it.counted(degraded=1)
    await it.becomes(v1="z")


@case()
async def group_by_group(stage: Stage) -> None:
    it = await rollout(stage, ["ab", "cd", "e"], "ProgressivePerGroup")
    await it.becomes(v1="ab")
    await it.reports("a", GOOD)
    await it.counted(applied=1)
    await it.becomes(v1="ab")
    await it.reports("b", GOOD)
    await it.becomes(v1="abcd")
    await it.reports("c", BAD)
    await it.reports("d", GOOD)
    await it.counted(applied=4, degraded=1)
    await it.becomes(v1="abcd")
    await it.reports("c", GOOD)
    await it.becomes(v1="abcde")


@case()
async def a_soak_is_waited_for(stage: Stage) -> None:
    it = await rollout(stage, ["ab"], "Progressive", maxConcurrency=1, minSuccessTime="6s")
    await it.becomes(v1="a")
    await it.reports("a", GOOD)
    await it.counted(applied=1)
    await it.becomes(v1="a")
    await it.becomes(v1="ab")


@case(differs="a soak counts from a time before the present template")
async def a_soak_begins_with_each_template(stage: Stage) -> None:
    it = await rollout(stage, ["abc"], "Progressive", maxConcurrency=1, minSuccessTime="1h")
    await it.becomes(v1="a")
    await it.change("2")
    await it.becomes(v2="a")
    await it.keeps_saying("a", GOOD)
    await it.counted(applied=1)
    await it.becomes(v2="a")


@case(differs="a deadline counts from a time before the present template")
async def a_deadline_begins_with_each_template(stage: Stage) -> None:
    it = await rollout(stage, ["ab"], "Progressive", maxConcurrency=1, maxFailures=1, progressDeadline="1h")
    await it.becomes(v1="a")
    await it.change("2")
    await it.becomes(v2="a")
    await it.keeps_saying("a", BUSY)
    await it.counted(applied=1, progressing=1)
    await it.becomes(v2="a")


@case()
async def a_deadline_makes_room(stage: Stage) -> None:
    it = await rollout(stage, ["abc"], "Progressive", maxConcurrency=1, maxFailures=1, progressDeadline="3s")
    await it.becomes(v1="a")
    await it.reports("a", BUSY)
    await it.becomes(v1="ab")


@case(differs="who never answers holds its place for ever")
async def silence_ends_at_the_deadline(stage: Stage) -> None:
    it = await rollout(stage, ["abc"], "Progressive", maxConcurrency=1, maxFailures=1, progressDeadline="3s")
    await it.becomes(v1="ab")


@case()
async def a_change_starts_over(stage: Stage) -> None:
    it = await rollout(stage, ["z", "abc"], "Progressive", maxConcurrency=1, **CANARY)
    await it.becomes(v1="z")
    await it.reports("z", GOOD)
    await it.becomes(v1="az")
    await it.change("2")
    await it.becomes(v1="a", v2="z")
    await it.reports("z", GOOD)
    await it.becomes(v2="az")


@case()
async def who_leaves_makes_room(stage: Stage) -> None:
    it = await rollout(stage, ["abc"], "Progressive", maxConcurrency=1)
    await it.becomes(v1="a")
    await it.reports("a", BAD)
    await it.counted(degraded=1)
    await it.fleet.decide("p", tuple("bc"))
    await it.becomes(v1="b")


@case()
async def an_unknown_canary_is_none(stage: Stage) -> None:
    options = {"mandatoryDecisionGroups": [{"groupName": "canry"}]}
    it = await rollout(stage, ["z", "ab"], "Progressive", maxConcurrency=1, **options)
    await it.becomes(v1="a")


@case(differs="indexes with a gap lose the last group")
async def a_gap_between_groups(stage: Stage) -> None:
    it = Rollout(stage)
    await it.fleet.clusters(*"ab")
    await it.fleet.decide("p", ("a",), ("b",))
    last = it.fleet.placements["p"].decisions[f"{stage.name('p')}-decision-2"]
    await stage.patch(last, {"metadata": {"labels": {f"{LABEL}decision-group-index": "2"}}})
    strategy = {"type": "ProgressivePerGroup", "progressivePerGroup": {}}
    ref = {"name": stage.name("p"), "rolloutStrategy": strategy}
    it.owner = await it.fleet.set("p", placementRefs=[ref], manifestWorkTemplate=template("1"))
    await it.becomes(v1="a")
    await it.reports("a", GOOD)
    await it.becomes(v1="ab")
