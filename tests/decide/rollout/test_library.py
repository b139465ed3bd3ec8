"""OCM's own rollout library judges the decisions that are to be its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from gitops_ocm.decide.rollout import ClusterState, Group, RolloutError, Step, advance, groups_of
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.ref import Object
from tests.decide.rollout.drawn import Rollout, rollout
from tests.decide.rollout.examples import EXAMPLES, NOW, groups, states

pytestmark = pytest.mark.slow

LABEL = "cluster.open-cluster-management.io/decision-group-"


def decisions(cut: Sequence[Group]) -> list[Object]:
    """The groups as PlacementDecisions, no more than two clusters in each."""
    return [
        {
            "metadata": {
                "name": f"p-{group.index}-{start}",
                "labels": {LABEL + "index": str(group.index), LABEL + "name": group.name},
            },
            "status": {
                "decisions": [{"clusterName": c, "reason": ""} for c in group.clusters[start : start + 2]]
            },
        }
        for group in cut
        for start in range(0, max(1, len(group.clusters)), 2)
    ]


def question(strategy: Object, held: Sequence[Object], known: Sequence[ClusterState]) -> str:
    """One line for the library."""
    told = [
        {"cluster": s.cluster, "state": s.state} | ({"since": timestamp(s.since)} if s.since else {})
        for s in known
    ]
    return json.dumps({"now": timestamp(NOW), "strategy": strategy, "decisions": held, "states": told})


def answer(step: Step) -> Object:
    """A step as the library says it."""

    def told(found: Sequence[ClusterState]) -> list[Object]:
        return [{"cluster": s.cluster, "state": str(s.state)} for s in found]

    return {
        "roll_out": told(step.roll_out),
        "timed_out": told(step.timed_out),
        "removed": told(step.removed),
        "breach": step.breach,
        "recheck": (step.recheck - NOW).total_seconds() if step.recheck else None,
    }


def decided(strategy: Object, held: Sequence[Object], known: Sequence[ClusterState]) -> Object:
    """What is decided here, or why not."""
    try:
        return answer(advance(strategy, groups_of(held), known, NOW, compat=True))
    except RolloutError as fault:
        return {"error": fault.message}


async def asked(program: Path, lines: Sequence[str]) -> list[Object]:
    """What the library answers to each line."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(str(program), stdin=pipe, stdout=pipe, stderr=pipe)
    out, err = await process.communicate("".join(line + "\n" for line in lines).encode())
    assert process.returncode == 0, err.decode()[-2000:]
    return [_without_an_error(json.loads(line)) for line in out.splitlines()]


def _without_an_error(told: Object) -> Object:
    return {"error": told["error"]} if told.get("error") else told


async def judge(program: Path, found: Sequence[Rollout]) -> None:
    """Hold every decision against the library's."""
    cases = [(r.strategy, decisions(r.groups), r.states) for r in found]
    answers = await asked(program, [question(*case) for case in cases])
    assert len(answers) == len(cases)
    for case, theirs in zip(cases, answers, strict=True):
        assert decided(*case) == theirs, question(*case)


async def test_the_worked_examples_are_the_library_s(library: Path) -> None:
    """The tables say what the library does."""
    await judge(
        library, [Rollout(e.strategy, groups(e.groups), tuple(states(e.states))) for e in EXAMPLES.values()]
    )


async def test_random_rollouts_are_decided_as_the_library_does(library: Path) -> None:
    """Thousands of strategies, groups (with gaps) and states: the same clusters, in the same order."""
    random = Random(6)
    await judge(library, [rollout(random, gaps=True, quoted=True) for _ in range(20_000)])


FAULTS: list[Object] = [
    {"type": "Sideways"},
    {"type": ""},
    {"type": "All", "all": {"progressDeadline": "10"}},
    {"type": "All", "all": {"progressDeadline": "5m2"}},
    {"type": "All", "all": {"progressDeadline": "xNone"}},
    {"type": "All", "all": {"progressDeadline": "1m3d"}},
    {"type": "Progressive", "progressive": {"maxConcurrency": "5"}},
    {"type": "Progressive", "progressive": {"maxConcurrency": "x%"}},
    {"type": "Progressive", "progressive": {"maxFailures": "%"}},
    {"type": "ProgressivePerGroup", "progressivePerGroup": {"maxFailures": "3"}},
]


async def test_faults_are_the_library_s(library: Path) -> None:
    """What cannot be is refused in the same words, a decision without a group's index included."""
    one = Group(0, "", ("c1",))
    await judge(library, [Rollout(strategy, (one,), ()) for strategy in FAULTS])
    unlabelled: list[Object] = [{"metadata": {"name": "p-1", "labels": {}}}]
    (theirs,) = await asked(library, [question({"type": "All"}, unlabelled, ())])
    assert decided({"type": "All"}, unlabelled, ()) == theirs
