"""The status of a simulated Pod at a moment: a function of the pod and the time alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from gitops_ocm.objects.canonical import digest
from gitops_ocm.objects.conditions import parse_time, timestamp
from gitops_ocm.objects.ref import Object

RUNNING_AFTER = timedelta(seconds=1)
FINISHED_AFTER = timedelta(seconds=3)
_WAITING = {"waiting": {"reason": "ContainerCreating"}}


def pod_status(pod: Object, now: datetime, *, finishes: bool) -> dict[str, Any]:
    """Pending, then Running and ready; with `finishes` Succeeded in the end."""
    born = parse_time(pod["metadata"]["creationTimestamp"])
    began, ended = born + RUNNING_AFTER, born + FINISHED_AFTER
    if now < began:
        return {
            "phase": "Pending",
            "startTime": timestamp(born),
            "conditions": _conditions(born, born, scheduled=True),
            "containerStatuses": _containers(pod, _WAITING, ready=False),
            "qosClass": "BestEffort",
        }
    if finishes and now >= ended:
        times = {"startedAt": timestamp(began), "finishedAt": timestamp(ended)}
        state = {"terminated": {"exitCode": 0, "reason": "Completed", **times}}
        phase, ready, changed = "Succeeded", False, ended
    else:
        state = {"running": {"startedAt": timestamp(began)}}
        phase, ready, changed = "Running", True, began
    address = _address(pod)
    return {
        "phase": phase,
        "startTime": timestamp(born),
        "conditions": _conditions(born, changed, scheduled=True, initialized=True, ready=ready),
        "containerStatuses": _containers(pod, state, ready=ready),
        "hostIP": "192.0.2.1",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "qosClass": "BestEffort",
    }


def _conditions(
    born: datetime, changed: datetime, *, scheduled: bool, initialized: bool = False, ready: bool = False
) -> list[dict[str, Any]]:
    facts = (
        ("Initialized", initialized, changed),
        ("Ready", ready, changed),
        ("ContainersReady", ready, changed),
        ("PodScheduled", scheduled, born),
    )
    return [
        {"type": name, "status": "True" if so else "False", "lastTransitionTime": timestamp(at)}
        for name, so, at in facts
    ]


def _containers(pod: Object, state: Mapping[str, Any], *, ready: bool) -> list[dict[str, Any]]:
    containers: Iterable[Mapping[str, Any]] = (pod.get("spec") or {}).get("containers") or ()
    return [
        {
            "name": container.get("name", ""),
            "image": container.get("image", ""),
            "imageID": "",
            "ready": ready,
            "started": ready,
            "restartCount": 0,
            "state": dict(state),
        }
        for container in containers
    ]


def _address(pod: Object) -> str:
    """An address from 198.18.0.0/15, which is set aside for what is no real network."""
    mark = bytes.fromhex(digest(pod["metadata"].get("uid", "")))
    return f"198.{18 + mark[0] % 2}.{mark[1]}.{mark[2] % 254 + 1}"
