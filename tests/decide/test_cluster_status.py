"""What an agent says of its cluster, and when it tells people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gitops_ocm.decide.agent.cluster_status import ClusterStatus
from gitops_ocm.decide.agent.facts import facts
from gitops_ocm.decide.contract import Emit, MergePatch, Side
from gitops_ocm.decide.kinds import cluster_ref
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.view import WorldView
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ACCEPTED = {"type": "HubAcceptedManagedCluster", "status": "True", "reason": "x", "message": ""}


def view(available: str | None, *, healthy: bool = True, **status: object) -> WorldView:
    """An accepted cluster whose Available is so, and a cluster without nodes that is so."""
    hub, spoke = World(load_catalog()), World(load_catalog())
    held: list[Object] = [ACCEPTED]
    if available is not None:
        held.append({**ACCEPTED, "type": "ManagedClusterConditionAvailable", "status": available})
    hub.put({**make.managed_cluster("c1"), "status": {"conditions": held, **status}})
    failing_since = None if healthy else NOW - timedelta(hours=1)
    spoke.put(facts(version="v1.35.4", failing_since=failing_since, failure="500"))
    return WorldView({Side.HUB: hub, Side.SPOKE: spoke}, {})


TURNS = [
    (None, True, ["Available"]),
    ("Unknown", True, ["Available"]),
    ("False", True, ["Available"]),
    ("True", True, []),
    ("True", False, ["Unavailable"]),
    ("Unknown", False, ["Unavailable"]),
    ("False", False, []),
]


@pytest.mark.parametrize(("before", "healthy", "events"), TURNS)
def test_people_are_told_when_availability_turns(
    before: str | None, healthy: bool, events: list[str]
) -> None:
    """One event per turn, in the cluster's namespace on the hub."""
    found = ClusterStatus(AgentSettings("c1"))(view(before, healthy=healthy), cluster_ref("c1"), NOW)
    emitted = [write for write in found.actions if isinstance(write, Emit)]
    assert [event.reason for event in emitted] == events
    assert all(event.namespace == "c1" for event in emitted)
    assert all((event.kind == "Normal") is healthy for event in emitted)


@pytest.mark.parametrize(
    ("held", "written"),
    [({}, {"version"}), ({"allocatable": {"cpu": "1"}}, {"version", "allocatable"})],
    ids=["never-any", "gone"],
)
def test_what_a_cluster_does_not_have_is_left_out(held: Object, written: set[str]) -> None:
    """No nodes and no claims: nothing is said of them, unless something was said before."""
    found = ClusterStatus(AgentSettings("c1"))(view("True", **held), cluster_ref("c1"), NOW)
    (patch,) = [write for write in found.actions if isinstance(write, MergePatch)]
    assert patch.body["status"].keys() - {"conditions"} == written
