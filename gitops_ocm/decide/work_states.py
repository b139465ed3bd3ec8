"""What has become of the works of a ManifestWorkReplicaSet: one cluster's state, and the set's status.

Reading only; which works there shall be is decided in `decide.works`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gitops_ocm.decide.contract import View, Write
from gitops_ocm.decide.kinds import PLACEMENT
from gitops_ocm.decide.rollout import ClusterState, State
from gitops_ocm.decide.writes import conditions_of, namespace_of, report, status_of, time_at
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref

VERIFIED, ROLLED_OUT, APPLIED = "PlacementVerified", "PlacementRolledOut", "ManifestworkApplied"
MAX_LABEL = 63

Verdict = tuple[str, str, str]


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


def name_too_long(value: str) -> Verdict:
    """What a set is told whose name does not fit into the label of its works."""
    message = (
        f'ManifestWork owner reference "{value}" (namespace.name) is not a valid label value: '
        f"must be no more than {MAX_LABEL} bytes; recreate the ManifestWorkReplicaSet "
        f"with a shorter namespace and/or name so the combined length is at most {MAX_LABEL} characters"
    )
    return "False", "InvalidManifestWorkName", message


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
    verdicts = {
        VERIFIED: _verified(summary, selected, faults),
        ROLLED_OUT: ("True", "Complete", "") if succeeded == selected else ("False", "Progressing", ""),
        APPLIED: _applied(summary, selected),
    }
    return report_on(owner, verdicts, now, summary=summary, placementSummary=placements)


def _verified(summary: Mapping[str, int], selected: int, faults: Sequence[str]) -> Verdict:
    if faults and (not summary["total"] or not selected):
        return "False", "NotAsExpected", "; ".join(faults)
    if not summary["total"]:
        return "False", "PlacementDecisionEmpty", ""
    return "True", "AsExpected", ""


def _applied(summary: Mapping[str, int], selected: int) -> Verdict:
    if not summary["total"]:
        return "False", "NotAsExpected" if selected else "PlacementDecisionEmpty", ""
    quiet = not summary["progressing"] and not summary["degraded"]
    if quiet and summary["available"] == summary["total"]:
        return "True", "AsExpected", ""
    if summary["progressing"] and not summary["degraded"]:
        return "False", "Processing", ""
    return "False", "NotAsExpected", ""


def report_on(
    owner: Object, verdicts: Mapping[str, Verdict], now: datetime, **fields: Any
) -> tuple[Write, ...]:
    """Write these conditions and other fields of a set's status."""
    held: Sequence[Mapping[str, Any]] = conditions_of(owner)
    for type_, (status, reason, message) in verdicts.items():
        held = conditions.with_condition(
            held, type=type_, status=status, reason=reason, message=message, now=now
        )
    return report(owner, {"conditions": held, **fields})
