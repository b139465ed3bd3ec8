"""Whole histories of a fleet in memory: what people do on the hub, and what comes of it everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from gitops_ocm.decide.contract import (
    DONE,
    Controller,
    Create,
    Delete,
    MergePatch,
    Outcome,
    Propagation,
    Side,
    Update,
    View,
    Wake,
)
from gitops_ocm.decide.kinds import (
    APPLIED_WORK,
    CLUSTER_ROLE,
    MANIFEST_WORK,
    PLACEMENT,
    PLACEMENT_DECISION,
    REPLICA_SET,
    ROLE_BINDING,
    cluster_ref,
)
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.run import Livelock, Simulation
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import START, Fleet, names

CONFIG = Ref("", "ConfigMap", "demo", "settings")
WEB = Ref("apps", "Deployment", "demo", "web")
WORK = Ref(*MANIFEST_WORK, "c1", "web")
SET = Ref(*REPLICA_SET, "fleet", "web")
PREFIX = "open-cluster-management:managedcluster:"


def manifests(value: str = "1") -> list[Object]:
    """A namespace and what goes into it, in an order that only sorting makes work."""
    return [
        make.deployment("web", "demo"),
        make.config_map("settings", "demo", {"value": value}),
        make.namespace("demo"),
    ]


@pytest.fixture
def fleets() -> Iterator[Callable[..., Fleet]]:
    """Makes fleets, and holds them to the invariant: at rest, nobody would write anything."""
    made: list[Fleet] = []

    def fleet(*clusters: str, **settings: object) -> Fleet:
        made.append(Fleet(clusters, **settings))  # type: ignore[arg-type]
        for name in clusters:
            made[-1].create(make.managed_cluster(name))
        return made[-1]

    yield fleet
    for each in made:
        each.simulation.settle()
        assert each.simulation.unsettled() == []


def test_an_accepted_cluster_gets_its_namespace_rights_and_lease_and_becomes_available(
    fleets: Callable[..., Fleet],
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


def test_a_cluster_that_only_asks_gets_nothing_but_a_taint(fleets: Callable[..., Fleet]) -> None:
    """Without acceptance there is no namespace, no condition and no way to be selected."""
    fleet = fleets()
    fleet.create(make.managed_cluster("c1", accepted=False))
    cluster = fleet.get(cluster_ref("c1"))
    assert not (cluster.get("status") or {}).get("conditions")
    assert [t["key"] for t in cluster["spec"]["taints"]] == ["cluster.open-cluster-management.io/unreachable"]
    assert fleet.hub.get(Ref("", "Namespace", "", "c1")) is None


def test_a_denied_cluster_loses_its_rights_once_its_works_are_gone(fleets: Callable[..., Fleet]) -> None:
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


def test_a_change_of_mind_while_works_remain_gives_the_rights_back(fleets: Callable[..., Fleet]) -> None:
    """Denied and accepted again: the binding that was going goes, and comes anew."""
    fleet = fleets("c1")
    fleet.create(make.manifest_work("web", "c1", manifests()))
    fleet.patch(cluster_ref("c1"), {"spec": {"hubAcceptsClient": False}})
    fleet.patch(cluster_ref("c1"), {"spec": {"hubAcceptsClient": True}})
    bindings = fleet.hub.list(ROLE_BINDING, "c1")
    assert [b["metadata"].get("deletionTimestamp") for b in bindings] == [None, None]
    assert len(fleet.get(Ref(*CLUSTER_ROLE, "", PREFIX + "c1"))["rules"]) == 4


def test_a_lost_cluster_turns_unknown_exactly_at_five_leases_and_leaves_its_placements(
    fleets: Callable[..., Fleet],
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


def test_the_agent_keeps_its_lease_alive_for_a_day(fleets: Callable[..., Fleet]) -> None:
    """Heartbeats under the virtual clock: after 24 hours the cluster is still available."""
    fleet = fleets("c1")
    fleet.advance(hours=24)
    found = fleet.condition(cluster_ref("c1"), "ManagedClusterConditionAvailable")
    assert found is not None
    assert found[0] == "True"


def test_a_replica_set_reaches_the_clusters_its_placement_selects_and_takes_it_all_back(
    fleets: Callable[..., Fleet],
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
    fleets: Callable[..., Fleet], policy: str
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
    fleets: Callable[..., Fleet],
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


def test_a_field_that_leaves_a_manifest_leaves_the_object(fleets: Callable[..., Fleet]) -> None:
    """A generic kind is compared exactly when the work changes, so a dropped field disappears."""
    fleet = fleets("c1")
    paused = make.deployment("web", "default")
    paused["spec"]["paused"] = True
    fleet.create(make.manifest_work("web", "c1", [paused]))
    web = Ref("apps", "Deployment", "default", "web")
    assert fleet.get(web, cluster="c1")["spec"]["paused"] is True
    fleet.patch(WORK, {"spec": {"workload": {"manifests": [make.deployment("web", "default")]}}})
    assert "paused" not in fleet.get(web, cluster="c1")["spec"]


@pytest.mark.parametrize("strategy", ["Update", "ServerSideApply"])
def test_drift_is_put_back_as_it_happens(fleets: Callable[..., Fleet], strategy: str) -> None:
    """Somebody edits, and somebody deletes, an applied object: both are undone without waiting."""
    fleet = fleets("c1")
    option = {
        "resourceIdentifier": {"resource": "configmaps", "name": "*", "namespace": "*"},
        "updateStrategy": {"type": strategy, "serverSideApply": {"force": True}},
    }
    fleet.create(make.manifest_work("web", "c1", manifests(), manifestConfigs=[option]))
    fleet.patch(CONFIG, {"data": {"value": "wrong"}}, cluster="c1")
    assert fleet.get(CONFIG, cluster="c1")["data"] == {"value": "1"}
    fleet.delete(CONFIG, cluster="c1")
    assert fleet.get(CONFIG, cluster="c1")["data"] == {"value": "1"}


def test_create_only_leaves_what_is_there_alone(fleets: Callable[..., Fleet]) -> None:
    """Under CreateOnly an edit on the cluster stays; only ownership is taken."""
    fleet = fleets("c1")
    fleet.create(make.config_map("a", data={"mine": "yes"}), cluster="c1")
    option = {
        "resourceIdentifier": {"resource": "configmaps", "name": "a", "namespace": "default"},
        "updateStrategy": {"type": "CreateOnly"},
    }
    fleet.create(make.manifest_work("web", "c1", [make.config_map("a")], manifestConfigs=[option]))
    live = fleet.get(Ref("", "ConfigMap", "default", "a"), cluster="c1")
    assert live["data"] == {"mine": "yes"}
    assert [o["kind"] for o in live["metadata"]["ownerReferences"]] == ["AppliedManifestWork"]
    applied = fleet.condition(WORK, "Applied")
    assert applied is not None
    assert applied[0] == "True"


def test_read_only_reports_and_never_touches(fleets: Callable[..., Fleet]) -> None:
    """ReadOnly sends nothing, is Applied even when the object is absent, and Available when it is there."""
    fleet = fleets("c1")
    option = {
        "resourceIdentifier": {"resource": "configmaps", "name": "a", "namespace": "default"},
        "updateStrategy": {"type": "ReadOnly"},
        "feedbackRules": [{"type": "JSONPaths", "jsonPaths": [{"name": "mine", "path": ".data.mine"}]}],
    }
    fleet.create(make.manifest_work("web", "c1", [make.config_map("a")], manifestConfigs=[option]))
    assert fleet.spoke("c1").get(Ref("", "ConfigMap", "default", "a")) is None
    assert fleet.condition(WORK, "Available") == (
        "False",
        "ResourcesNotAvailable",
        "1 of 1 resources are not available",
    )
    fleet.create(make.config_map("a", data={"mine": "yes"}), cluster="c1")
    (entry,) = fleet.get(WORK)["status"]["resourceStatus"]["manifests"]
    assert entry["statusFeedback"]["values"] == [
        {"name": "mine", "fieldValue": {"type": "String", "string": "yes"}}
    ]
    fleet.delete(WORK)
    assert fleet.get(Ref("", "ConfigMap", "default", "a"), cluster="c1")["data"] == {"mine": "yes"}


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
def test_deleting_a_work_leaves_behind_what_it_says(
    fleets: Callable[..., Fleet], option: Object, left: list[str]
) -> None:
    """The delete options decide which objects stay."""
    fleet = fleets("c1")
    configs = [make.config_map("a"), make.config_map("b")]
    fleet.create(make.manifest_work("web", "c1", configs, deleteOption=option))
    fleet.delete(WORK)
    assert fleet.hub.get(WORK) is None
    kept = fleet.spoke("c1").list(CONFIG.of)
    assert [o["metadata"]["name"] for o in kept] == left
    assert all("ownerReferences" not in o["metadata"] for o in kept)


def test_an_object_of_two_works_stays_until_the_last_of_them_goes(fleets: Callable[..., Fleet]) -> None:
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


def test_an_applied_object_with_a_finalizer_is_waited_for(fleets: Callable[..., Fleet]) -> None:
    """Foreground: the work stays, saying that it is being deleted, until the last object is gone."""
    fleet = fleets("c1")
    fleet.create(make.manifest_work("web", "c1", [make.config_map("a")]))
    held = Ref("", "ConfigMap", "default", "a")
    fleet.patch(held, {"metadata": {"finalizers": ["example.com/hold"]}}, cluster="c1")
    fleet.delete(WORK)
    assert fleet.condition(WORK, "Deleting") == ("True", "WorkDeleting", "ManifestWork is being deleted")
    fleet.patch(held, {"metadata": {"finalizers": None}}, cluster="c1")
    assert fleet.hub.get(WORK) is None


def test_one_bad_manifest_does_not_stop_the_others(fleets: Callable[..., Fleet]) -> None:
    """An unknown kind, a missing namespace and an object the API refuses fail alone, with the reason."""
    fleet = fleets("c1")
    fleet.create(
        make.manifest_work(
            "web",
            "c1",
            [
                {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}},
                make.config_map("a"),
                make.config_map("b", "nowhere"),
                {**make.config_map("c"), "metadata": {"name": "c"}},
            ],
        )
    )
    entries = fleet.get(WORK)["status"]["resourceStatus"]["manifests"]
    said = [e["conditions"][0]["message"] for e in entries]
    assert said == [
        'Failed to apply manifest: the server doesn\'t have a resource type "Widget"',
        "Apply manifest complete",
        'Failed to apply manifest: namespaces "nowhere" not found',
        "Failed to apply manifest: an empty namespace may not be set during creation",
    ]
    # Empty fields are there, as OCM's agent writes them: taking over from it changes nothing.
    fields = {"ordinal", "group", "version", "kind", "resource", "namespace", "name"}
    assert all(e["resourceMeta"].keys() == fields for e in entries)
    assert [e["resourceMeta"]["resource"] for e in entries] == ["", *["configmaps"] * 3]
    assert all("statusFeedback" in e for e in entries)
    assert fleet.condition(WORK, "Applied") == (
        "False",
        "AppliedManifestWorkFailed",
        "Failed to apply manifest work",
    )
    assert fleet.get(Ref("", "ConfigMap", "default", "a"), cluster="c1")
    # Time heals what only came too late.
    fleet.create(make.namespace("nowhere"), cluster="c1")
    fleet.advance(minutes=20)
    assert fleet.get(Ref("", "ConfigMap", "nowhere", "b"), cluster="c1")


def test_a_crd_and_its_resource_in_one_work_converge(fleets: Callable[..., Fleet]) -> None:
    """The kind is not known when the work is first seen; it is as soon as its definition is applied."""
    fleet = fleets("c1")
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
            ],
        },
    }
    widget = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w", "namespace": "default"},
        "spec": {"size": 3},
    }
    fleet.create(make.manifest_work("web", "c1", [widget, definition]))
    fleet.advance(seconds=30)
    assert fleet.get(Ref("example.com", "Widget", "default", "w"), cluster="c1")["spec"] == {"size": 3}
    applied = fleet.condition(WORK, "Applied")
    assert applied is not None
    assert applied[0] == "True"


def test_a_conflict_of_server_side_apply_is_said_and_heals_when_forced(fleets: Callable[..., Fleet]) -> None:
    """Somebody else's field is not taken without force, and the API's words are in the condition."""
    fleet = fleets("c1")
    fleet.create(make.config_map("a", data={"key": "theirs"}), cluster="c1")

    def option(force: bool) -> Object:
        return {
            "resourceIdentifier": {"resource": "configmaps", "name": "a", "namespace": "default"},
            "updateStrategy": {"type": "ServerSideApply", "serverSideApply": {"force": force}},
        }

    fleet.create(make.manifest_work("web", "c1", [make.config_map("a")], manifestConfigs=[option(False)]))
    (entry,) = fleet.get(WORK)["status"]["resourceStatus"]["manifests"]
    applied = entry["conditions"][0]
    assert (applied["status"], applied["reason"]) == ("False", "AppliedManifestFailed")
    assert "conflict with" in applied["message"]
    fleet.patch(WORK, {"spec": {"manifestConfigs": [option(True)]}})
    assert fleet.get(Ref("", "ConfigMap", "default", "a"), cluster="c1")["data"] == {"key": "value"}


def test_an_executor_that_cannot_be_checked_is_refused(fleets: Callable[..., Fleet]) -> None:
    """A work that asks to be limited to an identity's rights is never applied with more."""
    fleet = fleets("c1")
    subject = {"type": "ServiceAccount", "serviceAccount": {"namespace": "default", "name": "weak"}}
    fleet.create(make.manifest_work("web", "c1", [make.config_map("a")], executor={"subject": subject}))
    assert fleet.spoke("c1").get(Ref("", "ConfigMap", "default", "a")) is None
    applied = fleet.condition(WORK, "Applied")
    assert applied is not None
    assert applied[0] == "False"
    (anchor,) = fleet.spoke("c1").list(APPLIED_WORK)
    assert "status" not in anchor  # what is never applied is in no ledger either


def test_works_without_a_cluster_stay(fleets: Callable[..., Fleet]) -> None:
    """A namespace that no ManagedCluster goes with is not the hub's to empty, as on OCM's hub."""
    fleet = fleets()
    fleet.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "c9"}})
    fleet.create(make.manifest_work("early", "c9", [make.config_map("a")]))
    assert fleet.hub.get(Ref(*MANIFEST_WORK, "c9", "early")) is not None
    fleet.create(make.managed_cluster("c9"))
    assert fleet.hub.get(Ref(*MANIFEST_WORK, "c9", "early")) is not None


def test_nothing_is_said_of_a_work_without_manifests(fleets: Callable[..., Fleet]) -> None:
    """Neither the work nor its AppliedManifestWork gets a status, as with OCM's agent.

    Only a hub without webhooks takes such a work.
    """
    fleet = fleets("c1", webhooks=False)
    fleet.create(make.manifest_work("web", "c1", []))
    (anchor,) = fleet.spoke("c1").list(APPLIED_WORK)
    assert "status" not in anchor
    assert "status" not in fleet.get(WORK)


def test_what_an_orphaned_work_applied_goes_after_the_grace_period(fleets: Callable[..., Fleet]) -> None:
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


def test_an_orphaned_work_that_comes_back_in_time_keeps_its_objects(fleets: Callable[..., Fleet]) -> None:
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


def test_a_deleted_cluster_goes_when_its_works_have(fleets: Callable[..., Fleet]) -> None:
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


def test_a_deleted_placement_takes_its_decisions_along_but_not_the_works(
    fleets: Callable[..., Fleet],
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


def test_a_cluster_that_two_placements_select_gets_one_work(fleets: Callable[..., Fleet]) -> None:
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


def test_an_unknown_rollout_strategy_writes_nothing_and_says_so(fleets: Callable[..., Fleet]) -> None:
    """A strategy this hub does not have is never taken for All."""
    fleet = fleets("c1")
    wanted = make.replica_set("web", "fleet", ["p"], manifests())
    wanted["spec"]["placementRefs"][0]["rolloutStrategy"] = {"type": "Progressive", "progressive": {}}
    fleet.create(make.binding("default", "fleet"), make.placement("p", "fleet"), wanted)
    assert fleet.hub.list(MANIFEST_WORK) == []
    assert fleet.condition(SET, "PlacementVerified") == (
        "False",
        "NotAsExpected",
        "incorrect rollout strategy type Progressive",
    )


def test_works_that_declare_one_object_differently_do_not_fight(fleets: Callable[..., Fleet]) -> None:
    """Each new generation is applied once; after that the first owner alone corrects drift."""
    fleet = fleets("c1")
    for name, value in (("web", "1"), ("other", "2")):
        fleet.create(make.manifest_work(name, "c1", [make.config_map("a", data={"v": value})]))
    shared = Ref("", "ConfigMap", "default", "a")
    assert fleet.get(shared, cluster="c1")["data"] == {"v": "1"}
    steps = len(fleet.simulation.steps)
    fleet.advance(seconds=55)
    assert [s for s in fleet.simulation.steps[steps:] if s.controller == "work-apply"] == []
    fleet.delete(WORK)
    assert fleet.get(shared, cluster="c1")["data"] == {"v": "2"}


def test_drift_that_comes_back_is_put_back_ever_more_slowly(fleets: Callable[..., Fleet]) -> None:
    """Somebody who insists on another value does not make the agent run hot."""
    fleet = fleets("c1")
    fleet.create(make.manifest_work("web", "c1", [make.config_map("a")]))
    config = Ref("", "ConfigMap", "default", "a")
    steps = len(fleet.simulation.steps)
    for number in range(120):  # twice a second for a minute
        fleet.simulation.act(MergePatch(config, {"data": {"key": str(number)}}), cluster="c1")
        fleet.advance(seconds=0.5)
    corrected = [s for s in fleet.simulation.steps[steps:] if s.controller == "work-apply"]
    assert 5 < len(corrected) < 20
    fleet.advance(minutes=2)
    assert fleet.get(config, cluster="c1")["data"] == {"key": "value"}


def test_two_controllers_that_undo_each_other_are_named() -> None:
    """A livelock ends with an error that says which keys never come to rest."""

    def writes(value: str) -> Controller:
        def reconcile(view: View, key: Ref, now: datetime) -> Outcome:
            live = view.get(key)
            done = live is None or live["data"] == {"key": value}
            return DONE if done else Outcome((MergePatch(key, {"data": {"key": value}}),))

        return Controller(f"wants-{value}", "test", reconcile, (Wake(CONFIG.of),))

    hub = World(load_catalog(), namespaces=["default"])
    simulation = Simulation(hub, [writes("a"), writes("b")], now=START, step_limit=100)
    simulation.act(Create(make.config_map("x")))
    with pytest.raises(Livelock, match=r"wants-a ConfigMap default/x"):
        simulation.settle()


def test_the_same_history_makes_the_same_world_to_the_last_version() -> None:
    """A simulation has no chance in it: two runs are equal byte for byte."""

    def run() -> Simulation:
        fleet = Fleet(["c1", "c2"])
        fleet.create(make.managed_cluster("c1"), make.managed_cluster("c2"), make.binding("default", "fleet"))
        fleet.create(make.placement("p", "fleet"), make.replica_set("web", "fleet", ["p"], manifests()))
        fleet.advance(hours=1)
        return fleet.simulation

    first, second = run(), run()
    assert first.hub.all() == second.hub.all()
    assert first.spokes["c1"].all() == second.spokes["c1"].all()


def test_foreground_deletion_in_a_world_waits_for_blocking_dependents(fleets: Callable[..., Fleet]) -> None:
    """The world's garbage collector: dependents first, then their owner."""
    fleet = fleets("c1")
    world = fleet.spoke("c1")
    fleet.create(make.config_map("owner"), cluster="c1")
    owner = fleet.get(Ref("", "ConfigMap", "default", "owner"), cluster="c1")
    child = make.config_map("child")
    child["metadata"] |= {
        "finalizers": ["example.com/hold"],
        "ownerReferences": [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "name": "owner",
                "uid": owner["metadata"]["uid"],
                "blockOwnerDeletion": True,
            }
        ],
    }
    fleet.create(child, cluster="c1")
    where = Ref("", "ConfigMap", "default", "owner")
    fleet.simulation.act(Delete(where, Side.HUB, Propagation.FOREGROUND), cluster="c1")
    assert fleet.get(where, cluster="c1")["metadata"]["finalizers"] == ["foregroundDeletion"]
    fleet.patch(Ref("", "ConfigMap", "default", "child"), {"metadata": {"finalizers": None}}, cluster="c1")
    assert world.get(where) is None
