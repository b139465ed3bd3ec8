"""Histories of replica sets and their placements in memory."""

from __future__ import annotations

import pytest

from gitops_ocm.decide.kinds import (
    APPLIED_WORK,
    MANIFEST_WORK,
    PLACEMENT,
    PLACEMENT_DECISION,
)
from gitops_ocm.objects.ref import Ref
from gitops_ocm.testing import objects as make
from tests.simulate.histories import CONFIG, SET, WEB, WORK, Fleets, manifests


def test_a_replica_set_reaches_the_clusters_its_placement_selects_and_takes_it_all_back(
    fleets: Fleets,
) -> None:
    """One commit to many clusters: placement, works, objects, status; then everything goes."""
    fleet = fleets("c1", "c2", "c3")
    fleet.create(
        make.binding("default", "fleet"),
        make.placement("p", "fleet", numberOfClusters=2),
        make.replica_set("web", "fleet", ["p"], manifests()),
    )
    works = fleet.hub.list(MANIFEST_WORK)
    assert [w["metadata"]["namespace"] for w in works] == ["c1", "c2"]
    assert {w["metadata"]["labels"]["work.open-cluster-management.io/placementname"] for w in works} == {"p"}
    for cluster in ("c1", "c2"):
        assert fleet.get(CONFIG, cluster=cluster)["data"] == {"value": "1"}
        assert fleet.get(WEB, cluster=cluster)
    assert fleet.spoke("c3").get(CONFIG) is None
    assert fleet.condition(SET, "PlacementVerified") == ("True", "AsExpected", "")
    assert fleet.condition(SET, "PlacementRolledOut") == ("True", "Complete", "")
    assert fleet.condition(SET, "ManifestworkApplied") == ("True", "AsExpected", "")
    assert fleet.get(SET)["status"]["summary"] == {
        "total": 2,
        "applied": 2,
        "available": 2,
        "progressing": 0,
        "degraded": 0,
    }
    assert fleet.get(SET)["status"]["placementSummary"][0]["availableDecisionGroups"] == (
        "1 (2 / 2 clusters applied)"
    )
    fleet.delete(SET)
    assert fleet.hub.list(MANIFEST_WORK) == []
    for cluster in ("c1", "c2"):
        assert fleet.spoke(cluster).get(CONFIG) is None
        assert fleet.spoke(cluster).list(APPLIED_WORK) == []


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
def test_a_deleted_replica_set_waits_for_its_works_only_in_the_foreground(
    fleets: Fleets, policy: str
) -> None:
    """A cluster without an agent cannot let its work go: Foreground waits, Background does not."""
    fleet = fleets()
    fleet.create(make.managed_cluster("c1"))
    fleet.create(
        make.binding("default", "fleet"),
        make.placement(
            "p",
            "fleet",
            tolerations=[{"operator": "Exists"}],
        ),
        make.replica_set("web", "fleet", ["p"], manifests(), cascadeDeletionPolicy=policy),
    )
    (work,) = fleet.hub.list(MANIFEST_WORK)
    fleet.patch(Ref(*MANIFEST_WORK, "c1", work["metadata"]["name"]), {"metadata": {"finalizers": ["x/y"]}})
    fleet.delete(SET)
    assert (fleet.hub.get(SET) is not None) == (policy == "Foreground")
    fleet.patch(Ref(*MANIFEST_WORK, "c1", work["metadata"]["name"]), {"metadata": {"finalizers": None}})
    assert fleet.hub.get(SET) is None


def test_a_changed_template_reaches_the_clusters_and_what_it_drops_is_removed(
    fleets: Fleets,
) -> None:
    """A new value arrives; a manifest that left the work leaves the cluster."""
    fleet = fleets("c1")
    fleet.create(make.manifest_work("web", "c1", manifests()))
    fleet.patch(WORK, {"spec": {"workload": {"manifests": manifests("2")[1:]}}})
    assert fleet.get(CONFIG, cluster="c1")["data"] == {"value": "2"}
    assert fleet.spoke("c1").get(WEB) is None
    (anchor,) = fleet.spoke("c1").list(APPLIED_WORK)
    assert [r["resource"] for r in anchor["status"]["appliedResources"]] == ["configmaps", "namespaces"]
    assert [
        e["resourceMeta"]["ordinal"] for e in fleet.get(WORK)["status"]["resourceStatus"]["manifests"]
    ] == [
        0,
        1,
    ]


def test_a_deleted_placement_takes_its_decisions_along_but_not_the_works(
    fleets: Fleets,
) -> None:
    """Without its placement a replica set says so and leaves what is there."""
    fleet = fleets("c1")
    fleet.create(
        make.binding("default", "fleet"),
        make.placement("p", "fleet"),
        make.replica_set("web", "fleet", ["p"], manifests()),
    )
    fleet.delete(Ref(*PLACEMENT, "fleet", "p"))
    assert fleet.hub.list(PLACEMENT_DECISION) == []
    assert fleet.condition(SET, "PlacementVerified") == ("False", "PlacementDecisionNotFound", "")
    assert len(fleet.hub.list(MANIFEST_WORK)) == 1


def test_a_cluster_that_two_placements_select_gets_one_work(fleets: Fleets) -> None:
    """Overlapping placement references: one work, counted under the first of them."""
    fleet = fleets("c1", "c2")
    fleet.create(
        make.binding("default", "fleet"),
        make.placement("all", "fleet"),
        make.placement("one", "fleet", numberOfClusters=1),
        make.replica_set("web", "fleet", ["one", "all"], manifests()),
    )
    works = fleet.hub.list(MANIFEST_WORK)
    labels = [w["metadata"]["labels"]["work.open-cluster-management.io/placementname"] for w in works]
    assert sorted(w["metadata"]["namespace"] for w in works) == ["c1", "c2"]
    assert sorted(labels) == ["all", "one"]
    assert fleet.condition(SET, "PlacementRolledOut") == ("True", "Complete", "")


def test_a_rollout_strategy_that_makes_no_sense_writes_nothing_and_says_so(fleets: Fleets) -> None:
    """A number in quotes passes the definition; it is never taken for another limit."""
    fleet = fleets("c1")
    wanted = make.replica_set("web", "fleet", ["p"], manifests())
    wanted["spec"]["placementRefs"][0]["rolloutStrategy"] = {
        "type": "Progressive",
        "progressive": {"maxConcurrency": "5"},
    }
    fleet.create(make.binding("default", "fleet"), make.placement("p", "fleet"), wanted)
    assert fleet.hub.list(MANIFEST_WORK) == []
    assert fleet.condition(SET, "PlacementVerified") == (
        "False",
        "NotAsExpected",
        (
            "failed to parse the provided maxConcurrency: '5' is an invalid maximum threshold value: "
            "string is not a percentage"
        ),
    )
