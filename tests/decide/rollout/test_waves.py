"""A rollout walked to its end on a virtual clock: its waves, and who is left behind by failures."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.rollout import HoldReason, Plan, State, plan_waves
from gitops_ocm.decide.rollout.limits import first_groups, limits_of, size
from gitops_ocm.objects.ref import Object
from tests.decide.rollout.drawn import ROLLOUTS, Rollout
from tests.decide.rollout.examples import (
    CANARIES,
    DOCUMENTED,
    FIVE,
    FLEET,
    NOW,
    G,
    every,
    groups,
    per_group,
    progressive,
    states,
)


def told(plan: Plan) -> list[tuple[float, str]]:
    """When each wave starts, in seconds from now, and who is in it."""
    return [((wave.start - NOW).total_seconds(), ",".join(wave.clusters)) for wave in plan.waves]


WALKS: list[tuple[Object, str, str, list[tuple[float, str]], float]] = [
    (
        DOCUMENTED,
        FLEET,
        "",
        [(0, "w1,w2"), (300, "e1,e2"), (600, "a,b"), (900, "c,d"), (1200, "e,f"), (1500, "g,h")],
        1800,
    ),
    (DOCUMENTED, FLEET, f"{CANARIES},a S240,b P9", [(300, "c,d"), (600, "e,f"), (900, "g,h")], 1200),
    (every(minSuccessTime="5m"), "a,b | c", "", [(0, "a,b,c")], 0),
    (progressive(2), FIVE, "", [(0, "x1,x2"), (0, "x3,x4"), (0, "x5")], 0),
    (
        progressive(2, minSuccessTime="1m"),
        FIVE,
        "x1 S50",
        [(0, "x2"), (10, "x3"), (60, "x4"), (70, "x5")],
        130,
    ),
    (per_group(G), "a,b | g: c | d", "", [(0, "c"), (0, "a,b"), (0, "d")], 0),
    (progressive(1, progressDeadline="1m", maxFailures=1), "a,b", "a F20", [(40, "b")], 40),
    (progressive(1), "a,b", "a S9, b S9", [], 0),
    (progressive(1, progressDeadline="1m", maxFailures=1), "a,b", "a P60", [(0, "b")], 0),
]


@pytest.mark.parametrize(("strategy", "cut", "known", "waves", "end"), WALKS)
def test_the_waves_of_a_rollout_in_which_all_goes_well(
    strategy: Object, cut: str, known: str, waves: list[tuple[float, str]], end: float
) -> None:
    """Who starts when at the earliest, from what is known now to the end."""
    plan = plan_waves(strategy, groups(cut), states(known), NOW)
    assert told(plan) == waves
    assert plan.end is not None
    assert (plan.end - NOW).total_seconds() == end
    assert (plan.held, plan.hold, plan.breach) == ((), None, False)


def test_a_wave_knows_its_groups_and_its_limits() -> None:
    """What people ask of a wave: where it is, how long it soaks, when its members are late."""
    first = plan_waves(DOCUMENTED, groups(FLEET), [], NOW).waves[0]
    assert first.groups == ("west (0)",)
    assert first.deadline is not None
    assert ((first.soaked - NOW).total_seconds(), (first.deadline - NOW).total_seconds()) == (300, 600)
    (wave,) = plan_waves(every(), groups("b | a"), [], NOW).waves
    assert (wave.groups, wave.soaked, wave.deadline) == (("0", "1"), NOW, None)


FAILURES: list[tuple[Object, str, str, str, HoldReason | None, str]] = [
    (DOCUMENTED, FLEET, "w1", "a,b,c,d,e,e1,e2,f,g,h", HoldReason.BREACH, "w1"),
    (DOCUMENTED, FLEET, "a c", "", None, ""),
    (DOCUMENTED, FLEET, "a b c", "e,f,g,h", HoldReason.BREACH, "a,b,c"),
    (progressive(1, maxFailures=3), FIVE, "x2", "x3,x4,x5", HoldReason.CONCURRENCY, "x2"),
    (progressive(2), FIVE, "x5", "", None, ""),
    (per_group(), "a,b | c", "b", "c", HoldReason.BREACH, "b"),
]


@pytest.mark.parametrize(("strategy", "cut", "failing", "held", "reason", "by"), FAILURES)
def test_where_given_clusters_fail_it_is_known_who_never_starts(
    strategy: Object, cut: str, failing: str, held: str, reason: HoldReason | None, by: str
) -> None:
    """The same walk with failures: where it stops, and because of whom."""
    plan = plan_waves(strategy, groups(cut), [], NOW, failing=failing.split())
    assert ",".join(plan.held) == held
    assert (plan.end is None) == bool(held)
    assert (plan.hold.reason if plan.hold else None) == reason
    assert (",".join(plan.hold.by) if plan.hold else "") == by


def test_a_frozen_rollout_of_ocm_s_is_seen_beforehand() -> None:
    """What compatibility costs can be looked at: the documentation's example with one failure."""
    plan = plan_waves(DOCUMENTED, groups(FLEET), [], NOW, failing=["a"], compat=True)
    assert plan.hold is not None
    assert (plan.hold.reason, plan.hold.by) == (HoldReason.MANDATORY, ("a",))
    assert plan.held == tuple("cdefgh")
    assert not plan.breach


@given(ROLLOUTS, st.integers(0, 2**31))
@settings(derandomize=True, deadline=None, max_examples=400)
def test_every_walk_ends_with_everybody_in_one_wave_at_most(rollout: Rollout, seed: int) -> None:
    """Whatever fails: it ends; nobody starts twice; waves keep to the concurrency; who has not started is
    done, under way, or held; and where nobody fails nobody is held.
    """
    placed = sorted(c for g in rollout.groups for c in g.clusters)
    failing = Random(seed).sample(placed, Random(seed).randint(0, len(placed)))
    plan = plan_waves(rollout.strategy, rollout.groups, rollout.states, NOW, failing=failing)
    started = [c for wave in plan.waves for c in wave.clusters]
    assert len(started) == len(set(started))
    known = {s.cluster for s in rollout.states if s.state is not State.TO_APPLY or s.given}
    assert set(started) | set(plan.held) | (known & set(placed)) == set(placed)
    assert all(a.start <= b.start for a, b in zip(plan.waves, plan.waves[1:], strict=False))
    limits = limits_of(rollout.strategy)
    first = {c for g in first_groups(limits, rollout.groups)[0] for c in g.clusters}
    if limits.kind == "Progressive":
        others = len(placed) - len(first)
        window = size(limits.max_concurrency, others, others, "maxConcurrency")
        assert all(len(set(w.clusters) - first) <= window for w in plan.waves)
    fresh = plan_waves(rollout.strategy, rollout.groups, [], NOW)
    assert not fresh.held
    assert sorted(c for w in fresh.waves for c in w.clusters) == placed
