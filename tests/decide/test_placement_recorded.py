"""What OCM's own scheduler decided of random fleets, held against ours: hundreds of placements, whole."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import takewhile
from typing import Any

import pytest

from gitops_ocm.decide.contract import Create
from gitops_ocm.decide.hub_table import placement_rows
from gitops_ocm.decide.kinds import PLACEMENT, PLACEMENT_DECISION
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.ref import Ref
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.run import Simulation
from gitops_ocm.simulate.world import World
from gitops_ocm.testing.objects import namespace
from tests.decide.placement_recorder import PLACEMENTS_EACH, RECORD, SCENES, told
from tests.decide.placement_scenes import GROUP, scene

pytestmark = pytest.mark.slow

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@cache
def recorded() -> dict[str, list[Any]]:
    """The decisions of OCM's scheduler, by scene."""
    found: dict[str, list[Any]] = json.loads(gzip.decompress(RECORD.read_bytes()))
    return found


@cache
def catalog() -> Catalog:
    """The kinds of a hub."""
    return load_catalog()


def restless(spec: Mapping[str, Any]) -> bool:
    """Whether it flees from its own choice: with Steady below 0 either scheduler chooses anew for ever."""
    asked = (spec.get("prioritizerPolicy") or {}).get("configurations") or ()
    steady = [c["weight"] for c in asked if c["scoreCoordinate"].get("builtIn") == "Steady"]
    return bool(steady and steady[-1] < 0 and spec.get("numberOfClusters"))


def played(number: int) -> list[Any]:
    """What ours decides of a scene, in memory; up to a restless placement, on which others depend."""
    one = scene(number, placements=PLACEMENTS_EACH)
    world = World(catalog())
    world.put(namespace(one.namespace))
    for obj in (*one.sets, *one.clusters, *one.scores, *one.bindings):
        world.put(obj)
    simulation = Simulation(world, placement_rows(HubSettings()), now=NOW)
    simulation.settle()
    found = []
    for obj in takewhile(lambda p: not restless(p["spec"]), one.placements):
        simulation.act(Create(obj))
        simulation.settle()
        name = obj["metadata"]["name"]
        placement = world.get(Ref(*PLACEMENT, one.namespace, name))
        assert placement is not None
        pages = world.list(PLACEMENT_DECISION, one.namespace, {f"{GROUP}/placement": name})
        found.append(json.loads(json.dumps(told(placement, pages))))
    return found


@pytest.mark.parametrize("number", range(SCENES))
def test_decisions_are_those_of_ocm(number: int) -> None:
    """Decisions, pages, their names, group labels, groups, counts and both conditions are the same."""
    specs = [p["spec"] for p in scene(number, placements=PLACEMENTS_EACH).placements]
    for spec, ours, theirs in zip(specs, played(number), recorded()[str(number)], strict=False):
        assert ours == theirs, spec


def test_the_record_is_large() -> None:
    """Hundreds of placements are compared, of all outcomes that the protocol has."""
    counted = [
        theirs
        for number in range(SCENES)
        for theirs, _ in zip(
            recorded()[str(number)],
            takewhile(
                lambda p: not restless(p["spec"]), scene(number, placements=PLACEMENTS_EACH).placements
            ),
            strict=False,
        )
    ]
    assert len(counted) > 250
    assert {c[2] for theirs in counted for c in theirs["conditions"]} == {
        "AllDecisionsScheduled",
        "AllManagedClusterSetsEmpty",
        "Misconfigured",
        "NoIntersection",
        "NoManagedClusterMatched",
        "NotAllDecisionsScheduled",
        "Succeedconfigured",
    }
