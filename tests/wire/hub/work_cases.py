"""Cases of ManifestWorkReplicaSets: the works they make, keep and delete."""

from __future__ import annotations

from typing import Any

from gitops_ocm.testing.objects import config_map
from tests.wire.hub.cases import Collected
from tests.wire.hub.stage import WORK, Stage
from tests.wire.hub.work_fleet import (
    DONE,
    FINALIZER,
    PLACEMENT_LABEL,
    RULE,
    SET_LABEL,
    ZERO,
    Fleet,
    part,
    placed,
    status,
    summary,
    told,
)

case = Collected()


@case()
async def a_work_for_each_cluster(stage: Stage) -> None:
    fleet, owner = await placed(stage, ("a", "b"), "c", labels={"team": "x"})
    work = await fleet.work("a")
    assert work["spec"] == (await stage.get(owner))["spec"]["manifestWorkTemplate"]
    meta = work["metadata"]
    assert stage.plain(meta["labels"]) == {SET_LABEL: "home.rs", PLACEMENT_LABEL: "p", "team": "x"}
    assert meta["name"].startswith(stage.name("rs"))
    assert not meta.get("annotations")
    assert not meta.get("ownerReferences")
    assert not meta.get("finalizers")
    assert (await stage.get(owner))["metadata"]["finalizers"] == [FINALIZER]


@case()
async def clusters_come_and_go(stage: Stage) -> None:
    fleet, _ = await placed(stage, ("a", "b"), "c")
    before = await fleet.work("b")
    await fleet.decide("p", ("b", "c"))
    await fleet.places(b="p", c="p")
    assert (await fleet.work("b"))["metadata"]["uid"] == before["metadata"]["uid"]
    await fleet.decide("p", ())
    await fleet.places()


@case()
async def decisions_in_several_groups(stage: Stage) -> None:
    fleet = Fleet(stage)
    await fleet.clusters("a", "b", "c")
    await fleet.decide("p", ("a",), ("b", "c"))
    owner = await fleet.set("p")
    await fleet.places(a="p", b="p", c="p")
    wanted = told(
        "AsExpected", "!Progressing", "!NotAsExpected", summary(total=3), part("p", 2, 3, 3, summary(total=3))
    )
    await stage.becomes(lambda: status(stage, owner), wanted)


@case()
async def another_template(stage: Stage) -> None:
    """The works stay the same objects."""
    fleet, owner = await placed(stage, ("a", "b"))
    before = [w["metadata"]["uid"] for w in await fleet.works()]
    template = {"workload": {"manifests": [config_map("d"), config_map("e")]}}
    await stage.patch(owner, {"spec": {"manifestWorkTemplate": template}})

    async def specs() -> list[Any]:
        return [w["spec"] for w in await fleet.works()]

    await stage.becomes(specs, [template, template])
    assert [w["metadata"]["uid"] for w in await fleet.works()] == before


@case()
async def less_in_a_template(stage: Stage) -> None:
    """What a template no longer says is taken from the works."""
    fleet = Fleet(stage)
    await fleet.clusters("a")
    await fleet.decide("p", ("a",))
    manifests = [config_map("c"), config_map("d")]
    full = {
        "workload": {"manifests": manifests},
        "deleteOption": {"propagationPolicy": "Orphan"},
        "manifestConfigs": [RULE],
        "executor": {
            "subject": {"type": "ServiceAccount", "serviceAccount": {"name": "x", "namespace": "y"}}
        },
    }
    owner = await fleet.set("p", manifestWorkTemplate=full)
    await fleet.places(a="p")
    less = {
        "workload": {"manifests": manifests[:1]},
        "deleteOption": None,
        "manifestConfigs": None,
        "executor": None,
    }
    await stage.patch(owner, {"spec": {"manifestWorkTemplate": less}})

    async def spec() -> Any:
        return (await fleet.work("a"))["spec"]

    await stage.becomes(spec, {"workload": {"manifests": manifests[:1]}})


@case()
async def a_template_with_every_field(stage: Stage) -> None:
    """Defaults that the API puts in make no endless difference."""
    fleet = Fleet(stage)
    await fleet.clusters("a")
    await fleet.decide("p", ("a",))
    identifier = RULE["resourceIdentifier"]
    paths = [{"name": "n", "path": ".metadata.name"}]
    full = {
        "workload": {"manifests": [config_map("c")]},
        "deleteOption": {
            "propagationPolicy": "SelectivelyOrphan",
            "selectivelyOrphans": {"orphaningRules": [identifier]},
        },
        "manifestConfigs": [
            {
                "resourceIdentifier": identifier,
                "feedbackRules": [{"type": "JSONPaths", "jsonPaths": paths}],
                "updateStrategy": {"type": "ServerSideApply", "serverSideApply": {"force": True}},
            }
        ],
    }
    owner = await fleet.set("p", manifestWorkTemplate=full)
    await fleet.places(a="p")
    held = (await stage.get(owner))["spec"]["manifestWorkTemplate"]
    work = await fleet.work("a")
    assert work["spec"] == held
    await fleet.reports("a", DONE)

    async def available() -> Any:
        return (await status(stage, owner))["summary"]

    await stage.becomes(available, summary(total=1, applied=1, available=1))
    assert (await fleet.work("a"))["metadata"]["generation"] == work["metadata"]["generation"]


@case()
async def an_edited_work_is_put_back(stage: Stage) -> None:
    fleet, _ = await placed(stage, ("a",))
    work = await fleet.work("a")

    async def spec() -> Any:
        return (await fleet.work("a"))["spec"]

    await stage.patch(work, {"spec": {"workload": {"manifests": [config_map("z")]}}})
    await stage.becomes(spec, work["spec"])
    await stage.patch(work, {"spec": {"deleteOption": {"propagationPolicy": "Orphan"}}})
    await stage.becomes(spec, work["spec"])


@case()
async def a_deleted_work_is_made_again(stage: Stage) -> None:
    fleet, _ = await placed(stage, ("a",))
    work = await fleet.work("a")
    await stage.delete(work)

    async def another() -> bool:
        found = await fleet.works()
        return [w["metadata"]["uid"] for w in found] not in ([], [work["metadata"]["uid"]])

    await stage.until(another, "another work")


@case()
async def works_of_others_are_left_alone(stage: Stage) -> None:
    fleet = Fleet(stage)
    await fleet.clusters("a", "b")
    await fleet.decide("p", ("a",))
    stranger = {
        "apiVersion": f"{WORK}/v1",
        "kind": "ManifestWork",
        "metadata": {
            "name": stage.name("rs"),
            "namespace": stage.name("b"),
            "labels": {PLACEMENT_LABEL: stage.name("p")},
        },
        "spec": {"workload": {"manifests": [config_map("c")]}},
    }
    made = await stage.create(stranger)
    owner = await fleet.set("p")
    await fleet.places(a="p")
    await stage.delete(owner)
    await stage.gone(owner)
    await fleet.places()
    assert await stage.get(made)


@case()
async def a_cluster_without_a_namespace_yet(stage: Stage) -> None:
    """The others have their works meanwhile."""
    fleet = Fleet(stage)
    await fleet.clusters("a")
    await fleet.decide("p", ("a", "b"))
    await fleet.set("p")
    await fleet.places(a="p")
    await fleet.clusters("b")
    await fleet.places(a="p", b="p")


# --- placements ---


@case()
async def a_placement_there_is_not(stage: Stage) -> None:
    fleet = Fleet(stage)
    await fleet.clusters("a")
    owner = await fleet.set("p")

    async def verified() -> Any:
        return (await status(stage, owner)).get("PlacementVerified")

    await stage.becomes(verified, "!PlacementDecisionNotFound")
    await fleet.decide("p", ("a",))
    await fleet.places(a="p")
    await stage.becomes(verified, "AsExpected")


@case()
async def a_placement_that_goes(stage: Stage) -> None:
    """The works stay: nothing says where they should be instead."""
    fleet, owner = await placed(stage, ("a",))
    found = fleet.placements["p"]
    assert found.placement is not None
    await stage.delete(found.placement)

    async def verified() -> Any:
        return (await status(stage, owner)).get("PlacementVerified")

    await stage.becomes(verified, "!PlacementDecisionNotFound")
    await fleet.places(a="p")


@case()
async def a_placement_of_nobody(stage: Stage) -> None:
    fleet = Fleet(stage)
    await fleet.decide("p", ())
    owner = await fleet.set("p")
    wanted = told(
        "!PlacementDecisionEmpty", "Complete", "!PlacementDecisionEmpty", ZERO, part("p", 1, 0, 0, ZERO)
    )
    await stage.becomes(lambda: status(stage, owner), wanted)


@case()
async def two_placements(stage: Stage) -> None:
    fleet = Fleet(stage)
    await fleet.clusters("a", "b", "c")
    await fleet.decide("p", ("a", "b"))
    await fleet.decide("q", ("c",))
    owner = await fleet.set("p", "q")
    await fleet.places(a="p", b="p", c="q")
    await fleet.reports("c", DONE)
    wanted = told(
        "AsExpected",
        "!Progressing",
        "!NotAsExpected",
        summary(total=3, applied=1, available=1),
        part("p", 1, 2, 2, summary(total=2)),
        part("q", 1, 1, 1, summary(total=1, applied=1, available=1)),
    )
    await stage.becomes(lambda: status(stage, owner), wanted)


@case()
async def a_placement_is_added_and_removed(stage: Stage) -> None:
    fleet = Fleet(stage)
    await fleet.clusters("a", "b")
    await fleet.decide("p", ("a",))
    await fleet.decide("q", ("b",))
    owner = await fleet.set("p")
    await fleet.places(a="p")
    both = [{"name": stage.name("p")}, {"name": stage.name("q")}]
    await stage.patch(owner, {"spec": {"placementRefs": both}})
    await fleet.places(a="p", b="q")
    await stage.patch(owner, {"spec": {"placementRefs": both[1:]}})
    await fleet.places(b="q")


@case(differs="a cluster in two placementRefs gets two works")
async def a_cluster_in_two_placements(stage: Stage) -> None:
    """It has one work, under the first; it keeps it when only the second still selects it."""
    fleet = Fleet(stage)
    await fleet.clusters("a", "b")
    await fleet.decide("p", ("a",))
    await fleet.decide("q", ("a", "b"))
    await fleet.set("p", "q")
    await fleet.places(a="p", b="q")
    before = await fleet.work("a")
    await fleet.decide("p", ())
    await fleet.places(a="q", b="q")
    assert (await fleet.work("a"))["metadata"]["uid"] == before["metadata"]["uid"]


@case()
async def one_of_two_placements_is_missing(stage: Stage) -> None:
    fleet = Fleet(stage)
    await fleet.clusters("a")
    await fleet.decide("q", ("a",))
    owner = await fleet.set("p", "q")

    async def verified() -> Any:
        return (await status(stage, owner)).get("PlacementVerified")

    await stage.becomes(verified, "!PlacementDecisionNotFound")
    await fleet.decide("p", ())
    await fleet.places(a="q")
