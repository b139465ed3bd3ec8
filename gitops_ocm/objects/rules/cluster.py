"""Kinds about a cluster as a whole: priorities, runtimes, quotas, nodes, namespaces."""

from __future__ import annotations

import ipaddress
from typing import Any

from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.names import key_problems, label_problems, label_value_problems
from gitops_ocm.objects.rules import resources
from gitops_ocm.objects.rules.faults import (
    IMMUTABLE,
    Faults,
    Value,
    each_invalid,
    forbidden,
    invalid,
    items,
    optional_one_of,
    required,
    same,
    shown,
    unsupported,
)
from gitops_ocm.objects.rules.formats import CIDR_TEXT, is_cidr, labels
from gitops_ocm.objects.rules.scheduling import EFFECTS, tolerations

MOST_PRIORITY = 1_000_000_000
SYSTEM_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")


def priority_class(obj: Value, old: Value | None) -> Faults:
    """A PriorityClass."""
    value = obj.get("value") or 0
    if old is not None:
        if value != (old.get("value") or 0):
            yield forbidden("value", "may not be changed in an update.")
        yield from same("preemptionPolicy", old.get("preemptionPolicy"), obj.get("preemptionPolicy"))
        return
    name = str(obj["metadata"].get("name") or "")
    if name.startswith("system-"):
        known = SYSTEM_PRIORITIES.get(name)
        problem = "" if known == value else f"{name} is not a known system priority class"
        if known is not None and known != value:
            problem = f"value of {name} must be {known}"
        if problem:
            why = "priority class names with 'system-' prefix are reserved for system use only. error: "
            yield forbidden("metadata.name", why + problem)
    elif value > MOST_PRIORITY:
        why = f"maximum allowed value of a user defined priority is {MOST_PRIORITY}"
        yield forbidden("value", why)
    policies = ("PreemptLowerPriority", "Never")
    yield from optional_one_of("preemptionPolicy", obj.get("preemptionPolicy"), policies)


def runtime_class(obj: Value, old: Value | None) -> Faults:
    """A RuntimeClass."""
    handler = obj.get("handler") or ""
    if old is not None:
        if handler != (old.get("handler") or ""):
            yield invalid("handler", handler, IMMUTABLE)
        return
    yield from each_invalid("handler", handler, label_problems(handler))
    fixed = (obj.get("overhead") or {}).get("podFixed") or {}
    yield from resources.requirements("overhead", {"limits": fixed}, frozenset())
    scheduling = obj.get("scheduling") or {}
    yield from labels("scheduling.nodeSelector", scheduling.get("nodeSelector"))
    wanted = scheduling.get("tolerations") or []
    yield from tolerations("scheduling.tolerations", wanted)
    for at, one in enumerate(wanted):
        if one in wanted[:at]:
            told = {
                "Key": one.get("key", ""),
                "Operator": one.get("operator", ""),
                "Value": one.get("value", ""),
                "Effect": one.get("effect", ""),
                "TolerationSeconds": one.get("tolerationSeconds"),
            }
            text = f"Duplicate value: {shown(told)}"
            yield Cause("FieldValueDuplicate", text, f"scheduling.tolerations[{at}]")


_POD_QUOTA = frozenset(
    {
        *("cpu", "memory", "ephemeral-storage", "pods"),
        *("requests.cpu", "requests.memory", "requests.ephemeral-storage"),
        *("limits.cpu", "limits.memory", "limits.ephemeral-storage"),
    }
)
_QUOTA = _POD_QUOTA | frozenset(
    {
        *("resourcequotas", "services", "services.nodeports", "services.loadbalancers", "secrets"),
        *("configmaps", "replicationcontrollers", "persistentvolumeclaims", "requests.storage"),
    }
)
_SCOPES = frozenset(
    {
        *("Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass"),
        *("CrossNamespacePodAffinity", "VolumeAttributesClass"),
    }
)
_OPPOSITES = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})


def resource_quota(obj: Value, old: Value | None) -> Faults:
    """A ResourceQuota."""
    spec = obj.get("spec") or {}
    hard = spec.get("hard") or {}
    for name, amount in hard.items():
        path = f"spec.hard[{name}]"
        yield from _quota_name(path, name)
        yield from resources.amount_faults(path, name, amount)
    yield from _scopes(spec.get("scopes"), hard)
    yield from _scope_selector(spec.get("scopeSelector"), hard)
    if old is not None:
        before = (old.get("spec") or {}).get("scopes") or []
        after = spec.get("scopes") or []
        if sorted(before) != sorted(after):
            yield invalid("spec.scopes", after, IMMUTABLE)


def _quota_name(path: str, name: str) -> Faults:
    yield from resources.name_faults(path, name)
    if "/" not in name and name not in _QUOTA and not _is_quota_of_huge(name):
        yield invalid(path, name, "must be a standard resource for quota")


def _is_quota_of_huge(name: str) -> bool:
    return name.startswith(("hugepages-", "requests.hugepages-"))


def _applies(scope: str, name: str) -> bool:
    """Whether a scope can limit a resource."""
    if scope == "BestEffort":
        return name == "pods"
    return name in _POD_QUOTA or _is_quota_of_huge(name)


def _scopes(scopes: Any, hard: Value) -> Faults:
    scopes = scopes or []
    for scope in scopes:
        if scope not in _SCOPES:
            yield invalid("spec.scopes", scopes, "unsupported scope")
        for name in hard:
            if scope in _SCOPES and name in _QUOTA and not _applies(scope, name):
                yield invalid("spec.scopes", scopes, "unsupported scope applied to resource")
    if any(pair <= set(scopes) for pair in _OPPOSITES):
        yield invalid("spec.scopes", scopes, "conflicting scopes")


def _scope_selector(selector: Value | None, hard: Value) -> Faults:
    path = "spec.scopeSelector.matchExpressions"
    expressions = (selector or {}).get("matchExpressions") or ()
    for one in expressions:
        scope, operator, values = one.get("scopeName") or "", one.get("operator") or "", one.get("values")
        if scope not in _SCOPES:
            yield invalid(f"{path}.scopeName", scope, "unsupported scope")
        for name in hard:
            if scope in _SCOPES and name in _QUOTA and not _applies(scope, name):
                yield invalid(path, _told(expressions), "unsupported scope applied to resource")
        if operator in ("In", "NotIn"):
            if not values:
                why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                yield required(f"{path}.values", why)
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                why = "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector"
                yield invalid(f"{path}.values", values, why)
        else:
            yield invalid(f"{path}.operator", operator, "not a valid selector operator")


def _told(expressions: Any) -> dict[str, Any]:
    """A selector of scopes under Go's names."""
    fields = {"ScopeName": "scopeName", "Operator": "operator", "Values": "values"}
    return {"MatchExpressions": [{go: one.get(name) for go, name in fields.items()} for one in expressions]}


def node(obj: Value, old: Value | None) -> Faults:
    """A Node."""
    spec = obj.get("spec") or {}
    faults = list(_taints("metadata.taints", spec.get("taints")))
    yield from faults
    if old is not None:
        yield from faults  # an update looks at them twice
        yield from _cidrs_kept(spec, old.get("spec") or {})
        return
    cidrs = spec.get("podCIDRs") or ()
    for at, cidr in items(cidrs, "spec.podCIDRs"):
        if not is_cidr(cidr):
            yield invalid(at, cidr, CIDR_TEXT)
    good = [ipaddress.ip_network(cidr, strict=False).version for cidr in cidrs if is_cidr(cidr)]
    if len(good) > len(set(good)):
        why = "may specify no more than one CIDR for each IP family"
        yield invalid("spec.podCIDRs", cidrs, why)


def _cidrs_kept(new: Value, old: Value) -> Faults:
    before = old.get("podCIDRs") or []
    if before and (new.get("podCIDRs") or []) != before:
        yield forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid')


def _taints(path: str, taints: Any) -> Faults:
    seen: set[tuple[str, str]] = set()
    for at, taint in items(taints, path):
        key, value, effect = (taint.get(name) or "" for name in ("key", "value", "effect"))
        yield from each_invalid(f"{at}.key", key, key_problems(key))
        if problems := label_value_problems(value):
            yield invalid(f"{at}.value", value, ";".join(problems))
        if not effect:
            yield required(f"{at}.effect")
        elif effect not in EFFECTS:
            yield unsupported(f"{at}.effect", effect, EFFECTS)
        if (key, effect) in seen:
            told = {"Key": key, "Value": value, "Effect": effect, "TimeAdded": taint.get("timeAdded")}
            text = f"Duplicate value: {shown(told)}: taints must be unique by key and effect pair"
            yield Cause("FieldValueDuplicate", text, at)
        seen.add((key, effect))


def namespace(obj: Value, old: Value | None) -> Faults:
    """A Namespace."""
    for finalizer in (obj.get("spec") or {}).get("finalizers") or ():
        path = "spec.finalizers"
        yield from each_invalid(path, finalizer, key_problems(finalizer))
        if "/" not in finalizer and finalizer not in _FINALIZERS:
            why = "name is neither a standard finalizer name nor is it fully qualified"
            yield invalid(path, finalizer, why)
