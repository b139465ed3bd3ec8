"""A stand-in for the kubelet and the workload controllers of a managed cluster without nodes.

For demos and tests: a Deployment gets a ReplicaSet, that gets Pods, Pods come to run, Jobs finish.
Nothing is executed, and it says so: what it touches has the annotation `gitops-ocm.io/simulated: "true"`
and an Event, its pods are on `simulated-node`. An object (or a pod template) annotated `"disabled"` is
left alone; one annotated `gitops-ocm.io/simulate` goes wrong in the way that says (`workloads_pods`). It
is a controller table like any other (`decide.contract`): pure functions, run by whoever assembles the
cluster. How a Deployment moves to a new template is `workloads_rollout`, Jobs are `workloads_jobs` and
`workloads_cron`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from gitops_ocm.apiserver.workloads_cron import cron_turn, started
from gitops_ocm.apiserver.workloads_jobs import job_end, job_step
from gitops_ocm.apiserver.workloads_pods import NODE, PENDING, SIMULATE, Pace, mode_of, pod_status
from gitops_ocm.apiserver.workloads_rollout import REVISION, replicas_of, revision, sizes
from gitops_ocm.decide.contract import (
    DONE,
    Controller,
    Emit,
    Index,
    MergePatch,
    Outcome,
    View,
    Wake,
    Write,
)
from gitops_ocm.decide.writes import (
    annotations_of,
    delete,
    ensure,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    report,
    status_of,
    uid_of,
)
from gitops_ocm.objects.canonical import digest
from gitops_ocm.objects.conditions import is_true, parse_time, with_condition
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of

SIMULATED = "gitops-ocm.io/simulated"
MANAGER = "gitops-ocm-simulated-kubelet"
GROUP = "simulated-kubelet"

POD = Kind("", "Pod")
DEPLOYMENT, REPLICA_SET = Kind("apps", "Deployment"), Kind("apps", "ReplicaSet")
STATEFUL_SET, DAEMON_SET = Kind("apps", "StatefulSet"), Kind("apps", "DaemonSet")
JOB, CRON_JOB = Kind("batch", "Job"), Kind("batch", "CronJob")
_PODS_OF, _SETS_OF = "simulated-pods-by-owner", "simulated-sets-by-owner"
_JOBS_OF = "simulated-jobs-by-owner"
_OWNED_BY: Mapping[Kind, str] = {POD: _PODS_OF, REPLICA_SET: _SETS_OF, JOB: _JOBS_OF}
_HASH = "pod-template-hash"


def workload_controllers(pace: Pace | None = None) -> tuple[Controller, ...]:
    """The rows to run against one managed cluster, as its hub side; `pace` says how long things take."""
    rows: tuple[tuple[Kind, Callable[[View, Object, datetime], Outcome], Kind | None], ...] = (
        (POD, partial(_pod, pace or Pace()), None),
        (DEPLOYMENT, _deployment, REPLICA_SET),
        (REPLICA_SET, _replica_set, POD),
        (STATEFUL_SET, _stateful_set, POD),
        (DAEMON_SET, _daemon_set, POD),
        (JOB, _job, POD),
        (CRON_JOB, _cron_job, JOB),
    )
    return tuple(_row(kind, judge, owned) for kind, judge, owned in rows)


def _row(kind: Kind, judge: Callable[[View, Object, datetime], Outcome], owned: Kind | None) -> Controller:
    def reconcile(view: View, key: Ref, now: datetime) -> Outcome:
        obj = view.get(key)
        if obj is None or is_deleting(obj) or annotations_of(obj).get(SIMULATED) == "disabled":
            return DONE
        marked = _marked(obj)
        return Outcome(marked) if marked else judge(view, obj, now)

    wakes = [Wake(kind)]
    indexes: tuple[Index, ...] = ()
    if owned is not None:
        wakes.append(Wake(owned, to=lambda view, obj: _owner_ref(obj, kind)))
        indexes = (Index(_OWNED_BY[owned], owned, _owner_uids),)
    return Controller(
        name=f"simulated-{kind.kind.lower()}",
        group=GROUP,
        reconcile=reconcile,
        wakes=tuple(wakes),
        indexes=indexes,
        field_manager=MANAGER,
    )


def _owner_uids(obj: Object) -> list[str]:
    return [str(owner.get("uid", "")) for owner in obj["metadata"].get("ownerReferences") or ()]


def _owner_ref(obj: Object, kind: Kind) -> list[Ref]:
    owners = obj["metadata"].get("ownerReferences") or ()
    return [
        Ref(kind.group, kind.kind, namespace_of(obj), owner["name"])
        for owner in owners
        if owner.get("controller") and owner.get("kind") == kind.kind
    ]


def _marked(obj: Object) -> tuple[Write, ...]:
    """The mark that says that what follows is no real cluster's doing."""
    if annotations_of(obj).get(SIMULATED) == "true":
        return ()
    body: Object = {"metadata": {"annotations": {SIMULATED: "true"}, "uid": uid_of(obj)}}
    if obj["kind"] == "Pod" and mode_of(obj) != PENDING and not (obj.get("spec") or {}).get("nodeName"):
        body["spec"] = {"nodeName": NODE}
    told = "its pods are simulated: nothing is executed"
    return (MergePatch(ref_of(obj), body), Emit(obj, "Simulated", told, action="Simulate"))


# Pods


def _pod(pace: Pace, view: View, pod: Object, now: datetime) -> Outcome:
    owners = pod["metadata"].get("ownerReferences") or ()
    finishes = any(o.get("controller") and o.get("kind") == "Job" for o in owners)
    told = pod_status(pod, now, finishes=finishes, pace=pace)
    wait = (told.changes - now).total_seconds() if told.changes else None
    return Outcome((*report(pod, told.status), *_warned(pod, told.status)), requeue_after=wait)


def _warned(pod: Object, status: Object) -> tuple[Write, ...]:
    """A Warning for each container that newly waits for something that went wrong."""
    before = {c.get("name"): _problem(c) for c in status_of(pod).get("containerStatuses") or ()}
    return tuple(
        Emit(pod, "BackOff" if why.endswith("BackOff") else "Failed", message, kind="Warning", action="Start")
        for container in status.get("containerStatuses") or ()
        if (why := _problem(container)) and why != before.get(container["name"])
        for message in (container["state"]["waiting"]["message"],)
    )


def _problem(container: Mapping[str, Any]) -> str:
    waiting = (container.get("state") or {}).get("waiting") or {}
    return str(waiting.get("reason", "")) if waiting.get("message") else ""


def _pods_of(view: View, owner: Object) -> list[Object]:
    return [pod for pod in view.indexed(_PODS_OF, uid_of(owner)) if not is_deleting(pod)]


def _scaled(view: View, owner: Object, names: Iterable[str]) -> tuple[Write, ...]:
    """The writes that make exactly these pods be there."""
    wanted = tuple(names)
    have = {name_of(pod): pod for pod in _pods_of(view, owner)}
    writes: list[Write] = []
    for name in wanted:
        if name not in have:
            writes += ensure(view, _new_pod(owner, name))
        else:
            writes += _told(have[name], mode_of(_new_pod(owner, name)))
    for name in sorted(have.keys() - set(wanted)):
        writes += delete(have[name])
    return tuple(writes)


def _new_pod(owner: Object, name: str) -> Object:
    template = (owner.get("spec") or {}).get("template") or {}
    meta = template.get("metadata") or {}
    metadata: Object = {
        "name": name,
        "namespace": namespace_of(owner),
        "ownerReferences": [_reference(owner)],
        "annotations": {SIMULATED: "true", **_inherited(owner), **(meta.get("annotations") or {})},
    }
    if meta.get("labels"):
        metadata["labels"] = dict(meta["labels"])
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": template.get("spec") or {},
    }
    return pod if mode_of(pod) == PENDING else {**pod, "spec": {"nodeName": NODE, **pod["spec"]}}


def _told(obj: Object, mode: str) -> tuple[Write, ...]:
    """The write that has an object do what it is now told to; what it was told before is forgotten."""
    if mode_of(obj) == mode:
        return ()
    body: Object = {"metadata": {"annotations": {SIMULATE: mode or None}}}
    return (MergePatch(ref_of(obj), body),)


def _inherited(owner: Object) -> dict[str, str]:
    """What the owner is told to do, its pods do."""
    return {SIMULATE: mode} if (mode := mode_of(owner)) else {}


def _reference(owner: Object) -> dict[str, Any]:
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _ready(pods: Iterable[Object]) -> int:
    return sum(1 for pod in pods if is_true(pod, "Ready"))


def _suffix(owner: Object, number: int) -> str:
    return digest(f"{uid_of(owner)}/{number}")[:5]


# What makes pods


def _deployment(view: View, obj: Object, now: datetime) -> Outcome:
    wanted = _new_set(obj)
    sets = [s for s in view.indexed(_SETS_OF, uid_of(obj)) if not is_deleting(s)]
    old = [s for s in sets if name_of(s) != name_of(wanted)]
    current = next((s for s in sets if name_of(s) == name_of(wanted)), None)
    step = sizes(obj, current, old)
    wanted["metadata"]["annotations"][REVISION] = number = revision(current, old)
    writes = [*ensure(view, {**wanted, "spec": {**wanted["spec"], "replicas": step.new}})]
    if annotations_of(obj).get(REVISION) != number:
        numbered: Object = {"metadata": {"annotations": {REVISION: number}}}
        writes.append(MergePatch(ref_of(obj), numbered))
    writes += _told(current, mode_of(obj)) if current is not None else ()
    for each in old:
        if replicas_of(each) != step.old[name_of(each)]:
            scaled: Object = {"spec": {"replicas": step.old[name_of(each)]}}
            writes.append(MergePatch(ref_of(each), scaled))
    total, ready = replicas_of(obj), sum(int(status_of(s).get("readyReplicas", 0)) for s in sets)
    updated = status_of(current) if current is not None else {}
    due = _deadline(obj, current)
    status = {
        "observedGeneration": obj["metadata"].get("generation", 1),
        "replicas": sum(int(status_of(s).get("replicas", 0)) for s in sets),
        "updatedReplicas": int(updated.get("replicas", 0)),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": max(total - ready, 0),
    }
    complete = int(updated.get("readyReplicas", 0)) >= total and not any(replicas_of(s) for s in old)
    late = not complete and due is not None and now >= due
    status["conditions"] = _deployment_conditions(
        obj, now, available=ready >= total, complete=complete, late=late, name=name_of(wanted)
    )
    wait = (due - now).total_seconds() if due is not None and not complete and not late else None
    return Outcome((*writes, *report(obj, status)), requeue_after=wait)


def _deadline(obj: Object, current: Object | None) -> datetime | None:
    """When a rollout that is not through yet counts as stuck."""
    seconds = (obj.get("spec") or {}).get("progressDeadlineSeconds")
    if current is None or not isinstance(seconds, int):
        return None
    return parse_time(current["metadata"]["creationTimestamp"]) + timedelta(seconds=seconds)


def _deployment_conditions(
    obj: Object, now: datetime, *, available: bool, complete: bool, late: bool, name: str
) -> list[Any]:
    conditions = list(status_of(obj).get("conditions") or ())
    words = ("MinimumReplicasAvailable", "Deployment has minimum availability.")
    if not available:
        words = ("MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    progress = ("ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
    if complete:
        progress = ("NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
    elif late:
        progress = ("ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.')
    status = "True" if available else "False"
    told = with_condition(
        conditions, type="Available", status=status, reason=words[0], message=words[1], now=now
    )
    going = "False" if late else "True"
    return with_condition(
        told, type="Progressing", status=going, reason=progress[0], message=progress[1], now=now
    )


def _new_set(deployment: Object) -> Object:
    spec = deployment.get("spec") or {}
    template = spec.get("template") or {}
    mark = digest(template)[:10]
    meta = template.get("metadata") or {}
    labels = {**(meta.get("labels") or {}), _HASH: mark}
    selector = spec.get("selector") or {}
    matching = {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), _HASH: mark}}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name_of(deployment)}-{mark}",
            "namespace": namespace_of(deployment),
            "labels": labels,
            "annotations": {SIMULATED: "true", **_inherited(deployment)},
            "ownerReferences": [_reference(deployment)],
        },
        "spec": {
            "replicas": replicas_of(deployment),
            "selector": matching,
            "template": {**template, "metadata": {**meta, "labels": labels}},
        },
    }


def _replica_set(view: View, obj: Object, now: datetime) -> Outcome:
    names = [f"{name_of(obj)}-{_suffix(obj, number)}" for number in range(replicas_of(obj))]
    pods = _pods_of(view, obj)
    labelled = sum(1 for pod in pods if _HASH not in labels_of(obj) or _HASH in labels_of(pod))
    status = {
        "observedGeneration": obj["metadata"].get("generation", 1),
        "replicas": len(pods),
        "fullyLabeledReplicas": labelled,
        "readyReplicas": _ready(pods),
        "availableReplicas": _ready(pods),
    }
    return Outcome((*_scaled(view, obj, names), *report(obj, status)))


def _stateful_set(view: View, obj: Object, now: datetime) -> Outcome:
    pods = _pods_of(view, obj)
    # One after the other: the next pod is made when those before it are ready.
    begun = min(_ready(pods) + 1, replicas_of(obj))
    names = [f"{name_of(obj)}-{number}" for number in range(begun)]
    revision = f"{name_of(obj)}-{digest((obj.get('spec') or {}).get('template'))[:10]}"
    status = {
        "observedGeneration": obj["metadata"].get("generation", 1),
        "replicas": len(pods),
        "readyReplicas": _ready(pods),
        "currentReplicas": len(pods),
        "updatedReplicas": len(pods),
        "availableReplicas": _ready(pods),
        "currentRevision": revision,
        "updateRevision": revision,
    }
    return Outcome((*_scaled(view, obj, names), *report(obj, status)))


def _daemon_set(view: View, obj: Object, now: datetime) -> Outcome:
    pods = _pods_of(view, obj)
    ready = _ready(pods)
    status = {
        "observedGeneration": obj["metadata"].get("generation", 1),
        "desiredNumberScheduled": 1,
        "currentNumberScheduled": len(pods),
        "updatedNumberScheduled": len(pods),
        "numberMisscheduled": 0,
        "numberReady": ready,
        "numberAvailable": ready,
    }
    return Outcome((*_scaled(view, obj, [f"{name_of(obj)}-{_suffix(obj, 0)}"]), *report(obj, status)))


def _job(view: View, obj: Object, now: datetime) -> Outcome:
    step = job_step(obj, view.indexed(_PODS_OF, uid_of(obj)), now)
    if step is None:
        return _outlived(obj, now)
    names = [f"{name_of(obj)}-{_suffix(obj, number)}" for number in range(step.pods)]
    ended = [name_of(p) for p in _pods_of(view, obj)] if step.over else names
    wait = (step.changes - now).total_seconds() if step.changes is not None else None
    return Outcome((*_scaled(view, obj, ended), *report(obj, step.status)), requeue_after=wait)


def _outlived(job: Object, now: datetime) -> Outcome:
    """A Job that is over goes when its time is up."""
    due = job_end(job)
    if due is None:
        return DONE
    if now < due:
        return Outcome(requeue_after=(due - now).total_seconds())
    return Outcome(delete(job))


def _cron_job(view: View, obj: Object, now: datetime) -> Outcome:
    jobs = [job for job in view.indexed(_JOBS_OF, uid_of(obj)) if not is_deleting(job)]
    turn = cron_turn(obj, jobs, now)
    writes: list[Write] = [write for job in turn.deleted for write in delete(job)]
    if turn.due is not None:
        job = started(obj, turn.due)
        meta = {**job["metadata"], "ownerReferences": [_reference(obj)]}
        meta["annotations"] = {**meta["annotations"], SIMULATED: "true", **_inherited(obj)}
        writes += ensure(view, {**job, "metadata": meta})
        writes.append(Emit(obj, "SuccessfulCreate", f"Created job {name_of(job)}", action="Create"))
    wait = (turn.again - now).total_seconds() if turn.again is not None else None
    return Outcome((*writes, *report(obj, turn.status)), requeue_after=wait)
