"""Rollout decisions against tables: OCM's own, and ours where they differ."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gitops_ocm.decide.rollout import ClusterState, HoldReason, RolloutError, State, advance, groups_of
from gitops_ocm.objects.ref import Object
from tests.decide.rollout.examples import (
    DOCUMENTED,
    EIGHT,
    EXAMPLES,
    FIVE,
    FLEET,
    NOW,
    G,
    every,
    groups,
    per_group,
    progressive,
    states,
    told,
)


@pytest.mark.parametrize("compat", [True, False], ids=["as-ocm", "ours"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_decision_is_the_table_s(name: str, compat: bool) -> None:
    """Who rolls out, who timed out, who is gone, when to look again: every worked example."""
    example = EXAMPLES[name]
    step = advance(example.strategy, groups(example.groups), states(example.states), NOW, compat=compat)
    assert told(step) == example.expected(compat=compat)


PARTS = ("roll_out", "timed_out", "done", "held")


@pytest.mark.parametrize("compat", [True, False], ids=["as-ocm", "ours"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_nobody_is_forgotten(name: str, compat: bool) -> None:
    """Each placed cluster is in one part of a step: rolled out, timed out, done, or held."""
    example = EXAMPLES[name]
    known = states(example.states)
    step = advance(example.strategy, groups(example.groups), known, NOW, compat=compat)
    named = [s if isinstance(s, str) else s.cluster for part in PARTS for s in getattr(step, part)]
    gone = {s.cluster for s in step.removed} | {s.cluster for s in known if s.state == "TimeOut"}
    skipped = {"x2"} if "gap" in name and compat else set()
    placed = {c for g in groups(example.groups) for c in g.clusters}
    assert len(named) == len(set(named))
    assert set(named) | gone == placed | gone
    assert not (skipped & set(named))
    assert bool(step.held) == (step.hold is not None)


@pytest.mark.parametrize(
    ("strategy", "cut", "known", "reason", "by", "held"),
    [
        (progressive(2), FIVE, "x1 S1, x2 P9", HoldReason.CONCURRENCY, "x2,x3", "x4,x5"),
        (progressive(2), FIVE, "x1 F5, x2 P9", HoldReason.BREACH, "x1", "x3,x4,x5"),
        (progressive(3, G), EIGHT, "x1 S9", HoldReason.MANDATORY, "x2", "x3,x4,x5,x6,x7,x8"),
        (progressive(3, G), EIGHT, "x1 F5, x2 S1", HoldReason.BREACH, "x1", "x3,x4,x5,x6,x7,x8"),
        (progressive(3, G), EIGHT, "x1 S1, x2 S1, x3 P1, x4 S1", HoldReason.BATCH, "x3", "x5,x6,x7,x8"),
        (per_group(), "x1,x2 | x3", "x1 S1", HoldReason.GROUP, "x2", "x3"),
        (per_group(), "x1,x2 | x3", "x1 F1", HoldReason.BREACH, "x1", "x3"),
        (DOCUMENTED, FLEET, "w1 S400,w2 S60", HoldReason.MANDATORY, "w2", "a,b,c,d,e,e1,e2,f,g,h"),
    ],
)
def test_what_is_held_knows_why(
    strategy: Object, cut: str, known: str, reason: HoldReason, by: str, held: str
) -> None:
    """A step names what holds the others, and the clusters they wait for."""
    step = advance(strategy, groups(cut), states(known), NOW)
    assert step.hold is not None
    assert (step.hold.reason, ",".join(step.hold.by), ",".join(step.held)) == (reason, by, held)


LATE = progressive(2, progressDeadline="1m", maxFailures=1)
GIVEN: list[tuple[Object, str, int, str, str]] = [
    (progressive(3, G), "x1 S9,x2 S9,x3 S1", 5, "x4", "x5,x6"),
    (LATE, "x3 S1", 59, "x4", "x1"),
    (LATE, "x3 S1", 60, "", "x1,x2"),
    (per_group(), "x1 S9,x2 S9,x3 S1,x5 S1,x6 S1,x7 S1,x8 S1", 5, "x4", ""),
]
"""Seconds ago x4 was given what is wanted; whether that is still waited for; who starts beside it."""


@pytest.mark.parametrize(("strategy", "known", "ago", "kept", "starting"), GIVEN)
def test_who_was_given_it_and_is_silent_holds_a_place_until_the_deadline(
    strategy: Object, known: str, ago: int, kept: str, starting: str
) -> None:
    """It is given to nobody twice. As in OCM, behind mandatory groups others may join one that is silent."""
    silent = ClusterState("x4", State.TO_APPLY, NOW - timedelta(seconds=ago), given=True)
    step = advance(strategy, groups(EIGHT), [*states(known), silent], NOW)
    assert ",".join(s.cluster for s in step.under_way) == kept
    assert ",".join(step.starting) == starting


@pytest.mark.parametrize(
    ("strategy", "reason", "by"),
    [
        (progressive(3, G, progressDeadline="60s", maxFailures=5), HoldReason.MANDATORY, "x3"),
        (progressive(3, G), HoldReason.MANDATORY, "x3"),
        (progressive(1, maxFailures=0), HoldReason.CONCURRENCY, "x3"),
    ],
)
def test_what_ocm_holds_is_told_as_well(strategy: Object, reason: HoldReason, by: str) -> None:
    """OCM's decision does not say why; what can be read off it is said, a frozen rollout too."""
    step = advance(strategy, groups(EIGHT), states("x1 S9, x2 S9, x3 P61"), NOW, compat=True)
    assert step.hold is not None
    assert (step.hold.reason, ",".join(step.hold.by)) == (reason, by)


@pytest.mark.parametrize("compat", [True, False], ids=["as-ocm", "ours"])
@pytest.mark.parametrize(
    ("strategy", "unknown"),
    [
        (progressive(1, {"groupName": "gg"}, {"groupIndex": 7}, {"groupName": "g"}), ("gg", "7")),
        (per_group({"groupName": "gg"}, {"groupName": "gg"}), ("gg",)),
        (progressive(1, G), ()),
        (every(), ()),
    ],
)
def test_a_mandatory_group_that_is_not_there_is_named(
    strategy: Object, unknown: tuple[str, ...], compat: bool
) -> None:
    """A misspelt canary is no canary: that can be told."""
    assert advance(strategy, groups("g: x2 | x1"), [], NOW, compat=compat).unknown == unknown


NOT_A_PERCENTAGE = "is an invalid maximum threshold value: string is not a percentage"
REFUSED: list[tuple[Object, str]] = [
    ({"type": "Sideways"}, "incorrect rollout strategy type Sideways"),
    ({}, "incorrect rollout strategy type "),
    (every(progressDeadline="10"), "invalid timeout format"),
    (every(progressDeadline="5m2"), 'time: missing unit in duration "5m2"'),
    (every(progressDeadline="xNone"), 'time: invalid duration "xNone"'),
    (every(progressDeadline="1d2h"), "invalid timeout format"),
    (every(progressDeadline="1m3d"), 'time: unknown unit "d" in duration "1m3d"'),
    (progressive("5"), f"failed to parse the provided maxConcurrency: '5' {NOT_A_PERCENTAGE}"),
    (progressive(1, maxFailures="5"), f"failed to parse the provided maxFailures: '5' {NOT_A_PERCENTAGE}"),
    (
        progressive("x%"),
        'failed to parse the provided maxConcurrency: strconv.ParseFloat: parsing "x": invalid syntax',
    ),
    (per_group(maxFailures="5"), f"failed to parse the provided maxFailures: '5' {NOT_A_PERCENTAGE}"),
    (per_group(minSuccessTime="soon"), 'time: invalid duration "soon"'),
]


@pytest.mark.parametrize("compat", [True, False], ids=["as-ocm", "ours"])
@pytest.mark.parametrize(("strategy", "message"), REFUSED)
def test_a_strategy_that_cannot_be_is_refused(strategy: Object, message: str, compat: bool) -> None:
    """Never taken for another one, and in the words that people search for."""
    with pytest.raises(RolloutError) as refused:
        advance(strategy, groups("x1"), [], NOW, compat=compat)
    assert refused.value.message == message
    assert refused.value.hint


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1h30m", 5400), ("100ms", 0.1), ("", None), ("None", None), (None, None)],
)
def test_deadlines_are_go_s_durations(text: str | None, seconds: float | None) -> None:
    """The pattern checks the beginning only; empty and None wait for ever."""
    step = advance(every(progressDeadline=text), groups("x1"), states("x1 P"), NOW)
    assert told(step)["recheck"] == seconds


LABEL = "cluster.open-cluster-management.io/decision-group-"


def decision(name: str, index: str | None, group: str, *clusters: str) -> Object:
    """A PlacementDecision."""
    labels = {LABEL + "name": group} | ({LABEL + "index": index} if index is not None else {})
    return {
        "metadata": {"name": name, "labels": labels},
        "status": {"decisions": [{"clusterName": c, "reason": ""} for c in clusters]},
    }


def test_groups_are_read_from_decisions() -> None:
    """Several decisions make one group; a cluster in two groups counts in the first."""
    found = groups_of(
        [
            decision("p-decision-3", "10", "", "c9", "c2"),
            decision("p-decision-1", "0", "canary", "c2", "c1"),
            decision("p-decision-2", "0", "canary", "c0"),
            {"metadata": {"name": "new", "labels": {LABEL + "index": "2"}}},
        ]
    )
    assert [(g.index, g.name, g.clusters) for g in found] == [
        (0, "canary", ("c0", "c1", "c2")),
        (2, "", ()),
        (10, "", ("c9",)),
    ]


def test_a_group_that_is_defined_and_empty_is_known() -> None:
    """Who names a canary group that has no cluster today has not misspelt it."""
    entries = [{"groupName": "canary"}, {"groupName": "west"}]
    placement = {"spec": {"decisionStrategy": {"groupStrategy": {"decisionGroups": entries}}}}
    found = groups_of([decision("d", "0", "west", "c1")], placement)
    assert [(g.index, g.name, g.clusters) for g in found] == [(0, "west", ("c1",)), (1, "canary", ())]
    step = advance(progressive(1, {"groupName": "canary"}, {"groupName": "canry"}), found, [], NOW)
    assert (step.starting, step.unknown) == (("c1",), ("canry",))


@pytest.mark.parametrize("index", [None, "", "first"])
def test_a_decision_without_an_index_is_refused(index: str | None) -> None:
    """Which group it belongs to is not guessed."""
    with pytest.raises(RolloutError, match="incorrect group index"):
        groups_of([decision("p-decision-1", index, "", "c1")])
