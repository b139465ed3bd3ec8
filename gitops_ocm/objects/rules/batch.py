"""Jobs and CronJobs."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.rules import cron, pods
from gitops_ocm.objects.rules.faults import (
    IMMUTABLE,
    Cause,
    Faults,
    Value,
    invalid,
    items,
    not_negative,
    optional_one_of,
    required,
    too_many,
    unsupported,
)
from gitops_ocm.objects.rules.formats import label_selector, subdomain
from gitops_ocm.objects.selectors import matches

UID = "batch.kubernetes.io/controller-uid"
_MISMATCH = "`selector` does not match template `labels`"
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_COUNTS = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")
_MOST_PARALLEL = 100_000
_MAX_CRON_NAME = 63 - 11
_PATHED = re.compile(r"[^/]+/[^/]+")
_NO_RULE = "specifying one of OnExitCodes and OnPodConditions is required"


def job(obj: Value, old: Value | None) -> Faults:
    """A Job."""
    spec = obj.get("spec") or {}
    yield from _generated(obj)
    yield from _job_spec("spec", spec)
    if old is not None:
        yield from _job_changes(spec, old.get("spec") or {})


def _generated(obj: Value) -> Faults:
    """Unless it brings its own, a Job's selector is made by the server."""
    spec = obj.get("spec") or {}
    if spec.get("manualSelector") or spec.get("selector") is None:
        return
    uid = (obj.get("metadata") or {}).get("uid")
    selector = spec["selector"]
    if selector != {"matchLabels": {UID: uid}}:
        yield invalid("spec.selector", _shown(selector), "`selector` not auto-generated")


def _shown(value: Any) -> Any:
    """A value with its keys in order, as Go shows a map."""
    if isinstance(value, dict):
        return {key: _shown(value[key]) for key in sorted(value)}
    return value


def _job_spec(path: str, spec: Value, *, of_cron: bool = False) -> Faults:
    for name in _COUNTS:
        yield from not_negative(f"{path}.{name}", spec.get(name))
    yield from _by_index(path, spec)
    yield from pods.template(f"{path}.template", spec.get("template") or {})
    yield from _ends(f"{path}.template.spec.restartPolicy", spec)
    yield from _failure_policy(f"{path}.podFailurePolicy", spec)
    if spec.get("successPolicy") is not None and spec.get("completionMode") != "Indexed":
        told = {"Rules": spec["successPolicy"].get("rules") or []}
        yield invalid(f"{path}.successPolicy", told, "requires indexed completion mode")
    yield from _managed_by(f"{path}.managedBy", spec.get("managedBy"))
    policies = ("Failed", "TerminatingOrFailed")
    yield from optional_one_of(f"{path}.podReplacementPolicy", spec.get("podReplacementPolicy"), policies)
    if not of_cron:
        yield from _selector(path, spec)


def _by_index(path: str, spec: Value) -> Faults:
    per_index, most = spec.get("backoffLimitPerIndex"), spec.get("maxFailedIndexes")
    yield from not_negative(f"{path}.backoffLimitPerIndex", per_index)
    yield from not_negative(f"{path}.maxFailedIndexes", most)
    if most is not None and per_index is None:
        yield required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    mode = spec.get("completionMode")
    yield from optional_one_of(f"{path}.completionMode", mode, ("NonIndexed", "Indexed"))
    if mode == "Indexed":
        if spec.get("completions") is None:
            yield required(f"{path}.completions", "when completion mode is Indexed")
        parallel = spec.get("parallelism") or 0
        if parallel > _MOST_PARALLEL:
            why = f"must be less than or equal to {_MOST_PARALLEL} when completion mode is Indexed"
            yield invalid(f"{path}.parallelism", parallel, why)
        return
    for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
        if spec.get(name) is not None:
            yield invalid(f"{path}.{name}", spec[name], "requires indexed completion mode")


def _selector(path: str, spec: Value) -> Faults:
    selector = spec.get("selector")
    labelled = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or None
    if selector is None:
        yield required(f"{path}.selector")
    else:
        yield from label_selector(f"{path}.selector", selector)
    if selector is None or not matches(selector, labelled or {}):
        yield invalid(f"{path}.template.metadata.labels", _shown(labelled), _MISMATCH)


def _ends(path: str, spec: Value) -> Faults:
    """A Job's pods come to an end."""
    policy = ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy")
    if policy in (None, "", "Always"):
        yield required(path, 'valid values: "OnFailure", "Never"')
    elif policy not in ("OnFailure", "Never"):
        yield unsupported(path, policy, ("OnFailure", "Never"))
    elif policy != "Never" and spec.get("podFailurePolicy") is not None:
        yield invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified')


def _managed_by(path: str, name: Any) -> Faults:
    if name is None:
        return
    if not _PATHED.fullmatch(name):
        yield invalid(path, name, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        yield from subdomain(path, name.partition("/")[0])


def _failure_policy(path: str, spec: Value) -> Faults:
    policy = spec.get("podFailurePolicy")
    if policy is None:
        return
    pod = (spec.get("template") or {}).get("spec") or {}
    names = {container.get("name") for container in pods.every_container(pod)}
    rules = policy.get("rules") or []
    if len(rules) > 20:
        yield too_many(f"{path}.rules", len(rules), 20)
    for at, rule in items(rules, f"{path}.rules"):
        yield from _failure_rule(at, rule, spec, names)


def _failure_rule(path: str, rule: Value, spec: Value, names: set[Any]) -> Faults:
    action = rule.get("action") or ""
    if action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
        yield invalid(f"{path}.action", action, "requires the backoffLimitPerIndex to be set")
    elif not action:
        told = " ".join(f'"{name}"' for name in _ACTIONS)
        yield required(f"{path}.action", f"valid values: [{told}]")
    elif action not in _ACTIONS:
        yield unsupported(f"{path}.action", action, _ACTIONS)
    codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions")
    if codes is not None:
        yield from _exit_codes(f"{path}.onExitCodes", codes, names)
    for at, condition in items(conditions, f"{path}.onPodConditions"):
        if condition.get("status") not in ("True", "False", "Unknown"):
            yield unsupported(f"{at}.status", condition.get("status") or "", ("False", "True", "Unknown"))
    if codes is not None and conditions:
        text = "specifying both OnExitCodes and OnPodConditions is not supported"
        yield Cause("FieldValueInvalid", f"Invalid value: {text}", path)
    if codes is None and not conditions:
        yield Cause("FieldValueInvalid", f"Invalid value: {_NO_RULE}", path)


def _exit_codes(path: str, codes: Value, names: set[Any]) -> Faults:
    operator, values = codes.get("operator") or "", codes.get("values") or []
    if operator not in ("In", "NotIn"):
        if operator:
            yield unsupported(f"{path}.operator", operator, ("In", "NotIn"))
        else:
            yield required(f"{path}.operator", 'valid values: ["In" "NotIn"]')
    name = codes.get("containerName")
    if name is not None and name not in names:
        why = "must be one of the container or initContainer names in the pod template"
        yield invalid(f"{path}.containerName", name, why)
    if not values:
        yield invalid(f"{path}.values", [], "at least one value is required")
    elif len(values) > 255:
        yield too_many(f"{path}.values", len(values), 255)
    ordered = values == sorted(values)
    for at, value in items(values, f"{path}.values"):
        if operator == "In" and value == 0:
            yield invalid(at, value, "must not be 0 for the In operator")
    if len(set(values)) < len(values):
        seen = next(at for at, value in enumerate(values) if value in values[:at])
        yield Cause("FieldValueDuplicate", f"Duplicate value: {values[seen]}", f"{path}.values[{seen}]")
    if not ordered:
        yield invalid(f"{path}.values", values, "must be ordered")


def _job_changes(new: Value, old: Value) -> Faults:
    yield from _job_spec("spec", new, of_cron=True)
    labelled = ((new.get("template") or {}).get("metadata") or {}).get("labels") or None
    selector = new.get("selector")
    if selector is None or not matches(selector, labelled or {}):
        yield invalid("spec.template.metadata.labels", _shown(labelled), _MISMATCH)
    elastic = new.get("completionMode") == "Indexed" and new.get("completions") == new.get("parallelism")
    if new.get("completions") != old.get("completions") and not elastic:
        yield invalid("spec.completions", new.get("completions"), IMMUTABLE)
    if selector != old.get("selector"):
        yield invalid("spec.selector", _shown(selector), IMMUTABLE)
    if new.get("template") != old.get("template") and not _may_change_template(new, old):
        told = canonical_json(new.get("template")).decode()
        yield Cause("FieldValueInvalid", f"Invalid value: {told}: {IMMUTABLE}", "spec.template")
    for name in ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"):
        if (new.get(name) or None) != (old.get(name) or None):
            yield invalid(f"spec.{name}", new.get(name), IMMUTABLE)


_SCHEDULING = ("nodeSelector", "affinity", "tolerations", "schedulingGates")


def _may_change_template(new: Value, old: Value) -> bool:
    """Before it starts, a suspended Job may still be told where to run."""
    if not old.get("suspend"):
        return False

    return bool(_unscheduled(new) == _unscheduled(old))


def _unscheduled(spec: Value) -> dict[str, Any]:
    pod = (spec.get("template") or {}).get("spec") or {}
    return {key: value for key, value in pod.items() if key not in _SCHEDULING}


def cron_job(obj: Value, old: Value | None) -> Faults:
    """A CronJob."""
    spec = obj.get("spec") or {}
    yield from _schedule(spec)
    yield from not_negative("spec.startingDeadlineSeconds", spec.get("startingDeadlineSeconds"))
    policy = spec.get("concurrencyPolicy") or ""
    if not policy:
        yield required("spec.concurrencyPolicy")
    elif policy not in ("Allow", "Forbid", "Replace"):
        yield unsupported("spec.concurrencyPolicy", policy, ("Allow", "Forbid", "Replace"))
    yield from _job_template("spec.jobTemplate", spec.get("jobTemplate") or {})
    for name in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        yield from not_negative(f"spec.{name}", spec.get(name))
    name = (obj.get("metadata") or {}).get("name") or ""
    if old is None and len(name) > _MAX_CRON_NAME:
        yield invalid("metadata.name", name, f"must be no more than {_MAX_CRON_NAME} characters")


def _schedule(spec: Value) -> Faults:
    text = spec.get("schedule") or ""
    if not text:
        yield required("spec.schedule")
    else:
        try:
            cron.parsed(text.partition(" ")[2] if text.startswith(("TZ=", "CRON_TZ=")) else text)
        except cron.BadSchedule as error:
            yield invalid("spec.schedule", text, str(error))
        if "TZ=" in text:
            why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
            yield invalid("spec.schedule", text, why)
    zone = spec.get("timeZone")
    if zone is not None:
        yield from _zone("spec.timeZone", zone)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    """The names of zones: a constant of the system, looked up once."""
    return frozenset(available_timezones())


def _zone(path: str, zone: str) -> Faults:
    if not zone:
        yield invalid(path, zone, "timeZone must be nil or non-empty string")
    elif zone.lower() == "local":
        yield invalid(path, zone, "timeZone must be an explicit time zone as defined in "
                                  "https://www.iana.org/time-zones")  # fmt: skip
    elif zone not in _zones():
        yield invalid(path, zone, f"unknown time zone {zone}")


def _job_template(path: str, template: Value) -> Faults:
    spec = template.get("spec") or {}
    yield from _job_spec(f"{path}.spec", spec, of_cron=True)
    if spec.get("selector") is not None:
        yield invalid(f"{path}.spec.selector", spec["selector"], "`selector` will be auto-generated")
    if spec.get("manualSelector"):
        yield unsupported(f"{path}.spec.manualSelector", True, ("nil", "false"))
