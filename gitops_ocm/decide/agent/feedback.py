"""What the agent reports of applied objects: whether they are there, and the values that are asked for.

"Available" means that the object exists, nothing more. The list it adds to is the apply row's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.work import (
    APPLIED,
    AVAILABLE,
    FEEDBACK_FAILED,
    FEEDBACK_IS_SYNCED,
    FEEDBACK_SYNCED,
    MANIFEST_AVAILABLE,
    MANIFEST_META_INCOMPLETE,
    MANIFEST_NOT_AVAILABLE,
    NO_FEEDBACK,
    WORK_AVAILABILITY_UNKNOWN,
    WORK_AVAILABLE,
    WORK_FINALIZER,
    WORK_NOT_AVAILABLE,
    WORK_WITHOUT_RESOURCES,
)
from gitops_ocm.decide.agent.identity import identity_of, served_as
from gitops_ocm.decide.agent.options import options_for
from gitops_ocm.decide.agent.pacing import spread
from gitops_ocm.decide.agent.work_status import generation_of, reported
from gitops_ocm.decide.contract import DONE, Outcome, Side, View, Want
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.decide.writes import conditions_of, report
from gitops_ocm.objects import conditions, jsonpath
from gitops_ocm.objects.ref import Object, Ref, split_api_version

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


@dataclass(frozen=True)
class Feedback:
    """Reports on the objects of a work once it has been applied, also while it is being deleted."""

    settings: AgentSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManifestWork."""
        work = view.get(key)
        if work is None or WORK_FINALIZER not in (work["metadata"].get("finalizers") or ()):
            return DONE
        if conditions.find(conditions_of(work), APPLIED) is None:
            return DONE
        metas = [entry.get("resourceMeta") or {} for entry in reported(work)]
        refs = [_ref(view, meta) for meta in metas]
        view.require(sorted({Want(r.of, r.namespace) for r in refs if r is not None}), Side.SPOKE)
        entries = [
            self._entry(work, entry, meta, view.get(ref, Side.SPOKE) if ref is not None else None, now)
            for entry, meta, ref in zip(reported(work), metas, refs, strict=True)
        ]
        fields = {
            "conditions": _summed_up(work, entries, now),
            "resourceStatus": {"manifests": entries},
        }
        again = spread(self.settings.status_sync_interval, 0.9, self.settings.cluster_name, *key)
        return Outcome(report(work, fields), requeue_after=again)

    def _entry(
        self,
        work: Object,
        entry: Mapping[str, Any],
        meta: Mapping[str, Any],
        live: Object | None,
        now: datetime,
    ) -> Object:
        """One manifest's entry with Available and values renewed; without an object values stay."""
        result = {**entry, "conditions": _with(entry, _availability(meta, live), now)}
        if live is None:
            return result
        rules = options_for(work, identity_of(meta)).feedback
        values, faults = self._values(rules, live)
        synced = FEEDBACK_IS_SYNCED if rules else NO_FEEDBACK
        if faults:
            synced = FEEDBACK_FAILED.saying(error="; ".join(faults))
        if ((entry.get("statusFeedback") or {}).get("values") or []) != values:
            kept = [c for c in result["conditions"] if c.get("type") != FEEDBACK_SYNCED]
            result["conditions"] = kept
        result["statusFeedback"] = {"values": values} if values else {}
        result["conditions"] = _with(result, synced, now)
        return result

    def _values(self, rules: Sequence[Mapping[str, Any]], live: Object) -> tuple[list[Object], list[str]]:
        """Values by name, the first of a name counting, and what went wrong with others."""
        values: dict[str, Object] = {}
        faults: list[str] = []
        for rule in rules:
            paths, fault = _paths(rule, live)
            faults += [fault] if fault else []
            for name, path in paths:
                try:
                    value = self._value(name, path, live)
                except jsonpath.BadPath as error:
                    faults.append(error.message)
                    continue
                if value is not None:
                    values.setdefault(name, {"name": name, "fieldValue": value})
        return list(values.values()), faults

    def _value(self, name: str, path: str, live: Object) -> Object | None:
        """The wire form of what a path finds; None if there is nothing."""
        found = [v for v in jsonpath.find(path, live) if v is not None]
        if not found:
            return None
        value = found[0]
        if self.settings.raw_feedback_json and len(found) > 1:
            value = found
        if isinstance(value, bool):
            return {"type": "Boolean", "boolean": value}
        if isinstance(value, int):
            return {"type": "Integer", "integer": value}
        if isinstance(value, str):
            return {"type": "String", "string": value}
        if not self.settings.raw_feedback_json:
            kind = {float: "float64", list: "[]interface {}", dict: "map[string]interface {}"}
            shown = kind.get(type(value), type(value).__name__)
            raise jsonpath.BadPath(f"the type {shown} of the value for {name} is not found")
        text = orjson.dumps(_go_number(value), option=orjson.OPT_SORT_KEYS).decode()
        if len(text) > self.settings.max_json_raw_length:
            limit = self.settings.max_json_raw_length
            raise jsonpath.BadPath(f"the length of the value for {name} is over the limit of {limit}")
        return {"type": "JsonRaw", "jsonRaw": text}


def _go_number(value: Any) -> Any:
    """Whole floats print without a fraction, as Go's JSON has it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _paths(rule: Mapping[str, Any], live: Object) -> tuple[list[tuple[str, str]], str]:
    """The named paths a rule asks for, and why there are none or fewer."""
    group, version = split_api_version(live["apiVersion"])
    if rule.get("type") == "WellKnownStatus":
        known = WELL_KNOWN.get((live["apiVersion"], live["kind"]))
        if known is None:
            served = f"{group}/{version}" if group else f"/{version}"
            shown = f"{served}, Kind={live['kind']}"
            return [], f"cannot find the wellknown statuses for resource with gvk {shown}"
        return list(known), ""
    paths, fault = [], ""
    for entry in rule.get("jsonPaths") or ():
        if entry.get("version") and entry["version"] != version:
            fault = f"version set in the path {entry.get('name')} is not matched for the related resource"
            continue
        paths.append((entry["name"], entry["path"]))
    return paths, fault


def _ref(view: View, meta: Mapping[str, Any]) -> Ref | None:
    """The object a reported manifest is about, where that can be told."""
    if not (meta.get("resource") and meta.get("version") and meta.get("name")):
        return None
    resource = served_as(view, meta)
    if resource is None:
        return None
    return Ref(resource.group, resource.kind, meta.get("namespace") or "", meta["name"])


def _availability(meta: Mapping[str, Any], live: Object | None) -> KnownCondition:
    if not (meta.get("resource") and meta.get("version") and meta.get("name")):
        return MANIFEST_META_INCOMPLETE
    if live is None:
        return MANIFEST_NOT_AVAILABLE
    return MANIFEST_AVAILABLE


def _with(entry: Mapping[str, Any], judged: KnownCondition, now: datetime) -> list[Object]:
    return conditions.with_condition(entry.get("conditions"), **judged._asdict(), now=now)


def _summed_up(work: Object, entries: Sequence[Mapping[str, Any]], now: datetime) -> list[Object]:
    """The work's Available: any False wins, then any Unknown."""
    found = [conditions.find(e.get("conditions"), AVAILABLE) or {} for e in entries]
    total = len(found)
    missing = sum(1 for c in found if c.get("status") == "False")
    unknown = sum(1 for c in found if c.get("status") == "Unknown")
    judged = WORK_AVAILABLE
    if missing:
        judged = WORK_NOT_AVAILABLE.saying(count=missing, total=total)
    elif unknown:
        judged = WORK_AVAILABILITY_UNKNOWN.saying(count=unknown, total=total)
    elif not total:
        judged = WORK_WITHOUT_RESOURCES
    return conditions.with_condition(
        conditions_of(work),
        **judged._asdict(),
        now=now,
        observed_generation=generation_of(work),
    )
