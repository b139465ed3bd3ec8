"""What the hub's settings do: gates by OCM's names, acceptance by itself, what goes with a cluster."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gitops_ocm.api.feature_gates import HUB, FeatureGateError, parse_gates
from gitops_ocm.decide.admission import admit
from gitops_ocm.decide.contract import Create, Delete, MergePatch
from gitops_ocm.decide.controllers import LOCKS, hub_controllers, in_groups
from gitops_ocm.decide.kinds import MANAGED_CLUSTER
from gitops_ocm.decide.settings import HUB_GATES_WITHOUT_EFFECT, HubSettings
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.ref import Kind, Object, Ref
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.run import Simulation
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
C1 = Ref(*MANAGED_CLUSTER, "", "c1")
MARK = "open-cluster-management.io/automatically-accepted-on"


def hub(settings: HubSettings) -> Simulation:
    """An empty hub with its registration controllers."""
    world = World(load_catalog(), namespaces=[])
    return Simulation(world, in_groups(hub_controllers(settings), ["registration"]), now=NOW)


def cluster(simulation: Simulation) -> Object:
    """c1 as it is."""
    found = simulation.hub.get(C1)
    assert found is not None
    return found


def test_every_gate_of_the_hub_means_something() -> None:
    """Each name changes the settings, or is known to be without effect."""
    for name, default in HUB.items():
        opened, shut = (HubSettings().with_gates({name: on}) for on in (True, False))
        assert (opened == shut) is (name in HUB_GATES_WITHOUT_EFFECT), name
        ours = HubSettings().with_gates({name: default}) == HubSettings()
        assert ours is (name != "ManifestWorkReplicaSet"), name


@pytest.mark.parametrize(
    ("gate", "row"),
    [
        ("ClusterProfile", "cluster-profiles"),
        ("ManifestWorkReplicaSet", "manifestwork-replicasets"),
        ("AddonManagement", "addon-install"),
    ],
)
def test_gates_that_leave_rows_out(gate: str, row: str) -> None:
    """A gate that is shut has its controllers not run; all others do."""

    def rows(on: bool) -> set[str]:
        return {c.name for c in hub_controllers(HubSettings().with_gates({gate: on}))}

    assert row in rows(True)
    assert row not in rows(False)
    assert rows(False) < rows(True)


@pytest.mark.parametrize("text", ["NoSuchGate=true", "ResourceCleanup", "ResourceCleanup=maybe", "=true"])
def test_gates_that_are_none(text: str) -> None:
    """A name nobody knows, or no value, is refused with what there is."""
    with pytest.raises(FeatureGateError) as caught:
        parse_gates(text, HUB)
    assert caught.value.hint


def test_gates_as_flags_have_them() -> None:
    """Several, with spaces and any case, the last one counting."""
    text = "ResourceCleanup=false, ClusterProfile=True,ResourceCleanup=TRUE,"
    assert parse_gates(text, HUB) == {"ResourceCleanup": True, "ClusterProfile": True}


def test_each_group_has_a_lease_of_its_own() -> None:
    """Whatever of the hub runs, there is a lease for it."""
    assert set(LOCKS) == {row.group for row in hub_controllers()} | {"sync"}
    assert len(set(LOCKS.values())) == len(LOCKS)


def test_a_cluster_is_accepted_once() -> None:
    """With the gate a new cluster is accepted and marked; a person's denial afterwards stays."""
    simulation = hub(HubSettings(auto_approval=True))
    simulation.act(Create(make.managed_cluster("c1", accepted=False)))
    simulation.settle()
    assert cluster(simulation)["spec"]["hubAcceptsClient"] is True
    assert cluster(simulation)["metadata"]["annotations"][MARK] == "2026-01-01T12:00:00Z"
    assert find(cluster(simulation)["status"]["conditions"], "HubAcceptedManagedCluster")
    simulation.act(MergePatch(C1, {"spec": {"hubAcceptsClient": False}}))
    simulation.advance(hours=1)
    assert cluster(simulation)["spec"]["hubAcceptsClient"] is False


def test_a_cluster_that_is_accepted_is_only_marked() -> None:
    """So that a later denial is not undone either."""
    simulation = hub(HubSettings(auto_approval=True))
    simulation.act(Create(make.managed_cluster("c1", accepted=True)))
    simulation.settle()
    assert MARK in cluster(simulation)["metadata"]["annotations"]


def test_without_the_gate_nobody_is_accepted() -> None:
    """A cluster that asks stays as it is."""
    simulation = hub(HubSettings())
    simulation.act(Create(make.managed_cluster("c1", accepted=False)))
    simulation.settle()
    assert cluster(simulation)["spec"]["hubAcceptsClient"] is False
    assert MARK not in (cluster(simulation)["metadata"].get("annotations") or {})


def held(obj: Object) -> Object:
    """The object with a finalizer, so that it stays for a while."""
    return {**obj, "metadata": {**obj["metadata"], "finalizers": ["example.com/held"]}}


def said(simulation: Simulation) -> tuple[str, str]:
    """What c1 says of its deletion."""
    found = find(cluster(simulation)["status"]["conditions"], "Deleting") or {}
    return str(found.get("reason")), str(found.get("message"))


def test_what_goes_with_a_cluster_can_be_chosen() -> None:
    """Kinds by group, version and plural, in the order given; the last word is that nothing is left."""
    chosen = ("/v1/configmaps", "work.open-cluster-management.io/v1/manifestworks", "no.such/v1/kinds")
    simulation = hub(HubSettings(cleanup_resources=chosen))
    simulation.act(Create(held(make.managed_cluster("c1"))))
    simulation.settle()
    works = [held(make.manifest_work("w", "c1", [make.config_map("x")]))]
    simulation.act(*(Create(o) for o in (*works, held(make.config_map("cm", "c1")))), Delete(C1))
    simulation.settle()
    config = Ref("", "ConfigMap", "c1", "cm")
    work = Ref(*Kind("work.open-cluster-management.io", "ManifestWork"), "c1", "w")
    assert simulation.hub.get(config)["metadata"].get("deletionTimestamp")  # type: ignore[index]
    assert not simulation.hub.get(work)["metadata"].get("deletionTimestamp")  # type: ignore[index]
    assert said(simulation)[0] == "ResourceRemaining"
    for ref in (config, work):
        simulation.act(MergePatch(ref, {"metadata": {"finalizers": None}}))
        simulation.advance(seconds=30)
    assert said(simulation) == ("NoResource", "No cleaned resource in cluster ns.")
    assert cluster(simulation)["metadata"]["finalizers"] == ["example.com/held"]


@pytest.mark.parametrize("gate", [False, True])
def test_a_work_without_an_executor(gate: bool) -> None:
    """With NilExecutorValidating whoever writes it must be allowed to act as the agent."""
    work = make.manifest_work("w", "c1", [make.config_map("x")])
    settings = HubSettings().with_gates({"NilExecutorValidating": gate})
    reviews = admit(work, None, NOW, settings).reviews
    assert [(r.verb, r.name) for r in reviews] == (
        [("execute-as", "system:serviceaccount::klusterlet-work-sa")] if gate else []
    )
