"""What is told of placements as Events, with the objects each is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gitops_ocm.decide.contract import Create, Emit, MergePatch
from gitops_ocm.decide.hub_table import placement_rows
from gitops_ocm.decide.kinds import PLACEMENT
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.objects.ref import Ref
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.run import Simulation
from gitops_ocm.simulate.world import World
from gitops_ocm.testing.objects import binding, cluster_set, managed_cluster, namespace, placement

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CATALOG = load_catalog()
WHERE = "with placement web in namespace fleet"


def simulated(*clusters: str, bound: bool = True) -> Simulation:
    """A hub with these clusters in a set."""
    world = World(CATALOG)
    for obj in (namespace("fleet"), cluster_set("ring"), *([binding("ring", "fleet")] if bound else [])):
        world.put(obj)
    for name in clusters:
        world.put(managed_cluster(name, cluster_set="ring"))
    return Simulation(world, placement_rows(HubSettings()), now=NOW)


def told(simulation: Simulation) -> list[tuple[str, str, str, str, str]]:
    """Type, reason, action, note, and the decision it is about beside the placement; takes them."""
    taken: list[Emit] = simulation.hub.events[:]
    del simulation.hub.events[:]
    assert {e.component for e in taken} <= {"placement-controller"}
    assert {e.about["metadata"]["name"] for e in taken} <= {"web"}
    related = [(e.related or {"metadata": {"name": ""}})["metadata"]["name"] for e in taken]
    return [(e.kind, e.reason, e.action, e.message, r) for e, r in zip(taken, related, strict=True)]


def test_decisions_are_told_as_they_are_written() -> None:
    """Creation, clusters, scores; then what becomes of pages that are changed and no longer needed."""
    simulation = simulated("a", "b")
    strategy = {"groupStrategy": {"clustersPerDecisionGroup": 1}}
    simulation.act(Create(placement("web", "fleet", decisionStrategy=strategy)))
    simulation.settle()
    one, two = "web-decision-1", "web-decision-2"
    assert told(simulation) == [
        ("Normal", "DecisionCreate", "DecisionCreated", f"Decision {one} is created {WHERE}", one),
        ("Normal", "DecisionCreate", "DecisionCreated", f"Decision {two} is created {WHERE}", two),
        ("Normal", "DecisionUpdate", "DecisionUpdated", f"Decision {one} is updated {WHERE}", one),
        ("Normal", "ScoreUpdate", "ScoreUpdated", "a:100 b:100 ", one),
        ("Normal", "DecisionUpdate", "DecisionUpdated", f"Decision {two} is updated {WHERE}", two),
    ]
    ref = Ref(*PLACEMENT, "fleet", "web")
    simulation.act(MergePatch(ref, {"spec": {"numberOfClusters": 1}}))
    simulation.settle()
    assert told(simulation) == [
        ("Normal", "DecisionDelete", "DecisionDeleted", f"Decision {two} is deleted {WHERE}", two)
    ]


MISTAKES: list[tuple[dict[str, Any], bool, str, str]] = [
    (
        {"tolerations": [{"value": "x"}]},
        True,
        "Misconfigured",
        "TaintToleration:If the key is empty, operator must be Exists.",
    ),
    (
        {"clusterSets": ["nowhere"]},
        True,
        "NoIntersection",
        "None of ManagedClusterSets [nowhere] is bound to placement namespace",
    ),
    (
        {},
        False,
        "NoManagedClusterSetBindings",
        "No valid ManagedClusterSetBindings found in placement namespace",
    ),
]


@pytest.mark.parametrize(("spec", "bound", "reason", "message"), MISTAKES)
def test_a_mistake_is_told_once(spec: dict[str, Any], bound: bool, reason: str, message: str) -> None:
    """A Warning with the condition's reason and message; looking again says nothing more."""
    simulation = simulated("a", bound=bound)
    simulation.act(Create(placement("web", "fleet", **spec)))
    simulation.settle()
    warnings = [event for event in told(simulation) if event[0] == "Warning"]
    assert warnings == [("Warning", reason, "Scheduling", message, "")]
    simulation.advance(minutes=30)
    simulation.settle()
    assert told(simulation) == []
