"""A HorizontalPodAutoscaler between `autoscaling/v1` and `/v2` (`conversion`).

v1 has one metric, the CPU's; everything else v2 knows is kept there as JSON in annotations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from gitops_ocm.objects.ref import Object

_PREFIX = "autoscaling.alpha.kubernetes.io/"
METRICS, BEHAVIOR = f"{_PREFIX}metrics", f"{_PREFIX}behavior"
CURRENT, CONDITIONS = f"{_PREFIX}current-metrics", f"{_PREFIX}conditions"
_ANNOTATIONS = (METRICS, BEHAVIOR, CURRENT, CONDITIONS)
_SOURCES = ("object", "pods", "resource", "containerResource", "external")
_PERCENT = "targetCPUUtilizationPercentage"


def to_v1(obj: Object) -> Object:
    """An autoscaler of v2 at v1."""
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    metrics, behavior = spec.pop("metrics", None) or [], spec.pop("behavior", None)
    current, conditions = status.pop("currentMetrics", None) or [], status.pop("conditions", None)
    kept = []
    for metric in metrics:
        target = _cpu(metric, "target", "averageUtilization")
        if target is not None and _PERCENT not in spec:
            spec[_PERCENT] = target
        else:
            kept.append(_old(metric, "target"))
    for metric in current:
        found = _cpu(metric, "current", "averageUtilization")
        if found is not None:
            status["currentCPUUtilizationPercentage"] = found
    told = {
        METRICS: kept,
        BEHAVIOR: behavior,
        CURRENT: [_old(metric, "current") for metric in current],
        CONDITIONS: conditions,
    }
    marks = {name: orjson.dumps(value).decode() for name, value in told.items() if value}
    status.setdefault("currentReplicas", 0)
    return {**_annotated(obj, marks), "spec": spec, "status": status}


def to_v2(obj: Object) -> Object:
    """An autoscaler of v1 at v2."""
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    marks = obj["metadata"].get("annotations") or {}
    metrics = [_new(metric, "target") for metric in _told(marks, METRICS)]
    percent = spec.pop(_PERCENT, None)
    if percent is not None:
        target = {"type": "Utilization", "averageUtilization": percent}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": target}})
    if metrics:
        spec["metrics"] = metrics
    behavior = _told(marks, BEHAVIOR)
    if behavior:
        spec["behavior"] = behavior
    status.pop("currentCPUUtilizationPercentage", None)
    status["currentMetrics"] = [_new(metric, "current") for metric in _told(marks, CURRENT)] or None
    conditions = _told(marks, CONDITIONS)
    if conditions:
        status["conditions"] = conditions
    return {**_annotated(obj, {}), "spec": spec, "status": status}


def _cpu(metric: Mapping[str, Any], side: str, name: str) -> int | None:
    source = metric.get("resource") or {}
    if metric.get("type") != "Resource" or source.get("name") != "cpu":
        return None
    value: int | None = (source.get(side) or {}).get(name)
    return value


def _annotated(obj: Object, marks: Mapping[str, str]) -> Object:
    meta = obj["metadata"]
    kept = {k: v for k, v in (meta.get("annotations") or {}).items() if k not in _ANNOTATIONS}
    annotations = {**kept, **marks}
    rest = {k: v for k, v in meta.items() if k != "annotations"}
    return {**obj, "metadata": {**rest, **({"annotations": annotations} if annotations else {})}}


def _told(marks: Mapping[str, str], name: str) -> Any:
    """What an annotation holds; nothing where it is no JSON, since anybody may write it."""
    try:
        return orjson.loads(marks.get(name, "")) or []
    except orjson.JSONDecodeError:
        return []


def _old(metric: Mapping[str, Any], side: str) -> Object:
    """A metric as v1 writes it: names and values beside each other, each value under a name of its own."""
    result: Object = {"type": metric.get("type", "")}
    for name in _SOURCES:
        source = metric.get(name)
        if not source:
            continue
        value, metric_of = source.get(side) or {}, source.get("metric") or {}
        told: Object = {}
        if "describedObject" in source:
            told["target"] = source["describedObject"]
        if metric_of:
            told["metricName"] = metric_of.get("name", "")
        if "name" in source:
            told["name"] = source["name"]
        told.update(_old_values(name, side, value))
        if metric_of.get("selector"):
            told["metricSelector" if name == "external" else "selector"] = metric_of["selector"]
        if "container" in source:
            told["container"] = source["container"]
        result[name] = told
    return result


def _old_values(source: str, side: str, value: Mapping[str, Any]) -> Object:
    average = "averageValue" if source == "object" else f"{side}AverageValue"
    names = {
        "averageUtilization": f"{side}AverageUtilization",
        "value": f"{side}Value",
        "averageValue": average,
    }
    told = {new: value[old] for old, new in names.items() if value.get(old) is not None}
    if source == "object":
        told.setdefault(f"{side}Value", "0")
    return told


def _new(metric: Mapping[str, Any], side: str) -> Object:
    """A metric of v1 as v2 writes it."""
    result: Object = {"type": metric.get("type", "")}
    for name in _SOURCES:
        source = metric.get(name)
        if not source:
            continue
        told: Object = {}
        if "target" in source:
            told["describedObject"] = source["target"]
        if "metricName" in source:
            selector = source.get("metricSelector") or source.get("selector")
            told["metric"] = {"name": source["metricName"], **({"selector": selector} if selector else {})}
        told |= {key: source[key] for key in ("name", "container") if key in source}
        told[side] = _new_value(source, side)
        result[name] = told
    return result


def _new_value(source: Mapping[str, Any], side: str) -> Object:
    found: Object = {}
    for old, new in (
        (f"{side}AverageUtilization", "averageUtilization"),
        (f"{side}AverageValue", "averageValue"),
        ("averageValue", "averageValue"),
        (f"{side}Value", "value"),
    ):
        if source.get(old) is not None and not (new == "value" and "averageValue" in found):
            found[new] = source[old]
    if side == "current":
        return found
    kinds = {"averageUtilization": "Utilization", "averageValue": "AverageValue", "value": "Value"}
    return {"type": next((kinds[name] for name in found), "Value"), **found}
