"""Where a rollout stands, cluster by cluster: who is done, under way, or held and why; what is next.

Asked of the same functions as the decision, only when somebody wants to know. How it is laid out for people
is `report.rollout_text`; for programs it is `document` here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from gitops_ocm.decide.rollout.advance import advance
from gitops_ocm.decide.rollout.groups import Group
from gitops_ocm.decide.rollout.judging import Judged, Phase, judge
from gitops_ocm.decide.rollout.limits import limits_of
from gitops_ocm.decide.rollout.model import ClusterState, HoldReason, Step
from gitops_ocm.decide.rollout.waves import Plan, named, plan_waves
from gitops_ocm.objects.conditions import timestamp


class Standing(StrEnum):
    """How a cluster stands in its rollout, in a word or two."""

    DONE = "done"
    STARTING = "starting"
    UNDER_WAY = "under way"
    SOAKING = "soaking"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    HELD = "held"


_OF_PHASE = {
    Phase.DONE: Standing.DONE,
    Phase.GIVEN: Standing.UNDER_WAY,
    Phase.UNDER_WAY: Standing.UNDER_WAY,
    Phase.SOAKING: Standing.SOAKING,
    Phase.FAILED: Standing.FAILED,
    Phase.TIMED_OUT: Standing.TIMED_OUT,
    Phase.GIVEN_UP: Standing.TIMED_OUT,
}


@dataclass(frozen=True)
class Row:
    """One cluster: since when it stands so, and when time alone changes that."""

    cluster: str
    group: str
    standing: Standing
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Explanation:
    """A rollout under one placement: the step it would take now, its clusters by group, what comes then.

    `failing` clusters are assumed to fail in what comes; `groups` are the decision groups.
    """

    placement: str
    strategy: Mapping[str, Any]
    step: Step
    rows: tuple[Row, ...]
    plan: Plan
    failing: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()

    def count(self, *standings: Standing) -> int:
        """How many clusters stand so."""
        return sum(row.standing in standings for row in self.rows)


def explain(
    placement: str,
    strategy: Mapping[str, Any] | None,
    groups: Sequence[Group],
    states: Iterable[ClusterState],
    now: datetime,
    *,
    failing: Collection[str] = (),
    compat: bool = False,
) -> Explanation:
    """Say where a rollout stands, and walk it on with the `failing` clusters; raises `RolloutError`."""
    limits, known = limits_of(strategy), tuple(states)
    step = advance(strategy, groups, known, now, compat=compat)
    rows = standings(strategy, groups, known, step, now)
    plan = plan_waves(strategy, groups, known, now, failing=failing, compat=compat)
    return Explanation(
        placement, strategy or {"type": limits.kind}, step, rows, plan, tuple(failing), tuple(groups)
    )


def standings(
    strategy: Mapping[str, Any] | None,
    groups: Sequence[Group],
    states: Iterable[ClusterState],
    step: Step,
    now: datetime,
) -> tuple[Row, ...]:
    """Each cluster of the groups, with how it stands before the `step` that is to be taken now."""
    limits = limits_of(strategy)
    judged = {found.cluster: judge(found, limits, now) for found in states}
    starting = frozenset(step.starting)
    return tuple(
        _row(cluster, group, judged.get(cluster), starting)
        for group in sorted(groups, key=lambda g: (g.index, g.name))
        for cluster in sorted(group.clusters)
    )


def _row(cluster: str, group: Group, found: Judged | None, starting: Collection[str]) -> Row:
    if found is None or found.phase is Phase.DUE:
        standing = Standing.STARTING if cluster in starting else Standing.HELD
        return Row(cluster, named(group), standing)
    until = found.recheck if found.phase is not Phase.TIMED_OUT else None
    return Row(cluster, named(group), _OF_PHASE[found.phase], found.found.since, until)


HOLDS = {
    HoldReason.BREACH: "more have failed than maxFailures tolerates",
    HoldReason.MANDATORY: "mandatory groups come first",
    HoldReason.GROUP: "an earlier group is not done",
    HoldReason.BATCH: "behind mandatory groups nobody joins those that are under way",
    HoldReason.CONCURRENCY: "as many hold a place as maxConcurrency allows",
}
"""What holds a rollout, in words."""


def document(found: Explanation) -> dict[str, Any]:
    """The explanation as plain data; what does not apply is left out."""
    hold, plan = found.step.hold, found.plan
    return {
        "placement": found.placement,
        "strategy": dict(found.strategy),
        "breach": found.step.breach,
        **({"hold": {"reason": str(hold.reason), "by": list(hold.by)}} if hold else {}),
        **({"unknownGroups": list(found.step.unknown)} if found.step.unknown else {}),
        "clusters": [_document_of_row(row) for row in found.rows],
        "next": {
            **({"failing": list(found.failing)} if found.failing else {}),
            "waves": [
                {
                    "start": timestamp(wave.start),
                    "clusters": list(wave.clusters),
                    "groups": list(wave.groups),
                    "soaked": timestamp(wave.soaked),
                    **({"deadline": timestamp(wave.deadline)} if wave.deadline else {}),
                }
                for wave in plan.waves
            ],
            **({"end": timestamp(plan.end)} if plan.end else {}),
            **({"neverStarting": list(plan.held)} if plan.held else {}),
        },
    }


def _document_of_row(row: Row) -> dict[str, Any]:
    told = {"name": row.cluster, "decisionGroup": row.group, "standing": str(row.standing)}
    times = {"since": row.since, "until": row.until}
    return told | {key: timestamp(at) for key, at in times.items() if at is not None}
