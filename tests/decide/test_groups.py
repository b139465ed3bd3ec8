"""Decision groups and their slices: the worked examples of the protocol, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.placement.decisions import safe_order
from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.fleet import Fleet
from gitops_ocm.decide.placement.groups import Group, decision_groups, slices
from gitops_ocm.objects.ref import Object


def clusters(**labelled: int) -> list[Object]:
    """So many clusters of each group; the name tells the group, `rest` has no label."""
    return [
        {"metadata": {"name": f"{group}-{n:03}", "labels": {} if group == "rest" else {"group": group}}}
        for group, count in labelled.items()
        for n in range(count)
    ]


def strategy(per_group: object = None, *names: str) -> Mapping[str, Any]:
    """A decisionStrategy with named groups that select by label."""
    named = [
        {"groupName": n, "groupClusterSelector": {"labelSelector": {"matchLabels": {"group": n}}}}
        for n in names
    ]
    wanted: dict[str, Any] = {"decisionGroups": named}
    if per_group is not None:
        wanted["clustersPerDecisionGroup"] = per_group
    return {"groupStrategy": wanted}


def grouped(wanted: Mapping[str, Any], selected: Sequence[Object]) -> tuple[Group, ...]:
    """The groups of these clusters."""
    fleet = Fleet.of(selected)
    return decision_groups(wanted, fleet, fleet.everyone)


CASES: Sequence[tuple[list[Object], Mapping[str, Any], list[tuple[str, int]]]] = [
    (
        clusters(west=10, east=10, rest=290),
        strategy(150, "west", "east"),
        [("west", 10), ("east", 10), ("", 150), ("", 140)],
    ),
    (clusters(canary=3, rest=4), strategy(2, "canary"), [("canary", 2), ("canary", 1), ("", 2), ("", 2)]),
    (clusters(canary=4), strategy(3, "canary"), [("canary", 3), ("canary", 1)]),
    (clusters(rest=100), strategy("7%"), [("", 8)] * 12 + [("", 4)]),
    (clusters(rest=9), strategy("20%"), [("", 2), ("", 2), ("", 2), ("", 2), ("", 1)]),
    ([], strategy("20%"), [("", 0)]),
    (clusters(rest=3), strategy(10), [("", 3)]),
    (
        clusters(canary=5, rest=1),
        strategy(2, "canary"),
        [("canary", 2), ("canary", 2), ("canary", 1), ("", 1)],
    ),
    (clusters(b=2), strategy(None, "a", "b"), [("b", 2)]),
    (clusters(canary=10, rest=30), strategy("25%", "canary"), [("canary", 10), ("", 10), ("", 10), ("", 10)]),
]


@pytest.mark.parametrize(("selected", "wanted", "expected"), CASES)
def test_groups(selected: list[Object], wanted: Mapping[str, Any], expected: list[tuple[str, int]]) -> None:
    """Names and sizes of groups, in the order of their indexes."""
    groups = grouped(wanted, selected)
    assert [(g.name, len(g.clusters)) for g in groups] == expected
    assert [g.index for g in groups] == list(range(len(expected)))


def test_slices_number_on_across_groups_and_hold_at_most_a_hundred() -> None:
    """150 clusters of a group fill one decision and half of the next."""
    groups = grouped(strategy(150, "west", "east"), clusters(west=10, east=10, rest=290))
    found = slices("p", groups)
    assert [(s.name, s.group.index, len(s.clusters)) for s in found] == [
        ("p-decision-1", 0, 10),
        ("p-decision-2", 1, 10),
        ("p-decision-3", 2, 100),
        ("p-decision-4", 2, 50),
        ("p-decision-5", 3, 100),
        ("p-decision-6", 3, 40),
    ]


def test_a_number_written_as_text_is_misconfigured() -> None:
    """The CRD lets `"5"` pass; the scheduler does not."""
    with pytest.raises(Misconfigured) as caught:
        grouped(strategy("5"), clusters(rest=3))
    assert caught.value.message == ":5 invalid type: string is not a percentage"


@given(st.integers(0, 350), st.integers(1, 120), st.integers(0, 40))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_every_selected_cluster_is_in_exactly_one_slice(rest: int, size: int, canary: int) -> None:
    """Grouping loses nobody, doubles nobody, and keeps names in order inside a group."""
    selected = clusters(canary=canary, rest=rest)
    groups = grouped(strategy(size, "canary"), selected)
    found = [c for piece in slices("p", groups) for c in piece.clusters]
    assert sorted(found) == sorted(o["metadata"]["name"] for o in selected)
    assert all(list(g.clusters) == sorted(g.clusters) for g in groups)
    assert all(len(piece.clusters) <= 100 for piece in slices("p", groups))


decisions = st.dictionaries(
    st.sampled_from(["p-decision-1", "p-decision-2", "p-decision-3"]),
    st.lists(st.sampled_from("abcdef"), unique=True).map(sorted),
)


@given(decisions, decisions)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_no_cluster_that_stays_selected_is_ever_in_no_decision(
    have: dict[str, list[str]], want: dict[str, list[str]]
) -> None:
    """Whatever moves where, after each single write every staying cluster is in some decision."""
    staying = {c for held in have.values() for c in held} & {c for held in want.values() for c in held}
    state = {name: list(held) for name, held in have.items()}
    for _ in range(4):  # circles are finished by the next reconcile
        for name, held in safe_order(state, want):
            state[name] = held
            assert staying <= {c for each in state.values() for c in each}
    assert {n: state[n] for n in want} == want
