"""Choosing clusters: predicates, taints, scores and the conditions that tell of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.placement.explanation import left_out
from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.filters import Predicates, Tolerations
from gitops_ocm.decide.placement.fleet import Fleet
from gitops_ocm.decide.placement.schedule import Candidates, Schedule, schedule
from gitops_ocm.decide.placement.scoreboard import Scoreboard
from gitops_ocm.decide.placement.scores import Surroundings, prioritizers, rank
from gitops_ocm.decide.placement.tally import Tally
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.ref import Object

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
UNREACHABLE = "cluster.open-cluster-management.io/unreachable"


def cluster(name: str, *, taints: Sequence[Mapping[str, Any]] = (), **status: Any) -> Object:
    """A cluster; keyword `labels` are labels, others are status."""
    labels = status.pop("labels", {})
    return {"metadata": {"name": name, "labels": labels}, "spec": {"taints": list(taints)}, "status": status}


def around(
    elsewhere: Mapping[str, int] | None = None, chosen: Sequence[str] = (), scores: Sequence[Object] = ()
) -> Surroundings:
    """What surrounds a decision: how often clusters are chosen by others, by oneself, and their scores."""
    tally, board = Tally(), Scoreboard()
    for name, count in (elsewhere or {}).items():
        for n in range(count):
            made = {"metadata": {"namespace": "other", "name": f"{name}-{n}"}}
            tally.change(None, {**made, "status": {"decisions": [{"clusterName": name, "reason": ""}]}})
    for score in scores:
        board.change(None, score)
    return Surroundings(NOW, tally.elsewhere("ns", "p"), frozenset(chosen), board)


def ranked(clusters: Sequence[Object], policy: Object, surroundings: Surroundings) -> list[tuple[str, int]]:
    """Clusters with their totals, the best first."""
    fleet = Fleet.of(clusters)
    found = rank(fleet, fleet.everyone, prioritizers(policy), surroundings)
    totals = dict(zip(found.names, found.totals, strict=True))
    return [(name, totals[name]) for name in found.best()]


def tolerated(tolerations: Sequence[Object], clusters: Sequence[Object], chosen: str = "") -> Any:
    """The clusters that pass their taints, and when to look again."""
    fleet = Fleet.of(clusters)
    judged = Tolerations(tolerations, frozenset(chosen), NOW)
    kept = judged.among(fleet, fleet.everyone)
    return fleet.names(kept), judged.recheck(fleet, kept)


def decide(spec: Object, clusters: Sequence[Object], surroundings: Surroundings | None = None) -> Schedule:
    """Schedule a placement over clusters that are all in a bound set."""
    candidates = Candidates.of(("default",), ("default",), clusters)
    return schedule({"spec": spec}, candidates, surroundings or around())


SELECTORS = [
    ({"labelSelector": {"matchLabels": {"env": "prod"}}}, ["a"]),
    ({"labelSelector": {}}, ["a", "b", "c"]),
    (
        {"labelSelector": {"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["prod"]}]}},
        ["b", "c"],
    ),
    ({"claimSelector": {"matchExpressions": [{"key": "region", "operator": "In", "values": ["eu"]}]}}, ["b"]),
    ({"claimSelector": {"matchExpressions": [{"key": "region", "operator": "Exists"}]}}, ["a", "b"]),
    (
        {
            "labelSelector": {"matchLabels": {"env": "prod"}},
            "claimSelector": {"matchExpressions": [{"key": "region", "operator": "In", "values": ["eu"]}]},
        },
        [],
    ),
    ({"celSelector": {"celExpressions": ['managedCluster.metadata.labels["env"].matches("^pr")']}}, ["a"]),
    ({"celSelector": {"celExpressions": ['managedCluster.metadata.labels["env"]']}}, []),
    (
        {
            "celSelector": {
                "celExpressions": [
                    'managedCluster.status.clusterClaims.exists(c, c.name == "region" && c.value == "eu")'
                ]
            }
        },
        ["b"],
    ),
]
FLEET = [
    cluster("a", labels={"env": "prod"}, clusterClaims=[{"name": "region", "value": "us"}]),
    cluster("b", labels={"env": "dev"}, clusterClaims=[{"name": "region", "value": "eu"}]),
    cluster("c"),
]


@pytest.mark.parametrize(("selector", "expected"), SELECTORS)
def test_predicates_keep_the_clusters_that_meet_all_of_a_selector(
    selector: Object, expected: list[str]
) -> None:
    """Labels, claims and expressions are ANDed inside one predicate."""
    fleet, predicates = Fleet.of(FLEET), Predicates.of([{"requiredClusterSelector": selector}])
    assert fleet.names(predicates.among(fleet, fleet.everyone)) == expected
    assert [c["metadata"]["name"] for c in FLEET if predicates.matches(c)] == expected


def test_predicates_are_alternatives() -> None:
    """A cluster is kept by any of them; the others are told why not."""
    predicates = [{"requiredClusterSelector": s} for s in (SELECTORS[0][0], SELECTORS[3][0])]
    found = decide({"predicates": predicates}, FLEET)
    assert found.selected == ("a", "b")
    assert left_out(found) == {"c": "meets no predicate"}


MISCONFIGURED = [
    (
        {"predicates": [{"requiredClusterSelector": {"labelSelector": {"matchExpressions": [
            {"key": "a", "operator": "In"}]}}}]},
        "Predicate:values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty",
    ),
    (
        {"predicates": [{"requiredClusterSelector": {"labelSelector": {"matchExpressions": [
            {"key": "a", "operator": "Gt", "values": ["1"]}]}}}]},
        'Predicate:"Gt" is not a valid label selector operator',
    ),
    (
        {"tolerations": [{"value": "x"}]},
        "TaintToleration:If the key is empty, operator must be Exists.",
    ),
    (
        {"tolerations": [{"key": "k", "operator": "Exists", "value": "x"}]},
        "TaintToleration:If the operator is Exists, the value should be empty.",
    ),
    ({"prioritizerPolicy": {"mode": "Best"}}, ":incorrect prioritizer policy mode: Best"),
    (
        {"prioritizerPolicy": {"configurations": [{"scoreCoordinate": {"builtIn": "Spread"}}]}},
        ":incorrect builtin prioritizer: Spread",
    ),
    (
        {"prioritizerPolicy": {"configurations": [{"scoreCoordinate": {"type": "AddOn"}}]}},
        ":addOn should not be empty",
    ),
    ({"numberOfClusters": -1}, ":numberOfClusters must not be negative: -1"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "message"), MISCONFIGURED)
def test_a_misconfigured_placement_selects_nobody_and_says_why(spec: Object, message: str) -> None:
    """As the Go scheduler: all clusters are lost, and the condition has the plugin and the reason."""
    found = decide(spec, FLEET)
    assert found.selected == ()
    assert tuple(found.misconfigured)[-3:] == ("True", "Misconfigured", message)
    assert tuple(found.satisfied)[-3:-1] == ("False", "NoManagedClusterMatched")


def test_an_expression_that_does_not_compile_is_misconfigured() -> None:
    """A syntax error is a mistake of the placement, not of a cluster."""
    selector = {"celSelector": {"celExpressions": ["1 +"]}}
    found = decide({"predicates": [{"requiredClusterSelector": selector}]}, FLEET)
    assert found.misconfigured[-1].startswith(
        "Predicate:compilation failed: ERROR: <input>:1:4: Syntax error"
    )


def taint(effect: str, *, key: str = "k", value: str = "", seconds_ago: int | None = None) -> Object:
    """A taint."""
    result: Object = {"key": key, "value": value, "effect": effect}
    if seconds_ago is not None:
        result["timeAdded"] = timestamp(NOW - timedelta(seconds=seconds_ago))
    return result


TOLERATED = [
    (taint("NoSelect"), [], False, False),
    (taint("NoSelect"), [], True, False),
    (taint("PreferNoSelect"), [], False, True),
    (taint("NoSelectIfNew"), [], False, False),
    (taint("NoSelectIfNew"), [], True, True),
    (taint("NoSelect"), [{"key": "k", "operator": "Exists"}], False, True),
    (taint("NoSelect"), [{"operator": "Exists"}], False, True),
    (taint("NoSelect"), [{"key": "other", "operator": "Exists"}], False, False),
    (taint("NoSelect", value="v"), [{"key": "k", "value": "v"}], False, True),
    (taint("NoSelect", value="v"), [{"key": "k", "operator": "Equal", "value": "w"}], False, False),
    (taint("NoSelect"), [{"key": "k", "operator": "Exists", "effect": "NoSelectIfNew"}], False, False),
    (taint("NoSelect", value="v"), [{"key": "k", "operator": "Unknown", "value": "v"}], False, False),
    (taint("NoSelect", seconds_ago=299), [{"operator": "Exists", "tolerationSeconds": 300}], True, True),
    (taint("NoSelect", seconds_ago=300), [{"operator": "Exists", "tolerationSeconds": 300}], True, False),
    (
        taint("NoSelect", seconds_ago=900),
        [{"key": "k", "operator": "Exists", "tolerationSeconds": 300}, {"operator": "Exists"}],
        True,
        True,
    ),
    (taint("NoSelect"), [{"key": "k", "operator": "Exists", "tolerationSeconds": 300}], True, False),
]  # fmt: skip


@pytest.mark.parametrize(("held", "tolerations", "chosen", "passes"), TOLERATED)
def test_taints_and_tolerations(held: Object, tolerations: list[Object], chosen: bool, passes: bool) -> None:
    """Whether a cluster with one taint may be selected."""
    tainted = cluster("a", taints=[held])
    kept, _ = tolerated(tolerations, [tainted], "a" if chosen else "")
    assert bool(kept) is passes
    reasons = Tolerations(tolerations, frozenset("a" if chosen else ""), NOW).left_out(tainted)
    assert bool([*reasons]) is not passes


def test_a_toleration_that_ends_sets_the_timer_of_a_chosen_cluster_only() -> None:
    """The placement is looked at again exactly when the first toleration runs out."""
    fleet = [
        cluster("a", taints=[taint("NoSelect", seconds_ago=100)]),
        cluster("b", taints=[taint("NoSelect", seconds_ago=200)]),
    ]
    tolerations = [{"key": "k", "operator": "Exists", "tolerationSeconds": 300}]
    assert tolerated(tolerations, fleet, "a") == (["a", "b"], NOW + timedelta(seconds=200))
    assert tolerated(tolerations, fleet, "ab") == (["a", "b"], NOW + timedelta(seconds=100))
    assert tolerated(tolerations, fleet) == (["a", "b"], None)


def test_resource_scores_are_those_of_the_worked_example() -> None:
    """CPU and memory, weighed alike: c0 before c1 before c2."""
    fleet = [
        cluster(name, allocatable={"cpu": cpu, "memory": memory}, capacity={"cpu": cpu, "memory": memory})
        for name, cpu, memory in (("c0", "8", "64Gi"), ("c1", "2", "128Gi"), ("c2", "6", "32Gi"))
    ]
    policy = {
        "mode": "Exact",
        "configurations": [
            {"scoreCoordinate": {"builtIn": f"ResourceAllocatable{r}"}, "weight": 1}
            for r in ("CPU", "Memory")
        ],
    }
    assert ranked(fleet, policy, around()) == [("c0", 67), ("c1", 0), ("c2", -67)]
    found = decide({"prioritizerPolicy": policy, "numberOfClusters": 2}, fleet)
    assert found.selected == ("c0", "c1")
    assert left_out(found) == {"c2": "enough clusters with better scores"}


def test_a_built_in_score_with_an_add_on_beside_it_is_one_more() -> None:
    """As in OCM, where what names both is another key: it adds to the default of the same name."""
    both = {"type": "BuiltIn", "builtIn": "Steady", "addOn": {"resourceName": "r", "scoreName": "s"}}
    policy = {"configurations": [{"scoreCoordinate": both, "weight": 2}]}
    assert ranked([cluster("a"), cluster("b")], policy, around(chosen="b")) == [("b", 400), ("a", 100)]


@pytest.mark.parametrize(
    ("count", "most", "expected"),
    [(0, 3, 100), (1, 1, -100), (1, 2, 0), (1, 3, 32), (2, 3, -32), (1, 4, 50), (3, 4, -50), (0, 0, 100)],
)
def test_balance_scores(count: int, most: int, expected: int) -> None:
    """How often a cluster is chosen elsewhere, against the most chosen one of all."""
    policy = {"mode": "Exact", "configurations": [{"scoreCoordinate": {"builtIn": "Balance"}}]}
    elsewhere = {"a": count, "outside": most} if most else {}
    assert ranked([cluster("a")], policy, around(elsewhere)) == [("a", expected)]


def test_scores_of_add_ons_count_until_they_expire_and_twice_when_listed_twice() -> None:
    """An expired score is 0, so is a missing one."""

    def score(cluster: str, value: int, *, ago: int) -> Object:
        until = timestamp(NOW - timedelta(seconds=ago))
        status = {"scores": [{"name": "cpu", "value": value}], "validUntil": until}
        return {"metadata": {"namespace": cluster, "name": "usage"}, "status": status}

    found = [score("a", 10, ago=-60), score("b", 90, ago=60)]
    entry = {"scoreCoordinate": {"type": "AddOn", "addOn": {"resourceName": "usage", "scoreName": "cpu"}}}
    policy = {"mode": "Exact", "configurations": [{**entry, "weight": 2}, {**entry, "weight": 1}]}
    clusters = [cluster(n) for n in "abc"]
    assert ranked(clusters, policy, around(scores=found)) == [("a", 30), ("b", 0), ("c", 0)]
    warning = "AddOnPlacementScores b/usage expired in plugin AddOn/usage/cpu"
    assert decide({"prioritizerPolicy": policy}, clusters, around(scores=found)).warning == warning


CONDITIONS = [
    (Candidates.of((), (), ()), {}, ("False", "NoManagedClusterSetBindings",
        "No valid ManagedClusterSetBindings found in placement namespace")),
    (Candidates.of(("s",), (), ()), {"clusterSets": ["b", "a"]}, ("False", "NoIntersection",
        "None of ManagedClusterSets [b,a] is bound to placement namespace")),
    (Candidates.of(("s", "t"), ("s", "t"), ()), {}, ("False", "AllManagedClusterSetsEmpty",
        "All ManagedClusterSets [s,t] have no member ManagedCluster")),
    (Candidates.of(("s",), ("s",), FLEET), {"numberOfClusters": 0}, ("False", "NoManagedClusterMatched",
        "No ManagedCluster matches any of the cluster predicate")),
    (Candidates.of(("s",), ("s",), FLEET), {}, ("True", "AllDecisionsScheduled",
        "All cluster decisions scheduled")),
    (Candidates.of(("s",), ("s",), FLEET), {"numberOfClusters": 5}, ("False", "NotAllDecisionsScheduled",
        "2 cluster decisions unscheduled")),
]  # fmt: skip


@pytest.mark.parametrize(("candidates", "spec", "expected"), CONDITIONS)
def test_the_first_condition_that_applies_is_told(
    candidates: Candidates, spec: Object, expected: tuple[str, str, str]
) -> None:
    """PlacementSatisfied, row by row of the protocol."""
    assert tuple(schedule({"spec": spec}, candidates, around()).satisfied)[-3:] == expected


fleets = st.lists(
    st.tuples(st.sampled_from([f"c{n}" for n in range(12)]), st.booleans(), st.integers(1, 5)),
    unique_by=lambda c: c[0],
)


def _fleet(drawn: Sequence[tuple[str, bool, int]]) -> list[Object]:
    return [
        cluster(
            name,
            taints=[taint("NoSelect")] if bad else [],
            allocatable={"cpu": str(cpu)},
            capacity={"cpu": str(cpu)},
        )
        for name, bad, cpu in drawn
    ]


@given(fleets, st.integers(0, 8), st.randoms(use_true_random=False))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_a_decision_does_not_depend_on_order_and_never_exceeds_its_number(
    drawn: list[tuple[str, bool, int]], number: int, random: Any
) -> None:
    """Shuffled candidates come to the same choice, of at most numberOfClusters, none of them tainted."""
    fleet = _fleet(drawn)
    policy = {"configurations": [{"scoreCoordinate": {"builtIn": "ResourceAllocatableCPU"}}]}
    spec: Object = {"numberOfClusters": number, "prioritizerPolicy": policy}
    first = decide(spec, fleet)
    random.shuffle(fleet)
    assert decide(spec, fleet).selected == first.selected
    assert len(first.selected) <= number
    assert not set(first.selected) & {name for name, bad, _ in drawn if bad}
    assert set(first.selected) | set(left_out(first)) == {name for name, _, _ in drawn}


@given(fleets, st.integers(1, 4))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_a_decision_stays_when_it_is_made_again(drawn: list[tuple[str, bool, int]], number: int) -> None:
    """Steady: with nothing changed the chosen clusters are chosen again."""
    fleet = _fleet(drawn)
    first = decide({"numberOfClusters": number}, fleet)
    again = decide({"numberOfClusters": number}, fleet, around(chosen=first.selected))
    assert set(again.selected) == set(first.selected)


def test_misconfigured_names_its_plugin() -> None:
    """The error a filter raises says who found the fault."""
    with pytest.raises(Misconfigured) as caught:
        Tolerations([{"value": "x"}], frozenset(), NOW)
    assert caught.value.plugin == "TaintToleration"
