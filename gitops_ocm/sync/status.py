"""What came of a pass, as `HubSync.status`: conditions after kstatus, problems, inventory, counts.

Pure. Ready sums up; Reconciling and Stalled are there only while they are true: Reconciling means
that time or another try may do it, Stalled that somebody has to act. DriftDetected is there while the
hub is not as Git has it and is left so. Equal input gives an equal status, so a pass that changed
nothing writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gitops_ocm.api.fleet import DRIFT_DETECTED, MAX_PROBLEMS, READY, RECONCILING, STALLED
from gitops_ocm.errors import Diagnostic
from gitops_ocm.objects.conditions import timestamp, with_condition
from gitops_ocm.objects.ref import Object
from gitops_ocm.plan.changes import PruneGuard
from gitops_ocm.plan.inventory import Inventory

LONGEST_MESSAGE = 2000


@dataclass(frozen=True)
class Verdict:
    """The sentence a pass ends with. `reconciling` and `stalled` as in the module's text.

    `detail` is for a status, where nothing else is beside it; a log has told it before.
    """

    ready: bool | None
    reason: str
    message: str
    reconciling: bool = False
    stalled: bool = False
    detail: str = ""

    @property
    def text(self) -> str:
        """Message and detail."""
        return f"{self.message}; {self.detail}" if self.detail else self.message


@dataclass(frozen=True)
class Outcome:
    """Everything a status is made of; None leaves a field as it was.

    An `inventory` comes with the `guard` of the same plan, and without one there is none any more.
    """

    generation: int
    verdict: Verdict
    attempted: str | None = None
    applied: str | None = None
    inventory: Inventory | None = None
    guard: PruneGuard | None = None
    problems: Sequence[Diagnostic] = ()
    drift: Sequence[str] = ()
    handled_at: str = ""
    summary: Mapping[str, int] | None = field(default=None)


def status_of(old: Mapping[str, Any], outcome: Outcome, *, now: datetime) -> Object:
    """The new status; `old` where nothing is to be said anew."""
    status: Object = dict(old)
    status["observedGeneration"] = outcome.generation
    status["conditions"] = _conditions(old.get("conditions") or (), outcome, now)
    if outcome.attempted:
        status["lastAttemptedCommit"] = outcome.attempted
    if outcome.applied:
        if old.get("lastAppliedCommit") != outcome.applied:
            status["lastAppliedTime"] = timestamp(now)
        status["lastAppliedCommit"] = outcome.applied
        status["lastAppliedGeneration"] = outcome.generation
    if outcome.inventory is not None:
        status["inventory"] = outcome.inventory.to_status()
        status.pop("pruneGuard", None)
        if outcome.guard is not None:
            status["pruneGuard"] = {"commit": outcome.guard.commit, "count": outcome.guard.count}
    if outcome.handled_at:
        status["lastHandledAt"] = outcome.handled_at
    if outcome.summary is not None:
        status["summary"] = dict(outcome.summary)
    if outcome.problems:
        status["problems"] = problems_of(outcome.problems)
    else:
        status.pop("problems", None)
    return status


def problems_of(problems: Sequence[Diagnostic]) -> list[Object]:
    """The first problems, with a last entry that counts the rest."""
    shown = problems if len(problems) <= MAX_PROBLEMS else problems[: MAX_PROBLEMS - 1]
    entries = [_problem(item) for item in shown]
    if len(shown) < len(problems):
        rest = len(problems) - len(shown)
        entries.append({"code": "more", "message": f"and {rest} more problems; see the log of the sync"})
    return entries


def patch_of(old: Mapping[str, Any], new: Mapping[str, Any]) -> Object:
    """The merge patch between two statuses: only top-level fields that differ, gone ones as null."""
    patch: Object = {key: value for key, value in new.items() if key not in old or old[key] != value}
    patch.update({key: None for key in old if key not in new})
    return patch


def _problem(item: Diagnostic) -> Object:
    text = f"{item.subject}: {item.message}" if item.subject else item.message
    if item.hint:
        text += f" ({item.hint})"
    entry: Object = {"code": item.code, "message": text[:LONGEST_MESSAGE]}
    if item.where.path:
        entry["path"] = item.where.path
    if item.where.line:
        entry["line"] = item.where.line
    return entry


def _conditions(old: Sequence[Mapping[str, Any]], outcome: Outcome, now: datetime) -> list[Object]:
    verdict = outcome.verdict
    states = {
        READY: {True: "True", False: "False", None: "Unknown"}[verdict.ready],
        RECONCILING: "True" if verdict.reconciling else "",
        STALLED: "True" if verdict.stalled else "",
        DRIFT_DETECTED: "True" if outcome.drift else "",
    }
    conditions = [dict(c) for c in old if states.get(str(c.get("type")), "keep")]
    for type_, state in states.items():
        if not state:
            continue
        reason, message = verdict.reason, verdict.text
        if type_ == DRIFT_DETECTED:
            reason, message = "ChangedOnHub", drift_text(outcome.drift)
        conditions = with_condition(
            conditions,
            type=type_,
            status=state,
            reason=reason,
            message=message[:LONGEST_MESSAGE],
            now=now,
            observed_generation=outcome.generation,
        )
    return conditions


def drift_text(drift: Sequence[str]) -> str:
    """`2 objects differ from Git: ConfigMap a/b, Secret a/c`, at most five by name."""
    more = f" and {len(drift) - 5} more" if len(drift) > 5 else ""
    noun = "object differs" if len(drift) == 1 else "objects differ"
    return f"{len(drift)} {noun} from Git: {', '.join(drift[:5])}{more}"
