"""What the hub makes of an accepted cluster, write by write."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gitops_ocm.api.cluster import CLUSTER_FINALIZER
from gitops_ocm.decide.contract import Apply, Delete, MergePatch, Result, Side
from gitops_ocm.decide.kinds import cluster_ref
from gitops_ocm.decide.registration import Acceptance
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.objects.faults import ApiError, conflict, not_found
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.view import WorldView
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CLUSTERS = ("cluster.open-cluster-management.io", "managedclusters", "c1")


def hub() -> WorldView:
    """A hub with one accepted cluster that nothing has been made for."""
    world = World(load_catalog(), namespaces=[])
    world.put(make.managed_cluster("c1"))
    return WorldView({Side.HUB: world}, {})


@pytest.mark.parametrize(
    ("error", "backs_off"),
    [(not_found(*CLUSTERS), True), (conflict(*CLUSTERS, "it has moved on"), False)],
    ids=["gone", "moved-on"],
)
def test_nothing_is_made_for_a_cluster_that_cannot_be_marked(error: ApiError, backs_off: bool) -> None:
    """A cluster deleted before it had the finalizer leaves no rights behind that nobody takes away."""
    first = Acceptance(HubSettings())(hub(), cluster_ref("c1"), NOW)
    (mark,) = first.actions
    assert isinstance(mark, MergePatch)
    assert CLUSTER_FINALIZER in mark.body["metadata"]["finalizers"]
    assert first.then is not None
    second = first.then([Result(mark, error=error)])
    assert not second.actions
    assert bool(second.retry) is backs_off


def test_rights_follow_the_mark() -> None:
    """Once the cluster carries the finalizer, its namespace and rights are made."""
    view = hub()
    first = Acceptance(HubSettings())(view, cluster_ref("c1"), NOW)
    assert first.then is not None
    second = first.then([Result(first.actions[0], obj=view.get(cluster_ref("c1")))])
    made = [write.obj["kind"] for write in second.actions if isinstance(write, Apply)]
    assert made == ["Namespace", "ClusterRole", "ClusterRoleBinding", "RoleBinding", "RoleBinding"]


def test_denied_before_anybody_said_it_was_accepted() -> None:
    """Killed between the rights and the condition, then denied: the rights go all the same."""
    view = hub()
    first = Acceptance(HubSettings())(view, cluster_ref("c1"), NOW)
    assert first.then is not None
    second = first.then([Result(first.actions[0], obj=view.get(cluster_ref("c1")))])
    world = World(load_catalog(), namespaces=["c1"])
    world.put(make.managed_cluster("c1", accepted=False))
    untouched = Acceptance(HubSettings())(WorldView({Side.HUB: world}, {}), cluster_ref("c1"), NOW)
    assert not untouched.actions
    for write in second.actions:
        if isinstance(write, Apply) and write.obj["kind"] != "Namespace":
            world.put(write.obj)
    denied = Acceptance(HubSettings())(WorldView({Side.HUB: world}, {}), cluster_ref("c1"), NOW)
    gone = {write.ref.name for write in denied.actions if isinstance(write, Delete)}
    assert gone == {
        f"open-cluster-management:managedcluster:c1:{agent}" for agent in ("registration", "work")
    }
    (role,) = (w.obj for w in denied.actions if isinstance(w, Apply) and w.obj["kind"] == "ClusterRole")
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
