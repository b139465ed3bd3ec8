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
    WORKS_AS_EXPECTED,
    WORKS_INVALID_NAME,
    WORKS_NOT_AS_EXPECTED,
    WORKS_PLACEMENT_EMPTY,
    WORKS_PROCESSING,
)
from gitops_ocm.decide.contract import View, Write
from gitops_ocm.decide.kinds import PLACEMENT
from gitops_ocm.decide.rollout import ClusterState, State
from gitops_ocm.decide.writes import conditions_of, namespace_of, report, status_of, time_at
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


def state_of(work: Object, template: Mapping[str, Any]) -> ClusterState:
    """How far a cluster is with a work that has the wanted spec.

    OCM asks for a Progressing condition, which only a rule in the template makes; without such a rule
    a work that is applied and available is done.
    """
    cluster, generation = namespace_of(work), work["metadata"].get("generation")
    held = {c["type"]: c for c in conditions_of(work)}

    def fresh(type_: str) -> Mapping[str, Any] | None:
        found = held.get(type_)
        return found if found is not None and found.get("observedGeneration") == generation else None

    def since(found: Mapping[str, Any]) -> datetime | None:
        return time_at(found.get("lastTransitionTime"))

    applied, progressing = fresh("Applied"), fresh("Progressing")
    if applied is None or applied.get("status") != "True":
        return ClusterState(cluster, State.TO_APPLY)
    if progressing is None and not _has_rule(template, "Progressing"):
        available = held.get("Available")
        if available is not None and available.get("status") == "True":
            return ClusterState(cluster, State.SUCCEEDED, since(available))
        return ClusterState(cluster, State.PROGRESSING, since(applied))
    if progressing is None or ("Degraded" in held and fresh("Degraded") is None):
        return ClusterState(cluster, State.TO_APPLY)
    degraded = fresh("Degraded")
    if progressing["status"] == "True" and degraded is not None and degraded["status"] == "True":
        return ClusterState(cluster, State.FAILED, since(degraded))
    done = progressing["status"] == "False"
    return ClusterState(cluster, State.SUCCEEDED if done else State.PROGRESSING, since(progressing))


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


def summed_up(
    view: View,
    owner: Object,
    refs: Sequence[Mapping[str, Any]],
    tallies: Mapping[str, Tally],
    selected: int,
    faults: Sequence[str],
    now: datetime,
) -> tuple[Write, ...]:
    """The status of a set: `selected` clusters, the works there are for them, what went wrong."""
    summaries, placements = {n: t.summary() for n, t in tallies.items()}, []
    for name in dict.fromkeys(ref["name"] for ref in refs):
        status = status_of(view.get(Ref(*PLACEMENT, namespace_of(owner), name)) or {})
        groups, chosen = len(status.get("decisionGroups") or ()), status.get("numberOfSelectedClusters", 0)
        text = f"{groups} ({len(tallies[name].existing)} / {chosen} clusters applied)"
        placements.append({"name": name, "availableDecisionGroups": text, "summary": summaries[name]})
    summary = {k: sum(s[k] for s in summaries.values()) for k in Tally().summary()}
    succeeded = sum(t.succeeded for t in tallies.values())
    judged = (
        _verified(summary, selected, faults),
        ROLLOUT_COMPLETE if succeeded == selected else ROLLOUT_PROGRESSING,
        _applied(summary, selected),
    )
    return report_on(owner, judged, now, summary=summary, placementSummary=placements)


def _verified(summary: Mapping[str, int], selected: int, faults: Sequence[str]) -> KnownCondition:
    if faults and (not summary["total"] or not selected):
        return PLACEMENT_NOT_AS_EXPECTED._replace(message="; ".join(faults))
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


def report_on(
    owner: Object, judged: Iterable[KnownCondition], now: datetime, **fields: Any
) -> tuple[Write, ...]:
    """Write these conditions and other fields of a set's status."""
    held: Sequence[Mapping[str, Any]] = conditions_of(owner)
    for condition in judged:
        held = conditions.with_condition(held, **condition._asdict(), now=now)
    return report(owner, {"conditions": held, **fields})
