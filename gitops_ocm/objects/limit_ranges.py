"""What the LimitRanges of a namespace fill into a new pod or claim, and what they refuse of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from gitops_ocm.objects.quantities import canonical_quantity, quantity, quantity_like
from gitops_ocm.objects.ref import Object

Amounts = Mapping[str, Any]
_ANNOTATION = "kubernetes.io/limit-ranger"
_GROUPS = (("containers", "container"), ("initContainers", "init container"))


def filled(pod: Object, ranges: Iterable[Object]) -> Object:
    """The pod with the requests and limits that its containers do not name themselves."""
    for limits in ranges:
        pod = _filled(pod, limits)
    return pod


def _filled(pod: Object, limits: Object) -> Object:
    requests: dict[str, Any] = {}
    most: dict[str, Any] = {}
    for item in _items(limits, "Container"):
        requests |= item.get("defaultRequest") or {}
        most |= item.get("default") or {}
    spec, told = dict(pod.get("spec") or {}), list[str]()
    for key, word in _GROUPS:
        if spec.get(key):
            spec[key] = [_with_defaults(c, requests, most, word, told) for c in spec[key]]
    if not told:
        return pod
    meta = pod["metadata"]
    said = {_ANNOTATION: f"LimitRanger plugin set: {'; '.join(told)}"}
    annotations = {**(meta.get("annotations") or {}), **said}
    return {**pod, "metadata": {**meta, "annotations": annotations}, "spec": spec}


def _with_defaults(
    container: Object, requests: Amounts, limits: Amounts, word: str, told: list[str]
) -> Object:
    own = container.get("resources") or {}
    parts = {}
    for part, name, defaults in (("requests", "request", requests), ("limits", "limit", limits)):
        have = own.get(part) or {}
        added = sorted(defaults.keys() - have.keys())
        if added:
            told.append(f"{', '.join(added)} {name} for {word} {container.get('name')}")
            parts[part] = {**have, **{key: defaults[key] for key in added}}
    return {**container, "resources": {**own, **parts}} if parts else container


def refusals(obj: Object, ranges: Iterable[Object]) -> list[str]:
    """Why a pod or claim cannot be, by the first range that has anything against it."""
    judge = _of_claim if obj.get("kind") == "PersistentVolumeClaim" else _of_pod
    return next((found for limits in ranges if (found := list(judge(obj, limits)))), [])


def _items(limits: Object, kind: str) -> Iterator[Amounts]:
    return (item for item in limits["spec"].get("limits") or () if item.get("type") == kind)


def _of_pod(pod: Object, limits: Object) -> Iterator[str]:
    spec = pod.get("spec") or {}
    for item in limits["spec"].get("limits") or ():
        if item.get("type") == "Container":
            for key, _ in _GROUPS:
                for container in spec.get(key) or ():
                    own = container.get("resources") or {}
                    yield from _judged("Container", item, own.get("requests") or {}, own.get("limits") or {})
        elif item.get("type") == "Pod":
            yield from _judged("Pod", item, _whole(spec, "requests"), _whole(spec, "limits"))


def _of_claim(claim: Object, limits: Object) -> Iterator[str]:
    kind = "PersistentVolumeClaim"
    requests = ((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}
    for item in _items(limits, kind):
        for name, least in (item.get("min") or {}).items():
            yield from _at_least(kind, name, least, requests, {})
        for name, most in (item.get("max") or {}).items():
            what = f"maximum {name} usage per {kind} is {most}"
            if name not in requests:
                yield f"{what}.  No request is specified"
            elif quantity(str(requests[name])) > quantity(str(most)):
                yield f"{what}, but request is {requests[name]}"


def _whole(spec: Object, part: str) -> dict[str, Any]:
    """What a pod asks for in all: its containers together, or the greediest of those that run before."""
    lists = {
        key: [(c.get("resources") or {}).get(part) or {} for c in spec.get(key) or ()] for key, _ in _GROUPS
    }
    total: dict[str, Any] = {}
    for name in {name for each in lists.values() for amounts in each for name in amounts}:
        texts = [str(a[name]) for each in lists.values() for a in each if name in a]
        together = sum((quantity(str(a.get(name, 0))) for a in lists["containers"]), Decimal())
        before = max((quantity(str(a.get(name, 0))) for a in lists["initContainers"]), default=Decimal())
        total[name] = quantity_like(max(together, before), texts[0])
    return total


def _judged(kind: str, item: Amounts, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for name, least in (item.get("min") or {}).items():
        yield from _at_least(kind, name, least, requests, limits)
    for name, most in (item.get("max") or {}).items():
        yield from _at_most(kind, name, most, requests, limits)
    for name, ratio in (item.get("maxLimitRequestRatio") or {}).items():
        yield from _in_proportion(kind, name, ratio, requests, limits)


def _at_least(kind: str, name: str, least: Any, requests: Amounts, limits: Amounts) -> Iterator[str]:
    what = f"minimum {name} usage per {kind} is {canonical_quantity(str(least))}"
    if name not in requests:
        yield f"{what}.  No request is specified"
    elif quantity(str(requests[name])) < quantity(str(least)):
        yield f"{what}, but request is {requests[name]}"
    elif name in limits and quantity(str(limits[name])) < quantity(str(least)):
        yield f"{what}, but limit is {limits[name]}"


def _at_most(kind: str, name: str, most: Any, requests: Amounts, limits: Amounts) -> Iterator[str]:
    what = f"maximum {name} usage per {kind} is {canonical_quantity(str(most))}"
    if name not in limits:
        yield f"{what}.  No limit is specified"
    elif quantity(str(limits[name])) > quantity(str(most)):
        yield f"{what}, but limit is {limits[name]}"
    elif name in requests and quantity(str(requests[name])) > quantity(str(most)):
        yield f"{what}, but request is {requests[name]}"


def _in_proportion(kind: str, name: str, most: Any, requests: Amounts, limits: Amounts) -> Iterator[str]:
    what = f"{name} max limit to request ratio per {kind} is {canonical_quantity(str(most))}"
    asked, limit = (quantity(str(amounts.get(name, 0))) for amounts in (requests, limits))
    if asked == 0:
        yield f"{what}, but no request is specified or request is 0"
    elif limit == 0:
        yield f"{what}, but no limit is specified or limit is 0"
    elif limit / asked > quantity(str(most)):
        yield f"{what}, but provided ratio is {float(limit / asked):.6f}"
