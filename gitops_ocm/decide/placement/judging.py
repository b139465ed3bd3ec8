"""What judges of clusters have said of each, kept until the cluster changes, and what they may cost.

Expressions may take long: on ten thousand clusters what takes a hundredth of a second each takes minutes. So
an answer is kept for each state of a cluster; where others wait meanwhile (`patience.hurry`) what takes long
raises `Laborious`, is worked out beside, and is there when the decision is made again; and all that one
decision asks shares an `Allowance`. The judges are `expressions`, who has the clusters is `fleet`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import NamedTuple, Protocol

from gitops_ocm.decide.contract import Laborious
from gitops_ocm.decide.placement.faults import TooCostly
from gitops_ocm.objects.cel.patience import OutOfPatience, hasty, hurry
from gitops_ocm.objects.ref import Object

Bits = int
"""A set of clusters; bit n stands for the cluster in slot n of the fleet."""
DECISION_BUDGET = 20_000_000
"""What all expressions of a placement may cost on all its clusters together: 20 seconds of a processor, or
2,000 for each of ten thousand clusters, where looking through thirty claims costs 200."""
ONE_BUDGET = 10_000_000
"""What all expressions of a selector may cost on one cluster, as OCM has it."""
_SLOWEST = 100_000
"""Units that a second of a processor costs at least; a usual one is some 1,000,000."""
_LARGEST_COST = 2**32 - 1


class Verdict(NamedTuple):
    """What a judge says of a cluster and what it cost; `excess`: why that was more than it may on one."""

    true: bool
    cost: int
    excess: str = ""


class Judge(Protocol):
    """Says of clusters whether something is true. Its answer follows from the cluster and what it `reads`."""

    @property
    def key(self) -> Hashable:
        """The same for judges that say the same."""
        ...

    def judge(self, cluster: Object) -> Verdict:
        """The verdict on one cluster."""
        ...

    def changed_since(self, mark: int) -> tuple[Iterable[str], int]:
        """The clusters of which something else that it reads has changed since `mark`, and the mark now."""
        ...


class Clusters(Protocol):
    """Who has the clusters (`fleet.Fleet`)."""

    def each(self, bits: Bits) -> Iterator[tuple[int, Object]]:
        """The clusters of a set with their slots."""
        ...

    def at(self, slot: int) -> Object | None:
        """The cluster in a slot now."""
        ...

    def bits(self, names: Iterable[str]) -> Bits:
        """The set of these clusters."""
        ...

    def pick(self, items: Sequence[int], bits: Bits) -> Iterator[int]:
        """The items at the slots of a set."""
        ...


class Allowance:
    """What is left of what one decision may cost."""

    def __init__(self, units: int = DECISION_BUDGET) -> None:
        self.units = self.left = units

    def spend(self, cost: int) -> None:
        """Take something from it; raises `TooCostly` where that much is not left."""
        self.left -= cost
        if self.left < 0:
            raise TooCostly(self.units)


class Batch:
    """Clusters to be judged where nobody waits. It reads and writes nothing that anybody else changes."""

    def __init__(self, judge: Judge, clusters: Sequence[tuple[int, Object]], units: int) -> None:
        self.judge, self.clusters, self.units = judge, clusters, units
        self.verdicts: list[Verdict] = []

    def work(self, seconds: Callable[[], float]) -> None:
        """Judge more of them, one at least, for a second, or until the rest may not be afforded anyhow.

        Some of what an expression may do has no price. So what takes longer than its price says costs more,
        and a cluster that takes all the patience there is, alone, is given up.
        """
        ended = 0.0
        for _, cluster in self.clusters[len(self.verdicts) :]:
            begun = ended
            try:
                verdict = self.judge.judge(cluster)
            except OutOfPatience:
                if begun:
                    return
                verdict = Verdict(False, ONE_BUDGET, "the expressions take too long")
            ended = seconds()
            verdict = verdict._replace(cost=max(verdict.cost, int((ended - begun) * _SLOWEST)))
            self.verdicts.append(verdict)
            self.units -= verdict.cost
            if ended >= 1 or self.units < 0:
                return


class Memory:
    """What one judge has said: of whom anything is known, of whom it is true, and what that cost."""

    def __init__(self) -> None:
        self.known: Bits = 0
        self.true: Bits = 0
        self.excess: dict[int, str] = {}
        self._costs = array("L")
        self._mark = 0
        self._batch: Batch | None = None

    def forget(self, bits: Bits) -> None:
        """These have changed."""
        self.known &= ~bits

    def among(self, clusters: Clusters, within: Bits, judge: Judge, allowance: Allowance) -> Bits:
        """Those of `within` of whom the judge says yes; raises `TooCostly`, or `Laborious` to go on later."""
        self._take_in(clusters)
        changed, self._mark = judge.changed_since(self._mark)
        self.forget(clusters.bits(changed))
        allowance.spend(sum(clusters.pick(self._costs, within & self.known)))
        if fresh := within & ~self.known:
            self._ask(list(clusters.each(fresh)), judge, allowance)
        return self.true & within

    def exceeding(self, within: Bits) -> Iterator[tuple[int, str]]:
        """Those of `within` on whom it would have cost more than it may: their slots, and why."""
        for slot, why in sorted(self.excess.items()):
            if within >> slot & 1:
                yield slot, why

    def _ask(self, fresh: Sequence[tuple[int, Object]], judge: Judge, allowance: Allowance) -> None:
        hurried = hurry()
        patience = hurried() if hurried is not None else None
        with hasty(patience) if patience is not None else nullcontext():
            for at, (slot, cluster) in enumerate(fresh):
                try:
                    if patience is not None and patience.late():
                        raise OutOfPatience
                    verdict = judge.judge(cluster)
                except OutOfPatience:
                    self._batch = Batch(judge, fresh[at:], allowance.left)
                    raise Laborious("expressions", self._batch.work) from None
                self._keep(slot, verdict)
                allowance.spend(verdict.cost)

    def _keep(self, slot: int, verdict: Verdict) -> None:
        bit = 1 << slot
        self.known |= bit
        self.true = self.true | bit if verdict.true else self.true & ~bit
        if len(self._costs) <= slot:
            self._costs.extend([0] * (slot + 1 - len(self._costs)))
        self._costs[slot] = min(verdict.cost, _LARGEST_COST)
        self.excess.pop(slot, None)
        if verdict.excess:
            self.excess[slot] = verdict.excess

    def _take_in(self, clusters: Clusters) -> None:
        """Keep what was worked out beside, of clusters that are still as they were then."""
        batch, self._batch = self._batch, None
        if batch is not None:
            for (slot, cluster), verdict in zip(batch.clusters, tuple(batch.verdicts), strict=False):
                if clusters.at(slot) is cluster:
                    self._keep(slot, verdict)
