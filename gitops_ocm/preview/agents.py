"""Klusterlets as a preview assumes them: what they are given is applied, and turns out well or not.

A row of the controller table beside the hub's: it reports on ManifestWorks as an agent would, `takes`
seconds after the agent has applied them. So the rollouts see progress, failure or silence, and go on or stop
by the very functions that decide on the hub.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from gitops_ocm.decide.contract import DONE, Controller, MergePatch, Outcome, View, Wake
from gitops_ocm.decide.kinds import MANIFEST_WORK
from gitops_ocm.decide.work_states import Conditions
from gitops_ocm.decide.writes import conditions_of, is_deleting, namespace_of, time_at
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.preview.assumptions import Assumptions
from gitops_ocm.preview.reports import assumed_reports

MANAGER = "gitops-ocm-preview"
AGENTS = "assumed-agents"
"""The row's name."""


def agent_row(assumed: Assumptions) -> Controller:
    """The row that answers for all clusters; what is assumed names them."""
    failing, down = frozenset(assumed.failing), frozenset(assumed.down)

    def reconcile(view: View, key: Ref, now: datetime) -> Outcome:
        work = view.get(key)
        if work is None or is_deleting(work) or key.namespace in down:
            return DONE
        fails = namespace_of(work) in failing
        wanted = _report(work, fails, assumed.takes, now)
        if wanted is None:
            return DONE
        conditions, again = wanted
        entries = assumed_reports(work, _since(work) or now, up=again is None and not fails)
        body: Object = {"status": {"conditions": conditions, "resourceStatus": {"manifests": entries}}}
        return Outcome((MergePatch(key, body, subresource="status"),), requeue_after=again)

    return Controller(AGENTS, "preview", reconcile, (Wake(MANIFEST_WORK),), field_manager=MANAGER)


def _report(
    work: Object, fails: bool, takes: float, now: datetime
) -> tuple[list[Mapping[str, Any]], float | None] | None:
    """The conditions to report and when to look again; None where nothing is new."""
    generation = work["metadata"].get("generation")
    held = {c["type"]: c for c in conditions_of(work)}
    applied = held.get("Applied")
    fresh = applied is not None and applied.get("observedGeneration") == generation
    if not fresh and takes > 0:
        return list(_conditions(held, generation, _UNDER_WAY, now)), takes
    if fresh and held.get("Progressing", {}).get("reason") != WAITS:
        return None
    since = time_at(held["Progressing"].get("lastTransitionTime")) if fresh else None
    left = (since + timedelta(seconds=takes) - now).total_seconds() if since is not None else 0.0
    if left > 0:
        return None
    return list(_conditions(held, generation, _BAD if fails else _GOOD, now)), None


def _since(work: Object) -> datetime | None:
    """When the present generation was first reported on; None where it was not yet."""
    said = Conditions(work)
    return said.arrived() if said.fresh("Applied") is not None else None


WAITS = "AssumedUnderWay"
"""The reason by which a report is known that is followed by another one."""
_UNDER_WAY = {"Applied": "True", "Available": "Unknown", "Progressing": "True", "Degraded": "False"}
_GOOD = {"Applied": "True", "Available": "True", "Progressing": "False", "Degraded": "False"}
_BAD = {"Applied": "True", "Available": "False", "Progressing": "True", "Degraded": "True"}


def _conditions(
    held: Mapping[str, Mapping[str, Any]], generation: Any, states: Mapping[str, str], now: datetime
) -> Iterator[Mapping[str, Any]]:
    yield from (held[type_] for type_ in sorted(held.keys() - states.keys()))
    reason = WAITS if states is _UNDER_WAY else "Assumed"
    for type_, status in states.items():
        before = held.get(type_, {})
        same = before.get("status") == status and states is not _UNDER_WAY
        yield {
            "type": type_,
            "status": status,
            "reason": reason,
            "message": "as the preview assumes",
            "observedGeneration": generation,
            "lastTransitionTime": before["lastTransitionTime"] if same else timestamp(now),
        }
