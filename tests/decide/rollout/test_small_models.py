"""Small rollouts, exhaustively: every way in which up to four clusters can fare, five ticks long.

In each tick every cluster that has the wanted state may be progressing, good or bad, as it likes, and the
rollout makes its step. All histories are walked at once: what is kept of one is where it has led to, and
times beyond the longest limit are alike. The invariants hold wherever any history leads; what starts never
had the wanted state before, and a rollout in which all goes well comes to its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import product

import pytest

from gitops_ocm.decide.rollout import ClusterState, Group, State
from gitops_ocm.objects.ref import Object
from tests.decide.rollout.examples import NOW, G, every, groups, per_group, progressive
from tests.decide.rollout.invariants import CHECKS, Seen

TICK = timedelta(seconds=30)
LONGEST = 2
"""In ticks: no limit of these models is longer."""
LENGTH = 5
TIMES = {"minSuccessTime": "30s", "progressDeadline": "1m"}
Cell = tuple[State, int]
World = tuple[Cell, ...]
"""For each cluster its state, and for how many ticks."""
NOT_YET: Cell = (State.TO_APPLY, 0)
OUTCOMES = (State.PROGRESSING, State.SUCCEEDED, State.FAILED)

MODELS: dict[str, tuple[Object, str, str]] = {
    "all": (every(**TIMES), "a,b,c,d", "- - - -"),
    "one at a time": (progressive(1, **TIMES), "a,b,c,d", "bcd cd d -"),
    "two at a time, one may fail": (progressive(2, **TIMES, maxFailures=1), "a,b,c,d", "- - - -"),
    "half, half may fail, for ever": (progressive("50%", maxFailures="50%"), "a,b,c,d", "- - - -"),
    "two behind a canary": (progressive(2, G, **TIMES, maxFailures=1), "g: a | b,c,d", "bcd - - -"),
    "one behind two canaries, for ever": (
        progressive(1, G, minSuccessTime="1m", maxFailures=2),
        "g: b,d | a,c",
        "c ac - ac",
    ),
    "by group": (per_group(**TIMES), "a,b | c | d", "cd cd d -"),
    "by group, half may fail": (per_group(**TIMES, maxFailures="50%"), "a,b | c,d", "- - - -"),
    "by group behind a canary": (per_group(G, **TIMES, maxFailures=1), "a | g: b | c,d", "- acd - -"),
    "three by group, for ever": (per_group(maxFailures=1), "a,b | c", "- - -"),
}
"""A strategy, its groups, and who is left without if a, b, c or d alone fails and stays so."""


def faring(cell: Cell) -> tuple[Cell, ...]:
    """What may have become of a cluster a tick later."""
    state, age = cell
    if state is State.TO_APPLY:
        return (cell,)
    return tuple((now, min(age + 1, LONGEST) if now is state else 0) for now in OUTCOMES)


def states(names: tuple[str, ...], world: World) -> list[ClusterState]:
    """The states of those that have the wanted state."""
    return [
        ClusterState(name, state, NOW - age * TICK)
        for name, (state, age) in zip(names, world, strict=True)
        if (state, age) != NOT_YET
    ]


class Model:
    """One strategy over a few clusters, and where its histories have led to."""

    def __init__(self, strategy: Object, cut: str, left: str) -> None:
        self.strategy, self.left = strategy, left.replace("-", "").split(" ")
        self.groups: tuple[Group, ...] = groups(cut)
        self.names = tuple(sorted(c for g in self.groups for c in g.clusters))

    def stepped(self, world: World) -> World:
        """The world after the rollout's step, which is checked."""
        seen = Seen(self.strategy, self.groups, states(self.names, world), NOW)
        for check in CHECKS:
            check(seen)
        cells = dict(zip(self.names, world, strict=True))
        assert all(cells[cluster] == NOT_YET for cluster in seen.starting)
        return tuple((State.PROGRESSING, 0) if n in seen.starting else cells[n] for n in self.names)

    def worlds(self, length: int) -> Iterator[frozenset[World]]:
        """All worlds there may be, tick by tick; a world that was stepped from is not walked again."""
        front = {self.stepped(tuple(NOT_YET for _ in self.names))}
        walked: set[World] = set()
        for _ in range(length):
            yield frozenset(front)
            walked |= front
            fared = {world for found in front for world in product(*map(faring, found))}
            front = {self.stepped(world) for world in fared} - walked

    def after(self, fates: Mapping[str, State]) -> Seen:
        """What is seen when nothing moves any more, each cluster faring as it is fated to."""
        world = tuple(NOT_YET for _ in self.names)
        for _ in range(6 * (LONGEST + 2)):
            fared = zip(self.names, world, strict=True)
            world = self.stepped(
                tuple(c if c == NOT_YET else faring(c)[OUTCOMES.index(fates[name])] for name, c in fared)
            )
        return Seen(self.strategy, self.groups, states(self.names, world), NOW)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_every_history_keeps_every_invariant(name: str) -> None:
    """All sequences of states, five long."""
    reached = [len(front) for front in Model(*MODELS[name]).worlds(LENGTH + 1)]
    assert len(reached) == LENGTH + 1
    assert reached[0] == 1
    assert sum(reached) > 50


@pytest.mark.parametrize("name", MODELS)
def test_where_all_goes_well_everybody_gets_it(name: str) -> None:
    """Each cluster that starts is good a tick later: in the end all are done, and nothing is held."""
    model = Model(*MODELS[name])
    seen = model.after(dict.fromkeys(model.names, State.SUCCEEDED))
    assert seen.step.done == model.names
    assert not seen.step.held


@pytest.mark.parametrize("name", MODELS)
def test_one_that_never_succeeds_stops_what_it_may_stop_and_no_more(name: str) -> None:
    """Others go on where a failure is tolerated, but for a place that it holds for ever."""
    model = Model(*MODELS[name])
    for bad, left in zip(model.names, model.left, strict=True):
        seen = model.after(dict.fromkeys(model.names, State.SUCCEEDED) | {bad: State.FAILED})
        assert "".join(seen.step.held) == left, bad
