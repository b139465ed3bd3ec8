"""What containers request and may use at most."""

from __future__ import annotations

from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.names import key_problems
from gitops_ocm.objects.quantities import quantity
from gitops_ocm.objects.rules.faults import (
    Faults,
    Value,
    duplicate,
    each_invalid,
    forbidden,
    invalid,
    items,
    required,
    shown,
)

_OF_CONTAINERS = frozenset({"cpu", "memory", "ephemeral-storage"})
_STANDARD = frozenset(
    {
        *_OF_CONTAINERS,
        *("requests.cpu", "requests.memory", "requests.ephemeral-storage"),
        *("limits.cpu", "limits.memory", "limits.ephemeral-storage"),
        *("pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps"),
        *("persistentvolumeclaims", "storage", "requests.storage", "services.nodeports"),
        "services.loadbalancers",
    }
)
_WHOLE = frozenset(
    {
        *("pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps"),
        *("persistentvolumeclaims", "services.nodeports", "services.loadbalancers"),
    }
)
"""Resources that are counted."""
_NATIVE = "kubernetes.io/"


def is_huge(name: str) -> bool:
    """Whether a resource is memory in large pages."""
    return name.startswith("hugepages-")


def is_native(name: str) -> bool:
    """Whether Kubernetes itself gives a resource its meaning."""
    return "/" not in name or _NATIVE in name


def is_extended(name: str) -> bool:
    """Whether somebody else does, by a name such as there may be for one."""
    return not is_native(name) and not name.startswith("requests.") and not key_problems(f"requests.{name}")


def may_overcommit(name: str) -> bool:
    """Whether limits may be greater than requests."""
    return is_native(name) and not is_huge(name)


def name_faults(path: str, name: str) -> Faults:
    """The name of any resource."""
    problems = list(key_problems(name))
    if not problems and "/" not in name and name not in _STANDARD and not is_huge(name):
        problems = ["must be a standard resource type or fully qualified"]
    return each_invalid(path, name, problems)


def container_name_faults(path: str, name: str) -> Faults:
    """The name of a container's resource."""
    yield from name_faults(path, name)
    if "/" not in name:
        if name not in _OF_CONTAINERS and not is_huge(name):
            yield invalid(path, name, "must be a standard resource for containers")
    elif not is_native(name) and not is_extended(name):
        yield invalid(path, name, "doesn't follow extended resource name standard")


def amount_faults(path: str, name: str, text: str) -> Faults:
    """How much of a resource."""
    amount = quantity(str(text))
    if amount < 0:
        yield invalid(path, str(text), "must be greater than or equal to 0")
    if (name in _WHOLE or is_extended(name)) and amount != amount.to_integral_value():
        yield invalid(path, str(text), "must be an integer")


def requirements(path: str, value: Value | None, claims: frozenset[str]) -> Faults:
    """A container's limits and requests, and the claims of its pod that it uses."""
    value = value or {}
    limits, requests = value.get("limits") or {}, value.get("requests") or {}
    for name, amount in limits.items():
        at = f"{path}.limits[{name}]"
        yield from container_name_faults(at, name)
        yield from amount_faults(at, name, amount)
    for name, amount in requests.items():
        at = f"{path}.requests[{name}]"
        yield from container_name_faults(at, name)
        yield from amount_faults(at, name, amount)
        yield from _against_limit(path, name, amount, limits)
    names = {*limits, *requests}
    if any(map(is_huge, names)) and not names & {"cpu", "memory"}:
        yield forbidden(path, "HugePages require cpu or memory")
    yield from _claims(f"{path}.claims", value.get("claims"), claims)


def _against_limit(path: str, name: str, amount: str, limits: Value) -> Faults:
    if name in limits:
        asked, most = quantity(str(amount)), quantity(str(limits[name]))
        if asked != most and not may_overcommit(name):
            why = f"must be equal to {name} limit of {limits[name]}"
            yield invalid(f"{path}.requests", str(amount), why)
        elif asked > most:
            why = f"must be less than or equal to {name} limit of {limits[name]}"
            yield invalid(f"{path}.requests", str(amount), why)
    elif not may_overcommit(name):
        yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")


def _claims(path: str, used: object, there: frozenset[str]) -> Faults:
    seen: set[str] = set()
    for at, claim in items(used, path):
        name = claim.get("name") or ""
        full = f"{name}/{claim['request']}" if claim.get("request") else name
        if not name:
            yield required(at)
        elif full in seen or name in seen:
            yield duplicate(at, full)
        seen.add(full)
        if name and name not in there:
            names = "one of the names in pod.spec.resourceClaims"
            why = f"must be {names} which is empty" if not there else f"must be {names}"
            yield Cause("FieldValueNotFound", f"Not found: {shown(name)}: {why}", at)
