"""What the server fills into Pods, the workloads that make them, and Services.

The defaults are those of `k8s.io/api` for the fields that controllers and people look at; a client
that applies such an object reads back what a real server would show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.ref import Kind, Object
from gitops_ocm.objects.selectors import matches

_ROLLING = {"maxUnavailable": "25%", "maxSurge": "25%"}


def _filled(given: Mapping[str, Any] | None, defaults: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(given or {})
    for key, value in defaults.items():
        if result.get(key) is None:
            result[key] = value
    return result


def _container(given: Mapping[str, Any]) -> Object:
    image = str(given.get("image") or "").partition("@")[0]
    tag = image.rpartition("/")[2].partition(":")[2]
    result = _filled(
        given,
        {
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "imagePullPolicy": "Always"
            if tag in ("", "latest") and "@" not in str(given.get("image"))
            else "IfNotPresent",
            "resources": {},
        },
    )
    if result.get("ports"):
        result["ports"] = [_filled(port, {"protocol": "TCP"}) for port in result["ports"]]
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if isinstance(result.get(probe), dict):
            result[probe] = _filled(
                result[probe],
                {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
            )
    return result


def _pod_spec(given: Mapping[str, Any]) -> Object:
    result = _filled(
        given,
        {
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "securityContext": {},
            "schedulerName": "default-scheduler",
        },
    )
    for name in ("containers", "initContainers"):
        if isinstance(result.get(name), list):
            result[name] = [_container(c) if isinstance(c, dict) else c for c in result[name]]
    if result.get("serviceAccountName"):
        result["serviceAccount"] = result["serviceAccountName"]
    return result


def _with_template(spec: Mapping[str, Any]) -> Object:
    template = spec.get("template")
    if not isinstance(template, dict):
        return dict(spec)
    return {**spec, "template": {**template, "spec": _pod_spec(template.get("spec") or {})}}


def _pod(obj: Object) -> Object:
    spec = _filled(_pod_spec(obj.get("spec") or {}), {"enableServiceLinks": True, "preemptionPolicy": None})
    status = _filled(obj.get("status"), {"phase": "Pending"})
    return {**obj, "spec": {k: v for k, v in spec.items() if v is not None}, "status": status}


def _deployment(obj: Object) -> Object:
    spec = _filled(
        _with_template(obj.get("spec") or {}),
        {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600},
    )
    strategy = _filled(spec.get("strategy"), {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = _filled(strategy.get("rollingUpdate"), _ROLLING)
    return {**obj, "spec": {**spec, "strategy": strategy}}


def _daemon_set(obj: Object) -> Object:
    spec = _filled(_with_template(obj.get("spec") or {}), {"revisionHistoryLimit": 10})
    strategy = _filled(spec.get("updateStrategy"), {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = _filled(
            strategy.get("rollingUpdate"), {"maxSurge": 0, "maxUnavailable": 1}
        )
    return {**obj, "spec": {**spec, "updateStrategy": strategy}}


def _stateful_set(obj: Object) -> Object:
    defaults = {"replicas": 1, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady"}
    spec = _filled(_with_template(obj.get("spec") or {}), defaults)
    strategy = _filled(spec.get("updateStrategy"), {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = _filled(strategy.get("rollingUpdate"), {"partition": 0})
    retention = _filled(
        spec.get("persistentVolumeClaimRetentionPolicy"), {"whenDeleted": "Retain", "whenScaled": "Retain"}
    )
    return {
        **obj,
        "spec": {**spec, "updateStrategy": strategy, "persistentVolumeClaimRetentionPolicy": retention},
    }


def _replica_set(obj: Object) -> Object:
    return {**obj, "spec": _filled(_with_template(obj.get("spec") or {}), {"replicas": 1})}


def _job(obj: Object) -> Object:
    defaults = {
        "parallelism": 1,
        "completions": 1,
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "suspend": False,
        "podReplacementPolicy": "TerminatingOrFailed",
    }
    given = obj.get("spec") or {}
    if given.get("parallelism") is not None:
        del defaults["completions"]
    spec = _filled(_with_template(given), defaults)
    uid = obj["metadata"].get("uid", "")
    if not spec.get("manualSelector") and uid and isinstance(spec.get("template"), dict):
        labels = {"batch.kubernetes.io/controller-uid": uid, "controller-uid": uid}
        name = obj["metadata"].get("name", "")
        named = {"batch.kubernetes.io/job-name": name, "job-name": name}
        spec.setdefault("selector", {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}})
        template = spec["template"]
        meta = dict(template.get("metadata") or {})
        meta["labels"] = {**(meta.get("labels") or {}), **labels, **named}
        spec["template"] = {**template, "metadata": meta}
    return {**obj, "spec": spec}


def _cron_job(obj: Object) -> Object:
    defaults = {
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    }
    spec = _filled(obj.get("spec"), defaults)
    template = spec.get("jobTemplate")
    if isinstance(template, dict):
        spec["jobTemplate"] = {**template, "spec": _with_template(template.get("spec") or {})}
    return {**obj, "spec": spec}


def _service(obj: Object) -> Object:
    spec = _filled(obj.get("spec"), {"type": "ClusterIP", "sessionAffinity": "None"})
    if spec["type"] != "ExternalName":
        spec = _filled(spec, {"internalTrafficPolicy": "Cluster"})
    ports = [p for p in spec.get("ports") or () if isinstance(p, dict)]
    if ports:
        spec["ports"] = [_filled(p, {"protocol": "TCP", "targetPort": p.get("port")}) for p in ports]
    return {**obj, "spec": spec}


def _check_service(obj: Object, old: Object | None) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    if spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None" and not spec.get("ports"):
        yield Cause("FieldValueRequired", "Required value", "spec.ports")


def _check_selector(obj: Object, old: Object | None) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    selector = spec.get("selector")
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    shown = canonical_json(labels).decode()
    if isinstance(selector, dict) and not matches(selector, labels):
        text = f"Invalid value: {shown}: `selector` does not match template `labels`"
        yield Cause("FieldValueInvalid", text, "spec.template.metadata.labels")
    if old is not None and selector != (old.get("spec") or {}).get("selector"):
        text = f"Invalid value: {canonical_json(selector).decode()}: field is immutable"
        yield Cause("FieldValueInvalid", text, "spec.selector")


PREPARE: Mapping[Kind, Callable[[Object], Object]] = {
    Kind("", "Pod"): _pod,
    Kind("", "Service"): _service,
    Kind("apps", "Deployment"): _deployment,
    Kind("apps", "DaemonSet"): _daemon_set,
    Kind("apps", "StatefulSet"): _stateful_set,
    Kind("apps", "ReplicaSet"): _replica_set,
    Kind("batch", "Job"): _job,
    Kind("batch", "CronJob"): _cron_job,
}
CHECKS: Mapping[Kind, Callable[[Object, Object | None], Iterator[Cause]]] = {
    Kind("", "Service"): _check_service,
    Kind("apps", "Deployment"): _check_selector,
    Kind("apps", "DaemonSet"): _check_selector,
    Kind("apps", "StatefulSet"): _check_selector,
    Kind("apps", "ReplicaSet"): _check_selector,
}
