"""Random histories of a rollout, controller, placement and clock included, held to what was promised.

The test keeps its own account of each cluster from what it has reported itself: what it was given, since when
it is good, whether it is bad. The limits are checked by that, not by what the controller makes of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.kinds import cluster_ref
from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.simulated import Fleet
from tests.simulate.rollouts import Rollouts

SOAK, MOST, TOLERATED = timedelta(minutes=5), 3, 1
CANARIES, OTHERS = ("y", "z"), ("a", "b", "c", "d", "e")
OPTIONS: Object = {"maxConcurrency": MOST, "minSuccessTime": "5m", "maxFailures": TOLERATED}


@dataclass
class Account:
    """What a test knows of the clusters' present works, by what it has reported itself."""

    good: dict[str, datetime] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)

    def reported(self, cluster: str, how: str, now: datetime) -> None:
        """An agent has said how it goes."""
        self.bad -= {cluster}
        if how == "bad":
            self.bad.add(cluster)
        if how != "good":
            self.good.pop(cluster, None)
        else:
            self.good.setdefault(cluster, now)

    def gone(self, clusters: set[str]) -> None:
        """These have no work of the present template any more."""
        self.bad -= clusters
        for cluster in clusters:
            self.good.pop(cluster, None)

    def done(self, cluster: str, now: datetime) -> bool:
        """Whether it is good, and has soaked."""
        return cluster in self.good and now >= self.good[cluster] + SOAK


class History:
    """A rollout that random things happen to."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.first = CANARIES if random.random() < 0.5 else ()
        options = {**OPTIONS, "mandatoryDecisionGroups": [{"groupName": "canary"}] if self.first else []}
        strategy = {"type": "Progressive", "progressive": options}
        self.it = Rollouts(Fleet, {"canary": CANARIES, "rest": OTHERS}, strategy)
        self.value, self.account = 1, Account()
        self.having: set[str] = set()
        self.check()

    @property
    def now(self) -> datetime:
        """The time."""
        return self.it.fleet.simulation.now

    def go_on(self) -> None:
        """One thing happens, and is looked at."""
        kind = self.random.choice(("report",) * 6 + ("wait",) * 4 + ("change", "leave", "join"))
        getattr(self, f"_{kind}")()
        self.check()

    def _report(self) -> None:
        how = self.random.choice(("good", "good", "good", "good", "busy", "bad"))
        telling = self.random.sample(sorted(self.having), self.random.randint(0, min(3, len(self.having))))
        for cluster in telling:
            self.account.reported(cluster, how, self.now)
        self.it.fares(how, " ".join(telling))

    def _wait(self) -> None:
        # In steps that end where soaks end, so that what starts is seen when it does.
        ends = [end for since in self.account.good.values() if (end := since + SOAK) > self.now]
        step = min(ends, default=self.now + SOAK) - self.now
        self.it.wait(seconds=self.random.choice((60, step.total_seconds())))

    def _change(self) -> None:
        self.value += 1
        self.account, self.having = Account(), set()
        self.it.change(str(self.value))

    def _leave(self) -> None:
        cluster = self.random.choice(OTHERS)
        self._move(cluster, "nowhere")

    def _join(self) -> None:
        for cluster in OTHERS:
            self._move(cluster, "rest")

    def _move(self, cluster: str, ring: str) -> None:
        self.it.fleet.patch(cluster_ref(cluster), {"metadata": {"labels": {"ring": ring}}})

    def check(self) -> None:
        """Hold who has started since the last look against the limits."""
        before, self.having = self.having, set(self.it.having(str(self.value)).split())
        self.account.gone(before - self.having)
        started = self.having - before
        undone = {c for c in self.having if not self.account.done(c, self.now)}
        if started - set(self.first):
            assert not undone & set(self.first), "canaries come first"
            assert set(self.first) <= self.having
            assert len(undone) <= MOST, "never more than may be under way"
            assert len(self.account.bad) <= TOLERATED, "never past the failures that are tolerated"


@pytest.mark.slow
@given(st.integers(0, 2**32))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_a_controller_keeps_every_limit_whatever_happens(seed: int) -> None:
    """Reports, time, templates, clusters that leave and come back: twenty histories of forty steps."""
    history = History(Random(seed))
    for _ in range(40):
        history.go_on()


@pytest.mark.slow
@given(st.integers(0, 2**32))
@settings(derandomize=True, deadline=None, max_examples=4)
def test_after_whatever_happened_all_goes_well_in_the_end(seed: int) -> None:
    """Once every agent reports success, and time passes, each cluster has the newest template."""
    history = History(Random(seed))
    for _ in range(20):
        history.go_on()
    history._join()
    for _ in range(len(CANARIES + OTHERS) + 1):
        history.it.fares("good", history.it.having(str(history.value)))
        history.it.wait(minutes=5)
    assert set(history.it.having(str(history.value)).split()) == {*CANARIES, *OTHERS}
    history.it.fares("good", history.it.having(str(history.value)))
    assert history.it.said() == ("True", "Complete", "")
