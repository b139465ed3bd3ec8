"""How many pods there are to be, and how many may be missing: HorizontalPodAutoscalers, PodDisruptionBudgets.

An autoscaler is judged as version 2 has it, whatever version it is written in.
"""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.conversion import converted
from gitops_ocm.objects.names import path_problems
from gitops_ocm.objects.quantities import quantity
from gitops_ocm.objects.rules.faults import (
    Faults,
    Value,
    each_invalid,
    forbidden,
    invalid,
    items,
    optional_one_of,
    positive,
    required,
    unsupported,
)
from gitops_ocm.objects.rules.formats import at_most_all, label_selector, percent_or_count

_SOURCES = ("ContainerResource", "External", "Object", "Pods", "Resource")
_FIELD = {name: f"{name[0].lower()}{name[1:]}" for name in _SOURCES}
_LONGEST_WINDOW, _LONGEST_PERIOD = 3600, 1800


def autoscaler(obj: Value, old: Value | None) -> Faults:
    """A HorizontalPodAutoscaler."""
    if obj.get("apiVersion") != "autoscaling/v2":
        obj = converted(dict(obj), "autoscaling/v2")
    spec = obj.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    metrics = spec.get("metrics") or []
    if least is not None and least < 1:
        yield invalid("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield invalid("spec.maxReplicas", most, "must be greater than 0")
    if least is not None and most < least:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    yield from _target_ref("spec.scaleTargetRef", spec.get("scaleTargetRef") or {}, grouped=True)
    for at, metric in items(metrics, "spec.metrics"):
        yield from _metric(at, metric)
    if least == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        why = "must specify at least one Object or External metric to support scaling to zero replicas"
        yield forbidden("spec.metrics", why)
    behavior = spec.get("behavior") or {}
    for name in ("scaleUp", "scaleDown"):
        if behavior.get(name) is not None:
            yield from _behavior(f"spec.behavior.{name}", behavior[name])


def _target_ref(path: str, ref: Value, *, grouped: bool = False) -> Faults:
    for field in ("kind", "name"):
        value = ref.get(field) or ""
        if value:
            yield from each_invalid(f"{path}.{field}", value, path_problems(value))
        else:
            yield required(f"{path}.{field}")
    if grouped and not ref.get("apiVersion"):
        yield invalid(f"{path}.apiVersion", "", "apiVersion must specify API group")


def _metric(path: str, metric: Value) -> Faults:
    kind = metric.get("type") or ""
    if not kind:
        yield required(f"{path}.type", "must specify a metric source type")
    if kind not in _SOURCES:
        # A kube-apiserver looks twice.
        yield from [unsupported(f"{path}.type", kind, _SOURCES)] * 2
        return
    for other, field in _FIELD.items():
        if other != kind and metric.get(field) is not None:
            why = "must populate the given metric source only"
            yield forbidden(f"{path}.{field}", why)
    source = metric.get(_FIELD[kind])
    where = f"{path}.{_FIELD[kind]}"
    if source is None:
        yield required(where, "must populate information for the given metric source")
    else:
        yield from _SOURCE[kind](where, source)


def _resource(path: str, source: Value) -> Faults:
    target = source.get("target") or {}
    if not source.get("name"):
        yield required(f"{path}.name", "must specify a resource name")
    yield from _target(f"{path}.target", target)
    utilization, average = target.get("averageUtilization"), target.get("averageValue")
    if utilization is None and average is None:
        why = "must set either a target raw value or a target utilization"
        yield required(f"{path}.target.averageUtilization", why)
    if utilization is not None and average is not None:
        why = "may not set both a target raw value and a target utilization"
        yield forbidden(f"{path}.target.averageValue", why)


def _container_resource(path: str, source: Value) -> Faults:
    if not source.get("name"):
        yield required(f"{path}.name", "must specify a resource name")
    if not source.get("container"):
        yield required(f"{path}.container", "must specify a container")
    yield from (fault for fault in _resource(path, {**source, "name": "-"}))


def _pods(path: str, source: Value) -> Faults:
    yield from _identified(f"{path}.metric", source.get("metric") or {})
    target = source.get("target") or {}
    yield from _target(f"{path}.target", target)
    if target.get("averageValue") is None or quantity(str(target["averageValue"])) <= 0:
        yield required(f"{path}.target.averageValue", "must specify a positive target averageValue")


def _object(path: str, source: Value) -> Faults:
    yield from _target_ref(f"{path}.describedObject", source.get("describedObject") or {})
    yield from _identified(f"{path}.metric", source.get("metric") or {})
    target = source.get("target") or {}
    yield from _target(f"{path}.target", target)
    if target.get("value") is None and target.get("averageValue") is None:
        why = "must set either a target value or averageValue"
        yield required(f"{path}.target.averageValue", why)


def _external(path: str, source: Value) -> Faults:
    yield from _identified(f"{path}.metric", source.get("metric") or {})
    target = source.get("target") or {}
    yield from _target(f"{path}.target", target)
    if target.get("value") is None and target.get("averageValue") is None:
        why = "must set either a target value for metric or a per-pod target"
        yield required(f"{path}.target.averageValue", why)
    if target.get("value") is not None and target.get("averageValue") is not None:
        why = "may not set both a target value for metric and a per-pod target"
        yield forbidden(f"{path}.target.value", why)


_SOURCE = {
    "ContainerResource": _container_resource,
    "External": _external,
    "Object": _object,
    "Pods": _pods,
    "Resource": _resource,
}


def _identified(path: str, metric: Value) -> Faults:
    name = metric.get("name") or ""
    if name:
        yield from each_invalid(f"{path}.name", name, path_problems(name))
    else:
        yield required(f"{path}.name", "must specify a metric name")


def _target(path: str, target: Value) -> Faults:
    kind = target.get("type") or ""
    if not kind:
        yield required(f"{path}.type", "must specify a metric target type")
    elif kind not in ("Utilization", "Value", "AverageValue"):
        yield invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue")
    for field in ("value", "averageValue"):
        amount = target.get(field)
        if amount is not None and quantity(str(amount)) <= 0:
            yield invalid(f"{path}.{field}", str(amount), "must be positive")
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        yield invalid(f"{path}.averageUtilization", share, "must be greater than 0")


def _behavior(path: str, rules: Value) -> Faults:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and window < 0:
        yield invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero")
    if window is not None and window > _LONGEST_WINDOW:
        why = f"must be less than or equal to {_LONGEST_WINDOW}"
        yield invalid(f"{path}.stabilizationWindowSeconds", window, why)
    yield from optional_one_of(f"{path}.selectPolicy", rules.get("selectPolicy"), ("Disabled", "Max", "Min"))
    if not rules.get("policies"):
        yield required(f"{path}.policies", "must specify at least one Policy")
    for at, policy in items(rules.get("policies"), f"{path}.policies"):
        yield from _policy(at, policy)


def _policy(path: str, policy: Value) -> Faults:
    if policy.get("type") not in ("Percent", "Pods"):
        yield unsupported(f"{path}.type", policy.get("type") or "", ("Percent", "Pods"))
    yield from positive(f"{path}.value", policy.get("value"))
    period: Any = policy.get("periodSeconds") or 0
    yield from positive(f"{path}.periodSeconds", period)
    if period > _LONGEST_PERIOD:
        yield invalid(f"{path}.periodSeconds", period, f"must be less than or equal to {_LONGEST_PERIOD}")


def disruption_budget(obj: Value, old: Value | None) -> Faults:
    """A PodDisruptionBudget."""
    spec = obj.get("spec") or {}
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        told = {
            "MinAvailable": least,
            "Selector": spec.get("selector"),
            "MaxUnavailable": most,
            "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
        }
        yield invalid("spec", told, "minAvailable and maxUnavailable cannot be both set")
    for name, amount in (("minAvailable", least), ("maxUnavailable", most)):
        if amount is not None:
            yield from percent_or_count(f"spec.{name}", amount)
            yield from at_most_all(f"spec.{name}", amount)
    yield from label_selector("spec.selector", spec.get("selector"))
    policies = ("AlwaysAllow", "IfHealthyBudget")
    policy = spec.get("unhealthyPodEvictionPolicy")
    yield from optional_one_of("spec.unhealthyPodEvictionPolicy", policy, policies)
