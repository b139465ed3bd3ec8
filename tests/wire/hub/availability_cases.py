"""Cases of registration: leases, clocks, taints, and the add-ons of a cluster."""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.objects import (
    cluster_addon,
)
from tests.wire.hub.cases import Collected
from tests.wire.hub.registered import (
    LOST,
    UNAVAILABLE,
    UNREACHABLE,
    joined,
    says,
    taints,
)
from tests.wire.hub.reported import (
    AVAILABLE,
    CLOCK,
    SLOW,
    has_lease,
    is_accepted,
    lease_of,
    reported,
    stamp,
)
from tests.wire.hub.stage import Stage

case = Collected()


@case()
async def a_lease_that_runs_out(stage: Stage) -> None:
    """Five lease durations after the last renewal the cluster is unknown, and tainted."""
    cluster = await joined(stage, lease=1)
    await has_lease(stage)
    await reported(stage, cluster, AVAILABLE, "True")
    await stage.becomes(lambda: taints(stage, cluster), [])
    await stage.becomes(lambda: says(stage, cluster, AVAILABLE), LOST, SLOW)
    await stage.becomes(lambda: taints(stage, cluster), [(UNREACHABLE, "", "NoSelect")])


@case()
async def a_lease_that_is_renewed(stage: Stage) -> None:
    """A renewal puts the end off; the agent alone says that the cluster is back."""
    cluster = await joined(stage, lease=2)
    lease = await has_lease(stage)
    await reported(stage, cluster, AVAILABLE, "True")
    await stage.patch(lease, {"spec": {"renewTime": stamp(-60)}})
    await stage.becomes(lambda: says(stage, cluster, AVAILABLE), LOST)
    await stage.patch(lease, {"spec": {"renewTime": stamp(60)}})
    await is_accepted(stage, await joined(stage, "other"))
    assert await says(stage, cluster, AVAILABLE) == LOST
    await reported(stage, cluster, AVAILABLE, "True")
    await stage.becomes(lambda: taints(stage, cluster), [])
    await is_accepted(stage, await joined(stage, "another"))
    assert await says(stage, cluster, AVAILABLE) == ("True", "Test", "as the agent says")


@case()
async def the_grace_is_five_durations(stage: Stage) -> None:
    cluster = await joined(stage, lease=20)
    lease = await has_lease(stage)
    await reported(stage, cluster, AVAILABLE, "True")
    await stage.patch(lease, {"spec": {"renewTime": stamp(-80)}})
    await is_accepted(stage, await joined(stage, "other"))
    assert await says(stage, cluster, AVAILABLE) == ("True", "Test", "as the agent says")
    await stage.patch(lease, {"spec": {"renewTime": stamp(-101)}})
    await stage.becomes(lambda: says(stage, cluster, AVAILABLE), LOST)


@case()
async def no_duration_means_sixty_seconds(stage: Stage) -> None:
    cluster = await joined(stage, lease=0)
    lease = await has_lease(stage)
    await reported(stage, cluster, AVAILABLE, "True")
    await stage.patch(lease, {"spec": {"renewTime": stamp(-290)}})
    await is_accepted(stage, await joined(stage, "other"))
    assert await says(stage, cluster, AVAILABLE) == ("True", "Test", "as the agent says")
    await stage.patch(lease, {"spec": {"renewTime": stamp(-301)}})
    await stage.becomes(lambda: says(stage, cluster, AVAILABLE), LOST)


@case()
async def a_deleted_lease_is_made_again(stage: Stage) -> None:
    await joined(stage)
    lease = await has_lease(stage)
    await stage.delete(lease)

    async def another() -> bool:
        found = await lease_of(stage)
        return found is not None and found["metadata"]["uid"] != lease["metadata"]["uid"]

    await stage.until(another, "another lease")


@case()
async def a_cluster_that_is_not_well(stage: Stage) -> None:
    cluster = await joined(stage)
    await is_accepted(stage, cluster)
    await stage.becomes(lambda: taints(stage, cluster), [(UNREACHABLE, "", "NoSelect")])
    await reported(stage, cluster, AVAILABLE, "False")
    await stage.becomes(lambda: taints(stage, cluster), [(UNAVAILABLE, "", "NoSelect")])
    await reported(stage, cluster, AVAILABLE, "True")
    await stage.becomes(lambda: taints(stage, cluster), [])
    await reported(stage, cluster, AVAILABLE, "Unknown")
    await stage.becomes(lambda: taints(stage, cluster), [(UNREACHABLE, "", "NoSelect")])


@case()
async def taints_of_others_stay(stage: Stage) -> None:
    mine = {"key": "mine", "value": "v", "effect": "PreferNoSelect"}
    cluster = await joined(stage, taints=[mine])
    wanted = [("mine", "v", "PreferNoSelect")]
    await stage.becomes(lambda: taints(stage, cluster), [*wanted, (UNREACHABLE, "", "NoSelect")])
    await is_accepted(stage, cluster)
    await reported(stage, cluster, AVAILABLE, "True")
    await stage.becomes(lambda: taints(stage, cluster), wanted)


@case()
async def a_taint_that_is_taken_away_comes_back(stage: Stage) -> None:
    cluster = await joined(stage)
    await stage.becomes(lambda: taints(stage, cluster), [(UNREACHABLE, "", "NoSelect")])
    await stage.patch(cluster, {"spec": {"taints": None}})
    await stage.becomes(lambda: taints(stage, cluster), [(UNREACHABLE, "", "NoSelect")])


@case()
async def an_event_tells_of_a_lost_cluster(stage: Stage) -> None:
    await joined(stage)
    lease = await has_lease(stage)
    await stage.patch(lease, {"spec": {"renewTime": stamp(-1000)}})
    text = (
        "The a is successfully imported. However, the connection check from the managed cluster to the hub "
        "cluster has failed"
    )

    async def told() -> bool:
        events = await stage.list("events.k8s.io/v1", "Event", stage.name("a"))
        return any(
            (e["type"], e.get("reason"), stage.plain(e["note"]), e["reportingController"])
            == ("Warning", "AvailableUnknown", text, "registration-controller")
            for e in events
        )

    await stage.until(told, "an event")


CLOCK_TRUE = ("True", "ManagedClusterClockSynced")
CLOCK_FALSE = ("False", "ManagedClusterClockOutOfSync")


async def _clock(stage: Stage, cluster: Object) -> Any:
    found = await says(stage, cluster, CLOCK)
    return found[:2] if found else None


@case()
async def a_clock_that_is_right(stage: Stage) -> None:
    cluster = await joined(stage)
    lease = await has_lease(stage)
    await stage.patch(lease, {"spec": {"renewTime": stamp()}})
    await stage.becomes(lambda: _clock(stage, cluster), CLOCK_TRUE)


@case()
async def a_clock_that_is_wrong(stage: Stage) -> None:
    cluster = await joined(stage)
    lease = await has_lease(stage)
    await stage.patch(lease, {"spec": {"renewTime": stamp(1000)}})
    await stage.becomes(lambda: _clock(stage, cluster), CLOCK_FALSE)
    await stage.patch(lease, {"spec": {"renewTime": stamp(-1000)}})
    await stage.patch(lease, {"spec": {"renewTime": stamp()}})
    await stage.becomes(lambda: _clock(stage, cluster), CLOCK_TRUE)


@case()
async def a_clock_nobody_looks_at(stage: Stage) -> None:
    cluster = await joined(stage)
    mark = "registration.open-cluster-management.io/skip-clock-sync-check"
    await stage.patch(cluster, {"metadata": {"annotations": {mark: "true"}}})
    lease = await has_lease(stage)
    await stage.patch(lease, {"spec": {"renewTime": stamp(1000)}})
    await stage.becomes(lambda: _clock(stage, cluster), CLOCK_TRUE)


# --- add-ons ---


async def _labels(stage: Stage, cluster: Object) -> Any:
    found = (await stage.get(cluster))["metadata"].get("labels") or {}
    return {k: v for k, v in stage.plain(found).items() if k.startswith("feature.")}


@case()
async def labels_for_add_ons(stage: Stage) -> None:
    """They say how each add-on fares, and go with it."""
    cluster = await joined(stage)
    await is_accepted(stage, cluster)
    made = await stage.create(cluster_addon("web", stage.name("a")))
    await reported(stage, cluster, AVAILABLE, "True")
    key = "feature.open-cluster-management.io/addon-web"
    await stage.becomes(lambda: _labels(stage, cluster), {key: "unreachable"})
    for status, label in (("True", "available"), ("False", "unhealthy"), ("Unknown", "unreachable")):
        await reported(stage, made, "Available", status)
        await stage.becomes(lambda: _labels(stage, cluster), {key: label})
    await stage.delete(made)
    await stage.becomes(lambda: _labels(stage, cluster), {})


@case()
async def a_label_that_is_changed_is_put_back(stage: Stage) -> None:
    cluster = await joined(stage)
    await is_accepted(stage, cluster)
    await reported(stage, cluster, AVAILABLE, "True")
    made = await stage.create(cluster_addon("web", stage.name("a")))
    await reported(stage, made, "Available", "True")
    key = "feature.open-cluster-management.io/addon-web"
    await stage.becomes(lambda: _labels(stage, cluster), {key: "available"})
    await stage.patch(cluster, {"metadata": {"labels": {key: "no"}}})
    await stage.becomes(lambda: _labels(stage, cluster), {key: "available"})
    await stage.patch(cluster, {"metadata": {"labels": {key.replace("web", "old"): "available"}}})
    await stage.becomes(lambda: _labels(stage, cluster), {key: "available"})


@case()
async def add_ons_of_a_lost_cluster_are_unknown(stage: Stage) -> None:
    cluster = await joined(stage)
    lease = await has_lease(stage)
    await reported(stage, cluster, AVAILABLE, "True")
    made = await stage.create(cluster_addon("web", stage.name("a")))
    await reported(stage, made, "Available", "True")
    await stage.patch(lease, {"spec": {"renewTime": stamp(-1000)}})
    await stage.becomes(lambda: says(stage, made, "Available"), LOST)
    await stage.becomes(
        lambda: _labels(stage, cluster), {"feature.open-cluster-management.io/addon-web": "unreachable"}
    )
