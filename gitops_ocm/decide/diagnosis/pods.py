"""Why pods do not run, in the kubelet's and the scheduler's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gitops_ocm.decide.diagnosis.events import EVENT, when
from gitops_ocm.decide.diagnosis.evidence import Evidence, Objects
from gitops_ocm.decide.diagnosis.finding import Fact, Finding, cut, named
from gitops_ocm.decide.writes import conditions_of, is_deleting, name_of, namespace_of, status_of, time_at
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Kind, Object

POD = Kind("", "Pod")
_HOPELESS = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
"""Reasons that a moment's patience does not mend."""


def findings(
    cause: str, objects: Objects, namespaces: Iterable[str], evidence: Evidence, cluster: str = ""
) -> Iterator[Finding]:
    """Pods that do not become ready, one for each reason."""
    told: set[str] = set()
    for namespace in sorted(set(namespaces)):
        for pod in objects.list(POD, namespace):
            why = _why(pod, evidence)
            if why is None or (key := f"{_owner(pod)} {why[0]}") in told:
                continue  # replicas have the same trouble
            told.add(key)
            reason, message = why
            text = cut(f"{reason}: {message}" if message else reason)
            facts = (Fact(named(pod), "status", text, str(pod["metadata"].get("creationTimestamp") or "")),)
            mend = f"kubectl -n {namespace_of(pod)} describe pod {name_of(pod)}"
            if reason == "CrashLoopBackOff":
                mend = f"kubectl -n {namespace_of(pod)} logs {name_of(pod)} --previous"
            yield Finding(cause, named(pod), f"{named(pod)} does not run: {text}.", facts, mend, cluster)
        yield from _not_made(cause, objects, namespace, cluster)


def _not_made(cause: str, objects: Objects, namespace: str, cluster: str) -> Iterator[Finding]:
    """Workloads none of whose pods could even be made; only events tell of them."""
    there = {_workload(_owner(pod)) for pod in objects.list(POD, namespace)}
    told: set[str] = set()
    for event in sorted(objects.list(EVENT, namespace), key=when, reverse=True):
        regarding = event.get("regarding") or {}
        kind, name = str(regarding.get("kind") or ""), str(regarding.get("name") or "")
        if event.get("reason") != "FailedCreate" or _workload(name) in {*there, *told}:
            continue
        told.add(_workload(name))
        subject, text = f"{kind} {namespace}/{name}", cut(str(event.get("note") or ""))
        facts = (Fact(subject, "Event FailedCreate", text, when(event)),)
        mend = f"kubectl -n {namespace} describe {kind.lower()} {name}"
        sentence = f"The pods of {subject} cannot be made: {text}"
        yield Finding(cause, subject, sentence, facts, mend, cluster)


def _workload(owner: str) -> str:
    """What ReplicaSets of one Deployment have in common: the next one may get where this one did not."""
    return owner.rpartition("-")[0] or owner


def _why(pod: Object, evidence: Evidence) -> tuple[str, str] | None:
    """(reason, message) for a pod that does not run; None where it does, or may need its time."""
    if is_deleting(pod) or conditions.is_true(pod, "Ready") or status_of(pod).get("phase") == "Succeeded":
        return None
    status = status_of(pod)
    for state in _states(status):
        if state.get("reason") in _HOPELESS:
            return str(state["reason"]), str(state.get("message") or "").strip()
    if not evidence.settled(time_at(pod["metadata"].get("creationTimestamp"))):
        return None
    scheduled = conditions.find(conditions_of(pod), "PodScheduled") or {}
    if scheduled.get("status") == "False":
        return str(scheduled.get("reason") or "Unschedulable"), str(scheduled.get("message") or "")
    for state in _states(status):
        if state.get("reason"):
            return str(state["reason"]), str(state.get("message") or "").strip()
    return str(status.get("reason") or status.get("phase") or "Pending"), str(status.get("message") or "")


def _states(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    for container in containers:
        state = container.get("state") or {}
        yield from (state[key] for key in ("waiting", "terminated") if state.get(key))


def _owner(pod: Object) -> str:
    owners = pod["metadata"].get("ownerReferences") or [{}]
    return str(owners[0].get("name") or name_of(pod))
