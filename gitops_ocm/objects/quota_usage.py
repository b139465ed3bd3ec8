"""What an object takes of a ResourceQuota, whether a quota is about it, and when it is used up. Pure.

Amounts are quantities as text, by the names that quotas have for them (`pods`, `requests.cpu`,
`count/deployments.apps`). Where quotas and what counts against them are kept is `apiserver.quotas`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from gitops_ocm.objects.native_workloads import qos_class
from gitops_ocm.objects.quantities import canonical_quantity, quantity, quantity_like
from gitops_ocm.objects.ref import Object

Amounts = Mapping[str, str]
Resource = tuple[str, str]
_CORE = ""
_COUNTED_AS: Mapping[Resource, str] = {
    (_CORE, "configmaps"): "configmaps",
    (_CORE, "resourcequotas"): "resourcequotas",
    (_CORE, "replicationcontrollers"): "replicationcontrollers",
    (_CORE, "secrets"): "secrets",
}
"""Resources whose count has an older name too."""
PODS, SERVICES, CLAIMS = (_CORE, "pods"), (_CORE, "services"), (_CORE, "persistentvolumeclaims")
_COMPUTED = ("cpu", "memory", "ephemeral-storage")
_DEMANDED = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
"""Amounts that every container must name where a quota limits them."""
_BY_CLASS = ".storageclass.storage.k8s.io/"


def usage(resource: Resource, obj: Object) -> dict[str, str]:
    """What the object takes."""
    group, plural = resource
    found = {f"count/{plural}.{group}" if group else f"count/{plural}": "1"}
    if resource in _COUNTED_AS:
        found[_COUNTED_AS[resource]] = "1"
    if resource == PODS:
        found |= _of_pod(obj)
    elif resource == SERVICES:
        found |= _of_service(obj.get("spec") or {})
    elif resource == CLAIMS:
        found |= _of_claim(obj)
    return found


def _of_pod(pod: Object) -> dict[str, str]:
    if (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded"):
        return {}
    found = {"pods": "1"}
    spec = pod.get("spec") or {}
    for part in ("requests", "limits"):
        for name, amount in _in_all(spec, part).items():
            found |= dict.fromkeys(_names_of(name, part), amount)
    return found


def _names_of(name: str, part: str) -> list[str]:
    """What quotas call a container's resource."""
    if part == "limits":
        return [f"limits.{name}"] if name in _COMPUTED else []
    if name in _COMPUTED or name.startswith("hugepages-"):
        return [name, f"requests.{name}"]
    return [f"requests.{name}"] if "/" in name and "kubernetes.io/" not in name else []


def _in_all(spec: Mapping[str, Any], part: str) -> dict[str, str]:
    """What all containers of a pod get: those that run together, or one that runs before them."""
    together = added(*(_resources(c, part) for c in spec.get("containers") or ()))
    before: dict[str, str] = {}
    beside: dict[str, str] = {}
    for container in spec.get("initContainers") or ():
        own = _resources(container, part)
        if container.get("restartPolicy") == "Always":
            beside = added(beside, own)
            own = beside
        else:
            own = added(beside, own)
        before = _greatest(before, own)
    total = _greatest(added(together, beside), before)
    total |= (spec.get("resources") or {}).get(part) or {}
    overhead = spec.get("overhead") or {}
    return added(total, {k: v for k, v in overhead.items() if part == "requests" or k in total})


def _resources(container: Mapping[str, Any], part: str) -> Amounts:
    found: Amounts = (container.get("resources") or {}).get(part) or {}
    return found


def _of_service(spec: Mapping[str, Any]) -> dict[str, str]:
    kind, ports = spec.get("type"), spec.get("ports") or []
    exposed = len(ports) if kind in ("NodePort", "LoadBalancer") else 0
    if kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
        exposed = sum(1 for port in ports if port.get("nodePort"))
    balancers = "1" if kind == "LoadBalancer" else "0"
    return {"services": "1", "services.nodeports": str(exposed), "services.loadbalancers": balancers}


def _of_claim(claim: Object) -> dict[str, str]:
    found = {"persistentvolumeclaims": "1"}
    spec = claim.get("spec") or {}
    wanted = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if wanted is not None:
        found["requests.storage"] = wanted
    name = spec.get("storageClassName")
    return found | {f"{name}{_BY_CLASS}{key}": amount for key, amount in found.items() if name}


def concerns(quota: Object, limited: Iterable[str], resource: Resource, obj: Object) -> bool:
    """Whether a quota that limits these amounts is about the object."""
    if not any(is_of(name, resource) for name in limited):
        return False
    spec = quota.get("spec") or {}
    wanted = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or ()]
    wanted += (spec.get("scopeSelector") or {}).get("matchExpressions") or []
    return all(resource == PODS and _in_scope(scope, obj) for scope in wanted)


def is_of(name: str, resource: Resource) -> bool:
    """Whether an amount is one that objects of a resource take."""
    group, plural = resource
    if name == (f"count/{plural}.{group}" if group else f"count/{plural}"):
        return True
    if resource == PODS:
        short = name.removeprefix("requests.").removeprefix("limits.")
        return name == "pods" or short in _COMPUTED or short.startswith("hugepages-") or _is_extended(name)
    if resource == SERVICES:
        return name in ("services", "services.nodeports", "services.loadbalancers")
    if resource == CLAIMS:
        return name.rpartition(_BY_CLASS)[2] in ("persistentvolumeclaims", "requests.storage")
    return _COUNTED_AS.get(resource) == name


def _is_extended(name: str) -> bool:
    return name.startswith("requests.") and "/" in name and _BY_CLASS not in name


def _in_scope(scope: Mapping[str, Any], pod: Object) -> bool:
    spec = pod.get("spec") or {}
    match scope.get("scopeName"):
        case "Terminating":
            return spec.get("activeDeadlineSeconds") is not None
        case "NotTerminating":
            return spec.get("activeDeadlineSeconds") is None
        case "BestEffort":
            return qos_class(spec) == "BestEffort"
        case "NotBestEffort":
            return qos_class(spec) != "BestEffort"
        case "PriorityClass":
            return _is_classed(scope, spec.get("priorityClassName") or "")
        case "CrossNamespacePodAffinity":
            return _reaches_out(spec.get("affinity") or {})
    return False


def _is_classed(scope: Mapping[str, Any], name: str) -> bool:
    values = scope.get("values") or ()
    match scope.get("operator"):
        case "In":
            return name in values
        case "NotIn":
            return name not in values
        case "DoesNotExist":
            return not name
    return bool(name)


def _reaches_out(affinity: Mapping[str, Any]) -> bool:
    for part in ("podAffinity", "podAntiAffinity"):
        found = affinity.get(part) or {}
        terms = [*(found.get("requiredDuringSchedulingIgnoredDuringExecution") or ())]
        weighted = found.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += [each.get("podAffinityTerm") or {} for each in weighted]
        if any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms):
            return True
    return False


def unspecified(limited: Iterable[str], pod: Object) -> str:
    """Which amounts that a quota limits which containers do not name; empty where all is said."""
    spec = pod.get("spec") or {}
    if any((spec.get("resources") or {}).get(part) for part in ("requests", "limits")):
        return ""
    missing: dict[str, list[str]] = {}
    for name in sorted({*limited} & {*_DEMANDED}):
        part, _, plain = name.rpartition(".")
        for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
            if plain not in _resources(container, part or "requests"):
                missing.setdefault(name, []).append(container["name"])
    return "; ".join(f"{name} for: {','.join(sorted({*names}))}" for name, names in missing.items())


def exceeding(quota: Object, delta: Amounts) -> str:
    """How much more an object takes than a quota has left; empty where it is enough."""
    status = quota.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    wanted = {name: amount for name, amount in delta.items() if name in hard and quantity(amount)}
    after = added(used, wanted)
    over = sorted(name for name in wanted if quantity(after[name]) > quantity(hard[name]))
    if not over:
        return ""
    asked, have, most = (_printed(amounts, over) for amounts in (wanted, used, hard))
    return f"requested: {asked}, used: {have}, limited: {most}"


def _printed(amounts: Amounts, names: Iterable[str]) -> str:
    return ",".join(f"{name}={canonical_quantity(amounts[name])}" for name in names if name in amounts)


def added(*parts: Amounts) -> dict[str, str]:
    """All amounts together; each is written as the first that says how."""
    result: dict[str, str] = {}
    for part in parts:
        for name, amount in part.items():
            result[name] = _sum(result[name], amount) if name in result else amount
    return result


def less(whole: Amounts, part: Amounts) -> dict[str, str]:
    """Amounts without a part of them, never below nothing."""
    result = dict(whole)
    for name, amount in part.items():
        left = max(quantity(whole.get(name, "0")) - quantity(amount), Decimal(0))
        result[name] = quantity_like(left, whole.get(name, amount))
    return result


def _sum(one: str, other: str) -> str:
    first = quantity(one)
    return quantity_like(first + quantity(other), one if first else other)


def _greatest(one: Amounts, other: Amounts) -> dict[str, str]:
    result = dict(one)
    for name, amount in other.items():
        if name not in result or quantity(result[name]) < quantity(amount):
            result[name] = amount
    return result
