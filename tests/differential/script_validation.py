"""Good objects of the kinds that people apply most, each spoiled in one place at a time: what is refused, and how.

A spoiling is `path: value`, the value in YAML, or several parted by ` ; `. Nothing is stored (`dryRun=All`), but
for the objects that the updates begin with: those are spoiled by merge patches. The cases are `validation.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from tests.differential.calls import CORE, PODS, Call, delete, obj, patch, pod, post

CASES: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent / "validation.yaml").read_text("utf-8"))


def spoiled(good: Mapping[str, Any], change: str) -> dict[str, Any]:
    """The object with other values at some paths; a null takes the field away."""
    result = deepcopy(dict(good))
    for one in change.split(" ; "):
        path, _, text = one.partition(": ")
        _put(result, path.split("."), yaml.safe_load(text))
    return result


def _put(owner: Any, path: list[str], value: Any) -> None:
    *way, last = (step.replace("~", ".") for step in path)
    for step in way:
        owner = owner[int(step)] if isinstance(owner, list) else owner.setdefault(step, {})
    if isinstance(owner, list):
        owner[int(last) : int(last) + 1] = [value]
    elif value is None:
        owner.pop(last, None)
    else:
        owner[last] = value


def _difference(change: str) -> dict[str, Any]:
    """The merge patch that makes such a change; no step in it is a place in a list."""
    result: dict[str, Any] = {}
    for one in change.split(" ; "):
        path, _, text = one.partition(": ")
        owner = result
        *way, last = (step.replace("~", ".") for step in path.split("."))
        for step in way:
            owner = owner.setdefault(step, {})
        owner[last] = yaml.safe_load(text)
    return result


def _calls(case: Mapping[str, Any]) -> list[Call]:
    where, good = case["path"], case["good"]
    name = good["metadata"]["name"]
    calls = [post(f"{where}?dryRun=All", good)]
    calls += [post(f"{where}?dryRun=All", spoiled(good, change)) for change in case.get("bad", ())]
    if case.get("updates"):
        calls.append(post(where, good))
        calls += [patch(f"{where}/{name}?dryRun=All", _difference(change)) for change in case["updates"]]
        calls += [
            patch(f"{where}/{name}/status?dryRun=All", _difference(change))
            for change in case.get("statuses", ())
        ]
        calls.append(delete(f"{where}/{name}"))
    return calls


def _pod(name: str, requests: Any = None, limits: Any = None, **spec: Any) -> Any:
    """A pod whose container asks for that much."""
    resources = {k: v for k, v in (("requests", requests), ("limits", limits)) if v}
    return pod(name, containers=[{"name": "c", "image": "i", "resources": resources}], **spec)


_LIMITS = {
    "type": "Container",
    "min": {"cpu": "100m"},
    "max": {"cpu": "1"},
    "default": {"cpu": "500m", "memory": "1Gi"},
    "defaultRequest": {"cpu": "200m"},
    "maxLimitRequestRatio": {"cpu": "4"},
}
_OF_CLAIMS = {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "5Gi"}}
_CLASS = "/apis/scheduling.k8s.io/v1/priorityclasses"
_RUNTIME = "/apis/node.k8s.io/v1/runtimeclasses"
CLAIMS = f"{CORE}/persistentvolumeclaims"


def _claim(name: str, storage: str) -> Any:
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}}
    return obj("PersistentVolumeClaim", name, spec=wanted)


def _class(name: str, **rest: Any) -> Any:
    return obj("PriorityClass", name, api="scheduling.k8s.io/v1", **rest)


ADMITTED: dict[str, list[Call]] = {
    "limit ranges": [
        post(f"{CORE}/limitranges", obj("LimitRange", "l", spec={"limits": [_LIMITS, _OF_CLAIMS]})),
        Call("POST", f"{PODS}?dryRun=All", _pod("late", {"cpu": "50m"}), "application/json", until=403),
        post(PODS, _pod("bare")),
        post(PODS, _pod("asks", {"cpu": "300m"})),
        post(PODS, _pod("small", {"cpu": "50m"}, {"cpu": "60m"})),
        post(PODS, _pod("large", {"cpu": "500m"}, {"cpu": "2"})),
        post(PODS, _pod("spread", {"cpu": "100m"}, {"cpu": "900m"})),
        post(PODS, _pod("several", {"cpu": "10m"}, {"cpu": "3"})),
        post(CLAIMS, _claim("small", "1Mi")),
        post(CLAIMS, _claim("large", "10Gi")),
        post(CLAIMS, _claim("fits", "2Gi")),
    ],
    "classes of pods": [
        post(_CLASS, _class("{ns}-high", value=7, preemptionPolicy="Never")),
        post(_RUNTIME, obj("RuntimeClass", "{ns}", api="node.k8s.io/v1", handler="runc",
                           overhead={"podFixed": {"cpu": "10m"}}, scheduling={"nodeSelector": {"a": "b"}})),
        Call("POST", f"{PODS}?dryRun=All", _pod("a", priorityClassName="{ns}-high"), "application/json", until=201),
        post(PODS, _pod("high", priorityClassName="{ns}-high")),
        post(PODS, _pod("odd", priorityClassName="{ns}-high", priority=8)),
        post(PODS, _pod("same", priorityClassName="{ns}-high", priority=7)),
        post(PODS, _pod("rude", priorityClassName="{ns}-high", preemptionPolicy="PreemptLowerPriority")),
        post(PODS, _pod("system", priorityClassName="system-cluster-critical")),
        Call("POST", f"{PODS}?dryRun=All", _pod("b", runtimeClassName="{ns}"), "application/json", until=201),
        post(PODS, _pod("run", runtimeClassName="{ns}")),
        post(PODS, _pod("over", runtimeClassName="{ns}", overhead={"cpu": "20m"})),
        delete(f"{_CLASS}/{{ns}}-high"),
        delete(f"{_RUNTIME}/{{ns}}"),
    ],
}  # fmt: skip
SCRIPT: dict[str, list[Call]] = {
    **{f"valid {kind}": _calls(case) for kind, case in CASES.items()},
    **ADMITTED,
}
