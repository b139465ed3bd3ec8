"""Judgements from given objects: what no small fleet shows by itself (operators, pods, times)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gitops_ocm.api.scalars import format_time
from gitops_ocm.decide.agent.bootstrap import HubAddress
from gitops_ocm.decide.diagnosis.evidence import (
    Fault,
    Refusal,
    Request,
    RequestState,
    Spoke,
    Way,
)
from gitops_ocm.decide.kinds import (
    CLUSTER_ADDON,
    CLUSTER_SET,
    LEASE,
    MANAGEMENT_ADDON,
    NAMESPACE,
    REPLICA_SET,
)
from gitops_ocm.objects.ref import Kind, Object, kind_of
from tests.decide.diagnosis.given import (
    CM,
    KL,
    LONG_AGO,
    NOW,
    PEM,
    cluster,
    found,
    good_way,
    hub,
    lease,
    obj,
    objects,
    pod,
    roots,
    with_conditions,
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([with_conditions(CM, Applied="True", HubRegistrationDegraded="False")], []),
        ([with_conditions(CM, Applied="False")], ["operator-failed"]),
        ([with_conditions(CM, HubPlacementDegraded="True")], ["operator-failed"]),
        ([with_conditions(CM, ValidFeatureGates="False")], ["feature-gates-invalid"]),
        ([with_conditions(CM, generation=1)], ["operator-not-handled"]),
        (
            [
                with_conditions(CM, Applied="False"),
                pod("open-cluster-management-hub", reason="ImagePullBackOff"),
            ],
            ["hub-pods"],
        ),
        ([pod("open-cluster-management-hub", reason="CrashLoopBackOff", age=1)], ["hub-pods"]),
        ([pod("open-cluster-management-hub", unscheduled="0/1 nodes are available")], ["hub-pods"]),
        ([pod("open-cluster-management-hub", reason="ContainerCreating", age=1)], []),
        ([pod("shop", reason="ImagePullBackOff")], []),
    ],
)
def test_the_hub_as_installed(given: list[Object], expected: list[str]) -> None:
    """What the operator of a hub and its pods say; a pod that was made just now is given time."""
    assert roots(found(hub(*given))) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([with_conditions(KL, Applied="True", HubConnectionDegraded="False")], []),
        ([with_conditions(KL, Applied="False")], ["klusterlet-failed"]),
        ([with_conditions(KL, ReadyToApply="False")], ["klusterlet-failed"]),
        ([with_conditions(KL, RegistrationDesiredDegraded="True")], ["klusterlet-degraded"]),
        ([with_conditions(KL, ValidFeatureGates="False")], ["feature-gates-invalid"]),
        ([with_conditions(KL, generation=1)], ["klusterlet-not-handled"]),
        (
            [
                with_conditions(KL, WorkDesiredDegraded="True"),
                pod("open-cluster-management-agent", reason="ErrImagePull", message="no such image"),
            ],
            ["agent-pods"],
        ),
    ],
)
def test_the_agents_as_installed(given: list[Object], expected: list[str]) -> None:
    """What a Klusterlet and the pods of its agents say: pods are the cause of what the Klusterlet reports."""
    way = good_way()
    spoke = Spoke(
        "https://spoke", "c1", objects(*given), hub_way=way, namespace="open-cluster-management-agent"
    )
    assert roots(found(None, spoke)) == expected


def test_a_certificate_that_is_due() -> None:
    """One that should have been renewed days ago is told; one of half its life is not."""
    late = good_way(begun=timedelta(days=-360), ends=timedelta(days=5))
    for way, expected in ((late, ["certificate-not-renewed"]), (good_way(), [])):
        spoke = Spoke("https://spoke", "c1", objects(with_conditions(KL)), hub_way=way, namespace="x")
        assert roots(found(None, spoke)) == expected


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Fault.DNS, "hub-name-unknown"),
        (Fault.REFUSED, "hub-unreachable"),
        (Fault.TIMEOUT, "hub-unreachable"),
        (Fault.OTHER, "hub-unreachable"),
        (Fault.PROXY, "hub-proxy"),
        (Fault.CERTIFICATE, "hub-ca-changed"),
        (Fault.SERVER_EXPIRED, "hub-certificate-expired"),
        (Fault.UNAUTHORIZED, "bootstrap-refused"),
    ],
)
def test_each_trouble_on_the_way(fault: Fault, cause: str) -> None:
    """Every kind of trouble on the way to the hub is one cause; that nobody has joined follows from it."""
    way = Way("the file", HubAddress("hub", "https://hub"), fault=fault, said="told so")
    diagnosis = found(None, Spoke("https://spoke", "c1", bootstrap_way=way, namespace="x"))
    assert roots(diagnosis) == [cause]
    assert [f.cause for f in diagnosis.findings[0].follows] == ["hub-kubeconfig-missing"]


def test_another_hub() -> None:
    """Agents that are well with another hub than the one looked at explain that their lease here ran out."""
    at_hub = hub(cluster(ManagedClusterJoined="True"), lease(LONG_AGO), ca=b"another ca")
    spoke = Spoke("https://spoke", "c1", objects(with_conditions(KL)), hub_way=good_way(), namespace="x")
    diagnosis = found(at_hub, spoke, "c1")
    assert roots(diagnosis) == ["wrong-hub"]
    assert "agent-silent" in {f.cause for f in diagnosis.findings[0].follows}


@pytest.mark.parametrize(
    ("bundle", "renewed", "expected"),
    [
        (b"ca", LONG_AGO, ["agent-silent"]),
        (PEM.format("one").encode() + PEM.format("proxy").encode(), LONG_AGO, ["wrong-hub"]),
        (b"another", NOW, []),
    ],
)
def test_one_hub_may_look_like_two(bundle: bytes, renewed: datetime, expected: list[str]) -> None:
    """Agents whose lease is renewed here are here, whatever they trust; or with an authority in common."""
    well = cluster(ManagedClusterJoined="True", ManagedClusterConditionAvailable="True")
    lost = cluster(ManagedClusterJoined="True", ManagedClusterConditionAvailable="Unknown")
    at_hub = hub(well if renewed == NOW else lost, lease(renewed), ca=bundle)
    spoke = Spoke("https://spoke", "c1", objects(with_conditions(KL)), hub_way=good_way(), namespace="x")
    assert roots(found(at_hub, spoke, "c1")) == expected


def test_the_wrong_kubeconfig_for_the_right_question() -> None:
    """Whoever looks at another managed cluster is told so, and not to delete what that one needs."""
    klusterlet = with_conditions(KL) | {"spec": {"clusterName": "c1"}}
    spoke = Spoke("https://spoke", "c2", objects(klusterlet), hub_way=good_way(), namespace="x")
    diagnosis = found(None, spoke, "c2")
    assert roots(diagnosis) == ["another-cluster"]
    assert diagnosis.findings[0].mend == "gitops-ocm doctor c1 --spoke-kubeconfig FILE"


def request(agent: str, minutes: float, state: RequestState, *, renewal: bool = False) -> Request:
    """A request made so many minutes ago."""
    name = f"system:open-cluster-management:c1:{agent}"
    requester = (
        name if renewal else "system:serviceaccount:open-cluster-management:agent-registration-bootstrap"
    )
    return Request(f"c1-{agent}-{minutes:g}", "c1", name, requester, NOW - timedelta(minutes=minutes), state)


PENDING, ISSUED = RequestState.PENDING, RequestState.ISSUED
APPROVED, DENIED = RequestState.APPROVED, RequestState.DENIED


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        ([request("a", 5, ISSUED)], []),
        ([request("a", 5, APPROVED)], ["csr-unsigned"]),
        ([request("a", 0.1, APPROVED)], []),
        ([request("a", 5, DENIED)], ["csr-denied"]),
        ([request("a", 5, DENIED), request("b", 4, ISSUED)], []),
        ([request("a", 5, RequestState.FAILED)], ["csr-failed"]),
        ([request("a", 5, PENDING, renewal=True)], ["csr-pending"]),
        ([request("a", 0.1, PENDING, renewal=True)], []),
        ([request("a", 9, ISSUED), request("b", 8, ISSUED)], []),
        (
            [request("a", 9, ISSUED), request("b", 8, ISSUED), request("a", 7, ISSUED, renewal=True)],
            ["name-clash"],
        ),
        ([request("a", 20 - n, DENIED) for n in range(10)], ["csr-denied"]),
    ],
)
def test_requests(requests: list[Request], expected: list[str]) -> None:
    """What each course of requests says of a cluster that is accepted and well otherwise."""
    well = cluster(ManagedClusterJoined="True", ManagedClusterConditionAvailable="True")
    at_hub = hub(well, lease(NOW - timedelta(seconds=30)), requests=requests)
    assert roots(found(at_hub, None, "c1")) == expected


@pytest.mark.parametrize(
    ("states", "renewed", "expected"),
    [
        ({"ManagedClusterJoined": "True", "ManagedClusterConditionAvailable": "True"}, 30, []),
        ({"ManagedClusterJoined": "True", "ManagedClusterConditionAvailable": "True"}, 299, []),
        (
            {"ManagedClusterJoined": "True", "ManagedClusterConditionAvailable": "Unknown"},
            300,
            ["agent-silent"],
        ),
        (
            {"ManagedClusterJoined": "True", "ManagedClusterConditionAvailable": "True"},
            900,
            ["agent-silent", "controllers-stopped"],
        ),
        (
            {"ManagedClusterJoined": "True", "ManagedClusterConditionAvailable": "False"},
            30,
            ["cluster-api-unwell"],
        ),
        ({}, 30, ["cluster-unavailable"]),
        (
            {"ManagedClusterConditionClockSynced": "False", "ManagedClusterConditionAvailable": "Unknown"},
            30,
            ["clock-skewed"],
        ),
        (
            {"ManagedClusterConditionAvailable": "True", "ClusterCertificateRotated": "False"},
            30,
            ["certificate-not-renewed"],
        ),
    ],
)
def test_availability(states: dict[str, str], renewed: float, expected: list[str]) -> None:
    """Lease, clock, certificate, the cluster's own API server: each as the cause of what follows."""
    at_hub = hub(cluster(**states), lease(NOW - timedelta(seconds=renewed)), seen=(LEASE,))
    assert sorted(roots(found(at_hub, None, "c1"))) == expected


def test_clocks_side_by_side() -> None:
    """Where both sides can be asked for the time, that is evidence enough."""
    well = cluster(ManagedClusterJoined="True", ManagedClusterConditionAvailable="True")
    at_hub = hub(well, lease(NOW - timedelta(seconds=30)), now=NOW)
    way = good_way()
    for apart, expected in ((10, []), (600, ["clock-skewed"])):
        then = NOW + timedelta(seconds=apart)
        spoke = Spoke(
            "https://spoke", "c1", objects(with_conditions(KL)), hub_way=way, namespace="x", now=then
        )
        assert roots(found(at_hub, spoke, "c1")) == expected


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (Refusal("ManifestWork", "c1", "Forbidden", "exceeded quota: few, requested: 1"), ["quota-exceeded"]),
        (
            Refusal("ManifestWork", "c1", "InternalError", "failed calling webhook x: refused"),
            ["webhook-refusing"],
        ),
        (
            Refusal("ManagedCluster", "", "InternalError", "failed calling webhook y: EOF"),
            ["webhook-refusing"],
        ),
        (Refusal("Lease", "c1", "Forbidden", "admission webhook x denied the request"), ["webhook-refusing"]),
        (Refusal("ManifestWork", "c1", "Forbidden", "admission webhook x denied the request: you"), []),
        (Refusal("ManifestWork", "c1", "Invalid", "something else"), []),
    ],
)
def test_rehearsed_writes(refusal: Refusal, expected: list[str]) -> None:
    """Quotas and webhooks are known by what they say."""
    well = cluster(ManagedClusterJoined="True", ManagedClusterConditionAvailable="True")
    assert roots(found(hub(well, lease(NOW), refusals=[refusal]))) == expected


def test_rights_and_namespaces() -> None:
    """What an accepted cluster should have and has not, where that could be looked at."""
    well = cluster(ManagedClusterJoined="True", ManagedClusterConditionAvailable="True")
    unseen = hub(well, lease(NOW))
    assert roots(found(unseen, None, "c1")) == []
    seen = hub(well, lease(NOW), seen=(NAMESPACE, Kind("rbac.authorization.k8s.io", "RoleBinding")))
    diagnosis = found(seen, None, "c1")
    assert roots(diagnosis) == ["namespace-missing"]
    assert [f.cause for f in diagnosis.findings[0].follows] == ["rights-missing"]


@pytest.mark.parametrize("what", [CM, KL])
def test_operators_that_do_not_let_go(what: tuple[str, str, str]) -> None:
    """A ClusterManager or Klusterlet that is deleted and stays: its finalizers, and the operator's log."""
    held = {"deletionTimestamp": format_time(LONG_AGO), "finalizers": ["operator.example/cleanup"]}
    given = with_conditions(what, Applied="False", generation=1)
    given["metadata"] |= held
    spoke = Spoke("https://spoke", "c1", objects(given), hub_way=good_way(), namespace="x")
    diagnosis = found(hub(given)) if what == CM else found(None, spoke)
    assert roots(diagnosis) == ["deletion-stuck"]
    assert diagnosis.findings[0].facts[0].value == "operator.example/cleanup"
    assert diagnosis.findings[0].mend.startswith("kubectl -n open-cluster-management logs deployment/")


def test_agents_that_run_elsewhere() -> None:
    """Nothing of the agents is on the cluster, and yet the hub hears of them: they run somewhere else."""
    well = cluster(ManagedClusterJoined="True", ManagedClusterConditionAvailable="True")
    spoke = Spoke("https://spoke", "c1")
    assert roots(found(hub(well, lease(NOW)), spoke, "c1")) == []
    lost = cluster(ManagedClusterJoined="True", ManagedClusterConditionAvailable="Unknown")
    assert roots(found(hub(lost, lease(LONG_AGO)), spoke, "c1")) == ["klusterlet-missing"]


def test_gates_that_do_not_fit() -> None:
    """Add-ons on the hub for agents that were told to leave add-ons alone."""
    gate = {"feature": "AddonManagement", "mode": "Disable"}
    klusterlet = with_conditions(KL) | {"spec": {"registrationConfiguration": {"featureGates": [gate]}}}
    addon = obj("addon.open-cluster-management.io/v1alpha1", "ManagedClusterAddOn", "a", "c1")
    definition = obj("addon.open-cluster-management.io/v1alpha1", "ClusterManagementAddOn", "a")
    well = cluster(ManagedClusterJoined="True", ManagedClusterConditionAvailable="True")
    spoke = Spoke("https://spoke", "c1", objects(klusterlet), hub_way=good_way(), namespace="x")
    diagnosis = found(hub(well, lease(NOW), addon, definition, ca=b"ca"), spoke, "c1")
    assert roots(diagnosis) == ["gate-mismatch"]
    assert [f.cause for f in diagnosis.findings[0].follows] == ["addon-not-handled"]
    assert kind_of(addon) == CLUSTER_ADDON
    assert kind_of(definition) == MANAGEMENT_ADDON


def test_a_replica_set_without_controller() -> None:
    """A replica set nobody looks at: OCM's hub leaves the controller out unless its gate is open."""
    given = obj("work.open-cluster-management.io/v1alpha1", "ManifestWorkReplicaSet", "web", "shop")
    assert kind_of(given) == REPLICA_SET
    assert roots(found(hub(given))) == ["work-set-not-handled"]


def test_who_was_asked_for() -> None:
    """Only the clusters asked for are told of, and nothing of the fleet's placements and sets."""
    labelled = cluster(ManagedClusterJoined="True", ManagedClusterConditionAvailable="Unknown")
    labelled["metadata"]["labels"] = {"cluster.open-cluster-management.io/clusterset": "gone"}
    at_hub = hub(labelled, lease(LONG_AGO), seen=(CLUSTER_SET,))
    assert set(roots(found(at_hub))) == {"agent-silent", "set-unknown"}
    assert roots(found(at_hub, None, "c2")) == ["cluster-unknown"]
