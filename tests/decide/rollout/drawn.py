"""Random rollouts: strategies, decision groups and states, near every limit that there is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from hypothesis import strategies as st

from gitops_ocm.decide.rollout import ClusterState, Group, State
from gitops_ocm.objects.ref import Object
from tests.decide.rollout.examples import NOW

CLUSTERS = tuple(f"c{i}" for i in range(12))
SPANS = ("0", "0s", "30s", "1m", "90s", "1h30m")
SECONDS = (0, 1, 29, 30, 31, 59, 60, 61, 89, 90, 91, 5399, 5400)


@dataclass(frozen=True)
class Rollout:
    """What a decision is made from."""

    strategy: Object
    groups: tuple[Group, ...]
    states: tuple[ClusterState, ...]

    @property
    def block(self) -> Object:
        """The options of the chosen type."""
        kind: str = self.strategy["type"]
        found: Object = self.strategy[kind[0].lower() + kind[1:]]
        return found


SIZES = (*range(len(CLUSTERS) + 2), "0%", "1%", "7%", "25%", "33%", "50%", "99%", "100%")
NAMES = ("", "canary", "west")
LIKELY = (*State, State.PROGRESSING, State.SUCCEEDED, State.FAILED)
ENTRIES: tuple[Object, ...] = (
    {},
    *({"groupName": name} for name in ("canary", "west", "east")),
    *({"groupIndex": index} for index in range(5)),
)


def rollout(random: Random, *, gaps: bool = False, quoted: bool = False) -> Rollout:
    """A rollout; with `gaps` decision groups may have any index, with `quoted` numbers may be strings."""
    members = random.sample(CLUSTERS, random.randint(0, 8))
    cuts = sorted(random.randint(0, len(members)) for _ in range(random.randint(0, 3)))
    bounds = [0, *cuts, len(members)]
    count = len(cuts) + 1
    indexes = sorted(random.sample(range(6), count)) if gaps and random.random() < 0.5 else range(count)
    groups = tuple(
        Group(index, random.choice(NAMES), tuple(members[bounds[i] : bounds[i + 1]]))
        for i, index in enumerate(indexes)
    )
    told = [c for c in CLUSTERS if c in members or c in CLUSTERS[:2]]
    known = random.sample(told, random.randint(0, len(told)))
    states = tuple(_state(random, cluster) for cluster in known)
    return Rollout(_strategy(random, quoted), groups, states)


def _state(random: Random, cluster: str) -> ClusterState:
    state = random.choice(LIKELY)
    given = state is State.TO_APPLY and random.random() < 0.5
    return ClusterState(cluster, state, _since(random), given)


def _since(random: Random) -> datetime | None:
    ago = random.choice((*SECONDS, None))
    return None if ago is None else NOW - timedelta(seconds=ago)


def _strategy(random: Random, quoted: bool) -> Object:
    """A strategy as a person may write it."""
    kind = random.choice(("All", "Progressive", "Progressive", "ProgressivePerGroup"))
    sizes = (*SIZES, "5", "3") if quoted else SIZES
    block: Object = {
        "minSuccessTime": random.choice(SPANS),
        "progressDeadline": random.choice(("None", "", *SPANS[1:])),
        "maxFailures": random.choice(sizes),
    }
    if kind != "All":
        block["mandatoryDecisionGroups"] = [dict(e) for e in random.sample(ENTRIES, random.randint(0, 2))]
    if kind == "Progressive":
        block["maxConcurrency"] = random.choice(sizes)
    kept = {key: value for key, value in block.items() if random.random() < 0.8}
    return {"type": kind, kind[0].lower() + kind[1:]: kept}


ROLLOUTS = st.integers(0, 2**63).map(lambda seed: rollout(Random(seed)))
"""For hypothesis: a case is a seed, so that ten thousand of them take seconds."""
