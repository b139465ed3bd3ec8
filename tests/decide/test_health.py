"""Leases, clocks and taints of one cluster, with the time as an argument; and the pieces around them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.agent.heartbeat import Heartbeat
from gitops_ocm.decide.agent.pacing import spread
from gitops_ocm.decide.contract import Controller, Side, Update
from gitops_ocm.decide.controllers import agent_controllers, hub_controllers, in_groups
from gitops_ocm.decide.damping import FIRST, LONGEST, QUIET, Damping
from gitops_ocm.decide.health import Availability, ClockSync, Taints, lease_ref, new_lease
from gitops_ocm.decide.kinds import cluster_ref
from gitops_ocm.decide.rollout import ClusterState, Group, RolloutError, State, advance
from gitops_ocm.decide.settings import AgentSettings, HubSettings
from gitops_ocm.decide.writes import name_of
from gitops_ocm.objects.conditions import micro_timestamp, timestamp
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.view import WorldView
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ACCEPTED = {"type": "HubAcceptedManagedCluster", "status": "True", "reason": "x", "message": ""}
KEY = cluster_ref("c1")


def hub(*objects: Object) -> WorldView:
    """A hub with these objects, seen by a reconciler."""
    world = World(load_catalog(), namespaces=["c1"])
    for obj in objects:
        world.put(obj)
    return WorldView({Side.HUB: world}, {})


def cluster(*conditions: Object, duration: int = 60) -> Object:
    """An accepted ManagedCluster with more conditions."""
    found = make.managed_cluster("c1")
    found["spec"]["leaseDurationSeconds"] = duration
    return {**found, "status": {"conditions": [ACCEPTED, *conditions]}}


def lease(ago: float, *, seen_ago: float | None = None) -> Object:
    """The cluster's lease, renewed so many seconds ago by the agent's clock."""
    found = new_lease("c1", NOW - timedelta(seconds=ago))
    if seen_ago is not None:
        fields: Object = {"f:spec": {"f:renewTime": {}}}
        found["metadata"]["managedFields"] = [
            {"manager": "agent", "time": timestamp(NOW - timedelta(seconds=seen_ago)), "fieldsV1": fields}
        ]
    return found


LEASES = [
    (0, 60, 300.0),
    (299, 60, 1.0),
    (300, 60, None),
    (0, 0, 300.0),
    (24, 5, 1.0),
    (25, 5, None),
    (-30, 60, 330.0),
]


@pytest.mark.parametrize(("ago", "duration", "wake"), LEASES)
def test_a_lease_is_good_for_five_durations(ago: float, duration: int, wake: float | None) -> None:
    """Before the end the key sleeps exactly until then; at the end the cluster turns Unknown."""
    found = Availability(HubSettings())(hub(cluster(duration=duration), lease(ago)), KEY, NOW)
    assert found.requeue_after == wake
    assert bool(found.actions) is (wake is None)


CLOCKS = [
    (0, 0, "True"),
    (100, 100, "True"),
    (700, 100, "False"),
    (-400, 0, "False"),
    (299, 0, "True"),
    (300, 0, "False"),
]


@pytest.mark.parametrize(("ago", "seen_ago", "status"), CLOCKS)
def test_a_clock_is_judged_by_when_the_lease_was_written(ago: float, seen_ago: float, status: str) -> None:
    """An old lease is no wrong clock; a lease from another time is."""
    found = ClockSync(HubSettings())(hub(cluster(), lease(ago, seen_ago=seen_ago)), KEY, NOW)
    (write,) = found.actions
    assert write.body["status"]["conditions"][-1]["status"] == status  # type: ignore[union-attr]


def test_the_lease_as_the_hub_made_it_says_nothing_of_the_cluster_s_clock() -> None:
    """Until an agent renews the lease, ClockSynced is not reported at all."""
    fresh = lease(0, seen_ago=0)
    fresh["metadata"]["creationTimestamp"] = timestamp(NOW)
    fresh["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:holderIdentity"] = {}
    assert not ClockSync(HubSettings())(hub(cluster(), fresh), KEY, NOW).actions


def test_a_renewal_within_the_second_of_the_lease_s_making_counts() -> None:
    """Whoever wrote the renewal alone is an agent, though its time is that of the creation."""
    renewed = lease(0, seen_ago=0)
    renewed["metadata"]["creationTimestamp"] = timestamp(NOW)
    (write,) = ClockSync(HubSettings())(hub(cluster(), renewed), KEY, NOW).actions
    assert write.body["status"]["conditions"][-1]["status"] == "True"  # type: ignore[union-attr]


TAINTS = [
    (None, ["unreachable"]),
    ("Unknown", ["unreachable"]),
    ("False", ["unavailable"]),
    ("True", []),
]


@pytest.mark.parametrize(("status", "expected"), TAINTS)
@pytest.mark.parametrize("held", [[], ["unreachable"], ["unavailable"], ["unreachable", "unavailable"]])
def test_taints_follow_availability_and_leave_others_alone(
    status: str | None, expected: list[str], held: list[str]
) -> None:
    """Whatever was there before, the right system taint is there after, and only that."""
    prefix = "cluster.open-cluster-management.io/"
    condition = {"type": "ManagedClusterConditionAvailable", "status": status, "reason": "x", "message": ""}
    found = cluster(*([condition] if status else []))
    other = {"key": "mine", "effect": "NoSelect"}
    found["spec"]["taints"] = [other, *({"key": prefix + k, "effect": "NoSelect"} for k in held)]
    outcome = Taints()(hub(found), KEY, NOW)
    taints = found["spec"]["taints"]
    for write in outcome.actions:
        taints = write.body["spec"]["taints"]  # type: ignore[union-attr]
        assert write.body["metadata"]["resourceVersion"]  # type: ignore[union-attr]
    assert [t["key"].removeprefix(prefix) for t in taints] == ["mine", *expected]
    assert bool(outcome.actions) is (held != expected)


def test_heartbeats_come_each_duration_spread_by_up_to_a_quarter() -> None:
    """Two clusters do not beat in step, and each beats when it is due and not before."""
    beat = Heartbeat(AgentSettings("c1"))
    assert not beat(hub(cluster(), lease(59)), KEY, NOW).actions
    found = beat(hub(cluster(), lease(75)), KEY, NOW)
    (write,) = found.actions
    assert isinstance(write, Update)
    assert write.obj["spec"]["renewTime"] == micro_timestamp(NOW)
    assert found.requeue_after is not None
    assert 60 <= found.requeue_after <= 75
    assert spread(60, 0.25, "c1") != spread(60, 0.25, "c2")


@pytest.mark.parametrize(
    ("writers", "beats"),
    [
        ([], False),
        ([("hub", ["f:holderIdentity", "f:renewTime"])], True),
        ([("hub", ["f:holderIdentity"]), ("agent", ["f:renewTime"])], False),
    ],
)
def test_a_lease_that_the_hub_made_is_renewed_at_once(
    writers: list[tuple[str, list[str]]], beats: bool
) -> None:
    """By the first renewal the hub knows of the agent and its clock; later ones come when they are due."""
    made = lease(1)
    made["metadata"]["managedFields"] = [
        {"manager": who, "operation": "Update", "fieldsV1": {"f:spec": {field: {} for field in fields}}}
        for who, fields in writers
    ]
    assert bool(Heartbeat(AgentSettings("c1"))(hub(cluster(), made), KEY, NOW).actions) is beats


def test_without_acceptance_there_is_no_heartbeat() -> None:
    """A denied cluster's agent falls silent."""
    denied = {**cluster(), "status": {"conditions": [{**ACCEPTED, "status": "False"}]}}
    assert not Heartbeat(AgentSettings("c1"))(hub(denied, lease(500)), KEY, NOW).actions


@given(st.lists(st.floats(0, 20), max_size=60))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_damping_lets_the_first_through_and_then_ever_fewer(gaps: list[float]) -> None:
    """No wake waits longer than the longest pause, and a hot key runs seldom."""
    damping, now, runs = Damping(), 0.0, set()
    for gap in [0.0, *gaps]:
        now += gap
        wait = damping.delay("key", now)
        assert 0 <= wait <= LONGEST + 1e-9  # times are added up as floating point numbers
        runs.add(round(now + wait, 6))
    assert round(0.0, 6) in runs
    assert len(runs) <= 10 + now / LONGEST
    assert damping.delay("key", now + LONGEST + QUIET + FIRST) == 0.0
    damping.forget(now + 10 * QUIET)
    assert damping.delay("key", now) == 0.0


ROLLOUTS = [
    ({"x1": State.TO_APPLY, "x2": State.TO_APPLY}, "None", ["x1", "x2"], [], None),
    (
        {"x1": (State.SUCCEEDED, 5), "x2": (State.FAILED, 100), "x3": (State.PROGRESSING, 30)},
        "90s",
        ["x3"],
        ["x2"],
        60,
    ),
    ({"x1": (State.PROGRESSING, 10)}, "90s", ["x1"], [], 80),
    ({"x1": (State.FAILED, 999), "x2": (State.PROGRESSING, 999)}, "None", ["x1", "x2"], [], None),
]


@pytest.mark.parametrize(("states", "deadline", "roll_out", "timed_out", "recheck"), ROLLOUTS)
def test_rollout_all(
    states: dict[str, object], deadline: str, roll_out: list[str], timed_out: list[str], recheck: int | None
) -> None:
    """The worked examples of strategy All."""
    known = [
        ClusterState(name, s[0], NOW - timedelta(seconds=s[1]))
        if isinstance(s, tuple)
        else ClusterState(name)
        for name, s in states.items()
    ]
    gone = ClusterState("x9", State.SUCCEEDED, NOW)
    groups = [Group(0, "", tuple(states))]
    step = advance({"type": "All", "all": {"progressDeadline": deadline}}, groups, [*known, gone], NOW)
    assert [s.cluster for s in step.roll_out] == roll_out
    assert [s.cluster for s in step.timed_out] == timed_out
    assert step.removed == (gone,)
    assert step.recheck == (NOW + timedelta(seconds=recheck) if recheck is not None else None)


@pytest.mark.parametrize(
    "strategy", [{"type": "Sideways"}, {"type": "All", "all": {"progressDeadline": "10"}}]
)
def test_a_strategy_that_cannot_be_is_refused(strategy: Object) -> None:
    """Never taken for another one."""
    with pytest.raises(RolloutError):
        advance(strategy, [Group(0, "", ("a",))], [], NOW)


def _tables() -> list[tuple[Controller, ...]]:
    return [hub_controllers(), agent_controllers(AgentSettings("c1", "https://hub"))]


def test_rows_have_names_of_their_own_and_known_groups() -> None:
    """The table is what people pick from and what the RBAC is made of."""
    for table in _tables():
        assert max(Counter(row.name for row in table).values()) == 1
        assert {row.group for row in table} <= {"registration", "placement", "work", "addon"}
        assert all(row.writes for row in table)
    assert {row.group for row in in_groups(hub_controllers(), ["placement"])} == {"placement"}


def test_the_hub_hash_is_that_of_the_url_as_it_is_written() -> None:
    """Nothing about the URL is normalised; the agent id defaults to the hash."""
    agent = AgentSettings("c1", "https://hub.example.com:6443")
    assert agent.hub_hash == "badbd4de19b639898c31f168ba913abc5d9e2bbcf25d70e3ee016190492578ae"
    assert agent.agent == agent.hub_hash
    assert replace(agent, agent_id="uid-1").agent == "uid-1"
    assert lease_ref("c1").name == "managed-cluster-lease"
    assert name_of(new_lease("c1", NOW)) == "managed-cluster-lease"
