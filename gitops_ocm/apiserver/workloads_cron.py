"""What a simulated CronJob comes to: the Job that is due, those it ends or forgets, when the next is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gitops_ocm.decide.writes import name_of, namespace_of, status_of, uid_of
from gitops_ocm.objects.conditions import is_true, parse_time, timestamp
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.rules.cron import BadSchedule, Schedule, parsed

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_CATCH_UP = 1000
"""Times passed over at most, one by one, after a cluster has slept."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be done: the time whose Job is due (None: none is), Jobs to delete, and the next look."""

    due: datetime | None
    deleted: tuple[Object, ...]
    status: dict[str, Any]
    again: datetime | None


def cron_turn(cron: Object, jobs: Sequence[Object], now: datetime) -> Turn:
    """One look at a CronJob and the Jobs it has started."""
    spec, old = cron.get("spec") or {}, status_of(cron)
    running = [job for job in jobs if not finished(job)]
    forgotten = _forgotten(spec, jobs)
    status: dict[str, Any] = {k: v for k, v in old.items() if k in ("lastScheduleTime", "lastSuccessfulTime")}
    ended = [str(status_of(job).get("completionTime")) for job in jobs if is_true(job, "Complete")]
    if ended:
        status["lastSuccessfulTime"] = max(ended)
    due, again = (None, None) if spec.get("suspend") else _due(cron, now)
    replaced: tuple[Object, ...] = ()
    if due is not None and running:
        policy = spec.get("concurrencyPolicy", "Allow")
        due = None if policy == "Forbid" else due
        replaced = tuple(running) if policy == "Replace" else ()
    if due is not None:
        status["lastScheduleTime"] = timestamp(due)
    left = [job for job in running if job not in replaced]
    if left:
        status["active"] = [_reference(job) for job in left]
    return Turn(due, (*replaced, *forgotten), status, again)


def finished(job: Object) -> bool:
    """Whether a Job is over."""
    return is_true(job, "Complete") or is_true(job, "Failed")


def started(cron: Object, due: datetime) -> Object:
    """The Job of one time, by a name that tells the time: it is started once."""
    template = (cron.get("spec") or {}).get("jobTemplate") or {}
    meta = template.get("metadata") or {}
    metadata: Object = {
        "name": f"{name_of(cron)}-{int(due.timestamp()) // 60}",
        "namespace": namespace_of(cron),
        "annotations": {**(meta.get("annotations") or {}), SCHEDULED: timestamp(due)},
    }
    if meta.get("labels"):
        metadata["labels"] = dict(meta["labels"])
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template.get("spec") or {}}


def _due(cron: Object, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The latest time that has come since the last Job, and the next one to come."""
    spec = cron.get("spec") or {}
    try:
        schedule = parsed(str(spec.get("schedule") or ""))
    except BadSchedule:
        return None, None
    zone = ZoneInfo(spec["timeZone"]) if spec.get("timeZone") else now.tzinfo
    since = parse_time(status_of(cron).get("lastScheduleTime") or cron["metadata"]["creationTimestamp"])
    deadline = spec.get("startingDeadlineSeconds")
    if deadline is not None:
        since = max(since, now - timedelta(seconds=deadline))
    return _latest(schedule, since.astimezone(zone), now)


def _latest(schedule: Schedule, since: datetime, now: datetime) -> tuple[datetime | None, datetime | None]:
    due, at = None, schedule.after(since)
    for _ in range(_CATCH_UP):
        if at is None or at > now:
            return due, at
        due, at = at, schedule.after(at)
    return due, now + timedelta(seconds=1)


def _forgotten(spec: Object, jobs: Sequence[Object]) -> tuple[Object, ...]:
    """Jobs that are over, but for the last few of either end."""
    gone: list[Object] = []
    for condition, name, kept in (
        ("Complete", "successfulJobsHistoryLimit", 3),
        ("Failed", "failedJobsHistoryLimit", 1),
    ):
        ended = sorted((job for job in jobs if is_true(job, condition)), key=_begun)
        limit = spec.get(name, kept)
        gone += ended[: max(len(ended) - int(limit), 0)]
    return tuple(gone)


def _begun(job: Object) -> tuple[str, str]:
    return str(job["metadata"].get("creationTimestamp", "")), name_of(job)


def _reference(job: Object) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": name_of(job),
        "namespace": namespace_of(job),
        "uid": uid_of(job),
        "resourceVersion": str(job["metadata"].get("resourceVersion", "")),
    }
