"""What has become of the works of a ManifestWorkReplicaSet: one cluster's state, and the set's status.

Reading only; which works there shall be is decided in `decide.works`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.work_replicaset import (
    PLACEMENT_EMPTY,
    PLACEMENT_FOUND,
    PLACEMENT_NOT_AS_EXPECTED,
    ROLLOUT_COMPLETE,
    ROLLOUT_PROGRESSING,
    STARTED_ANNOTATION,
    WORKS_AS_EXPECTED,
    WORKS_INVALID_NAME,
    WORKS_NOT_AS_EXPECTED,
    WORKS_PLACEMENT_EMPTY,
    WORKS_PROCESSING,
)
from gitops_ocm.decide.contract import Emit, View, Write
from gitops_ocm.decide.kinds import PLACEMENT
from gitops_ocm.decide.rollout import ClusterState, Group, State, Step
from gitops_ocm.decide.writes import annotations_of, conditions_of, namespace_of, report, status_of, time_at
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref

MAX_LABEL = 63


@dataclass
class Tally:
    """Counts over the works of one placement reference, as the status has them."""

    existing: set[str] = field(default_factory=set)
    succeeded: int = 0
    applied: int = 0
    available: int = 0
    progressing: int = 0
    degraded: int = 0

    def summary(self) -> dict[str, int]:
        """The wire's shape."""
        return {
            "total": len(self.existing),
            "applied": self.applied,
            "available": self.available,
            "progressing": self.progressing,
            "degraded": self.degraded,
        }

    def count(self, work: Object, state: State) -> None:
        """Add a work that has the wanted spec."""
        self.existing.add(namespace_of(work))
        self.succeeded += state is State.SUCCEEDED
        self.applied += conditions.is_true(work, "Applied")
        self.available += conditions.is_true(work, "Available")
        self.progressing += conditions.is_true(work, "Progressing")
        self.degraded += conditions.is_true(work, "Degraded")


def state_of(work: Object, template: Mapping[str, Any], *, compat: bool = False) -> ClusterState:
    """How far a cluster is with a work that has the wanted spec.

    OCM asks for a Progressing condition, which only a rule in the template makes; without such a rule
    a work that is applied and available is done. Nor does it ask when this generation arrived: a
    condition that stays as it was keeps its time, and with it an old deadline or soak. Here nothing counts
    from before that, and a work nobody has answered to counts from when it was given. `compat` is OCM's.
    """
    return _as_ocm(work) if compat else _state(work, template)


def _as_ocm(work: Object) -> ClusterState:
    cluster, said = namespace_of(work), Conditions(work)
    degraded, progressing = said.held.get("Degraded"), said.fresh("Progressing")
    if not said.true("Applied") or progressing is None or (degraded and not said.fresh("Degraded")):
        return ClusterState(cluster, State.TO_APPLY)
    if progressing["status"] == "True" and said.true("Degraded"):
        return ClusterState(cluster, State.FAILED, said.since("Degraded"))
    good = progressing["status"] == "False"
    return ClusterState(cluster, State.SUCCEEDED if good else State.PROGRESSING, said.since("Progressing"))


def _state(work: Object, template: Mapping[str, Any]) -> ClusterState:
    said = Conditions(work)
    ruled = _has_rule(template, "Progressing") or said.fresh("Progressing") is not None
    outcome = "Progressing" if ruled else "Available"
    stale = "Degraded" in said.held and said.fresh("Degraded") is None
    if not said.true("Applied") or said.fresh(outcome) is None or stale:
        return ClusterState(namespace_of(work), State.TO_APPLY, said.arrived() or _given(work), given=True)
    bad = said.true("Degraded") and (not ruled or said.true("Progressing"))
    good = said.status(outcome) == ("False" if ruled else "True")
    state = State.FAILED if bad else State.SUCCEEDED if good else State.PROGRESSING
    arrived = said.settled() if state is State.SUCCEEDED else said.arrived()
    times = (said.since("Degraded" if bad else outcome), arrived, _given(work))
    return ClusterState(namespace_of(work), state, max((t for t in times if t is not None), default=None))


class Conditions:
    """What an agent has said of a work; fresh is what it says of the work's present generation."""

    def __init__(self, work: Object) -> None:
        self.generation = work["metadata"].get("generation")
        self.held: Mapping[str, Mapping[str, Any]] = {c["type"]: c for c in conditions_of(work)}
        self.manifests = (status_of(work).get("resourceStatus") or {}).get("manifests") or ()

    def fresh(self, type_: str) -> Mapping[str, Any] | None:
        """The condition, unless it is about an earlier generation."""
        found = self.held.get(type_)
        return found if found is not None and self._is_fresh(found) else None

    def status(self, type_: str) -> str:
        """A fresh condition's status, `""` without one."""
        return str((self.fresh(type_) or {}).get("status", ""))

    def true(self, type_: str) -> bool:
        """Whether there is a fresh condition and it is True."""
        return self.status(type_) == "True"

    def since(self, type_: str) -> datetime | None:
        """Since when a condition is as it is, earlier generations included."""
        return time_at(self.held.get(type_, {}).get("lastTransitionTime"))

    def _is_fresh(self, condition: Mapping[str, Any]) -> bool:
        return bool(condition.get("observedGeneration") == self.generation)

    def arrived(self) -> datetime | None:
        """When the agent first tried what is new in this generation."""
        return time_at(min(self._tried(), default=""))

    def settled(self) -> datetime | None:
        """Since when all of this generation's manifests are as they are."""
        return time_at(max(self._tried(), default=""))

    def _tried(self) -> Iterable[str]:
        """Times, which sort as they are written.

        Agents begin the Applied condition of each manifest anew with each generation; that of the whole
        work keeps its time.
        """
        told = (c for entry in self.manifests for c in entry.get("conditions") or ())
        fresh = (c for c in told if c.get("type") == "Applied" and self._is_fresh(c))
        return (c["lastTransitionTime"] for c in fresh if c.get("lastTransitionTime"))


def _given(work: Object) -> datetime | None:
    """When the cluster was given the work as it is now, as far as that can be known."""
    noted = time_at(annotations_of(work).get(STARTED_ANNOTATION))
    first = work["metadata"].get("generation", 1) == 1
    return noted or (time_at(work["metadata"].get("creationTimestamp")) if first else None)


def _has_rule(template: Mapping[str, Any], condition: str) -> bool:
    rules = (r for c in template.get("manifestConfigs") or () for r in c.get("conditionRules") or ())
    return any(rule.get("condition") == condition for rule in rules)


# --- status -----------------------------------------------------------------------------------------


def name_too_long(value: str) -> KnownCondition:
    """What a set is told whose name does not fit into the label of its works."""
    message = (
        f'ManifestWork owner reference "{value}" (namespace.name) is not a valid label value: '
        f"must be no more than {MAX_LABEL} bytes; recreate the ManifestWorkReplicaSet "
        f"with a shorter namespace and/or name so the combined length is at most {MAX_LABEL} characters"
    )
    return WORKS_INVALID_NAME._replace(message=message)


@dataclass(frozen=True)
class Inputs:
    """What the step of a rollout was decided from; `works` have the template, by cluster."""

    strategy: Mapping[str, Any] | None
    groups: tuple[Group, ...]
    states: tuple[ClusterState, ...]
    works: Mapping[str, Object]


@dataclass(frozen=True)
class Part:
    """What one placement reference comes to: its clusters, their works, the step of its rollout.

    Without a step the `fault` says why there is none.
    """

    name: str
    placed: frozenset[str]
    tally: Tally
    step: Step | None = None
    inputs: Inputs | None = None
    fault: str = ""

    def told(self) -> str:
        """What a person has to know of the rollout: that it has stopped, or misses a group."""
        said: list[str] = []
        if self.step is not None and self.step.breach:
            failed = sorted(s.cluster for s in (*self.step.timed_out, *self.step.failed))
            said.append(f"stopped, for {some(failed)} failed")
        if self.step is not None and self.step.unknown:
            said.append(f"no decision group is {some(self.step.unknown)}, so nothing is mandatory there")
        return f"placement {self.name}: {'; '.join(said)}" if said else ""


def some(names: Sequence[str], most: int = 5) -> str:
    """A few names, and how many there are more."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def summed_up(
    view: View, owner: Object, parts: Sequence[Part], faults: Sequence[str], now: datetime
) -> tuple[Write, ...]:
    """The status of a set: the parts of its placements, and what could not be written."""
    selected = sum(len(part.placed) for part in parts)
    placements = []
    for part in parts:
        status = status_of(view.get(Ref(*PLACEMENT, namespace_of(owner), part.name)) or {})
        groups, chosen = len(status.get("decisionGroups") or ()), status.get("numberOfSelectedClusters", 0)
        text = f"{groups} ({len(part.tally.existing)} / {chosen} clusters applied)"
        entry = {"name": part.name, "availableDecisionGroups": text, "summary": part.tally.summary()}
        placements.append(entry)
    summary = {k: sum(p.tally.summary()[k] for p in parts) for k in Tally().summary()}
    succeeded = sum(part.tally.succeeded for part in parts)
    rolled_out = ROLLOUT_COMPLETE if succeeded == selected else ROLLOUT_PROGRESSING
    judged = (
        _verified(summary, selected, [p.fault for p in parts if p.fault], faults),
        rolled_out._replace(message="; ".join(filter(None, (part.told() for part in parts)))),
        _applied(summary, selected),
    )
    status_writes = report_on(owner, judged, now, summary=summary, placementSummary=placements)
    return (*status_writes, *_events(owner, judged))


def _verified(
    summary: Mapping[str, int], selected: int, strategies: Sequence[str], faults: Sequence[str]
) -> KnownCondition:
    unwritten = faults if not summary["total"] or not selected else ()
    if said := [*strategies, *unwritten]:
        return PLACEMENT_NOT_AS_EXPECTED._replace(message="; ".join(said))
    if not summary["total"]:
        return PLACEMENT_EMPTY
    return PLACEMENT_FOUND


def _applied(summary: Mapping[str, int], selected: int) -> KnownCondition:
    if not summary["total"]:
        return WORKS_NOT_AS_EXPECTED if selected else WORKS_PLACEMENT_EMPTY
    quiet = not summary["progressing"] and not summary["degraded"]
    if quiet and summary["available"] == summary["total"]:
        return WORKS_AS_EXPECTED
    if summary["progressing"] and not summary["degraded"]:
        return WORKS_PROCESSING
    return WORKS_NOT_AS_EXPECTED


EVENT_REASONS = {
    PLACEMENT_NOT_AS_EXPECTED.type: "RolloutNotPossible",
    ROLLOUT_COMPLETE.type: "RolloutWarning",
}


def _events(owner: Object, judged: Iterable[KnownCondition]) -> Iterable[Write]:
    """What is new to be told, once: the condition keeps it."""
    held = {c["type"]: c.get("message", "") for c in conditions_of(owner)}
    for condition in judged:
        reason = EVENT_REASONS.get(condition.type)
        if reason and condition.message and held.get(condition.type) != condition.message:
            yield Emit(owner, reason, condition.message, kind="Warning", action="RollOut")


def report_on(
    owner: Object, judged: Iterable[KnownCondition], now: datetime, **fields: Any
) -> tuple[Write, ...]:
    """Write these conditions and other fields of a set's status."""
    held: Sequence[Mapping[str, Any]] = conditions_of(owner)
    for condition in judged:
        held = conditions.with_condition(held, **condition._asdict(), now=now)
    return report(owner, {"conditions": held, **fields})
