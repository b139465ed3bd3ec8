"""Waiting for something on a cluster: says what for, how it stands, and in the end what is missing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from gitops_ocm.kube.cluster import Cluster, Unreachable
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import PODS
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.verbs.voice import Voice, WaitError

_FIRST, _LONGEST = 0.1, 1.0


@dataclass(frozen=True)
class Patience:
    """How long to wait, by which clock."""

    seconds: float = 300.0
    clock: Clock = SystemClock()  # noqa: RUF009 -- it has no state


@dataclass(frozen=True)
class Look:
    """How something stands: whether it is as it should be, and in words what it still lacks."""

    done: bool
    state: str = ""


async def until(
    what: str,
    look: Callable[[], Awaitable[Look]],
    voice: Voice,
    patience: Patience,
    *,
    done: str = "",
    hint: str = "",
) -> None:
    """Look again and again until it is done. What the API refuses meanwhile counts as not done yet."""
    clock, pause, told = patience.clock, _FIRST, ""
    end = clock.monotonic() + patience.seconds
    voice.note(f"Waiting for {what}...")
    while True:
        try:
            found = await look()
        except (ApiError, Unreachable) as error:
            found = Look(False, error.message)
        if found.done:
            voice.note(done or f"{what[:1].upper()}{what[1:]}: done.")
            return
        if found.state != told:
            told = found.state
            voice.note(f"  {told}")
        left = end - clock.monotonic()
        if left <= 0:
            lacks = f": {told}" if told else ""
            raise WaitError(f"waited {patience.seconds:g} s for {what}{lacks}", hint=hint)
        await clock.sleep(min(pause, left))
        pause = min(_LONGEST, pause * 2)


async def pod_ready(cluster: Cluster, namespace: str, app: str) -> Look:
    """Whether one pod of an app is ready; else why none is, in the kubelet's words."""
    pods = (await cluster.list(PODS, namespace, label_selector=f"app={app}")).items
    if any(is_true(pod, "Ready") for pod in pods):
        return Look(True)
    if not pods:
        return Look(False, f"there is no pod app={app} in {namespace} yet")
    return Look(False, "; ".join(sorted(_pod_state(pod) for pod in pods)))


def _pod_state(pod: Object) -> str:
    status = pod.get("status") or {}
    said = list(_waiting(status.get("containerStatuses") or ()))
    unscheduled = [
        str(c.get("message") or c.get("reason"))
        for c in status.get("conditions") or ()
        if c.get("type") == "PodScheduled" and c.get("status") == "False"
    ]
    return f"pod {pod['metadata']['name']}: {', '.join(said + unscheduled) or status.get('phase', 'Pending')}"


def _waiting(containers: Iterable[Object]) -> Iterable[str]:
    for container in containers:
        state = container.get("state") or {}
        for key in ("waiting", "terminated"):
            if reason := (state.get(key) or {}).get("reason"):
                message = (state[key].get("message") or "").strip()
                yield f"{reason}{f' ({message})' if message else ''}"
