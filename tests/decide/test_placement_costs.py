"""What expressions of placements may cost: on all clusters together, on one, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.api.placement import MISCONFIGURED, SATISFIED
from gitops_ocm.decide.contract import Create, Laborious, MergePatch
from gitops_ocm.decide.hub_table import placement_rows
from gitops_ocm.decide.kinds import MANAGED_CLUSTER, PLACEMENT, PLACEMENT_DECISION
from gitops_ocm.decide.placement import judging
from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.filters import Predicates
from gitops_ocm.decide.placement.fleet import Fleet
from gitops_ocm.decide.placement.scoreboard import Scoreboard
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.desired.placements import placement_findings
from gitops_ocm.objects.cel.patience import OutOfPatience, Patience, hurried
from gitops_ocm.objects.placement_expressions import LONGEST
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.run import Simulation
from gitops_ocm.simulate.world import World
from gitops_ocm.testing.objects import binding, cluster_set, managed_cluster, namespace, placement

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CATALOG = load_catalog()
HEAVY = "lists.range(280000).size() > 0"
"""Costs 280,000 units, in no time."""
DEAR = "lists.range(1000).all(x, lists.range(1000).all(y, x + y >= 0))"
"""Costs more than one expression may."""


def selecting(*texts: str) -> Object:
    """A predicate of these expressions."""
    return {"requiredClusterSelector": {"celSelector": {"celExpressions": [*texts]}}}


def only(name: str, text: str) -> str:
    """An expression that costs what `text` does, on one cluster alone."""
    return f"managedCluster.metadata.name != '{name}' || {text}"


def simulated(clusters: int, *predicates: Object, **spec: Any) -> Simulation:
    """A hub with so many clusters, and the placement `web`."""
    world = World(CATALOG)
    for obj in (namespace("fleet"), cluster_set("ring"), binding("ring", "fleet")):
        world.put(obj)
    for number in range(clusters):
        world.put(managed_cluster(f"c{number:03}", cluster_set="ring"))
    simulation = Simulation(world, placement_rows(HubSettings()), now=NOW)
    simulation.act(Create(placement("web", "fleet", predicates=[*predicates], **spec)))
    simulation.settle()
    return simulation


def chosen(simulation: Simulation) -> list[str]:
    """The clusters in the decisions."""
    pages = simulation.hub.list(PLACEMENT_DECISION, "fleet")
    return [d["clusterName"] for p in pages for d in (p.get("status") or {}).get("decisions") or ()]


def said(simulation: Simulation, type: str) -> tuple[str, str]:
    """A condition of the placement."""
    web = simulation.hub.get(Ref(*PLACEMENT, "fleet", "web"))
    assert web is not None
    found = {c["type"]: (c["status"], c["message"]) for c in web["status"]["conditions"]}
    return found.get(type, ("", ""))


def test_a_cluster_on_which_it_costs_too_much_is_left_out_and_named() -> None:
    """The others are selected, as OCM would; the condition and an event say who is not, and why."""
    simulation = simulated(4, selecting(only("c001", DEAR)), selecting(only("c001", HEAVY + " && false")))
    assert chosen(simulation) == ["c000", "c002", "c003"]
    status, message = said(simulation, MISCONFIGURED)
    assert status == "True"
    assert "(on c001, not selected)" in message
    assert "cost" in message
    assert said(simulation, SATISFIED)[0] == "True"
    assert [e.message for e in simulation.hub.events if e.kind == "Warning"] == [message]
    simulation.act(MergePatch(Ref(*PLACEMENT, "fleet", "web"), {"spec": {"predicates": None}}))
    simulation.settle()
    assert said(simulation, MISCONFIGURED)[0] == "False"


def test_a_decision_that_costs_too_much_leaves_the_last_one_as_it_is() -> None:
    """On three hundred clusters it is more than a decision may cost; the condition and one event say so."""
    simulation = simulated(80, numberOfClusters=3)
    assert len(chosen(simulation)) == 3
    before = chosen(simulation)
    del simulation.hub.events[:]
    ref = Ref(*PLACEMENT, "fleet", "web")
    simulation.act(MergePatch(ref, {"spec": {"predicates": [selecting(HEAVY)], "numberOfClusters": 7}}))
    simulation.settle()
    status, message = said(simulation, MISCONFIGURED)
    assert status == "True"
    assert f"cost more than {judging.DECISION_BUDGET} on all clusters" in message
    assert chosen(simulation) == before
    assert [(e.kind, e.message) for e in simulation.hub.events] == [("Warning", message)]
    for number in range(20):
        simulation.act(MergePatch(Ref(*MANAGED_CLUSTER, "", f"c{number:03}"), {"spec": {"taints": []}}))
    simulation.settle()
    assert len(simulation.hub.events) == 1
    simulation.act(MergePatch(ref, {"spec": {"predicates": [selecting("true")]}}))
    simulation.settle()
    assert said(simulation, MISCONFIGURED)[0] == "False"
    assert len(chosen(simulation)) == 7


def test_all_alternatives_share_what_a_decision_may_cost() -> None:
    """Two alternatives that each may be afforded may not be both."""
    half = [selecting(HEAVY + f" && {number} < 0") for number in range(2)]
    assert said(simulated(60, half[0]), MISCONFIGURED)[0] == "False"
    assert said(simulated(60, *half), MISCONFIGURED)[0] == "True"


class Impatience:
    """Somebody who has time for so many looks at the clock, each time anew."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def __call__(self) -> Patience:
        left = iter(range(self.looks))
        return Patience(lambda: next(left, None) is None, 20_000)


def made(decide: Callable[[], int], seconds: Iterator[float], pending: Callable[[], None]) -> int:
    """The decision, worked out beside where it takes long, as a runner does; how often is bounded.

    Something that is `pending` happens meanwhile.
    """
    for _ in range(200):
        try:
            return decide()
        except Laborious as task:
            task.work(lambda: next(seconds))
            pending()
    raise AssertionError("it makes no progress")


CHANGES = st.tuples(st.integers(0, 8), st.sampled_from(["label", "score", "gone"]), st.integers(0, 9))
TEXTS = (
    "managedCluster.metadata.labels['n'].parseJSON() > 4.0",
    "managedCluster.scores('s').exists(s, s.value > 4)",
    "managedCluster.metadata.labels['n'] == '7' || lists.range(40000).size() < 0",
)


def _changed(fleet: Fleet, board: Scoreboard, number: int, what: str, value: int) -> None:
    old = fleet.get(f"c{number}")
    match what:
        case "score":
            score = {"metadata": {"namespace": f"c{number}", "name": "s"}}
            board.change(None, {**score, "status": {"scores": [{"name": "x", "value": value}]}})
        case "gone":
            if old is not None:
                fleet.change(old, None)
        case _:
            fleet.change(old, managed_cluster(f"c{number}", labels={"n": str(value)}))


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.lists(st.lists(CHANGES, max_size=6), min_size=1, max_size=5),
    st.lists(st.sampled_from(TEXTS), min_size=1, max_size=2),
    st.integers(1, 40),
    st.lists(st.sampled_from([0.001, 0.4, 1.1]), min_size=1, max_size=20),
    st.lists(CHANGES, max_size=9),
)
def test_haste_changes_no_decision(
    rounds: list[list[Any]], texts: list[str], looks: int, times: list[float], between: list[Any]
) -> None:
    """Judged in slices and remembered, while clusters and scores come, change and go: as if judged anew."""
    fleet, board = Fleet.of(managed_cluster(f"c{n}", labels={"n": "5"}) for n in range(8)), Scoreboard()
    predicates = Predicates.of([selecting(t) for t in texts], board)
    pending = list(between)

    def decide() -> int:
        return predicates.among(fleet, fleet.everyone)

    def clock() -> Iterator[float]:
        while True:
            yield from times

    def decide_in_haste() -> int:
        with hurried(Impatience(looks)):
            return decide()

    def happens() -> None:
        if pending:
            _changed(fleet, board, *pending.pop())

    for changes in rounds:
        for change in changes:
            _changed(fleet, board, *change)
        found = fleet.names(made(decide_in_haste, clock(), happens))
        anew = Fleet.of([c for n in fleet.names(fleet.everyone) if (c := fleet.get(n)) is not None])
        assert found == anew.names(predicates.among(anew, anew.everyone))


def test_what_is_judged_once_is_not_judged_again() -> None:
    """A change of one cluster, or of its scores, costs one judgement; no change costs none."""
    asked: list[str] = []

    class Counting:
        key = "counting"

        def judge(self, cluster: Object) -> judging.Verdict:
            asked.append(cluster["metadata"]["name"])
            return judging.Verdict(True, 1)

        def changed_since(self, mark: int) -> tuple[Any, int]:
            return board.changed_since(mark)

    board, judge = Scoreboard(), Counting()
    fleet = Fleet.of(managed_cluster(f"c{n}") for n in range(30))
    for _ in range(3):
        assert fleet.judged(fleet.everyone, judge, judging.Allowance()) == fleet.everyone
    assert len(asked) == 30
    del asked[:]
    fleet.change(fleet.get("c3"), managed_cluster("c3", labels={"a": "b"}))
    board.change(None, {"metadata": {"namespace": "c5", "name": "s"}})
    fleet.judged(fleet.everyone, judge, judging.Allowance())
    fleet.judged(fleet.everyone, judge, judging.Allowance())
    assert sorted(asked) == ["c3", "c5"]


def test_what_takes_longer_than_its_price_costs_more() -> None:
    """Where looking through lists is free, time counts: a cluster that takes all patience is given up."""

    class Slow:
        key = "slow"

        def judge(self, cluster: Object) -> judging.Verdict:
            raise OutOfPatience

        def changed_since(self, mark: int) -> tuple[Any, int]:
            return (), mark

    fleet = Fleet.of(managed_cluster(f"c{n}") for n in range(9))
    tries = 0

    def decide() -> None:
        nonlocal tries
        while tries < 9:
            try:
                fleet.judged(fleet.everyone, Slow(), judging.Allowance())
            except Laborious as task:
                tries += 1
                task.work(lambda: 10.0)

    with hurried(Impatience(1)), pytest.raises(Misconfigured):
        decide()
    assert tries == 3


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        (["'" + "x" * LONGEST + "' == ''"], "celExpressions"),
        (["true || " + "true || " * 2000 + "true"] * 2, "celExpressions"),
        (["true", DEAR], 1),
    ],
    ids=["one too long", "too long together", "too dear on any cluster"],
)
def test_the_sync_says_what_can_be_known_beforehand(texts: list[str], field: str | int) -> None:
    """Expressions that are too long, or too dear even on a cluster of nothing but a name, at their place."""
    (found,) = placement_findings(placement("web", "fleet", predicates=[selecting(*texts)]))
    assert found.code == "placement-misconfigured"
    assert found.path[-1] == field
