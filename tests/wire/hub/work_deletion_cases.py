"""Cases of ManifestWorkReplicaSets: they are deleted, and refused."""

from __future__ import annotations

import pytest

from gitops_ocm.objects.faults import ApiError
from tests.wire.hub.cases import Collected
from tests.wire.hub.stage import Stage
from tests.wire.hub.work_fleet import FINALIZER, Fleet, placed

case = Collected()


@case()
async def deleted_in_the_background(stage: Stage) -> None:
    """The set does not wait for works that something else holds."""
    fleet, owner = await placed(stage, ("a", "b"))
    held = await fleet.work("a")
    await stage.patch(held, {"metadata": {"finalizers": ["example.com/held"]}})
    await stage.delete(owner)
    await stage.gone(owner)
    await fleet.places(a="p")
    assert (await stage.get(held))["metadata"]["deletionTimestamp"]
    await stage.patch(held, {"metadata": {"finalizers": None}})
    await fleet.places()


@case()
async def deleted_in_the_foreground(stage: Stage) -> None:
    """The set stays until its last work is gone."""
    fleet, owner = await placed(stage, ("a", "b"), cascadeDeletionPolicy="Foreground")
    held = await fleet.work("a")
    await stage.patch(held, {"metadata": {"finalizers": ["example.com/held"]}})
    await stage.delete(owner)
    await fleet.places(a="p")
    assert (await stage.get(owner))["metadata"]["finalizers"] == [FINALIZER]
    await stage.patch(held, {"metadata": {"finalizers": None}})
    await stage.gone(owner)
    await fleet.places()


@case()
async def deleted_without_its_placement(stage: Stage) -> None:
    fleet, owner = await placed(stage, ("a",))
    await fleet.placements["p"].withdraw()
    await stage.delete(owner)
    await stage.gone(owner)
    await fleet.places()


@case()
async def a_deleted_set_makes_nothing_anew(stage: Stage) -> None:
    fleet, owner = await placed(stage, ("a",), "b", cascadeDeletionPolicy="Foreground")
    held = await fleet.work("a")
    await stage.patch(held, {"metadata": {"finalizers": ["example.com/held"]}})
    await stage.delete(owner)

    async def deleting() -> bool:
        return "deletionTimestamp" in (await stage.get(held))["metadata"]

    await stage.until(deleting, "the work is being deleted")
    await fleet.decide("p", ("a", "b"))
    await stage.patch(held, {"metadata": {"finalizers": None}})
    await stage.gone(owner)
    await fleet.places()


@case()
async def a_policy_there_is_not_is_refused(stage: Stage) -> None:
    fleet = Fleet(stage)
    with pytest.raises(ApiError) as refused:
        await fleet.set("p", cascadeDeletionPolicy="Orphan")
    assert refused.value.http_code == 422
