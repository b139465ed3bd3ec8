"""Which namespaces a cluster is told to keep, as it moves between sets and sets change their minds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gitops_ocm.decide.contract import Create, Delete, MergePatch
from gitops_ocm.decide.controllers import hub_controllers, in_groups
from gitops_ocm.decide.kinds import CLUSTER_SET, MANAGED_CLUSTER
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.run import Simulation
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
GROUP = "cluster.open-cluster-management.io"
C1 = Ref(*MANAGED_CLUSTER, "", "c1")


def cluster_set(name: str, *namespaces: str, everything: bool = False) -> Object:
    """A set that wants namespaces."""
    selector = (
        {"selectorType": "LabelSelector", "labelSelector": {}}
        if everything
        else {"selectorType": "ExclusiveClusterSetLabel"}
    )
    return {
        "apiVersion": f"{GROUP}/v1beta2",
        "kind": "ManagedClusterSet",
        "metadata": {"name": name},
        "spec": {"clusterSelector": selector, "managedNamespaces": [{"name": n} for n in namespaces]},
    }


def hub() -> Simulation:
    """c1 in the set s1, which wants b and a, and in `every`, which wants a."""
    world = World(load_catalog(), namespaces=[])
    simulation = Simulation(world, in_groups(hub_controllers(HubSettings()), ["registration"]), now=NOW)
    start = [
        cluster_set("s1", "b", "a"),
        cluster_set("s2", "z"),
        cluster_set("every", "a", everything=True),
        make.managed_cluster("c1", cluster_set="s1"),
    ]
    assert all(result.ok for result in simulation.act(*(Create(obj) for obj in start)))
    simulation.settle()
    return simulation


def told(simulation: Simulation) -> list[tuple[str, str]]:
    """What c1 is told."""
    found = simulation.hub.get(C1)
    assert found is not None
    return [(e["clusterSet"], e["name"]) for e in found["status"].get("managedNamespaces") or ()]


def test_all_sets_of_a_cluster_count() -> None:
    """Sorted by set, then by name; at rest nothing more is written."""
    simulation = hub()
    assert told(simulation) == [("every", "a"), ("s1", "a"), ("s1", "b")]
    assert simulation.unsettled() == []


def test_what_the_agent_said_stays() -> None:
    """Conditions of entries that stay are kept when others come or go."""
    simulation = hub()
    condition = {
        "type": "NamespaceAvailable",
        "status": "True",
        "reason": "NamespaceApplied",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    entries: list[Any] = [{"clusterSet": s, "name": n} for s, n in told(simulation)]
    entries[1] = {**entries[1], "conditions": [condition]}
    simulation.act(MergePatch(C1, {"status": {"managedNamespaces": entries}}, subresource="status"))
    wanted = {"spec": {"managedNamespaces": [{"name": "a"}, {"name": "c"}]}}
    simulation.act(MergePatch(Ref(*CLUSTER_SET, "", "s1"), wanted))
    simulation.settle()
    assert told(simulation) == [("every", "a"), ("s1", "a"), ("s1", "c")]
    found = simulation.hub.get(C1)
    assert found is not None
    assert found["status"]["managedNamespaces"][1]["conditions"] == [condition]
    assert "conditions" not in found["status"]["managedNamespaces"][2]


def test_a_move_and_a_set_that_goes() -> None:
    """Leaving a set, and the end of a set, take its namespaces off the list; the last one takes the list."""
    simulation = hub()
    simulation.act(MergePatch(C1, {"metadata": {"labels": {f"{GROUP}/clusterset": "s2"}}}))
    simulation.settle()
    assert told(simulation) == [("every", "a"), ("s2", "z")]
    simulation.act(Delete(Ref(*CLUSTER_SET, "", "s2")))
    simulation.settle()
    assert told(simulation) == [("every", "a")]
    simulation.act(Delete(Ref(*CLUSTER_SET, "", "every")))
    simulation.settle()
    found = simulation.hub.get(C1)
    assert found is not None
    assert "managedNamespaces" not in found["status"]
    assert simulation.unsettled() == []


def test_a_set_that_is_going_wants_nothing() -> None:
    """A set held by a finalizer has asked for the last time."""
    simulation = hub()
    simulation.act(
        MergePatch(Ref(*CLUSTER_SET, "", "s1"), {"metadata": {"finalizers": ["example.com/held"]}}),
        Delete(Ref(*CLUSTER_SET, "", "s1")),
    )
    simulation.settle()
    assert told(simulation) == [("every", "a")]
