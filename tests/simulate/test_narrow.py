"""A simulated process sees what its rows have watched, and no more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gitops_ocm.decide.contract import DONE, Controller, Create, MergePatch, Outcome, Read, View, Wake
from gitops_ocm.decide.kinds import MANAGED_CLUSTER, cluster_ref
from gitops_ocm.objects.ref import Ref
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.run import Simulation
from gitops_ocm.simulate.world import World
from gitops_ocm.testing.objects import managed_cluster

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reads", "woken"),
    [((), {"a", "b"}), ((Read(MANAGED_CLUSTER, name="a"),), {"a"})],
    ids=["all", "by name"],
)
def test_a_watch_by_name(reads: tuple[Read, ...], woken: set[str]) -> None:
    """Objects that are not watched neither wake a row nor appear in its lists, as in a live cache."""
    seen: set[str] = set()
    listed: set[str] = set()

    def look(view: View, key: Ref, now: datetime) -> Outcome:
        seen.add(key.name)
        listed.update(obj["metadata"]["name"] for obj in view.list(MANAGED_CLUSTER))
        return DONE

    hub = World(load_catalog())
    simulation = Simulation(hub, [Controller("look", "test", look, (Wake(MANAGED_CLUSTER),), reads)], now=NOW)
    simulation.act(Create(managed_cluster("a")), Create(managed_cluster("b")))
    simulation.settle()
    assert (seen, listed) == (woken, woken)
    seen.clear()
    labels = {"metadata": {"labels": {"x": "y"}}}
    simulation.act(*(MergePatch(cluster_ref(name), labels) for name in ("a", "b")))
    simulation.settle()
    assert seen == woken
