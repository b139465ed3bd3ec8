"""What is said of a placement's choice: grounds of scores, tolerated taints, the limit, what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.placement.explanation import Explanation, document, explain
from gitops_ocm.decide.placement.schedule import Candidates, schedule
from gitops_ocm.decide.placement.scoreboard import Scoreboard
from gitops_ocm.decide.placement.scores import Surroundings
from gitops_ocm.decide.placement.tally import Tally
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.ref import Object
from gitops_ocm.report.placement_text import text, text_of_one

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def cluster(name: str, *, taints: Sequence[Mapping[str, Any]] = (), cpu: str = "") -> Object:
    """A cluster that can give so much CPU."""
    status = {"capacity": {"cpu": cpu}, "allocatable": {"cpu": cpu}} if cpu else {}
    return {"metadata": {"name": name}, "spec": {"taints": list(taints)}, "status": status}


def scored(name: str, value: int, until: datetime | None = None) -> Object:
    """The add-on's account of a cluster."""
    status: Object = {"scores": [{"name": "cpu", "value": value}]}
    if until:
        status["validUntil"] = timestamp(until)
    return {"metadata": {"namespace": name, "name": "usage"}, "status": status}


def explained(
    spec: Object,
    clusters: Sequence[Object],
    *,
    chosen: Sequence[str] = (),
    elsewhere: Sequence[str] = (),
    scores: Sequence[Object] = (),
    known: bool = True,
    only: str = "",
) -> Explanation:
    """Decide and explain a placement over clusters of a bound set."""
    tally, board = Tally(), Scoreboard()
    for n, name in enumerate(elsewhere):
        made = {"metadata": {"namespace": "other", "name": f"d{n}"}}
        tally.change(None, {**made, "status": {"decisions": [{"clusterName": name, "reason": ""}]}})
    for score in scores:
        board.change(None, score)
    around = Surroundings(NOW, tally.elsewhere("ns", "p"), frozenset(chosen), board)
    placement = {"metadata": {"namespace": "ns", "name": "p"}, "spec": spec}
    choice = schedule(placement, Candidates.of(("s",), ("s",), clusters), around)
    return explain(placement, choice, cluster=only, scored=known)


def policy(*coordinates: Object) -> Object:
    """A placement's spec that is decided by these scores alone."""
    each = [{"scoreCoordinate": coordinate, "weight": 2} for coordinate in coordinates]
    return {"prioritizerPolicy": {"mode": "Exact", "configurations": each}}


ADDON = {"type": "AddOn", "addOn": {"resourceName": "usage", "scoreName": "cpu"}}
OTHER = {"type": "AddOn", "addOn": {"resourceName": "usage", "scoreName": "memory"}}
GROUNDS: list[tuple[Object, dict[str, Any], int | None, str]] = [
    (
        {"builtIn": "Balance"},
        {"elsewhere": ["a", "b", "b"]},
        0,
        "1 other placement chooses it; the most chosen has 2",
    ),
    ({"builtIn": "Balance"}, {}, 100, "0 other placements choose it; the most chosen has 0"),
    ({"builtIn": "Steady"}, {"chosen": ["a"]}, 100, "chosen already"),
    ({"builtIn": "Steady"}, {}, 0, "not chosen so far"),
    (
        {"builtIn": "ResourceAllocatableCPU"},
        {},
        -100,
        "1500m cpu can be allocated, between 1.5 and 4 in those that qualify",
    ),
    ({"builtIn": "ResourceAllocatableMemory"}, {}, None, "the cluster does not tell its memory"),
    (ADDON, {"scores": [scored("a", 70)]}, 70, "its AddOnPlacementScore says 70"),
    (
        ADDON,
        {"scores": [scored("a", 70, NOW + HOUR)]},
        70,
        "its AddOnPlacementScore says 70, until 2026-01-01T13:00:00Z",
    ),
    (
        ADDON,
        {"scores": [scored("a", 70, NOW - HOUR)]},
        0,
        "its AddOnPlacementScore expired at 2026-01-01T11:00:00Z",
    ),
    (OTHER, {"scores": [scored("a", 70)]}, 0, "its AddOnPlacementScore has no memory"),
    (ADDON, {"scores": [scored("b", 70)]}, 0, "the cluster has no AddOnPlacementScore usage"),
    (
        ADDON,
        {"scores": [scored("a", 70)], "known": False},
        None,
        "not known here: the status branch has no AddOnPlacementScores",
    ),
]


@pytest.mark.parametrize(("coordinate", "given", "score", "grounds"), GROUNDS)
def test_the_grounds_of_a_score(
    coordinate: Object, given: dict[str, Any], score: int | None, grounds: str
) -> None:
    """Each score is told with what it rests on, in JSON and in the cluster's account."""
    clusters = [cluster("a", cpu="1500m"), cluster("b", cpu="4")]
    found = explained(policy(coordinate), clusters, only="a", **given)
    (told,) = document(found)["clusters"][0]["scores"]
    assert (told["score"], told["weight"], told["grounds"]) == (score, 2, grounds)
    assert f" = {2 * (score or 0)} ({grounds})" in text_of_one(found)


MAINTENANCE = {"key": "maintenance", "effect": "NoSelect", "timeAdded": timestamp(NOW - HOUR)}
BRIEFLY = {"key": "maintenance", "operator": "Exists", "tolerationSeconds": 7200}
TOLERATED: list[tuple[Object, list[Object], list[str], str]] = [
    (MAINTENANCE, [BRIEFLY], [], "taint maintenance (NoSelect) is tolerated until 2026-01-01T13:00:00Z"),
    (
        MAINTENANCE,
        [BRIEFLY, {**BRIEFLY, "tolerationSeconds": 10800}],
        [],
        "taint maintenance (NoSelect) is tolerated until 2026-01-01T14:00:00Z",
    ),
    (
        MAINTENANCE,
        [BRIEFLY, {"operator": "Exists"}],
        [],
        "taint maintenance (NoSelect) is tolerated",
    ),
    (
        {"key": "full", "value": "yes", "effect": "NoSelectIfNew"},
        [],
        ["a"],
        "taint full=yes (NoSelectIfNew) keeps out new clusters alone, and this one was chosen before",
    ),
    ({"key": "slow", "effect": "PreferNoSelect"}, [], [], "taint slow (PreferNoSelect) keeps nobody out"),
]


@pytest.mark.parametrize(("taint", "tolerations", "chosen", "told"), TOLERATED)
def test_a_tolerated_taint_is_told(
    taint: Object, tolerations: list[Object], chosen: list[str], told: str
) -> None:
    """A taint that does not keep a cluster out is named, with why, and until when."""
    found = explained({"tolerations": tolerations}, [cluster("a", taints=[taint])], chosen=chosen, only="a")
    (verdict,) = found.verdicts
    assert (verdict.selected, verdict.taints, verdict.tolerated) == (True, (), (told,))
    assert f"  {told}\n" in text_of_one(found)


def test_the_limit_is_told() -> None:
    """How many may be chosen, of how many that qualify, is said at the top; without a limit nothing is."""
    clusters = [cluster("a"), cluster("b"), cluster("c", taints=[MAINTENANCE])]
    limited = explained({"numberOfClusters": 1}, clusters)
    assert "  Limit: 1 of the 2 that qualify\n" in text(limited)
    assert document(limited)["numberOfClusters"] == 1
    free = explained({}, clusters)
    assert "Limit" not in text(free)
    assert "numberOfClusters" not in document(free)
    assert document(free)["qualifiedClusters"] == 2


CEL = {
    "requiredClusterSelector": {
        "celSelector": {"celExpressions": ["managedCluster.scores('usage').size() > 0"]}
    }
}
UNKNOWN: list[tuple[Object, list[str]]] = [
    ({}, []),
    (
        policy(ADDON, {"builtIn": "Steady"}),
        [
            (
                "AddOn/usage/cpu not known here: the status branch has no AddOnPlacementScores; counted as "
                "0, so a hub may order the clusters otherwise"
            )
        ],
    ),
    (
        {"predicates": [{"requiredClusterSelector": {"labelSelector": {}}}, CEL]},
        [
            (
                "predicate 2 asks for scores: not known here: the status branch has no AddOnPlacementScores; "
                "it is met by nobody here"
            )
        ],
    ),
]


@pytest.mark.parametrize(("spec", "unknown"), UNKNOWN)
def test_what_is_not_known_is_said(spec: Object, unknown: list[str]) -> None:
    """Without the scores of add-ons, only a decision that would look at them says so."""
    told = document(explained(spec, [cluster("a")], known=False))
    assert told["unknown"] == unknown
    assert document(explained(spec, [cluster("a")]))["unknown"] == []


@given(
    st.lists(st.sampled_from(["Balance", "Steady", "ResourceAllocatableCPU"]), unique=True),
    st.dictionaries(st.sampled_from("abcde"), st.integers(1, 9), min_size=1),
    st.sets(st.sampled_from("abcde")),
)
@settings(derandomize=True, deadline=None, max_examples=50)
def test_one_cluster_is_told_as_in_the_whole(
    names: list[str], cpus: dict[str, int], chosen: set[str]
) -> None:
    """What is said of one cluster alone is what the whole explanation says of it; weighted scores add up."""
    spec = {**policy(*({"builtIn": name} for name in names)), "numberOfClusters": 2}
    clusters = [cluster(name, cpu=str(cpu)) for name, cpu in sorted(cpus.items())]
    whole = explained(spec, clusters, chosen=sorted(chosen))
    for verdict in whole.verdicts:
        assert explained(spec, clusters, chosen=sorted(chosen), only=verdict.cluster).verdicts == (verdict,)
        assert verdict.total == sum(part.weighted for part in verdict.scores)
