"""Which ports of the cluster's nodes a Service has: allotted from the range, kept while it needs them.

`ported` says it from the Service, what it was before, and the Services there are. Its address in the
cluster is `service_addresses`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

from gitops_ocm.objects.faults import ApiError, Cause, invalid
from gitops_ocm.objects.ref import Object

RANGE = range(30000, 32768)
Others = Callable[[], Iterable[Object]]


def ported(obj: Object, old: Object | None, others: Others) -> Object:
    """The Service with its ports on nodes; raises Invalid for one that it cannot have."""
    spec: Mapping[str, Any] = obj.get("spec") or {}
    before: Mapping[str, Any] = (old or {}).get("spec") or {}
    taken = _Taken(obj, old, others)
    ports = [p for p in spec.get("ports") or () if isinstance(p, dict)]
    result = dict(spec)
    if ports:
        result["ports"] = _allotted(ports, before, taken) if _wants_ports(spec) else _bare(ports, before)
    if _wants_check(spec):
        held = spec.get("healthCheckNodePort") or before.get("healthCheckNodePort")
        result["healthCheckNodePort"] = held or taken.free("health")
    elif before.get("healthCheckNodePort") == spec.get("healthCheckNodePort"):
        result.pop("healthCheckNodePort", None)
    return {**obj, "spec": result}


def holdings(obj: Object) -> set[str | int]:
    """What a Service has that no other may have: its address, and its ports on nodes."""
    spec = obj.get("spec") or {}
    ports = (port.get("nodePort") for port in spec.get("ports") or ())
    return {each for each in (*ports, spec.get("clusterIP"), spec.get("healthCheckNodePort")) if each} - {
        "None"
    }


def _wants_ports(spec: Mapping[str, Any]) -> bool:
    if spec.get("type") == "LoadBalancer":
        return spec.get("allocateLoadBalancerNodePorts") is not False
    return spec.get("type") == "NodePort"


def _wants_check(spec: Mapping[str, Any]) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _bare(ports: list[dict[str, Any]], before: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Ports without those on nodes that they had as long as the Service was of another type."""
    if not _wants_ports(before):
        return ports
    held = {port.get("nodePort") for port in before.get("ports") or ()}
    return [{k: v for k, v in port.items() if k != "nodePort" or v not in held} for port in ports]


def _allotted(ports: list[dict[str, Any]], before: Mapping[str, Any], taken: _Taken) -> list[dict[str, Any]]:
    held = {_identity(p): p["nodePort"] for p in before.get("ports") or () if p.get("nodePort")}
    given: dict[Any, int] = {}
    result = []
    for at, port in enumerate(ports):
        number = port.get("nodePort") or held.get(_identity(port))
        if number:
            taken.check(number, at, own=number in held.values() or number in given.values())
        else:
            # The same port over two protocols is one port of the node.
            number = given.get(port.get("port")) or taken.free(f"port-{at}")
        given[port.get("port")] = number
        taken.numbers.add(number)
        result.append({**port, "nodePort": number})
    return result


def _identity(port: Mapping[str, Any]) -> tuple[Any, Any]:
    return port.get("port"), port.get("protocol")


class _Taken:
    """The ports that other Services have."""

    def __init__(self, obj: Object, old: Object | None, others: Others) -> None:
        self._obj = obj
        self.numbers: set[int] = set()
        own = (old or obj)["metadata"].get("uid")
        for other in others():
            if other["metadata"].get("uid") != own:
                spec = other.get("spec") or {}
                self.numbers |= {p["nodePort"] for p in spec.get("ports") or () if p.get("nodePort")}
                self.numbers |= {spec["healthCheckNodePort"]} if spec.get("healthCheckNodePort") else set()

    def check(self, number: int, at: int, *, own: bool) -> None:
        """Raise Invalid where that port cannot be had."""
        if number not in RANGE:
            why = (
                f"provided port is not in the valid range. The range of valid ports is {RANGE[0]}-{RANGE[-1]}"
            )
        elif number in self.numbers and not own:
            why = "provided port is already allocated"
        else:
            return
        cause = Cause("FieldValueInvalid", f"Invalid value: {number}: {why}", f"spec.ports[{at}].nodePort")
        raise invalid("", "Service", self._obj["metadata"].get("name", ""), (cause,))

    def free(self, purpose: str) -> int:
        """A port nobody has; which one depends on the name, so that a run can be repeated."""
        meta = self._obj["metadata"]
        named = f"{meta.get('namespace', '')}/{meta.get('name', '')}/{purpose}"
        start = int.from_bytes(sha256(named.encode()).digest()[:8], "big")
        for step in range(len(RANGE)):
            number = RANGE[(start + step) % len(RANGE)]
            if number not in self.numbers:
                self.numbers.add(number)
                return number
        raise ApiError("InternalError", "failed to allocate a nodePort: range is full")
