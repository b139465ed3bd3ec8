"""Ways to judge an add-on's health: by its lease, by its works being applied, by what the works report.

What a lease says the cluster's own agent reports (`decide.agent.addon_status`); the rest the hub reads from
the status of the add-on's works. Nobody judges while the cluster is out of reach (`addons.health`).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from gitops_ocm.api.addon_words import (
    AVAILABLE,
    HEALTH_CUSTOMIZED,
    HEALTH_LEASE,
    MANIFEST_APPLIED,
    PROBE_AVAILABLE,
    PROBE_NO_RESULT,
    PROBE_UNAVAILABLE,
    PROBE_WORK_NOT_APPLIED,
    PROBE_WORK_NOT_FOUND,
    WORK_APPLIED_REASON,
)
from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.work import AVAILABLE as WORK_AVAILABLE
from gitops_ocm.decide.writes import conditions_of, name_of, status_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.workload_values import WORKLOADS, as_workload

WORK_APPLIED = KnownCondition(AVAILABLE, "True", WORK_APPLIED_REASON, "Addon manifestWork is applied")
_WELL_KNOWN = [{"type": "WellKnownStatus"}]
_NAMES = ("group", "resource", "namespace", "name")
_READY = ("ReadyReplicas", "NumberReady")
_DESIRED = ("Replicas", "DesiredNumberScheduled")


@dataclass(frozen=True)
class Result:
    """What the works report of one object."""

    group: str
    resource: str
    namespace: str
    name: str
    values: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.resource} {self.namespace}/{self.name}"


class LeaseProbe:
    """The agent renews a lease; whoever registered the cluster looks at it."""

    mode: str = HEALTH_LEASE

    def configs(self, objects: Sequence[Object]) -> list[Object]:
        """Nothing is to be reported."""
        return []

    def judge(
        self, addon: Object, objects: Sequence[Object], works: Sequence[Object]
    ) -> KnownCondition | None:
        """Not for the hub to say."""
        return None


class OwnProbe(LeaseProbe):
    """The add-on says by itself how it is."""

    mode = HEALTH_CUSTOMIZED


class AppliedProbe(LeaseProbe):
    """Available as soon as the works are applied."""

    mode = HEALTH_CUSTOMIZED

    def judge(
        self, addon: Object, objects: Sequence[Object], works: Sequence[Object]
    ) -> KnownCondition | None:
        """True whatever the works report, as in OCM."""
        return WORK_APPLIED


@dataclass(frozen=True)
class FieldsProbe:
    """By values that the works report of the objects named; `check` says what is wrong, or nothing.

    An object is named by `group`, `resource`, `namespace` and `name`, where `*` stands for any text.
    """

    objects: tuple[Mapping[str, Any], ...]
    check: Callable[[Sequence[Result]], str]
    rules: tuple[Mapping[str, Any], ...] = tuple(_WELL_KNOWN)
    mode: ClassVar[str] = HEALTH_CUSTOMIZED

    def configs(self, objects: Sequence[Object]) -> list[Object]:
        """Feedback of every object named."""
        return [configured(each, self.rules) for each in self.objects]

    def judge(
        self, addon: Object, objects: Sequence[Object], works: Sequence[Object]
    ) -> KnownCondition | None:
        """By the check."""
        return judged(addon, works, self.objects, self.check)


class WorkloadsProbe:
    """By the Deployments and DaemonSets of the add-on being up."""

    mode: str = HEALTH_CUSTOMIZED

    def configs(self, objects: Sequence[Object]) -> list[Object]:
        """The well-known status of every workload."""
        return [configured(identifier, _WELL_KNOWN) for identifier, _ in _workloads(objects)]

    def judge(
        self, addon: Object, objects: Sequence[Object], works: Sequence[Object]
    ) -> KnownCondition | None:
        """Those that are to have replicas count."""
        return judged(addon, works, [each for each, counts in _workloads(objects) if counts], up)


def configured(identifier: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]) -> Object:
    """An entry of `spec.manifestConfigs` that asks for feedback."""
    named = {key: identifier.get(key) or "" for key in _NAMES}
    return {"resourceIdentifier": named, "feedbackRules": [dict(rule) for rule in rules]}


def _workloads(objects: Sequence[Object]) -> list[tuple[Object, bool]]:
    """The workloads by their identifiers, and whether they are to have any replicas."""
    found = []
    for obj in objects:
        workload = as_workload(obj)
        if workload is None:
            continue
        meta = workload["metadata"]
        identifier = {
            "group": "apps",
            "resource": WORKLOADS[workload["kind"]],
            "namespace": meta.get("namespace", ""),
            "name": meta.get("name", ""),
        }
        found.append((identifier, (workload.get("spec") or {}).get("replicas") != 0))
    return found


def judged(
    addon: Object,
    works: Sequence[Object],
    objects: Sequence[Mapping[str, Any]],
    check: Callable[[Sequence[Result]], str],
) -> KnownCondition | None:
    """The Available condition from the works, in OCM's order of tests."""
    if conditions.find(conditions_of(addon), MANIFEST_APPLIED) is None:
        return None
    if not works:
        return PROBE_WORK_NOT_FOUND
    for work in works:
        found = conditions.find(conditions_of(work), WORK_AVAILABLE)
        if found is None:
            return PROBE_WORK_NOT_APPLIED
        if found.get("status") == "False":
            message = str(found.get("message", ""))
            return PROBE_WORK_NOT_APPLIED._replace(status="False", message=message)
    results = [result for each in objects for result in _results(each, works)]
    if objects and not results:
        return PROBE_NO_RESULT
    if wrong := check(results):
        return PROBE_UNAVAILABLE.saying(error=wrong)
    return PROBE_AVAILABLE.saying(addon=name_of(addon))


def _results(wanted: Mapping[str, Any], works: Sequence[Object]) -> list[Result]:
    found = []
    for work in works:
        for manifest in (status_of(work).get("resourceStatus") or {}).get("manifests") or ():
            meta = manifest.get("resourceMeta") or {}
            told = (manifest.get("statusFeedback") or {}).get("values") or ()
            if told and _names(wanted, meta):
                values = {v["name"]: _plain(v.get("fieldValue") or {}) for v in told}
                named = {key: str(meta.get(key) or "") for key in _NAMES}
                found.append(Result(**named, values=values))
    return found


def _names(wanted: Mapping[str, Any], meta: Mapping[str, Any]) -> bool:
    exact = all((meta.get(key) or "") == (wanted.get(key) or "") for key in ("group", "resource"))
    return exact and all(
        _fits(str(meta.get(key) or ""), str(wanted.get(key) or "")) for key in ("namespace", "name")
    )


def _fits(text: str, pattern: str) -> bool:
    escaped = pattern.replace("[", "[[]").replace("?", "[?]")
    return fnmatch.fnmatchcase(text, escaped)


def _plain(field: Mapping[str, Any]) -> Any:
    """The value of a reported field, whichever its type."""
    return next((value for key, value in field.items() if key != "type"), None)


def up(results: Sequence[Result]) -> str:
    """What keeps workloads from being up: the first that is not; empty where all are.

    One ready replica of a Deployment is enough, all of a DaemonSet have to be.
    """
    for result in results:
        if wrong := _down(result):
            return wrong
    return ""


def _down(result: Result) -> str:
    if result.resource not in WORKLOADS.values():
        return f"unsupported resource type {result.resource}"
    if result.group != "apps":
        return f"unsupported resource group {result.group}"
    ready, wanted = (_last(result.values, names) for names in (_READY, _DESIRED))
    if ready is None:
        return "readyReplica is not probed"
    if wanted is None:
        return "desiredNumberReplicas is not probed"
    fine = wanted == 0 or ready >= 1 if result.resource == "deployments" else ready == wanted
    return "" if fine else f"desiredNumberReplicas is {wanted} but readyReplica is {ready} for {result}"


def _last(values: Mapping[str, Any], names: Sequence[str]) -> int | None:
    found = [value for name, value in values.items() if name in names and isinstance(value, int)]
    return found[-1] if found else None
