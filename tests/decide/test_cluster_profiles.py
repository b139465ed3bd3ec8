"""ClusterProfiles follow bindings, sets and clusters, and say what the clusters say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gitops_ocm.api.cluster_profile import DEFINITION
from gitops_ocm.api.crd import crd
from gitops_ocm.decide.contract import Apply, Create, Delete, MergePatch
from gitops_ocm.decide.controllers import hub_controllers, in_groups
from gitops_ocm.decide.kinds import CLUSTER_PROFILE, CLUSTER_SET_BINDING, MANAGED_CLUSTER
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.run import Simulation
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
GROUP = "cluster.open-cluster-management.io"


def binding(cluster_set: str, namespace: str) -> Object:
    """A ManagedClusterSetBinding."""
    return {
        "apiVersion": f"{GROUP}/v1beta2",
        "kind": "ManagedClusterSetBinding",
        "metadata": {"name": cluster_set, "namespace": namespace},
        "spec": {"clusterSet": cluster_set},
    }


def exclusive(name: str) -> Object:
    """A ManagedClusterSet by its label."""
    return {"apiVersion": f"{GROUP}/v1beta2", "kind": "ManagedClusterSet", "metadata": {"name": name}}


def hub(*, gate: bool = True) -> Simulation:
    """A hub with the namespaces a and b, a set s1 bound to a, and c1 in it."""
    world = World(load_catalog().with_crd(crd(DEFINITION)), namespaces=["a", "b"])
    settings = HubSettings().with_gates({"ClusterProfile": gate})
    simulation = Simulation(world, in_groups(hub_controllers(settings), ["registration"]), now=NOW)
    start = [
        exclusive("s1"),
        exclusive("s2"),
        binding("s1", "a"),
        make.managed_cluster("c1", cluster_set="s1"),
        make.managed_cluster("c2", cluster_set="s2"),
    ]
    assert all(result.ok for result in simulation.act(*(Create(obj) for obj in start)))
    simulation.settle()
    return simulation


def profiles(simulation: Simulation) -> list[str]:
    """Where profiles are."""
    found = simulation.hub.list(CLUSTER_PROFILE)
    return [f"{p['metadata']['namespace']}/{p['metadata']['name']}" for p in found]


def cluster(name: str) -> Ref:
    """A ManagedCluster."""
    return Ref(*MANAGED_CLUSTER, "", name)


def moved(name: str, to: str) -> MergePatch:
    """A cluster put into another set."""
    return MergePatch(cluster(name), {"metadata": {"labels": {f"{GROUP}/clusterset": to}}})


def test_without_the_gate_there_are_none() -> None:
    """The kind is not even asked about."""
    assert profiles(hub(gate=False)) == []


def test_a_profile_as_others_find_it() -> None:
    """Name, labels and manager are those that OCM's hub gives it."""
    simulation = hub()
    assert profiles(simulation) == ["a/c1"]
    (profile,) = simulation.hub.list(CLUSTER_PROFILE)
    assert profile["metadata"]["labels"] == {
        "x-k8s.io/cluster-manager": "open-cluster-management",
        "open-cluster-management.io/cluster-name": "c1",
        "multicluster.x-k8s.io/clusterset": "s1",
    }
    assert profile["spec"] == {
        "displayName": "c1",
        "clusterManager": {"name": "open-cluster-management"},
    }
    assert simulation.unsettled() == []


def test_profiles_follow_bindings_and_sets() -> None:
    """A cluster that moves, a binding that comes or goes: afterwards each namespace has what it is due."""
    simulation = hub()
    simulation.act(moved("c2", "s1"), Create(binding("s2", "b")))
    simulation.settle()
    assert profiles(simulation) == ["a/c1", "a/c2"]
    simulation.act(moved("c1", "s2"))
    simulation.settle()
    assert profiles(simulation) == ["a/c2", "b/c1"]
    simulation.act(Delete(Ref(*CLUSTER_SET_BINDING, "b", "s2")), Delete(cluster("c2")))
    simulation.settle()
    assert profiles(simulation) == []
    assert simulation.unsettled() == []


def test_one_set_unbound_of_two() -> None:
    """A cluster of two bound sets keeps its profile while one of them is bound."""
    simulation = hub()
    simulation.act(Create(binding("global", "a")))
    simulation.settle()
    assert profiles(simulation) == ["a/c1", "a/c2"]
    simulation.act(Delete(Ref(*CLUSTER_SET_BINDING, "a", "s1")))
    simulation.settle()
    assert profiles(simulation) == ["a/c1", "a/c2"]


def test_others_profiles_are_left_alone() -> None:
    """A profile of another manager is neither changed nor removed, not even one with a cluster's name."""
    simulation = hub()
    other: Mapping[str, Any] = {
        "apiVersion": "multicluster.x-k8s.io/v1alpha1",
        "kind": "ClusterProfile",
        "spec": {"clusterManager": {"name": "other"}},
    }
    foreign = [{**other, "metadata": {"name": n, "namespace": "a"}} for n in ("c2", "elsewhere")]
    simulation.act(*(Create(obj) for obj in foreign), moved("c2", "s1"))
    simulation.settle()
    assert profiles(simulation) == ["a/c1", "a/c2", "a/elsewhere"]
    kept = [p["spec"] for p in simulation.hub.list(CLUSTER_PROFILE) if p["metadata"]["name"] != "c1"]
    assert kept == [other["spec"], other["spec"]]


def test_what_a_profile_says() -> None:
    """Version, claims and two conditions are the cluster's; what others put into the status stays."""
    simulation = hub()
    at = {"lastTransitionTime": "2026-01-01T00:00:00Z"}
    status = {
        "version": {"kubernetes": "v1.35.0"},
        "clusterClaims": [{"name": "id.k8s.io", "value": "x"}],
        "conditions": [
            {"type": "ManagedClusterJoined", "status": "True", "reason": "J", "message": "joined", **at},
            {
                "type": "ManagedClusterConditionAvailable",
                "status": "False",
                "reason": "A",
                "message": "no",
                **at,
            },
        ],
    }
    access = {"accessProviders": [{"name": "kubeconfig", "cluster": {"server": "https://c1"}}]}
    profile = Ref(*CLUSTER_PROFILE, "a", "c1")
    simulation.act(
        MergePatch(profile, {"status": access}, subresource="status"),
        MergePatch(cluster("c1"), {"status": status}, subresource="status"),
    )
    simulation.settle()
    found = simulation.hub.get(profile)
    assert found is not None
    said = found["status"]
    assert said["version"] == {"kubernetes": "v1.35.0"}
    assert said["properties"] == [{"name": "id.k8s.io", "value": "x"}]
    assert said["accessProviders"] == access["accessProviders"]
    for name, expected in (
        ("ControlPlaneHealthy", ("False", "A", "no")),
        ("Joined", ("True", "J", "joined")),
    ):
        condition = find(said["conditions"], name)
        assert condition is not None
        assert (condition["status"], condition["reason"], condition["message"]) == expected
    assert simulation.unsettled() == []


def test_a_label_taken_away_comes_back() -> None:
    """What we said about a profile is kept so."""
    simulation = hub()
    profile = Ref(*CLUSTER_PROFILE, "a", "c1")
    simulation.act(MergePatch(profile, {"metadata": {"labels": {"multicluster.x-k8s.io/clusterset": None}}}))
    simulation.settle()
    found = simulation.hub.get(profile)
    assert found is not None
    assert found["metadata"]["labels"]["multicluster.x-k8s.io/clusterset"] == "s1"
    assert not any(isinstance(write, Apply) for *_, write in simulation.unsettled())
