"""What a write of Pods and of the workloads that make them brings about.

Defaults are `native_defaults`, what is refused is `rules`; the addresses of Services are `service_addresses`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gitops_ocm.objects.native_defaults import TEMPLATE_GENERATION, labels_of_template
from gitops_ocm.objects.quantities import quantity
from gitops_ocm.objects.ref import Kind, Object

_TOLERATED = 300
"""Seconds for which a pod stays on a node that is not ready, where it does not say."""
_UID, _NAME = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"


def _pod(obj: Object, old: Object | None) -> Object:
    if old is not None:
        status = obj.get("status") or {}
        if status.get("podIP") and not status.get("podIPs"):
            obj = {**obj, "status": {**status, "podIPs": [{"ip": status["podIP"]}]}}
        spec = obj.get("spec") or {}
        missing = [*_missing_tolerations(spec)]
        if not missing:
            return obj
        return {**obj, "spec": {**spec, "tolerations": [*(spec.get("tolerations") or ()), *missing]}}
    spec = {"priority": 0, "preemptionPolicy": "PreemptLowerPriority", **(obj.get("spec") or {})}
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        spec["terminationGracePeriodSeconds"] = 1
    spec["tolerations"] = [*(spec.get("tolerations") or ()), *_missing_tolerations(spec)]
    # A pod of a server's own making knows its class from the start; what else was said of it, nobody.
    begun: Object = {"phase": "Pending", "qosClass": qos_class(spec)}
    if spec.get("schedulingGates"):
        begun["conditions"] = [_gated(obj["metadata"])]
    return {**obj, "spec": spec, "status": begun}


def _gated(meta: Mapping[str, Any]) -> Object:
    return {
        "type": "PodScheduled",
        "status": "False",
        "lastProbeTime": None,
        "lastTransitionTime": meta.get("creationTimestamp"),
        "reason": "SchedulingGated",
        "message": "Scheduling is blocked due to non-empty scheduling gates",
    }


def _missing_tolerations(spec: Mapping[str, Any]) -> Iterator[Object]:
    for problem in ("not-ready", "unreachable"):
        key = f"node.kubernetes.io/{problem}"
        if not any(_tolerates(t, key) for t in spec.get("tolerations") or ()):
            yield {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _TOLERATED}


def _tolerates(toleration: Mapping[str, Any], key: str) -> bool:
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in ("", "NoExecute")


def qos_class(spec: Mapping[str, Any]) -> str:
    """How a pod is treated where memory is short: by the requests and limits of its containers."""
    whole = spec.get("resources") or {}
    parts = [whole] if whole.get("requests") or whole.get("limits") else [
        container.get("resources") or {}
        for name in ("containers", "initContainers")
        for container in spec.get(name) or ()
    ]  # fmt: skip
    asked = [_positive(part.get("requests")) for part in parts]
    limited = [_positive(part.get("limits")) for part in parts]
    if not any(asked) and not any(limited):
        return "BestEffort"
    whole_limits = all(limits.keys() == {"cpu", "memory"} for limits in limited)
    return "Guaranteed" if whole_limits and asked == limited else "Burstable"


def _positive(amounts: Mapping[str, Any] | None) -> dict[str, Any]:
    counted = {name: quantity(str(v)) for name, v in (amounts or {}).items() if name in ("cpu", "memory")}
    return {name: amount for name, amount in counted.items() if amount > 0}


def _daemon_set(obj: Object, old: Object | None) -> Object:
    meta = obj["metadata"]
    count = 1
    if old is not None:
        before, after = (old.get("spec") or {}).get("template"), (obj.get("spec") or {}).get("template")
        told = (old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "1")
        count = (int(told) if told.isdecimal() and len(told) < 20 else 1) + (before != after)
    annotations = {**(meta.get("annotations") or {}), TEMPLATE_GENERATION: str(count)}
    return {**obj, "metadata": {**meta, "annotations": annotations}}


def _job(obj: Object, old: Object | None) -> Object:
    spec = obj.get("spec") or {}
    uid, name = obj["metadata"].get("uid", ""), obj["metadata"].get("name", "")
    if old is not None or spec.get("manualSelector") or not isinstance(spec.get("template"), dict):
        return obj
    template = spec["template"]
    meta = template.get("metadata") or {}
    labels = {
        **(meta.get("labels") or {}),
        _UID: uid,
        "controller-uid": uid,
        _NAME: name,
        "job-name": name,
    }
    # What named its labels after its template's shares them, so it has the new ones too.
    own = obj["metadata"].get("labels")
    shared = own is not None and own == meta.get("labels")
    given = spec.get("selector") or {}
    selector = {**given, "matchLabels": {**(given.get("matchLabels") or {}), _UID: uid}}
    changed = {**spec, "selector": selector, "template": {**template, "metadata": {**meta, "labels": labels}}}
    result = {**obj, "spec": changed}
    if shared:
        result["metadata"] = {**obj["metadata"], "labels": dict(labels)}
    labels_of_template(result)
    return result


PREPARE: Mapping[Kind, Callable[[Object, Object | None], Object]] = {
    Kind("", "Pod"): _pod,
    Kind("apps", "DaemonSet"): _daemon_set,
    Kind("batch", "Job"): _job,
}
