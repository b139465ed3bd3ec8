"""Cases of placements: scores weigh on each other, and decisions follow every change."""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.objects import placement
from tests.wire.hub.cases import Collected
from tests.wire.hub.fleet import score
from tests.wire.hub.placements import (
    BETA,
    NO_MATCH,
    clusters_of,
    notes,
    one_group,
    seen,
    short_of,
    wrong,
)
from tests.wire.hub.ranking_cases import addon, built_in
from tests.wire.hub.selection_cases import either, expression, labels
from tests.wire.hub.stage import CLUSTER, Stage
from tests.wire.hub.world import World, empty_sets

case = Collected()


# --- scores ---


@case()
async def the_chosen_stay(stage: Stage) -> None:
    """Steady outweighs a name that sorts earlier."""
    world = World(stage)
    await world.set("s", "b", "c")
    made = await world.place(numberOfClusters=2)
    await world.decides(made, one_group("b", "c"))
    await world.join("a", "s")
    await stage.patch(made, {"spec": {"numberOfClusters": 1}})
    await world.decides(made, one_group("b"))
    await stage.patch(made, {"spec": {"numberOfClusters": 2}})
    await world.decides(made, one_group("a", "b"))


@case()
async def without_steady_the_chosen_go(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "b")
    policy = {"mode": "Exact", "configurations": []}
    made = await world.place(numberOfClusters=1, prioritizerPolicy=policy)
    await world.decides(made, one_group("b"))
    await world.join("a", "s")
    await world.decides(made, one_group("a"))


@case()
async def a_score_that_changes(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b")
    held = {}
    for short, value in (("a", 50), ("b", 10)):
        await stage.namespace(short)
        wanted = {"scores": [{"name": "load", "value": value}]}
        held[short] = await stage.create(score("usage", stage.name(short)), wanted)
    policy = {"mode": "Exact", "configurations": [addon("load")]}
    made = await world.place(numberOfClusters=1, prioritizerPolicy=policy)
    await world.decides(made, one_group("a"))
    await stage.report(held["b"], {"scores": [{"name": "load", "value": 99}]})
    await world.decides(made, one_group("b"))
    await stage.delete(held["b"])
    await world.decides(made, one_group("a"))


@case()
async def resources_that_change(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b")
    for short, cpu in (("a", "1"), ("b", "2")):
        have = {"cpu": cpu}
        await stage.report(world.clusters[short], {"allocatable": have, "capacity": have})
    policy = {"mode": "Exact", "configurations": [built_in("ResourceAllocatableCPU")]}
    made = await world.place(numberOfClusters=1, prioritizerPolicy=policy)
    await world.decides(made, one_group("b"))
    await stage.report(world.clusters["a"], {"allocatable": {"cpu": "9"}, "capacity": {"cpu": "9"}})
    await world.decides(made, one_group("a"))


async def _told(stage: Stage, made: Object, text: str) -> None:
    async def told() -> bool:
        said = await notes(stage, made, "ScoreUpdate")
        assert ("Normal", text) in said, said
        return True

    await stage.until(told, f"scores {text}")


@case(alone=True)
async def balance_between_placements(stage: Stage) -> None:
    """Each placement takes the cluster that the others have not."""
    world = World(stage)
    await world.set("s", "a", "b", "c")
    policy = {"mode": "Exact", "configurations": [built_in("Balance")]}
    for number, (cluster, text) in enumerate(
        (
            ("a", "a:100 b:100 c:100 "),
            ("b", "a:-100 b:100 c:100 "),
            ("c", "a:-100 b:-100 c:100 "),
            ("a", "a:-100 b:-100 c:-100 "),
            ("b", "a:-100 b:0 c:0 "),
        )
    ):
        made = await world.place(f"p{number}", numberOfClusters=1, prioritizerPolicy=policy)
        assert await _first(stage, made) == [cluster]
        await _told(stage, made, text)
    for number in range(5):
        await stage.delete(placement(stage.name(f"p{number}"), world.home))


async def _first(stage: Stage, made: Object) -> list[str]:
    async def some() -> list[str]:
        return await clusters_of(stage, made)

    found: list[str] = await stage.until(some, "decided")
    return found


@case(alone=True)
async def balance_counts_every_decision(stage: Stage) -> None:
    """Decisions that no placement of this hub made count as well, labelled or not."""
    world = World(stage)
    await world.set("s", "a", "b", "c", "d")
    for number, clusters in enumerate((("a", "b", "c"), ("a", "b"), ("a",))):
        decision = {
            "apiVersion": BETA,
            "kind": "PlacementDecision",
            "metadata": {"name": stage.name(f"d{number}"), "namespace": world.home},
        }
        names = [{"clusterName": stage.name(c), "reason": ""} for c in clusters]
        await stage.create(decision, {"decisions": names})
    policy = {"mode": "Exact", "configurations": [built_in("Balance", 2)]}
    made = await world.place(numberOfClusters=2, prioritizerPolicy=policy)
    await world.decides(made, one_group("c", "d"))
    await _told(stage, made, "a:-200 b:-64 c:64 d:200 ")
    for number in range(3):
        await stage.delete(
            {
                "apiVersion": BETA,
                "kind": "PlacementDecision",
                "metadata": {"name": stage.name(f"d{number}"), "namespace": world.home},
            }
        )


@case(alone=True)
async def additive_adds_to_balance_and_steady(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b")
    for short, cpu in (("a", "1"), ("b", "2")):
        have = {"cpu": cpu}
        await stage.report(world.clusters[short], {"allocatable": have, "capacity": have})
    policy = {"configurations": [built_in("ResourceAllocatableCPU", 2)]}
    made = await world.place(numberOfClusters=1, prioritizerPolicy=policy)
    await world.decides(made, one_group("b"))
    await _told(stage, made, "a:-100 b:300 ")


@case(alone=True)
async def additive_overrides_a_default(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b")
    policy = {"configurations": [built_in("Balance", -1), built_in("Steady", 0)]}
    made = await world.place(numberOfClusters=1, prioritizerPolicy=policy)
    await world.decides(made, one_group("a"))
    await _told(stage, made, "a:-100 b:-100 ")


# --- decisions ---


@case()
async def a_spec_that_changes(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b", "c")
    made = await world.place(numberOfClusters=4)
    await world.decides(made, one_group("a", "b", "c"), short_of(1))
    await stage.patch(made, {"spec": {"numberOfClusters": 2}})
    await world.decides(made, one_group("a", "b"))
    await stage.patch(made, {"spec": {"numberOfClusters": 0}})
    await world.decides(made, one_group(), NO_MATCH)
    await stage.patch(made, {"spec": {"numberOfClusters": None}})
    await world.decides(made, one_group("a", "b", "c"))


@case()
async def groups_that_change(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b", "c")
    strategy = {"groupStrategy": {"clustersPerDecisionGroup": 1}}
    made = await world.place(decisionStrategy=strategy)
    await world.decides(made, [("", ("a",)), ("", ("b",)), ("", ("c",))])
    await world.join("aa", "s")
    await world.decides(made, [("", ("a",)), ("", ("aa",)), ("", ("b",)), ("", ("c",))])
    await stage.patch(
        made, {"spec": {"decisionStrategy": {"groupStrategy": {"clustersPerDecisionGroup": 3}}}}
    )
    await world.decides(made, [("", ("a", "aa", "b")), ("", ("c",))])
    await stage.patch(made, {"spec": {"decisionStrategy": None}})
    await world.decides(made, one_group("a", "aa", "b", "c"))


@case()
async def a_group_is_renamed(stage: Stage) -> None:
    world = World(stage)
    await world.set("s")
    await world.join("a", "s", tier="one")
    await world.join("b", "s", tier="two")

    def strategy(name: str) -> dict[str, Any]:
        group = {
            "groupName": name,
            "groupClusterSelector": {"labelSelector": {"matchLabels": {"tier": "one"}}},
        }
        return {"groupStrategy": {"decisionGroups": [group]}}

    made = await world.place(decisionStrategy=strategy("first"))
    await world.decides(made, [("first", ("a",)), ("", ("b",))])
    await stage.patch(made, {"spec": {"decisionStrategy": strategy("second")}})
    await world.decides(made, [("second", ("a",)), ("", ("b",))])
    await stage.label(world.clusters["a"], tier="two")
    await world.decides(made, one_group("a", "b"))


@case()
async def more_than_a_hundred(stage: Stage) -> None:
    """A decision holds a hundred clusters; a group goes on in the next one."""
    world = World(stage)
    await world.set("s", bound=True)
    names = [f"n{i:03}" for i in range(205)]
    for name in names:
        await world.join(name, "s", tier="edge" if name > "n149" else "core")
    made = await world.place()
    await world.decides(made, one_group(*names))
    edge = {"groupName": "edge", "groupClusterSelector": {"labelSelector": {"matchLabels": {"tier": "edge"}}}}
    strategy = {"groupStrategy": {"decisionGroups": [edge], "clustersPerDecisionGroup": 120}}
    await stage.patch(made, {"spec": {"decisionStrategy": strategy}})
    await world.decides(made, [("edge", names[150:]), ("", names[:120]), ("", names[120:150])])
    await stage.patch(made, {"spec": {"decisionStrategy": None, "numberOfClusters": 100}})
    await stage.until(lambda: _slices(stage, made, [100]), "one slice of a hundred")
    await stage.patch(made, {"spec": {"numberOfClusters": 101}})
    await stage.until(lambda: _slices(stage, made, [100, 1]), "a second slice")
    for cluster in world.clusters.values():
        await stage.delete(cluster)
    await world.decides(made, one_group(), empty_sets("s"))


async def _slices(stage: Stage, made: Object, sizes: list[int]) -> bool:
    return [len(d["clusters"]) for d in (await seen(stage, made))["decisions"]] == sizes


@case()
async def an_edited_decision_is_put_back(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b")
    made = await world.place()
    await world.decides(made, one_group("a", "b"))
    decision = await _decision(stage, world)
    await stage.report(decision, {"decisions": [{"clusterName": stage.name("a"), "reason": ""}]})
    await world.decides(made, one_group("a", "b"))
    await stage.patch(decision, {"metadata": {"labels": {f"{CLUSTER}/decision-group-index": "7"}}})
    await world.decides(made, one_group("a", "b"))


async def _decision(stage: Stage, world: World) -> Object:
    found = await stage.find(BETA, "PlacementDecision", stage.name("p-decision-1"), world.home)
    assert found is not None
    return found


@case()
async def a_deleted_decision_comes_back(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b")
    made = await world.place()
    await world.decides(made, one_group("a", "b"))
    await stage.delete(await _decision(stage, world))
    await world.decides(made, one_group("a", "b"))


@case()
async def a_decision_too_many_is_deleted(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a")
    made = await world.place()
    await world.decides(made, one_group("a"))
    await stage.create(
        {
            "apiVersion": BETA,
            "kind": "PlacementDecision",
            "metadata": {
                "name": stage.name("p-decision-9"),
                "namespace": world.home,
                "labels": {f"{CLUSTER}/placement": stage.name("p")},
            },
        }
    )
    await world.decides(made, one_group("a"))


@case()
async def a_deleted_placement_takes_its_decisions(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a")
    made = await world.place()
    await world.decides(made, one_group("a"))
    decision = await _decision(stage, world)
    await stage.delete(made)
    await stage.gone(made)
    await stage.gone(decision)


@case()
async def a_disabled_placement_is_left_alone(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a")
    wanted = placement(stage.name("q"), world.home)
    wanted["metadata"]["annotations"] = {f"{CLUSTER}/experimental-scheduling-disable": "true"}
    off = await stage.create(wanted)
    made = await world.place()
    await world.decides(made, one_group("a"))
    disabled = {"metadata": {"annotations": {f"{CLUSTER}/experimental-scheduling-disable": "true"}}}
    await stage.patch(made, disabled)
    await world.join("b", "s")
    other = await world.place("r")
    await world.decides(other, one_group("a", "b"))
    await world.decides(made, one_group("a"))
    assert "status" not in await stage.get(off)
    assert await clusters_of(stage, off) == []
    await stage.patch(
        made, {"metadata": {"annotations": {f"{CLUSTER}/experimental-scheduling-disable": "no"}}}
    )
    await world.decides(made, one_group("a", "b"))


@case()
async def a_mistake_empties_and_its_mending_fills(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b")
    made = await world.place(decisionStrategy={"groupStrategy": {"clustersPerDecisionGroup": 1}})
    await world.decides(made, [("", ("a",)), ("", ("b",))])
    await stage.patch(made, {"spec": {"tolerations": [{"operator": "Equal", "value": "x"}]}})
    fault = wrong("TaintToleration:If the key is empty, operator must be Exists.")
    await world.decides(made, one_group(), NO_MATCH, fault)
    await stage.patch(made, {"spec": {"tolerations": None}})
    await world.decides(made, [("", ("a",)), ("", ("b",))])


@case()
async def a_mistake_is_not_seen_while_there_are_no_clusters(stage: Stage) -> None:
    world = World(stage)
    await world.set("s")
    made = await world.place(**either(labels(expression("env", "In"))))
    await world.decides(made, one_group(), empty_sets("s"))
    await world.join("a", "s")
    fault = wrong(
        "Predicate:values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty"
    )
    await world.decides(made, one_group(), NO_MATCH, fault)


@case(differs="a negative number crashes the scheduler", harms=True)
async def a_negative_number_is_refused(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a")
    made = await world.place(numberOfClusters=-1)
    await world.decides(made, one_group(), NO_MATCH, wrong(":numberOfClusters must not be negative: -1"))


@case()
async def what_is_told_of_decisions(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b")
    made = await world.place(decisionStrategy={"groupStrategy": {"clustersPerDecisionGroup": 1}})
    await world.decides(made, [("", ("a",)), ("", ("b",))])
    await stage.patch(made, {"spec": {"decisionStrategy": None}})
    await world.decides(made, one_group("a", "b"))
    for reason, done, decision in (
        ("DecisionCreate", "created", "p-decision-1"),
        ("DecisionUpdate", "updated", "p-decision-1"),
        ("DecisionCreate", "created", "p-decision-2"),
        ("DecisionDelete", "deleted", "p-decision-2"),
    ):
        text = f"Decision {decision} is {done} with placement p in namespace home"

        async def told(reason: str = reason, text: str = text) -> bool:
            said = await notes(stage, made, reason)
            assert ("Normal", text) in said, said
            return True

        await stage.until(told, text)
