"""What holds of every rollout decision, whatever goes in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.rollout import ClusterState, State, advance
from tests.decide.rollout.drawn import ROLLOUTS, Rollout
from tests.decide.rollout.examples import NOW
from tests.decide.rollout.invariants import CHECKS, Seen

pytestmark = pytest.mark.slow

T = TypeVar("T")
SEEDS = st.integers(0, 2**31)
some = settings(derandomize=True, deadline=None, max_examples=300)


def _seen(rollout: Rollout) -> Seen:
    return Seen(rollout.strategy, rollout.groups, rollout.states, NOW)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@given(rollout=ROLLOUTS)
@some
def test_every_decision(check: Callable[[Seen], None], rollout: Rollout) -> None:
    """The invariants, each by its name."""
    check(_seen(rollout))


@given(ROLLOUTS, SEEDS)
@some
def test_the_order_of_what_goes_in_does_not_matter(rollout: Rollout, seed: int) -> None:
    """Groups, their clusters and states in any order: the same step."""
    _in_any_order(_seen(rollout), rollout, seed)


@given(ROLLOUTS)
@some
def test_looking_again_starts_nobody_else(rollout: Rollout) -> None:
    """Once those that start are under way, nothing more is to be done at the same time."""
    _settled(_seen(rollout), rollout)


@given(ROLLOUTS)
@some
def test_where_nothing_fails_the_decision_is_ocm_s(rollout: Rollout) -> None:
    """We differ about failures, full windows and odd indexes; and a group's late member joins its group,
    where OCM has it wait as long as anything is open anywhere.
    """
    _as_ocm(rollout)


@pytest.mark.slow
@given(ROLLOUTS, SEEDS)
@settings(derandomize=True, deadline=None, max_examples=10_000)
def test_all_of_it_ten_thousand_times(rollout: Rollout, seed: int) -> None:
    """Every property of this file on ten thousand rollouts."""
    seen = _seen(rollout)
    for check in CHECKS:
        check(seen)
    _in_any_order(seen, rollout, seed)
    _settled(seen, rollout)
    _as_ocm(rollout)


def _in_any_order(seen: Seen, rollout: Rollout, seed: int) -> None:
    random = Random(seed)

    def shuffled(items: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(random.sample(items, len(items)))

    groups = shuffled(tuple(replace(g, clusters=shuffled(g.clusters)) for g in rollout.groups))
    other = advance(rollout.strategy, groups, shuffled(rollout.states), NOW)
    assert replace(other, removed=()) == replace(seen.step, removed=())
    assert set(other.removed) == set(seen.step.removed)


def _settled(seen: Seen, rollout: Rollout) -> None:
    later = NOW + timedelta(hours=9)  # so that no deadline passes
    started = {c: ClusterState(c, State.PROGRESSING, later) for c in seen.starting}
    known = [s for s in rollout.states if s.cluster not in started]
    assert not advance(rollout.strategy, rollout.groups, [*known, *started.values()], NOW).starting


QUIET = (State.PROGRESSING, State.SUCCEEDED, State.SKIP)


def _as_ocm(rollout: Rollout) -> None:
    block = {**rollout.block, "progressDeadline": "None"}
    kind = rollout.strategy["type"]
    strategy = {"type": kind, kind[0].lower() + kind[1:]: block}
    known = [s for s in rollout.states if s.state in QUIET]
    ours = advance(strategy, rollout.groups, known, NOW)
    theirs = advance(strategy, rollout.groups, known, NOW, compat=True)
    late = kind == "ProgressivePerGroup" or block.get("mandatoryDecisionGroups")
    if late and theirs.under_way:
        assert set(theirs.starting) <= set(ours.starting)
    else:
        assert ours.starting == theirs.starting
    assert (ours.breach, ours.timed_out, ours.removed) == (theirs.breach, theirs.timed_out, theirs.removed)
    assert set(theirs.roll_out) <= set(ours.roll_out)
