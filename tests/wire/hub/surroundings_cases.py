"""Cases of placements: sets, bindings, clusters and taints change around them."""

from __future__ import annotations

from gitops_ocm.testing.objects import cluster_set, managed_cluster
from tests.wire.hub.cases import Collected
from tests.wire.hub.fleet import FAR_OFF, LONG_AGO, taint
from tests.wire.hub.placements import (
    NO_BINDING,
    NO_MATCH,
    one_group,
)
from tests.wire.hub.selection_cases import either, expression, labels, toleration
from tests.wire.hub.stage import Stage
from tests.wire.hub.world import World, empty_sets, no_intersection

case = Collected()


# --- sets and bindings ---


@case()
async def nothing_is_bound(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", bound=False)
    await world.decides(await world.place(), one_group(), NO_BINDING)


@case()
async def bound_later(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b", bound=False)
    made = await world.place()
    await world.decides(made, one_group(), NO_BINDING)
    await world.bind("s")
    await world.decides(made, one_group("a", "b"))


@case()
async def unbound_again(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b")
    made = await world.place()
    await world.decides(made, one_group("a", "b"))
    await stage.delete(world.bindings["s"])
    await world.decides(made, one_group(), NO_BINDING)


@case()
async def a_binding_of_a_set_there_is_not(stage: Stage) -> None:
    world = World(stage)
    await world.bind("s")
    made = await world.place()
    await world.decides(made, one_group(), NO_BINDING)
    await world.set("s", "a", bound=False)
    await world.decides(made, one_group("a"))


@case()
async def the_set_is_deleted(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a")
    made = await world.place()
    await world.decides(made, one_group("a"))
    await stage.delete(world.sets["s"])
    await world.decides(made, one_group(), NO_BINDING)


@case()
async def an_empty_set(stage: Stage) -> None:
    world = World(stage)
    await world.set("s")
    await world.set("r")
    made = await world.place()
    await world.decides(made, one_group(), empty_sets("r", "s"))
    await world.join("a", "s")
    await world.decides(made, one_group("a"))


@case()
async def two_sets_bound(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a")
    await world.set("r", "b")
    await world.decides(await world.place(), one_group("a", "b"))


@case()
async def one_of_two_sets_asked_for(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a")
    await world.set("r", "b")
    await world.decides(await world.place(clusterSets=[stage.name("r")]), one_group("b"))


@case()
async def a_set_asked_for_that_is_not_bound(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a")
    await world.set("r", "b", bound=False)
    asked = [stage.name("r"), stage.name("q")]
    made = await world.place(clusterSets=asked)
    await world.decides(made, one_group(), no_intersection("r", "q"))
    await world.bind("r")
    await world.decides(made, one_group("b"))


@case()
async def the_sets_asked_for_change(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a")
    await world.set("r", "b")
    made = await world.place(clusterSets=[stage.name("s")])
    await world.decides(made, one_group("a"))
    await stage.patch(made, {"spec": {"clusterSets": [stage.name("r"), stage.name("s")]}})
    await world.decides(made, one_group("a", "b"))
    await stage.patch(made, {"spec": {"clusterSets": [stage.name("r")]}})
    await world.decides(made, one_group("b"))


@case()
async def a_set_by_labels(stage: Stage) -> None:
    world = World(stage)
    await world.join("a", vendor=stage.name("x"))
    await world.join("b", vendor=stage.name("y"))
    await world.set("s", vendor=stage.name("x"))
    made = await world.place()
    await world.decides(made, one_group("a"))
    await stage.label(world.clusters["b"], vendor=stage.name("x"))
    await world.decides(made, one_group("a", "b"))
    await stage.label(world.clusters["a"], vendor=None)
    await world.decides(made, one_group("b"))


@case()
async def a_set_by_no_selector_is_empty(stage: Stage) -> None:
    world = World(stage)
    await world.join("a", in_set="s")
    name = stage.name("s")
    bare = cluster_set(name)
    bare["spec"]["clusterSelector"] = {"selectorType": "LabelSelector"}
    await stage.create(bare)
    await world.bind("s")
    await world.decides(await world.place(), one_group(), empty_sets("s"))


@case()
async def a_cluster_in_two_sets_counts_once(stage: Stage) -> None:
    world = World(stage)
    await world.join("a", "s", vendor=stage.name("x"))
    await world.set("s")
    await world.set("v", vendor=stage.name("x"))
    await world.decides(await world.place(), one_group("a"))


@case()
async def a_cluster_moves_between_sets(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b")
    await world.set("r", bound=False)
    made = await world.place()
    await world.decides(made, one_group("a", "b"))
    await world.move("a", "r")
    await world.decides(made, one_group("b"))
    await world.move("a", "s")
    await world.decides(made, one_group("a", "b"))
    await world.move("b", None)
    await world.decides(made, one_group("a"))


# --- clusters ---


@case()
async def clusters_come_and_go(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "b", "d")
    made = await world.place()
    await world.decides(made, one_group("b", "d"))
    await world.join("c", "s")
    await world.decides(made, one_group("b", "c", "d"))
    await stage.delete(world.clusters["b"])
    await world.decides(made, one_group("c", "d"))
    await world.join("a", "s")
    await world.decides(made, one_group("a", "c", "d"))


@case()
async def the_last_cluster_goes(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a")
    made = await world.place()
    await world.decides(made, one_group("a"))
    await stage.delete(world.clusters["a"])
    await world.decides(made, one_group(), empty_sets("s"))


@case()
async def a_cluster_being_deleted_leaves_at_once(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b")
    await stage.patch(world.clusters["a"], {"metadata": {"finalizers": ["example.com/held"]}})
    made = await world.place()
    await world.decides(made, one_group("a", "b"))
    await stage.delete(world.clusters["a"])
    await world.decides(made, one_group("b"))
    assert (await stage.get(world.clusters["a"]))["metadata"]["deletionTimestamp"]
    await stage.patch(world.clusters["a"], {"metadata": {"finalizers": []}})


@case()
async def an_unaccepted_cluster_counts(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a")
    made = managed_cluster(stage.name("b"), accepted=False, cluster_set=stage.name("s"))
    await stage.create(made)
    await world.decides(await world.place(), one_group("a", "b"))


@case()
async def relabelling(stage: Stage) -> None:
    world = World(stage)
    await world.set("s")
    await world.join("a", "s", env="dev")
    await world.join("b", "s", env="prod")
    made = await world.place(**either(labels(env="prod")))
    await world.decides(made, one_group("b"))
    await stage.label(world.clusters["a"], env="prod")
    await world.decides(made, one_group("a", "b"))
    await stage.label(world.clusters["b"], env=None)
    await world.decides(made, one_group("a"))


@case()
async def claims_that_change(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b")
    wanted = {"claimSelector": {"matchExpressions": [expression("zone", "In", "x")]}}
    made = await world.place(**either(wanted))
    await world.decides(made, one_group(), NO_MATCH)
    await stage.report(world.clusters["b"], {"clusterClaims": [{"name": "zone", "value": "x"}]})
    await world.decides(made, one_group("b"))
    await stage.report(world.clusters["b"], {"clusterClaims": [{"name": "zone", "value": "y"}]})
    await world.decides(made, one_group(), NO_MATCH)


@case()
async def a_status_that_cel_reads(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a")
    text = 'managedCluster.status.version.kubernetes == "v1.33.0"'
    made = await world.place(**either({"celSelector": {"celExpressions": [text]}}))
    await world.decides(made, one_group(), NO_MATCH)
    await stage.report(world.clusters["a"], {"version": {"kubernetes": "v1.33.0"}})
    await world.decides(made, one_group("a"))


# --- taints ---


@case()
async def a_taint_drives_out(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b")
    made = await world.place()
    await world.decides(made, one_group("a", "b"))
    await world.taint("a", taint("gone"))
    await world.decides(made, one_group("b"))
    await world.taint("a")
    await world.decides(made, one_group("a", "b"))


@case()
async def a_taint_for_new_ones_keeps_the_old(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b")
    made = await world.place(**either(labels(go="yes")))
    await stage.label(world.clusters["a"], go="yes")
    await world.decides(made, one_group("a"))
    await world.taint("a", taint("full", "NoSelectIfNew"))
    await world.taint("b", taint("full", "NoSelectIfNew"))
    await stage.label(world.clusters["b"], go="yes")
    await world.join("c", "s", go="yes")
    await world.decides(made, one_group("a", "c"))
    await stage.label(world.clusters["a"], go="no")
    await world.decides(made, one_group("c"))
    await stage.label(world.clusters["a"], go="yes")
    await world.join("d", "s", go="yes")
    await world.decides(made, one_group("c", "d"))


@case()
async def a_toleration_runs_out(stage: Stage) -> None:
    """Nothing but time passes between the two decisions."""
    from datetime import UTC, datetime

    world = World(stage)
    await world.set("s", "a", "b")
    made = await world.place(tolerations=[toleration("lost", "Exists", seconds=4)])
    await world.decides(made, one_group("a", "b"))
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    await world.taint("a", taint("lost", added=now))
    await world.decides(made, one_group("b"))
    await world.taint("a", taint("lost", added=FAR_OFF))
    await world.decides(made, one_group("a", "b"))


@case()
async def tolerations_that_change(stage: Stage) -> None:
    world = World(stage)
    await world.set("s", "a", "b")
    await world.taint("a", taint("k", value="v", added=LONG_AGO))
    made = await world.place()
    await world.decides(made, one_group("b"))
    await stage.patch(made, {"spec": {"tolerations": [toleration("k", value="v")]}})
    await world.decides(made, one_group("a", "b"))
    await stage.patch(made, {"spec": {"tolerations": [toleration("k", value="w")]}})
    await world.decides(made, one_group("b"))
