"""The ends of works in memory: what goes with them, what stays, and what is waited for."""

from __future__ import annotations

import pytest

from gitops_ocm.decide.contract import (
    Delete,
    Update,
)
from gitops_ocm.decide.kinds import (
    APPLIED_WORK,
    MANIFEST_WORK,
)
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.testing import objects as make
from tests.simulate.histories import CONFIG, WORK, Fleets


@pytest.mark.parametrize(
    ("option", "left"),
    [
        ({"propagationPolicy": "Foreground"}, []),
        ({"propagationPolicy": "Orphan"}, ["a", "b"]),
        (
            {
                "propagationPolicy": "SelectivelyOrphan",
                "selectivelyOrphans": {
                    "orphaningRules": [
                        {"group": "", "resource": "configmaps", "name": "b", "namespace": "default"}
                    ]
                },
            },
            ["b"],
        ),
        ({"propagationPolicy": "SelectivelyOrphan"}, []),
    ],
)
def test_deleting_a_work_leaves_behind_what_it_says(fleets: Fleets, option: Object, left: list[str]) -> None:
    """The delete options decide which objects stay."""
    fleet = fleets("c1")
    configs = [make.config_map("a"), make.config_map("b")]
    fleet.create(make.manifest_work("web", "c1", configs, deleteOption=option))
    fleet.delete(WORK)
    assert fleet.hub.get(WORK) is None
    kept = fleet.spoke("c1").list(CONFIG.of)
    assert [o["metadata"]["name"] for o in kept] == left
    assert all("ownerReferences" not in o["metadata"] for o in kept)


def test_an_object_of_two_works_stays_until_the_last_of_them_goes(fleets: Fleets) -> None:
    """Both works own it; the first to go only takes its own ownership away."""
    fleet = fleets("c1")
    for name in ("web", "other"):
        fleet.create(make.manifest_work(name, "c1", [make.config_map("a")]))
    shared = Ref("", "ConfigMap", "default", "a")
    assert len(fleet.get(shared, cluster="c1")["metadata"]["ownerReferences"]) == 2
    fleet.delete(WORK)
    assert len(fleet.get(shared, cluster="c1")["metadata"]["ownerReferences"]) == 1
    fleet.delete(Ref(*MANIFEST_WORK, "c1", "other"))
    assert fleet.spoke("c1").get(shared) is None


def test_an_applied_object_with_a_finalizer_is_waited_for(fleets: Fleets) -> None:
    """Foreground: the work stays, saying that it is being deleted, until the last object is gone."""
    fleet = fleets("c1")
    fleet.create(make.manifest_work("web", "c1", [make.config_map("a")]))
    held = Ref("", "ConfigMap", "default", "a")
    fleet.patch(held, {"metadata": {"finalizers": ["example.com/hold"]}}, cluster="c1")
    fleet.delete(WORK)
    assert fleet.condition(WORK, "Deleting") == ("True", "WorkDeleting", "ManifestWork is being deleted")
    fleet.patch(held, {"metadata": {"finalizers": None}}, cluster="c1")
    assert fleet.hub.get(WORK) is None


def test_works_without_a_cluster_stay(fleets: Fleets) -> None:
    """A namespace that no ManagedCluster goes with is not the hub's to empty, as on OCM's hub."""
    fleet = fleets()
    fleet.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "c9"}})
    fleet.create(make.manifest_work("early", "c9", [make.config_map("a")]))
    assert fleet.hub.get(Ref(*MANIFEST_WORK, "c9", "early")) is not None
    fleet.create(make.managed_cluster("c9"))
    assert fleet.hub.get(Ref(*MANIFEST_WORK, "c9", "early")) is not None


def test_what_an_orphaned_work_applied_goes_after_the_grace_period(fleets: Fleets) -> None:
    """A work torn away without its finalizer: its objects stay an hour, in case it comes back."""
    fleet = fleets("c1")
    fleet.create(make.manifest_work("web", "c1", [make.config_map("a")]))
    fleet.simulation.act(
        Update({**fleet.get(WORK), "metadata": {**fleet.get(WORK)["metadata"], "finalizers": []}}),
        Delete(WORK),
    )
    fleet.simulation.settle()
    fleet.advance(minutes=59)
    assert fleet.spoke("c1").get(Ref("", "ConfigMap", "default", "a")) is not None
    fleet.advance(minutes=2)
    assert fleet.spoke("c1").get(Ref("", "ConfigMap", "default", "a")) is None
    assert fleet.spoke("c1").list(APPLIED_WORK) == []


def test_an_orphaned_work_that_comes_back_in_time_keeps_its_objects(fleets: Fleets) -> None:
    """Restoring a hub from a backup: the objects are the same ones, never deleted in between."""
    fleet = fleets("c1")
    work = make.manifest_work("web", "c1", [make.config_map("a")])
    fleet.create(work)
    uid = fleet.get(Ref("", "ConfigMap", "default", "a"), cluster="c1")["metadata"]["uid"]
    live = fleet.get(WORK)
    fleet.simulation.act(Update({**live, "metadata": {**live["metadata"], "finalizers": []}}), Delete(WORK))
    fleet.advance(minutes=30)
    fleet.create(work)
    fleet.advance(hours=3)
    assert fleet.get(Ref("", "ConfigMap", "default", "a"), cluster="c1")["metadata"]["uid"] == uid
    (anchor,) = fleet.spoke("c1").list(APPLIED_WORK)
    assert "evictionStartTime" not in anchor["status"]
