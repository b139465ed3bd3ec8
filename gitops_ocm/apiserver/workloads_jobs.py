"""What a simulated Job comes to: how many pods it has had to start, and when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops_ocm.decide.writes import status_of
from gitops_ocm.objects.conditions import is_true, timestamp, with_condition
from gitops_ocm.objects.ref import Object


@dataclass(frozen=True, slots=True)
class Step:
    """How many pods there are to have been by now, whether it is over, and what the Job says of itself."""

    pods: int
    over: bool
    status: dict[str, Any]


def job_step(job: Object, pods: Sequence[Object], now: datetime) -> Step | None:
    """The next step of a Job; None where there is none: it is suspended, or over."""
    spec, old = job.get("spec") or {}, status_of(job)
    if spec.get("suspend") or is_true(job, "Complete") or is_true(job, "Failed"):
        return None
    at_once = int(spec.get("parallelism", 1))
    total = int(spec.get("completions", at_once))
    done = sum(1 for pod in pods if status_of(pod).get("phase") == "Succeeded")
    failed = sum(1 for pod in pods if status_of(pod).get("phase") == "Failed")
    lost = failed > int(spec.get("backoffLimit", 6))
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
        status["conditions"] = _with(job, ("FailureTarget", "Failed"), words, now)
    elif done >= total:
        words = ("CompletionsReached", "Reached expected number of succeeded pods")
        status["completionTime"] = timestamp(now)
        status["conditions"] = _with(job, ("SuccessCriteriaMet", "Complete"), words, now)
    return Step(done + failed + active, lost, status)


def _with(job: Object, types: Sequence[str], words: tuple[str, str], now: datetime) -> list[Any]:
    conditions: list[Any] = list(status_of(job).get("conditions") or ())
    for type_ in types:
        conditions = with_condition(
            conditions, type=type_, status="True", reason=words[0], message=words[1], now=now
        )
    return conditions
