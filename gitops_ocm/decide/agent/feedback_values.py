"""Values that feedback rules ask for: found in an object by well-known or given paths, in their wire form.

What is said of a bad rule is OCM's wording, for people look for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects import jsonpath
from gitops_ocm.objects.ref import Object, split_api_version

WELL_KNOWN: Mapping[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("apps/v1", "Deployment"): (
        ("ReadyReplicas", ".status.readyReplicas"),
        ("Replicas", ".status.replicas"),
        ("AvailableReplicas", ".status.availableReplicas"),
    ),
    ("apps/v1", "DaemonSet"): (
        ("NumberReady", ".status.numberReady"),
        ("DesiredNumberScheduled", ".status.desiredNumberScheduled"),
        ("NumberAvailable", ".status.numberAvailable"),
    ),
    ("batch/v1", "Job"): (
        ("JobComplete", '.status.conditions[?(@.type=="Complete")].status'),
        ("JobSucceeded", ".status.succeeded"),
    ),
    ("v1", "Pod"): (
        ("PodReady", '.status.conditions[?(@.type=="Ready")].status'),
        ("PodPhase", ".status.phase"),
    ),
}
"""The values of `WellKnownStatus`, by apiVersion and kind."""

_GO_TYPES: Mapping[type, str] = {
    float: "float64",
    list: "[]interface {}",
    dict: "map[string]interface {}",
}


class NoValue(GitopsError):
    """A path that cannot be followed, or finds what cannot be reported."""

    code = "feedback"


def feedback_values(
    settings: AgentSettings, rules: Sequence[Mapping[str, Any]], live: Object
) -> tuple[list[Object], list[str]]:
    """Values by name, the first of a name counting, and what went wrong with others."""
    values: dict[str, Object] = {}
    faults: list[str] = []
    for rule in rules:
        paths, wrong = _paths(rule, live)
        faults += wrong
        for name, path in paths:
            try:
                value = _value(settings, name, path, live)
            except NoValue as error:
                faults.append(error.message)
                continue
            if value is not None:
                values.setdefault(name, {"name": name, "fieldValue": value})
    return list(values.values()), faults


def _paths(rule: Mapping[str, Any], live: Object) -> tuple[list[tuple[str, str]], list[str]]:
    """The named paths a rule asks for, and why there are none or fewer."""
    group, version = split_api_version(live["apiVersion"])
    if rule.get("type") == "WellKnownStatus":
        known = WELL_KNOWN.get((live["apiVersion"], live["kind"]))
        if known is None:
            shown = f"{group}/{version}, Kind={live['kind']}"
            return [], [f"cannot find the wellknown statuses for resource with gvk {shown}"]
        return list(known), []
    paths, faults = [], []
    for entry in rule.get("jsonPaths") or ():
        if entry.get("version") and entry["version"] != version:
            name = entry.get("name")
            faults.append(f"version set in the path {name} is not matched for the related resource")
        else:
            paths.append((entry["name"], entry["path"]))
    return paths, faults


def _value(settings: AgentSettings, name: str, path: str, live: Object) -> Object | None:
    """The wire form of what a path finds; None if there is nothing."""
    found = _found(name, path, live)
    if not found:
        return None
    value = found if settings.raw_feedback_json and len(found) > 1 else found[0]
    match value:
        case None:
            return None
        case bool():
            return {"type": "Boolean", "boolean": value}
        case int():
            return {"type": "Integer", "integer": value}
        case str():
            return {"type": "String", "string": value}
    if not settings.raw_feedback_json:
        shown = _GO_TYPES.get(type(value), type(value).__name__)
        raise NoValue(f"the type {shown} of the value for {name} is not found")
    text = _go_json(value)
    limit = settings.max_json_raw_length
    if len(text) > limit:
        told = f"the length of returned json raw string for name {name}"
        raise NoValue(f"{told} is larger than the maximum length {limit}")
    return {"type": "JsonRaw", "jsonRaw": text.decode()}


def _found(name: str, path: str, live: Object) -> list[Any]:
    try:
        return jsonpath.find(path, live)
    except jsonpath.Unreadable as error:
        text = f"failed to parse json path {path} of {name} with error: {error.message}"
        raise NoValue(text) from error
    except jsonpath.BadPath as error:
        raise NoValue(f"failed to find value for {name} with error: {error.message}") from error


def _go_json(value: Any) -> bytes:
    """JSON as Go writes it: keys sorted, no markup, whole floats without a fraction."""
    text = orjson.dumps(_go_numbers(value), option=orjson.OPT_SORT_KEYS)
    for mark in b"<>&":
        text = text.replace(bytes([mark]), f"\\u{mark:04x}".encode())
    return text


def _go_numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _go_numbers(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_go_numbers(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
