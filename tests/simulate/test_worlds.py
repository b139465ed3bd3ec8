"""What the simulator itself holds: the same world each time, and an end to it."""

from __future__ import annotations

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
    View,
    Wake,
)
from gitops_ocm.objects.ref import Ref
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.run import Livelock, Simulation
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import START, Fleet
from tests.simulate.histories import CONFIG, Fleets, manifests


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


def test_foreground_deletion_in_a_world_waits_for_blocking_dependents(fleets: Fleets) -> None:
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
