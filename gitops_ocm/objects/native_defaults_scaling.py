"""Defaults of a HorizontalPodAutoscaler: its metric, and the rules it scales by (`native_defaults`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

METRICS = "autoscaling.alpha.kubernetes.io/metrics"
"""The annotation in which `autoscaling/v1` keeps the metrics it has no field for."""
_UP: Mapping[str, Any] = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
_DOWN: Mapping[str, Any] = {
    "selectPolicy": "Max",
    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
}
_CPU: Mapping[str, Any] = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}


def autoscaler_defaults(value: dict[str, Any]) -> None:
    """Fill in an autoscaler of either version, in place."""
    spec = dict(value.get("spec") or {})
    if spec.get("minReplicas") is None:
        spec["minReplicas"] = 1
    if value.get("apiVersion") == "autoscaling/v1":
        metrics = (value.get("metadata") or {}).get("annotations") or {}
        if spec.get("targetCPUUtilizationPercentage") is None and METRICS not in metrics:
            spec["targetCPUUtilizationPercentage"] = 80
    else:
        spec["metrics"] = spec.get("metrics") or [_CPU]
        if spec.get("behavior") is not None:
            behavior = spec["behavior"]
            spec["behavior"] = {
                "scaleUp": {**_UP, **_given(behavior.get("scaleUp"))},
                "scaleDown": {**_DOWN, **_given(behavior.get("scaleDown"))},
            }
    value["spec"] = spec


def _given(rules: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (rules or {}).items() if value is not None}
