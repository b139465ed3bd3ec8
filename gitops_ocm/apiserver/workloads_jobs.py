"""What a simulated Job comes to: how many pods it has had to start, and when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gitops_ocm.decide.writes import status_of
from gitops_ocm.objects.conditions import is_true, parse_time, timestamp, with_condition
from gitops_ocm.objects.ref import Object


@dataclass(frozen=True, slots=True)
class Step:
    """How many pods there are to have been by now, whether it is over, and what the Job says of itself;
    `changes` is when its time runs out."""

    pods: int
    over: bool
    status: dict[str, Any]
    changes: datetime | None = None


def job_step(job: Object, pods: Sequence[Object], now: datetime) -> Step | None:
    """The next step of a Job; None where there is none: it is suspended, or over."""
    spec, old = job.get("spec") or {}, status_of(job)
    if spec.get("suspend") or is_true(job, "Complete") or is_true(job, "Failed"):
        return None
    at_once = int(spec.get("parallelism", 1))
    total = int(spec.get("completions", at_once))
    done = sum(1 for pod in pods if status_of(pod).get("phase") == "Succeeded")
    failed = sum(1 for pod in pods if status_of(pod).get("phase") == "Failed")
    begun = parse_time(old["startTime"]) if old.get("startTime") else now
    seconds = spec.get("activeDeadlineSeconds")
    ends = begun + timedelta(seconds=seconds) if seconds is not None else None
    late = ends is not None and now >= ends and done < total
    lost = late or failed > int(spec.get("backoffLimit", 6))
    active = 0 if lost else min(at_once, max(total - done, 0))
    status: dict[str, Any] = {
        "startTime": old.get("startTime") or timestamp(now),
        "active": active,
        "ready": sum(1 for pod in pods if is_true(pod, "Ready")),
        "succeeded": done,
        **({"failed": failed} if failed else {}),
    }
    if lost:
        words = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
        if late:
            words = ("DeadlineExceeded", "Job was active longer than specified deadline")
        status["conditions"] = _with(job, ("FailureTarget", "Failed"), words, now)
    elif done >= total:
        words = ("CompletionsReached", "Reached expected number of succeeded pods")
        status["completionTime"] = timestamp(now)
        status["conditions"] = _with(job, ("SuccessCriteriaMet", "Complete"), words, now)
    over = lost or done >= total
    return Step(done + failed + active, lost, status, None if over else ends)


def job_end(job: Object) -> datetime | None:
    """When a Job that is over is to go (`ttlSecondsAfterFinished`); None where it stays."""
    seconds = (job.get("spec") or {}).get("ttlSecondsAfterFinished")
    ended = [
        str(condition.get("lastTransitionTime"))
        for condition in status_of(job).get("conditions") or ()
        if condition.get("type") in ("Complete", "Failed") and condition.get("status") == "True"
    ]
    if seconds is None or not ended:
        return None
    return parse_time(ended[0]) + timedelta(seconds=seconds)


def _with(job: Object, types: Sequence[str], words: tuple[str, str], now: datetime) -> list[Any]:
    conditions: list[Any] = list(status_of(job).get("conditions") or ())
    for type_ in types:
        conditions = with_condition(
            conditions, type=type_, status="True", reason=words[0], message=words[1], now=now
        )
    return conditions
