"""The status of a simulated Pod at a moment: a function of the pod, its pace and the time alone.

What a pod is to do is said by the annotation `gitops-ocm.io/simulate`:

    crash-loop     runs, and ends again and again        image-pull   its image cannot be had
    pending        finds no node                         fail         ends with an error, once
    slow           takes ten times as long
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gitops_ocm.objects.canonical import digest
from gitops_ocm.objects.conditions import parse_time, timestamp
from gitops_ocm.objects.native_workloads import qos_class
from gitops_ocm.objects.ref import Object

SIMULATE = "gitops-ocm.io/simulate"
CRASH_LOOP, IMAGE_PULL, PENDING, FAIL, SLOW = "crash-loop", "image-pull", "pending", "fail", "slow"
NODE = "simulated-node"
_SLOWER = 10
_BACKOFF, _LONGEST = timedelta(seconds=10), timedelta(seconds=300)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take: until a pod runs, and until the pod of a Job has done its work."""

    running: timedelta = timedelta(seconds=1)
    finished: timedelta = timedelta(seconds=3)

    def of(self, pod: Object) -> Pace:
        """The pace of one pod."""
        return Pace(self.running * _SLOWER, self.finished * _SLOWER) if mode_of(pod) == SLOW else self


def mode_of(pod: Object) -> str:
    """What the pod is told to do; `""` for nothing out of the ordinary."""
    mode: str = (pod["metadata"].get("annotations") or {}).get(SIMULATE, "")
    return mode


@dataclass(frozen=True, slots=True)
class Told:
    """A pod's status, and when it will be another (None: never)."""

    status: dict[str, Any]
    changes: datetime | None = None


def pod_status(pod: Object, now: datetime, *, finishes: bool, pace: Pace | None = None) -> Told:
    """Pending, then Running and ready, and with `finishes` Succeeded in the end; or as it is told."""
    pace, mode = (pace or Pace()).of(pod), mode_of(pod)
    born = parse_time(pod["metadata"]["creationTimestamp"])
    began = born + pace.running
    if mode == PENDING:
        return Told(_unscheduled(pod, born))
    if now < began:
        return Told(_waiting(pod, born, {"reason": "ContainerCreating"}), began)
    if mode == IMAGE_PULL:
        return _without_image(pod, born, began, now)
    once = finishes or (pod.get("spec") or {}).get("restartPolicy") == "Never"
    if mode in (CRASH_LOOP, FAIL):
        return Told(_ended(pod, born, began, now, code=1)) if once else _crashing(pod, born, began, now)
    if finishes and now >= born + pace.finished:
        return Told(_ended(pod, born, began, born + pace.finished, code=0))
    running = _status(pod, "Running", born, began, ready=True)
    running["containerStatuses"] = _containers(pod, {"running": {"startedAt": timestamp(began)}}, ready=True)
    return Told(running, born + pace.finished if finishes else None)


def _unscheduled(pod: Object, born: datetime) -> dict[str, Any]:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes are available: simulated.",
        "lastTransitionTime": timestamp(born),
    }
    return {"phase": "Pending", "conditions": [condition], "qosClass": qos_class(pod.get("spec") or {})}


def _waiting(pod: Object, born: datetime, why: Mapping[str, str]) -> dict[str, Any]:
    return {
        "phase": "Pending",
        "startTime": timestamp(born),
        "conditions": _conditions(born, born),
        "containerStatuses": _containers(pod, {"waiting": dict(why)}, ready=False),
        "qosClass": qos_class(pod.get("spec") or {}),
    }


def _without_image(pod: Object, born: datetime, began: datetime, now: datetime) -> Told:
    image = next((str(c.get("image", "")) for c in (pod.get("spec") or {}).get("containers") or ()), "")
    if now < began + _BACKOFF:
        why = {"reason": "ErrImagePull", "message": f'failed to pull image "{image}": simulated'}
        return Told(_waiting(pod, born, why), began + _BACKOFF)
    why = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}
    return Told(_waiting(pod, born, why))


def _crashing(pod: Object, born: datetime, began: datetime, now: datetime) -> Told:
    """Each time it waits twice as long before it is started again, up to five minutes."""
    crashes, crashed, pause = 1, began, _BACKOFF
    while crashed + pause <= now:
        crashed, pause, crashes = crashed + pause, min(pause * 2, _LONGEST), crashes + 1
    status = _status(pod, "Running", born, began, ready=False)
    ended = {
        "exitCode": 1,
        "reason": "Error",
        "startedAt": timestamp(crashed),
        "finishedAt": timestamp(crashed),
    }
    why = {
        "reason": "CrashLoopBackOff",
        "message": f"back-off {int(pause.total_seconds())}s restarting failed container",
    }
    statuses = _containers(pod, {"waiting": why}, ready=False, restarts=crashes - 1)
    status["containerStatuses"] = [{**each, "lastState": {"terminated": ended}} for each in statuses]
    return Told(status, crashed + pause)


def _ended(pod: Object, born: datetime, began: datetime, ended: datetime, *, code: int) -> dict[str, Any]:
    held = (pod.get("status") or {}).get("containerStatuses") or [{}]
    before = (held[0].get("state") or {}).get("terminated") or {}
    times = {"startedAt": timestamp(began), "finishedAt": before.get("finishedAt") or timestamp(ended)}
    state = {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed", **times}}
    finished = parse_time(times["finishedAt"])
    status = _status(pod, "Failed" if code else "Succeeded", born, finished, ready=False)
    status["containerStatuses"] = _containers(pod, state, ready=False)
    return status


def _status(pod: Object, phase: str, born: datetime, changed: datetime, *, ready: bool) -> dict[str, Any]:
    address = _address(pod)
    return {
        "phase": phase,
        "startTime": timestamp(born),
        "conditions": _conditions(born, changed, initialized=True, ready=ready),
        "hostIP": "192.0.2.1",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "qosClass": qos_class(pod.get("spec") or {}),
    }


def _conditions(
    born: datetime, changed: datetime, *, initialized: bool = False, ready: bool = False
) -> list[dict[str, Any]]:
    facts = (
        ("Initialized", initialized, changed),
        ("Ready", ready, changed),
        ("ContainersReady", ready, changed),
        ("PodScheduled", True, born),
    )
    return [
        {"type": name, "status": "True" if so else "False", "lastTransitionTime": timestamp(at)}
        for name, so, at in facts
    ]


def _containers(
    pod: Object, state: Mapping[str, Any], *, ready: bool, restarts: int = 0
) -> list[dict[str, Any]]:
    containers: Iterable[Mapping[str, Any]] = (pod.get("spec") or {}).get("containers") or ()
    return [
        {
            "name": container.get("name", ""),
            "image": container.get("image", ""),
            "imageID": "",
            "ready": ready,
            "started": ready,
            "restartCount": restarts,
            "state": dict(state),
        }
        for container in containers
    ]


def _address(pod: Object) -> str:
    """An address from 198.18.0.0/15, which is set aside for what is no real network."""
    mark = bytes.fromhex(digest(pod["metadata"].get("uid", "")))
    return f"198.{18 + mark[0] % 2}.{mark[1]}.{mark[2] % 254 + 1}"
