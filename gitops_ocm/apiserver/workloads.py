"""A stand-in for the kubelet and the workload controllers of a managed cluster without nodes.

For demos and tests: a Deployment gets a ReplicaSet, that gets Pods, Pods come to run, Jobs finish.
Nothing is executed. What it touches is marked with the annotation `gitops-ocm.io/simulated: "true"`;
an object (or a pod template) annotated `"disabled"` is left alone. It is a controller table like
any other (`decide.contract`): pure functions, run by whoever assembles the cluster.

A Pod runs a second after it was made, and on until it is deleted; one that belongs to a Job succeeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from gitops_ocm.apiserver.workloads_pods import FINISHED_AFTER, RUNNING_AFTER, pod_status
from gitops_ocm.decide.contract import (
    DONE,
    Controller,
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
from gitops_ocm.objects.conditions import is_true, parse_time, timestamp, with_condition
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of

SIMULATED = "gitops-ocm.io/simulated"
MANAGER = "gitops-ocm-simulated-kubelet"
GROUP = "simulated-kubelet"

POD = Kind("", "Pod")
DEPLOYMENT, REPLICA_SET = Kind("apps", "Deployment"), Kind("apps", "ReplicaSet")
STATEFUL_SET, DAEMON_SET = Kind("apps", "StatefulSet"), Kind("apps", "DaemonSet")
JOB = Kind("batch", "Job")
_PODS_OF, _SETS_OF = "simulated-pods-by-owner", "simulated-sets-by-owner"
_HASH = "pod-template-hash"


def workload_controllers() -> tuple[Controller, ...]:
    """The rows to run against one managed cluster, as its hub side."""
    rows: tuple[tuple[Kind, Callable[[View, Object, datetime], Outcome], Kind | None], ...] = (
        (POD, _pod, None),
        (DEPLOYMENT, _deployment, REPLICA_SET),
        (REPLICA_SET, _replica_set, POD),
        (STATEFUL_SET, _stateful_set, POD),
        (DAEMON_SET, _daemon_set, POD),
        (JOB, _job, POD),
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
        indexes = (Index(_PODS_OF if owned == POD else _SETS_OF, owned, _owner_uids),)
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
    body = {"metadata": {"annotations": {SIMULATED: "true"}, "uid": uid_of(obj)}}
    return (MergePatch(ref_of(obj), body),)


# Pods


def _pod(view: View, pod: Object, now: datetime) -> Outcome:
    owners = pod["metadata"].get("ownerReferences") or ()
    finishes = any(o.get("controller") and o.get("kind") == "Job" for o in owners)
    born = parse_time(pod["metadata"]["creationTimestamp"])
    status = pod_status(pod, now, finishes=finishes)
    steps = [RUNNING_AFTER, *([FINISHED_AFTER] if finishes else [])]
    coming = [born + step for step in steps if born + step > now]
    wait = (min(coming) - now).total_seconds() if coming else None
    return Outcome(report(pod, status), requeue_after=wait)


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
        "annotations": {SIMULATED: "true", **(meta.get("annotations") or {})},
    }
    if meta.get("labels"):
        metadata["labels"] = dict(meta["labels"])
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template.get("spec") or {}}


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


def _replicas(obj: Object) -> int:
    replicas = (obj.get("spec") or {}).get("replicas", 1)
    return replicas if isinstance(replicas, int) else 1


def _suffix(owner: Object, number: int) -> str:
    return digest(f"{uid_of(owner)}/{number}")[:5]


# What makes pods


def _deployment(view: View, obj: Object, now: datetime) -> Outcome:
    wanted = _new_set(obj)
    sets = [s for s in view.indexed(_SETS_OF, uid_of(obj)) if not is_deleting(s)]
    writes = [*ensure(view, wanted)]
    for old in sets:
        if name_of(old) != name_of(wanted) and _replicas(old):
            scaled: Object = {"spec": {"replicas": 0}}
            writes.append(MergePatch(ref_of(old), scaled))
    current: Object = next((s for s in sets if name_of(s) == name_of(wanted)), {"metadata": {}})
    total, ready = _replicas(obj), int(status_of(current).get("readyReplicas", 0))
    status = {
        "observedGeneration": obj["metadata"].get("generation", 1),
        "replicas": sum(int(status_of(s).get("replicas", 0)) for s in sets),
        "updatedReplicas": int(status_of(current).get("replicas", 0)),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": max(total - ready, 0),
        "conditions": _deployment_conditions(obj, now, available=ready >= total, name=name_of(wanted)),
    }
    return Outcome((*writes, *report(obj, status)))


def _deployment_conditions(obj: Object, now: datetime, *, available: bool, name: str) -> list[Any]:
    conditions = list(status_of(obj).get("conditions") or ())
    words = ("MinimumReplicasAvailable", "Deployment has minimum availability.")
    if not available:
        words = ("MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    progress = ("NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
    if not available:
        progress = ("ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
    status = "True" if available else "False"
    told = with_condition(
        conditions, type="Available", status=status, reason=words[0], message=words[1], now=now
    )
    return with_condition(
        told, type="Progressing", status="True", reason=progress[0], message=progress[1], now=now
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
            "annotations": {SIMULATED: "true"},
            "ownerReferences": [_reference(deployment)],
        },
        "spec": {
            "replicas": _replicas(deployment),
            "selector": matching,
            "template": {**template, "metadata": {**meta, "labels": labels}},
        },
    }


def _replica_set(view: View, obj: Object, now: datetime) -> Outcome:
    names = [f"{name_of(obj)}-{_suffix(obj, number)}" for number in range(_replicas(obj))]
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
    begun = min(_ready(pods) + 1, _replicas(obj))
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
    spec, old = obj.get("spec") or {}, status_of(obj)
    if spec.get("suspend") or is_true(obj, "Complete"):
        return DONE
    total = int(spec.get("completions", spec.get("parallelism", 1)))
    pods = view.indexed(_PODS_OF, uid_of(obj))
    done = sum(1 for pod in pods if status_of(pod).get("phase") == "Succeeded")
    begun = min(total, done + int(spec.get("parallelism", 1)))
    names = [f"{name_of(obj)}-{_suffix(obj, number)}" for number in range(begun)]
    status: dict[str, Any] = {
        "startTime": old.get("startTime") or timestamp(now),
        "active": max(begun - done, 0),
        "ready": _ready(pods),
        "succeeded": done,
    }
    if done >= total:
        status["completionTime"] = timestamp(now)
        conditions: list[Any] = list(old.get("conditions") or ())
        for type_ in ("SuccessCriteriaMet", "Complete"):
            text = "Reached expected number of succeeded pods"
            conditions = with_condition(
                conditions, type=type_, status="True", reason="CompletionsReached", message=text, now=now
            )
        status["conditions"] = conditions
    return Outcome((*_scaled(view, obj, names), *report(obj, status)))
