"""Simulated Jobs and CronJobs: they complete, give up, start in time, and end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from gitops_ocm.apiserver.workloads_cron import SCHEDULED
from gitops_ocm.apiserver.workloads_pods import SIMULATE
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.ref import Object
from tests.apiserver.test_http_workloads import NOW, TEMPLATE, Small, obj


def test_a_job_completes() -> None:
    """Its pods succeed one after the other, then it is complete and stays so."""
    spec = {"completions": 3, "parallelism": 2, "template": TEMPLATE}
    small = Small(obj("batch/v1", "Job", spec))
    small.settle()
    assert len(small.of("Pod")) == 2
    for _ in range(2):
        small.settle(4)
        small.settle()
    (job,) = small.of("Job")
    assert is_true(job, "Complete")
    assert job["status"]["succeeded"] == 3
    assert job["status"]["active"] == 0
    small.settle(3600)
    assert small.of("Job") == [job]


def test_a_job_that_fails_gives_up() -> None:
    """Its pods fail until the backoff limit is passed; then it is Failed, and stays so."""
    spec = {"backoffLimit": 1, "template": TEMPLATE}
    small = Small(obj("batch/v1", "Job", spec, annotations={SIMULATE: "fail"}))
    for _ in range(4):
        small.settle(2)
    (job,) = small.of("Job")
    assert is_true(job, "Failed")
    assert job["status"]["failed"] == 2
    small.settle(3600)
    assert small.of("Job") == [job]


def _cron(schedule: str = "*/5 * * * *", **spec: Any) -> Object:
    job = {"spec": {"template": {**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}}}
    return obj("batch/v1", "CronJob", {"schedule": schedule, "jobTemplate": job, **spec})


def test_a_cron_job_starts_a_job_each_time() -> None:
    """Each time of the schedule has its Job, named by that time and owned; the last few that ended stay."""
    small = Small(_cron(successfulJobsHistoryLimit=2))
    small.settle()
    assert not small.of("Job")
    for _ in range(4):
        small.settle(300)
        small.settle(5)
        small.settle(5)
    jobs = small.of("Job")
    (cron,) = small.of("CronJob")
    assert [is_true(job, "Complete") for job in jobs] == [True, True]
    assert jobs[-1]["metadata"]["ownerReferences"][0]["kind"] == "CronJob"
    assert cron["status"]["lastScheduleTime"] == "2026-01-10T12:20:00Z"
    assert jobs[-1]["metadata"]["name"] == f"it-{int((NOW + timedelta(minutes=20)).timestamp()) // 60}"
    assert [e.reason for e in small.events].count("SuccessfulCreate") == 4


@pytest.mark.parametrize(
    ("policy", "jobs"), [("Allow", [5, 10]), ("Forbid", [5]), ("Replace", [10])], ids=lambda v: str(v)
)
def test_a_cron_job_whose_job_still_runs(policy: str, jobs: Sequence[int]) -> None:
    """The next Job starts beside it, not at all, or in its place."""
    small = Small(_cron(concurrencyPolicy=policy))
    (cron,) = small.of("CronJob")
    cron["metadata"]["annotations"] = {SIMULATE: "pending"}
    for _ in range(2):
        small.settle(300)
    found = [job["metadata"]["annotations"][SCHEDULED] for job in small.of("Job")]
    assert found == [f"2026-01-10T12:{minute:02}:00Z" for minute in jobs]
    assert len(small.of("CronJob")[0]["status"]["active"]) >= len(jobs) - 1


@pytest.mark.parametrize(
    ("spec", "count"),
    [
        ({}, 1),
        ({"suspend": True}, 0),
        ({"startingDeadlineSeconds": 30}, 0),
        ({"startingDeadlineSeconds": 600}, 1),
        ({"schedule": "0 0 30 2 *"}, 0),
        ({"schedule": "@hourly"}, 1),
        ({"schedule": "0 14 * * *", "timeZone": "Europe/Berlin"}, 1),
        ({"schedule": "0 14 * * *"}, 0),
    ],
    ids=str,
)
def test_what_a_cron_job_makes_up_for(spec: dict[str, Any], count: int) -> None:
    """After an hour without anybody looking, the latest time is made up for unless it is too late."""
    small = Small(_cron(**spec))
    small.settle(62 * 60)
    assert len(small.of("Job")) == count


def test_a_job_ends_when_its_time_is_up() -> None:
    """A Job that is active too long fails, and one that is over goes after its time to live."""
    spec = {"activeDeadlineSeconds": 60, "ttlSecondsAfterFinished": 100, "template": TEMPLATE}
    small = Small(obj("batch/v1", "Job", spec, annotations={SIMULATE: "pending"}))
    small.settle()
    assert {o.requeue_after for o in small.round() if o.requeue_after} >= {60.0}
    small.settle(60)
    (job,) = small.of("Job")
    assert is_true(job, "Failed")
    assert job["status"]["conditions"][-1]["reason"] == "DeadlineExceeded"
    small.settle(99)
    assert small.of("Job")
    small.settle(1)
    assert not small.of("Job")
