"""Cases of add-ons: on which clusters they are, what they carry, when they go."""

from __future__ import annotations

from typing import Any

from tests.wire.hub.addon_fleet import LIFECYCLE, OWNER, Fleet, installed
from tests.wire.hub.cases import Case, Collected
from tests.wire.hub.stage import ADDON, Stage

case = Collected()


@case()
async def on_the_clusters_of_a_placement(stage: Stage) -> None:
    fleet = await installed(stage, ("a", "b"), "c")
    await fleet.is_on("a", "b")
    await stage.becomes(lambda: fleet.owners("a"), [OWNER])
    found = await fleet.found("a")
    assert found["metadata"]["ownerReferences"][0]["uid"] == fleet.web["metadata"]["uid"]
    assert not found["metadata"].get("annotations")
    assert not found["metadata"].get("finalizers")


@case()
async def clusters_come_and_go(stage: Stage) -> None:
    fleet = await installed(stage, ("a", "b"), "c")
    await fleet.is_on("a", "b")
    before = await fleet.found("b")
    await fleet.decide("p", ("b", "c"))
    await fleet.is_on("b", "c")
    after = await fleet.found("b")
    assert before["metadata"]["uid"] == after["metadata"]["uid"]
    await fleet.decide("p", ())
    await fleet.is_on()


@case()
async def the_union_of_placements_and_groups(stage: Stage) -> None:
    fleet = Fleet(stage)
    await fleet.join("a", "b", "c", "d")
    await fleet.decide("p", ("a",), ("b",))
    await fleet.decide("q", ("b", "c"))
    await fleet.install("p", "q")
    await fleet.is_on("a", "b", "c")
    await fleet.decide("p", ("a",))
    await fleet.another()
    await fleet.is_on("a", "b", "c")
    await fleet.decide("q", ("c",))
    await fleet.is_on("a", "c")


@case()
async def placements_that_change(stage: Stage) -> None:
    fleet = Fleet(stage)
    await fleet.join("a", "b")
    await fleet.decide("p", ("a",))
    await fleet.decide("q", ("b",))
    await fleet.install("p")
    await fleet.is_on("a")
    by = [{"namespace": fleet.home, "name": stage.name("q")}]
    await stage.patch(fleet.web, {"spec": {"installStrategy": {"placements": by}}})
    await fleet.is_on("b")


@case()
async def a_deleted_one_comes_back(stage: Stage) -> None:
    fleet = await installed(stage, ("a",))
    await fleet.is_on("a")
    before = await fleet.found("a")
    await stage.delete(before)

    async def again() -> bool:
        found = await fleet.on("a")
        return found is not None and found["metadata"]["uid"] != before["metadata"]["uid"]

    await stage.until(again, "another one")


@case()
async def one_put_by_hand_where_placements_do_not(stage: Stage) -> None:
    """Under placements it goes."""
    fleet = Fleet(stage)
    await fleet.join("a", "b")
    await fleet.decide("p", ("a",))
    await fleet.put("b")
    await fleet.install("p")
    await fleet.is_on("a")
    await fleet.put("b")
    await fleet.is_on("a")


@case()
async def one_put_by_hand_where_placements_do(stage: Stage) -> None:
    """It stays the object it is, and gets its owner."""
    fleet = Fleet(stage)
    await fleet.join("a")
    await fleet.decide("p", ("a",))
    before = await fleet.put("a")
    await fleet.install("p")
    await stage.becomes(lambda: fleet.owners("a"), [OWNER])
    after = await fleet.found("a")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


@case()
async def by_hand(stage: Stage) -> None:
    """Nothing is made or deleted; what people put has its owner."""
    fleet = Fleet(stage)
    await fleet.join("a", "b")
    await fleet.put("b")
    await fleet.manual()
    await stage.becomes(lambda: fleet.owners("b"), [OWNER])
    await fleet.is_on("b")


@case()
async def from_placements_to_hands(stage: Stage) -> None:
    """The installations stay, and nothing new is made."""
    fleet = await installed(stage, ("a",), "b")
    await fleet.is_on("a")
    await stage.patch(fleet.web, {"spec": {"installStrategy": {"type": "Manual", "placements": None}}})
    await fleet.decide("p", ("b",))
    await fleet.another()
    await fleet.is_on("a")


@case()
async def from_hands_to_placements(stage: Stage) -> None:
    fleet = Fleet(stage)
    await fleet.join("a", "b")
    await fleet.decide("p", ("a",))
    await fleet.put("b")
    await fleet.manual()
    await stage.becomes(lambda: fleet.owners("b"), [OWNER])
    by = [{"namespace": fleet.home, "name": stage.name("p")}]
    await stage.patch(fleet.web, {"spec": {"installStrategy": {"type": "Placements", "placements": by}}})
    await fleet.is_on("a")


@case()
async def the_add_on_managers_own_lifecycle(stage: Stage) -> None:
    fleet = await installed(stage, ("a",), lifecycle="addon-manager")
    await fleet.is_on("a")


def _ignored(lifecycle: str) -> Case:
    async def run(stage: Stage) -> None:
        fleet = Fleet(stage)
        await fleet.join("a", "b")
        await fleet.decide("p", ("a",))
        await fleet.put("b")
        await fleet.install("p", lifecycle=lifecycle)
        await fleet.another()
        await fleet.is_on("b")
        assert await fleet.owners("b") == []

    return Case(f"lifecycle-{lifecycle or 'empty'}", run)


@case()
async def a_lifecycle_that_changes(stage: Stage) -> None:
    fleet = await installed(stage, ("a",), lifecycle="self")
    await fleet.another()
    await fleet.is_on()
    await stage.patch(fleet.web, {"metadata": {"annotations": {LIFECYCLE: None}}})
    await fleet.is_on("a")


@case()
async def a_cluster_there_is_not(stage: Stage) -> None:
    """The others have it meanwhile."""
    fleet = Fleet(stage)
    await fleet.join("b")
    await fleet.decide("p", ("a", "b"))
    await fleet.install("p")
    await fleet.is_on("b")
    await fleet.join("a")
    await fleet.is_on("a", "b")


@case()
async def a_cluster_that_is_gone(stage: Stage) -> None:
    fleet = await installed(stage, ("a", "b"))
    await fleet.is_on("a", "b")
    await stage.delete(fleet.clusters["a"])
    await stage.gone(fleet.clusters["a"])
    await fleet.decide("p", ("b",))
    await fleet.is_on("b")


# --- what they carry --------------------------------------------------------------------------------


@case()
async def annotations_of_the_cluster(stage: Stage) -> None:
    fleet = Fleet(stage)
    await fleet.join("a", values="{}", other="x")
    marked = {"metadata": {"annotations": {"example.com/own": "no"}}}
    await stage.patch(fleet.clusters["a"], marked)
    await fleet.decide("p", ("a",))
    await fleet.install("p")
    await stage.becomes(lambda: fleet.marks("a"), {"values": "{}", "other": "x"})
    found = await fleet.found("a")
    assert "example.com/own" not in found["metadata"]["annotations"]


@case()
async def annotations_that_change(stage: Stage) -> None:
    fleet = await installed(stage, ("a",), values="1", other="x")
    await stage.becomes(lambda: fleet.marks("a"), {"values": "1", "other": "x"})
    changed = {f"{ADDON}/values": "2", f"{ADDON}/other": None, f"{ADDON}/third": "y"}
    await stage.patch(fleet.clusters["a"], {"metadata": {"annotations": changed}})
    await stage.becomes(lambda: fleet.marks("a"), {"values": "2", "third": "y"})


@case()
async def annotations_of_others(stage: Stage) -> None:
    fleet = await installed(stage, ("a",), values="1")
    await stage.becomes(lambda: fleet.marks("a"), {"values": "1"})
    found = await fleet.found("a")
    await stage.patch(found, {"metadata": {"annotations": {"example.com/own": "yes"}}})
    await stage.patch(fleet.clusters["a"], {"metadata": {"annotations": {f"{ADDON}/values": "2"}}})
    await stage.becomes(lambda: fleet.marks("a"), {"values": "2"})
    found = await fleet.found("a")
    assert found["metadata"]["annotations"]["example.com/own"] == "yes"


@case(differs="add-on annotations that a person set are removed when the cluster's change")
async def add_on_annotations_of_a_person(stage: Stage) -> None:
    fleet = await installed(stage, ("a",), values="1")
    await stage.becomes(lambda: fleet.marks("a"), {"values": "1"})
    found = await fleet.found("a")
    await stage.patch(found, {"metadata": {"annotations": {f"{ADDON}/hand": "made"}}})
    await stage.patch(fleet.clusters["a"], {"metadata": {"annotations": {f"{ADDON}/values": "2"}}})
    await stage.becomes(lambda: fleet.marks("a"), {"values": "2", "hand": "made"})


@case()
async def no_annotations_without_placements(stage: Stage) -> None:
    fleet = Fleet(stage)
    await fleet.join("a", values="1")
    await fleet.put("a")
    await fleet.manual()
    await stage.becomes(lambda: fleet.owners("a"), [OWNER])
    assert await fleet.marks("a") == {}


@case()
async def an_owner_that_is_taken_away(stage: Stage) -> None:
    fleet = await installed(stage, ("a",))
    await fleet.is_on("a")
    found = await fleet.found("a")
    await stage.patch(found, {"metadata": {"ownerReferences": None}})
    await stage.becomes(lambda: fleet.owners("a"), [OWNER])


@case()
async def another_owner_stays(stage: Stage) -> None:
    fleet = await installed(stage, ("a",))
    await stage.becomes(lambda: fleet.owners("a"), [OWNER])
    found = await fleet.found("a")
    kept = await stage.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "keeper", "namespace": stage.name("a")},
        }
    )
    mine = {"apiVersion": "v1", "kind": "ConfigMap", "name": "keeper", "uid": kept["metadata"]["uid"]}
    await stage.patch(found, {"metadata": {"ownerReferences": [mine]}})

    async def names() -> Any:
        return sorted(owner["name"] for owner in await fleet.owners("a"))

    await stage.becomes(names, ["keeper", "web"])


# --- deletion and doubt -----------------------------------------------------------------------------


@case()
async def a_deleted_add_on(stage: Stage) -> None:
    """The garbage collector takes it off every cluster."""
    fleet = await installed(stage, ("a", "b"))
    await fleet.is_on("a", "b")
    await stage.becomes(lambda: fleet.owners("b"), [OWNER])
    await stage.delete(fleet.web)
    await fleet.is_on()


@case(differs="an add-on that is being deleted in the foreground is put back meanwhile")
async def an_add_on_deleted_in_the_foreground(stage: Stage) -> None:
    fleet = await installed(stage, ("a",))
    await fleet.is_on("a")
    await stage.becomes(lambda: fleet.owners("a"), [OWNER])
    await stage.delete(fleet.web, "Foreground")
    await stage.gone(fleet.web)
    await fleet.is_on()


@case(differs="a listed Placement that does not exist counts as empty: what it had is deleted")
async def a_placement_that_is_missing(stage: Stage) -> None:
    """What it selected stays until it is back; additions of others go on."""
    fleet = Fleet(stage)
    await fleet.join("a", "b", "c")
    await fleet.decide("p", ("a",))
    await fleet.decide("q", ("b",))
    await fleet.install("p", "q")
    await fleet.is_on("a", "b")
    await fleet.placements["p"].withdraw()
    await fleet.decide("q", ("b", "c"))
    await fleet.is_on("a", "b", "c")


@case(differs="decisions that are empty for a moment take the add-on away")
async def decisions_that_are_empty_for_a_moment(stage: Stage) -> None:
    fleet = await installed(stage, ("a",), "b")
    await fleet.is_on("a")
    before = await fleet.found("a")
    decision = fleet.placements["p"].decisions[f"{stage.name('p')}-decision-1"]
    await stage.report(decision, {"decisions": []})
    await fleet.another()
    await fleet.decide("p", ("a", "b"))
    await fleet.is_on("a", "b")
    after = await fleet.found("a")
    assert before["metadata"]["uid"] == after["metadata"]["uid"]


LIFECYCLES = ("self", "", "somebody-else")
CASES = [*case.cases, *map(_ignored, LIFECYCLES)]
