"""Histories of a whole fleet with an add-on: what people do, and on which clusters the add-on is then.

The add-on is the one every user of OCM begins with: `helloworld`, for the clusters whose claim says that
they run on AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.contract import Create, Delete, MergePatch, Propagation, Write
from gitops_ocm.decide.kinds import (
    CLUSTER_ADDON,
    CLUSTER_CLAIM,
    MANAGEMENT_ADDON,
    PLACEMENT,
    PLACEMENT_DECISION,
    cluster_ref,
)
from gitops_ocm.decide.placement.decisions import clusters_in
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import Fleet

PLATFORM = "platform.open-cluster-management.io"
CLAIM = Ref(*CLUSTER_CLAIM, "", PLATFORM)
CMA = Ref(*MANAGEMENT_ADDON, "", "helloworld")
AWS = Ref(*PLACEMENT, "fleet", "placement-aws")
FEATURE = "feature.open-cluster-management.io/addon-helloworld"
LIFECYCLE = {"addon.open-cluster-management.io/lifecycle": "addon-manager"}
MakeFleet = Callable[..., Fleet]


def helloworld() -> Object:
    """The add-on, for the clusters of `placement-aws`."""
    return make.addon("helloworld", [("fleet", "placement-aws")], annotations=LIFECYCLE)


def placement_aws() -> Object:
    """The placement that looks for the claim; it stays with a cluster whatever its taints."""
    on_aws = {"matchExpressions": [{"key": PLATFORM, "operator": "In", "values": ["AWS"]}]}
    required = {"requiredClusterSelector": {"claimSelector": on_aws}}
    return make.placement(
        "placement-aws", "fleet", predicates=[required], tolerations=[{"operator": "Exists"}]
    )


def on(cluster: str) -> Ref:
    """The add-on on a cluster."""
    return Ref(*CLUSTER_ADDON, cluster, "helloworld")


def where(fleet: Fleet) -> list[str]:
    """The clusters that have the add-on."""
    return [addon["metadata"]["namespace"] for addon in fleet.hub.list(CLUSTER_ADDON)]


@pytest.fixture
def fleets() -> Iterator[MakeFleet]:
    """Makes fleets with the add-on, on AWS or not, and holds them to rest in the end."""
    made: list[Fleet] = []

    def fleet(**platforms: str) -> Fleet:
        made.append(Fleet(platforms))
        for name, platform in platforms.items():
            made[-1].create(make.managed_cluster(name))
            made[-1].create(make.cluster_claim(PLATFORM, platform), cluster=name)
        made[-1].create(make.binding("default", "fleet"), placement_aws(), helloworld())
        return made[-1]

    yield fleet
    for each in made:
        each.simulation.settle()
        assert each.simulation.unsettled() == []


def test_the_add_on_is_on_the_clusters_with_the_claim(fleets: MakeFleet) -> None:
    """From the claim on the cluster to the ManagedClusterAddOn and the cluster's label."""
    fleet = fleets(c1="AWS", c2="GCP", c3="AWS")
    assert where(fleet) == ["c1", "c3"]
    assert fleet.get(cluster_ref("c1"))["metadata"]["labels"][FEATURE] == "unreachable"
    assert FEATURE not in fleet.get(cluster_ref("c2"))["metadata"]["labels"]


def test_it_follows_the_claim(fleets: MakeFleet) -> None:
    """A cluster that gains the claim gets the add-on, one that loses it loses the add-on."""
    fleet = fleets(c1="AWS", c2="GCP")
    fleet.patch(CLAIM, {"spec": {"value": "AWS"}}, cluster="c2")
    assert where(fleet) == ["c1", "c2"]
    fleet.delete(CLAIM, cluster="c1")
    assert where(fleet) == ["c2"]
    assert FEATURE not in fleet.get(cluster_ref("c1"))["metadata"]["labels"]
    fleet.patch(CLAIM, {"spec": {"value": "bare metal"}}, cluster="c2")
    assert where(fleet) == []


def test_a_deleted_installation_comes_back(fleets: MakeFleet) -> None:
    """Where the placement still selects the cluster a person cannot uninstall: another object is made."""
    fleet = fleets(c1="AWS")
    before = fleet.get(on("c1"))["metadata"]["uid"]
    fleet.delete(on("c1"))
    assert fleet.get(on("c1"))["metadata"]["uid"] != before


def test_a_deleted_installation_comes_back_only_once_its_hooks_have_run(fleets: MakeFleet) -> None:
    """While a finalizer holds it nothing is made; the label goes at once."""
    fleet = fleets(c1="AWS")
    hook = {"metadata": {"finalizers": ["addon.open-cluster-management.io/addon-pre-delete"]}}
    fleet.patch(on("c1"), hook)
    before = fleet.get(on("c1"))["metadata"]["uid"]
    fleet.delete(on("c1"))
    assert fleet.get(on("c1"))["metadata"]["uid"] == before
    assert FEATURE not in fleet.get(cluster_ref("c1"))["metadata"]["labels"]
    fleet.patch(on("c1"), {"metadata": {"finalizers": None}})
    assert fleet.get(on("c1"))["metadata"]["uid"] != before


@pytest.mark.parametrize("propagation", [Propagation.BACKGROUND, Propagation.FOREGROUND])
def test_deleting_the_add_on_removes_it_everywhere(fleets: MakeFleet, propagation: Propagation) -> None:
    """Its installations go with it, those made by hand too, and none is made anew meanwhile."""
    fleet = fleets(c1="AWS", c2="GCP")
    fleet.patch(CMA, {"spec": {"installStrategy": {"type": "Manual", "placements": None}}})
    fleet.create(make.cluster_addon("helloworld", "c2"))
    assert where(fleet) == ["c1", "c2"]
    (result,) = fleet.simulation.act(Delete(CMA, propagation=propagation))
    assert result.ok
    fleet.simulation.settle()
    assert where(fleet) == []
    assert fleet.hub.get(CMA) is None


def test_a_held_installation_holds_an_add_on_deleted_in_the_foreground(fleets: MakeFleet) -> None:
    """The deletion waits for the hooks of one cluster; the other clusters do not get the add-on back."""
    fleet = fleets(c1="AWS", c2="AWS")
    fleet.patch(on("c1"), {"metadata": {"finalizers": ["a/hook"]}})
    fleet.simulation.act(Delete(CMA, propagation=Propagation.FOREGROUND))
    fleet.simulation.settle()
    assert (where(fleet), fleet.hub.get(CMA) is not None) == (["c1"], True)
    fleet.patch(on("c1"), {"metadata": {"finalizers": None}})
    assert (where(fleet), fleet.hub.get(CMA)) == ([], None)


def test_a_deleted_cluster_takes_its_add_ons_with_it_in_their_order(fleets: MakeFleet) -> None:
    """Cleanup priority decides what goes first, also where the placement has let the cluster go at once."""
    fleet = fleets(c1="AWS", c2="AWS")
    last = {"metadata": {"annotations": {"open-cluster-management.io/cleanup-priority": "50"}}}
    fleet.patch(on("c1"), last)
    fleet.create(make.cluster_addon("first", "c1"))
    first = Ref(*CLUSTER_ADDON, "c1", "first")
    fleet.patch(first, {"metadata": {"finalizers": ["a/hook"]}})
    fleet.delete(cluster_ref("c1"))
    assert "deletionTimestamp" not in fleet.get(on("c1"))["metadata"]
    fleet.patch(first, {"metadata": {"finalizers": None}})
    fleet.advance(seconds=10)
    assert where(fleet) == ["c2"]
    assert fleet.hub.get(cluster_ref("c1")) is None


def test_a_lost_clusters_add_ons_are_unknown_and_stay(fleets: MakeFleet) -> None:
    """The lease stops: the add-on is kept, Unknown for the cluster's reason, and so labelled."""
    fleet = fleets(c1="AWS")
    available = {"type": "Available", "status": "True", "reason": "Up", "message": ""}
    said = {**available, "lastTransitionTime": "2026-01-01T00:00:00Z"}
    lost = make.managed_cluster("lost")  # which has no agent
    lost["status"] = {"clusterClaims": [{"name": PLATFORM, "value": "AWS"}]}
    fleet.create(lost)
    fleet.simulation.act(MergePatch(cluster_ref("lost"), {"status": lost["status"]}, subresource="status"))
    for addon in map(on, ("c1", "lost")):
        own = {"conditions": [said], "healthCheck": {"mode": "Customized"}}  # no lease says how it fares
        fleet.simulation.act(MergePatch(addon, {"status": own}, subresource="status"))
    fleet.advance(seconds=301)
    assert where(fleet) == ["c1", "lost"]
    assert fleet.condition(on("c1"), "Available") == ("True", "Up", "")
    assert fleet.condition(on("lost"), "Available") == (
        "Unknown",
        "ManagedClusterLeaseUpdateStopped",
        "Registration agent stopped updating its lease.",
    )
    values = [fleet.get(cluster_ref(name))["metadata"]["labels"][FEATURE] for name in ("c1", "lost")]
    assert values == ["available", "unreachable"]


def test_a_deleted_placement_takes_nothing_away_and_a_new_one_is_waited_for(fleets: MakeFleet) -> None:
    """Deleting and restoring a placement, as a careless commit and its revert do, is no uninstallation."""
    fleet = fleets(c1="AWS", c2="AWS")
    before = [a["metadata"]["uid"] for a in fleet.hub.list(CLUSTER_ADDON)]
    fleet.delete(AWS)
    assert fleet.hub.list(PLACEMENT_DECISION) == []
    assert where(fleet) == ["c1", "c2"]
    fleet.create(placement_aws())
    assert [a["metadata"]["uid"] for a in fleet.hub.list(CLUSTER_ADDON)] == before


def test_from_placements_to_manual_and_back(fleets: MakeFleet) -> None:
    """Manual keeps what is there and lets people choose; Placements decides again for all."""
    fleet = fleets(c1="AWS", c2="GCP")
    fleet.patch(CMA, {"spec": {"installStrategy": {"type": "Manual"}}})
    fleet.create(make.cluster_addon("helloworld", "c2"))
    (owner,) = fleet.get(on("c2"))["metadata"]["ownerReferences"]
    assert (owner["name"], owner["uid"]) == ("helloworld", fleet.get(CMA)["metadata"]["uid"])
    fleet.delete(on("c1"))
    assert where(fleet) == ["c2"]
    fleet.patch(CMA, {"spec": {"installStrategy": {"type": "Placements"}}})
    assert where(fleet) == ["c1"]


def test_an_add_on_waits_for_a_cluster_to_be_accepted(fleets: MakeFleet) -> None:
    """A selected cluster without a namespace gets the add-on as soon as it is accepted."""
    fleet = fleets(c1="GCP")
    fleet.create(make.managed_cluster("new", accepted=False))
    status = {"clusterClaims": [{"name": PLATFORM, "value": "AWS"}]}
    fleet.simulation.act(MergePatch(cluster_ref("new"), {"status": status}, subresource="status"))
    fleet.simulation.settle()
    decision = fleet.get(Ref(*PLACEMENT_DECISION, "fleet", "placement-aws-decision-1"))
    assert (clusters_in(decision), where(fleet)) == (["new"], [])
    assert fleet.simulation.failing() == {}
    fleet.patch(cluster_ref("new"), {"spec": {"hubAcceptsClient": True}})
    assert where(fleet) == ["new"]


NAMES = ("c1", "c2")
ACTS: Sequence[tuple[str, Write]] = [
    *((name, Create(make.cluster_claim(PLATFORM, "AWS"))) for name in NAMES),
    *((name, MergePatch(CLAIM, {"spec": {"value": value}})) for name in NAMES for value in ("AWS", "GCP")),
    *((name, Delete(CLAIM)) for name in NAMES),
    *(("", Delete(on(name))) for name in NAMES),
    ("", Create(make.cluster_addon("helloworld", "c1"))),
    ("", Delete(CMA)),
    ("", Create(helloworld())),
    ("", MergePatch(AWS, {"spec": {"numberOfClusters": 1}})),
    ("", MergePatch(AWS, {"spec": {"numberOfClusters": None}})),
    ("", Delete(cluster_ref("c2"))),
    ("", Create(make.managed_cluster("c2"))),
]


@pytest.mark.slow
@given(st.lists(st.sampled_from(ACTS), max_size=12))
@settings(derandomize=True, deadline=None, max_examples=120)
def test_whatever_happens_the_add_on_is_where_the_placement_says(acts: list[tuple[str, Write]]) -> None:
    """Random histories, possible or not: at rest the decisions and the installations agree, all owned."""
    fleet = Fleet(NAMES)
    fleet.create(*map(make.managed_cluster, NAMES), make.binding("default", "fleet"), placement_aws())
    fleet.create(helloworld())
    for cluster, write in acts:
        fleet.simulation.act(write, cluster=cluster)
        fleet.simulation.settle()
    fleet.advance(minutes=1)
    assert [found for found in fleet.simulation.unsettled() if found[1].startswith("addon")] == []
    cma = fleet.hub.get(CMA)
    if cma is None:
        assert all(not a["metadata"].get("ownerReferences") for a in fleet.hub.list(CLUSTER_ADDON))
        return
    decided = {c for pd in fleet.hub.list(PLACEMENT_DECISION, "fleet") for c in clusters_in(pd)}
    assert where(fleet) == sorted(decided)
    owners = [a["metadata"]["ownerReferences"] for a in fleet.hub.list(CLUSTER_ADDON)]
    assert all([o["uid"] for o in held] == [cma["metadata"]["uid"]] for held in owners)
