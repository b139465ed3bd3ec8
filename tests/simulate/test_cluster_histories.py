"""Histories of clusters in memory: accepted, denied, lost, deleted."""

from __future__ import annotations

from gitops_ocm.decide.kinds import (
    CLUSTER_ROLE,
    MANIFEST_WORK,
    PLACEMENT_DECISION,
    ROLE_BINDING,
    cluster_ref,
)
from gitops_ocm.objects.ref import Ref
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import names
from tests.simulate.histories import CONFIG, WORK, Fleets, manifests

PREFIX = "open-cluster-management:managedcluster:"


def test_an_accepted_cluster_gets_its_namespace_rights_and_lease_and_becomes_available(
    fleets: Fleets,
) -> None:
    """From hubAcceptsClient to Available, with everything OCM makes on the way."""
    fleet = fleets("c1")
    cluster = fleet.get(cluster_ref("c1"))
    assert fleet.condition(cluster_ref("c1"), "HubAcceptedManagedCluster") == (
        "True",
        "HubClusterAdminAccepted",
        "Accepted by hub cluster admin",
    )
    assert fleet.condition(cluster_ref("c1"), "ManagedClusterJoined") == (
        "True",
        "ManagedClusterJoined",
        "Managed cluster joined",
    )
    assert fleet.condition(cluster_ref("c1"), "ManagedClusterConditionAvailable") == (
        "True",
        "ManagedClusterAvailable",
        "Managed cluster is available",
    )
    assert cluster["spec"].get("taints") is None
    assert cluster["status"]["version"] == {"kubernetes": "v1.35.4"}
    assert (
        fleet.get(Ref("", "Namespace", "", "c1"))["metadata"]["labels"][
            "open-cluster-management.io/cluster-name"
        ]
        == "c1"
    )
    assert len(fleet.get(Ref(*CLUSTER_ROLE, "", PREFIX + "c1"))["rules"]) == 4
    assert names(fleet.hub.list(ROLE_BINDING, "c1")) == [
        f"RoleBinding.rbac.authorization.k8s.io c1/{PREFIX}c1:registration",
        f"RoleBinding.rbac.authorization.k8s.io c1/{PREFIX}c1:work",
    ]
    assert (
        fleet.get(Ref("coordination.k8s.io", "Lease", "c1", "managed-cluster-lease"))["spec"][
            "holderIdentity"
        ]
        == "managed-cluster-lease"
    )


def test_a_cluster_that_only_asks_gets_nothing_but_a_taint(fleets: Fleets) -> None:
    """Without acceptance there is no namespace, no condition and no way to be selected."""
    fleet = fleets()
    fleet.create(make.managed_cluster("c1", accepted=False))
    cluster = fleet.get(cluster_ref("c1"))
    assert not (cluster.get("status") or {}).get("conditions")
    assert [t["key"] for t in cluster["spec"]["taints"]] == ["cluster.open-cluster-management.io/unreachable"]
    assert fleet.hub.get(Ref("", "Namespace", "", "c1")) is None


def test_a_denied_cluster_loses_its_rights_once_its_works_are_gone(fleets: Fleets) -> None:
    """The work agent keeps its binding until the last work has left, then the condition turns False."""
    fleet = fleets("c1")
    fleet.create(make.manifest_work("web", "c1", manifests()))
    fleet.patch(cluster_ref("c1"), {"spec": {"hubAcceptsClient": False}})
    assert len(fleet.get(Ref(*CLUSTER_ROLE, "", PREFIX + "c1"))["rules"]) == 1
    assert [b["metadata"]["name"] for b in fleet.hub.list(ROLE_BINDING, "c1")] == [f"{PREFIX}c1:work"]
    accepted = fleet.condition(cluster_ref("c1"), "HubAcceptedManagedCluster")
    assert accepted is not None
    assert accepted[0] == "True"
    fleet.delete(WORK)
    assert fleet.hub.list(ROLE_BINDING, "c1") == []
    assert fleet.condition(cluster_ref("c1"), "HubAcceptedManagedCluster") == (
        "False",
        "HubClusterAdminDenied",
        "Denied by hub cluster admin",
    )
    fleet.patch(cluster_ref("c1"), {"spec": {"hubAcceptsClient": True}})
    assert len(fleet.hub.list(ROLE_BINDING, "c1")) == 2


def test_a_change_of_mind_while_works_remain_gives_the_rights_back(fleets: Fleets) -> None:
    """Denied and accepted again: the binding that was going goes, and comes anew."""
    fleet = fleets("c1")
    fleet.create(make.manifest_work("web", "c1", manifests()))
    fleet.patch(cluster_ref("c1"), {"spec": {"hubAcceptsClient": False}})
    fleet.patch(cluster_ref("c1"), {"spec": {"hubAcceptsClient": True}})
    bindings = fleet.hub.list(ROLE_BINDING, "c1")
    assert [b["metadata"].get("deletionTimestamp") for b in bindings] == [None, None]
    assert len(fleet.get(Ref(*CLUSTER_ROLE, "", PREFIX + "c1"))["rules"]) == 4


def test_a_lost_cluster_turns_unknown_exactly_at_five_leases_and_leaves_its_placements(
    fleets: Fleets,
) -> None:
    """Lease stops, 300 seconds later Available is Unknown, the taint is there and the decision moves."""
    fleet = fleets("c2")
    fleet.create(make.managed_cluster("c1"))  # which has no agent
    fleet.create(make.binding("default", "fleet"), make.placement("p", "fleet", numberOfClusters=1))
    fleet.advance(seconds=299)
    assert fleet.condition(cluster_ref("c1"), "ManagedClusterConditionAvailable") is None
    fleet.advance(seconds=1)
    assert fleet.condition(cluster_ref("c1"), "ManagedClusterConditionAvailable") == (
        "Unknown",
        "ManagedClusterLeaseUpdateStopped",
        "Registration agent stopped updating its lease.",
    )
    assert fleet.condition(cluster_ref("c2"), "ManagedClusterConditionAvailable") is not None
    decision = fleet.get(Ref(*PLACEMENT_DECISION, "fleet", "p-decision-1"))
    assert decision["status"]["decisions"] == [{"clusterName": "c2", "reason": ""}]


def test_the_agent_keeps_its_lease_alive_for_a_day(fleets: Fleets) -> None:
    """Heartbeats under the virtual clock: after 24 hours the cluster is still available."""
    fleet = fleets("c1")
    fleet.advance(hours=24)
    found = fleet.condition(cluster_ref("c1"), "ManagedClusterConditionAvailable")
    assert found is not None
    assert found[0] == "True"


def test_a_deleted_cluster_goes_when_its_works_have(fleets: Fleets) -> None:
    """Works are deleted in their order, applied objects go, then rights and the cluster itself."""
    fleet = fleets("c1")
    late = make.manifest_work("late", "c1", [make.config_map("late")])
    late["metadata"]["annotations"] = {"open-cluster-management.io/cleanup-priority": "10"}
    fleet.create(make.manifest_work("web", "c1", [make.config_map("a")]), late)
    fleet.delete(cluster_ref("c1"))
    fleet.advance(minutes=2)
    assert fleet.hub.get(cluster_ref("c1")) is None
    assert fleet.hub.list(MANIFEST_WORK) == []
    assert fleet.hub.list(ROLE_BINDING) == []
    assert fleet.hub.list(CLUSTER_ROLE) == []
    assert fleet.spoke("c1").list(CONFIG.of) == []
    assert fleet.hub.get(Ref("", "Namespace", "", "c1")) is not None
