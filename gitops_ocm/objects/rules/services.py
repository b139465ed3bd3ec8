"""Services. Their addresses and ports on nodes are allotted later: `service_addresses`, `service_ports`."""

from __future__ import annotations

import ipaddress
from typing import Any

from gitops_ocm.objects.names import key_problems
from gitops_ocm.objects.rules.containers import PROTOCOLS
from gitops_ocm.objects.rules.faults import (
    Faults,
    Value,
    duplicate,
    each_invalid,
    forbidden,
    invalid,
    items,
    one_of,
    optional_one_of,
    required,
    unsupported,
)
from gitops_ocm.objects.rules.formats import (
    CIDR_TEXT,
    IP_TEXT,
    is_cidr,
    is_ip,
    label,
    labels,
    port_or_name,
    port_problems,
    qualified,
    subdomain,
)

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_LONGEST_AFFINITY = 86400
_NEAR = ("PreferClose", "PreferSameZone", "PreferSameNode")
_BALANCED = "may only be used when `type` is 'LoadBalancer'"
_LOOPBACK = "may not be in the loopback range (127.0.0.0/8, ::1/128)"


def service(obj: Value, old: Value | None) -> Faults:
    """A Service."""
    spec = obj.get("spec") or {}
    kind = spec.get("type") or ""
    headless = kind != "ExternalName" and _addresses(spec)[:1] == ["None"]
    ports = spec.get("ports") or []
    if not ports and not headless and kind != "ExternalName":
        yield required("spec.ports")
    yield from _of_type(spec, kind)
    names: set[str] = set()
    for at, port in items(ports, "spec.ports"):
        yield from _port(at, port, names, named=len(ports) > 1, headless=headless)
    yield from labels("spec.selector", spec.get("selector"))
    yield from one_of("spec.sessionAffinity", spec.get("sessionAffinity"), ("ClientIP", "None"))
    yield from _affinity(spec)
    yield from _cluster_addresses(spec, old)
    for at, address in items(spec.get("externalIPs"), "spec.externalIPs"):
        yield from external_address(at, address)
    if kind not in _TYPES:
        yield from one_of("spec.type", kind, _TYPES)
    if kind == "ClusterIP":
        for at, port in items(ports, "spec.ports"):
            if port.get("nodePort"):
                yield forbidden(f"{at}.nodePort", "may not be used when `type` is 'ClusterIP'")
    yield from _clashes(ports)
    yield from _balanced(spec, kind)
    yield from _traffic(spec, kind)


def _addresses(spec: Value) -> list[Any]:
    found = list(spec.get("clusterIPs") or ())
    return found or ([spec["clusterIP"]] if spec.get("clusterIP") else [])


def _of_type(spec: Value, kind: str) -> Faults:
    addresses = _addresses(spec)
    if kind in ("NodePort", "LoadBalancer") and addresses[:1] == ["None"]:
        yield invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    elif kind == "ExternalName":
        if addresses:
            yield forbidden("spec.clusterIPs", "may not be set for ExternalName services")
        for name in ("ipFamilies", "ipFamilyPolicy"):
            if spec.get(name):
                yield forbidden(f"spec.{name}", "may not be set for ExternalName services")
        name = (spec.get("externalName") or "").removesuffix(".")
        if name:
            yield from subdomain("spec.externalName", name)
        else:
            yield required("spec.externalName")


def _port(path: str, port: Value, names: set[str], *, named: bool, headless: bool) -> Faults:
    name, number = port.get("name") or "", port.get("port") or 0
    if named and not name:
        yield required(f"{path}.name")
    elif name:
        yield from label(f"{path}.name", name)
        if name in names:
            yield duplicate(f"{path}.name", name)
        names.add(name)
    yield from each_invalid(f"{path}.port", number, port_problems(number))
    yield from one_of(f"{path}.protocol", port.get("protocol"), PROTOCOLS)
    yield from port_or_name(f"{path}.targetPort", port.get("targetPort"))
    if port.get("appProtocol") is not None:
        yield from qualified(f"{path}.appProtocol", port["appProtocol"])


def _clashes(ports: list[Any]) -> Faults:
    """Two ports of one number and protocol, or of one number on the nodes."""
    seen: set[tuple[Any, Any]] = set()
    for at, port in items(ports, "spec.ports"):
        key = (port.get("protocol"), port.get("port") or 0)
        if key in seen:
            told = {
                "Name": "",
                "Protocol": key[0],
                "AppProtocol": None,
                "Port": key[1],
                "TargetPort": 0,
                "NodePort": 0,
            }
            yield duplicate(at, told)
        seen.add(key)
    on_nodes: set[tuple[Any, Any]] = set()
    for at, port in items(ports, "spec.ports"):
        key = (port.get("protocol"), port.get("nodePort") or 0)
        if key[1] and key in on_nodes:
            yield duplicate(f"{at}.nodePort", key[1])
        on_nodes.add(key)


def _affinity(spec: Value) -> Faults:
    config = spec.get("sessionAffinityConfig")
    if spec.get("sessionAffinity") == "ClientIP":
        seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds") or 0
        if not 0 < seconds <= _LONGEST_AFFINITY:
            why = f"must be greater than 0 and less than {_LONGEST_AFFINITY}"
            yield invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, why)
    elif spec.get("sessionAffinity") == "None" and config is not None:
        why = "must not be set when session affinity is None"
        yield forbidden("spec.sessionAffinityConfig", why)


def _cluster_addresses(spec: Value, old: Value | None) -> Faults:
    if spec.get("type") == "ExternalName":
        return
    addresses, first = spec.get("clusterIPs") or [], spec.get("clusterIP") or ""
    if addresses and not first and old is None:
        yield invalid("spec.clusterIPs", addresses, "must be empty when `clusterIP` is not specified")
    elif addresses and first and addresses[0] != first:
        yield invalid("spec.clusterIPs", addresses, "first value must match `clusterIP`")
    for at, family in items(spec.get("ipFamilies"), "spec.ipFamilies"):
        if family not in ("IPv4", "IPv6"):
            yield unsupported(at, family, ("IPv4", "IPv6"))
    policy = spec.get("ipFamilyPolicy")
    policies = ("PreferDualStack", "RequireDualStack", "SingleStack")
    yield from optional_one_of("spec.ipFamilyPolicy", policy, policies)
    addresses = _addresses(spec)
    if len(addresses) > 1 and "None" in addresses:
        yield invalid("spec.clusterIPs", addresses, "'None' must be the first and only value")
    elif addresses[:1] != ["None"]:
        for at, address in items(addresses, "spec.clusterIPs"):
            if not is_ip(address):
                yield invalid(at, address, IP_TEXT)
    yield from _address_kept(addresses, (old or {}).get("spec") or {})
    if policy == "RequireDualStack" and addresses[:1] != ["None"]:
        yield invalid("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services")


def _address_kept(addresses: list[Any], before: Value) -> Faults:
    was = _addresses(before)
    held = was and was[0] != "None" and before.get("type") != "ExternalName"
    if held and addresses and was[0] != addresses[0]:
        yield invalid("spec.clusterIPs[0]", addresses, "may not change once set")


def external_address(path: str, address: str) -> Faults:
    """An address that is reached from elsewhere."""
    if not is_ip(address):
        yield invalid(path, address, IP_TEXT)
        return
    found = ipaddress.ip_address(address)
    if found.is_unspecified:
        yield invalid(path, address, "may not be unspecified (0.0.0.0 or ::)")
    if found.is_loopback:
        yield invalid(path, address, _LOOPBACK)
    if found.is_link_local:
        yield invalid(path, address, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if found.is_multicast and str(found).startswith(("224.0.0.", "ff02:")):
        yield invalid(path, address, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")


def _balanced(spec: Value, kind: str) -> Faults:
    where = "spec.LoadBalancerSourceRanges"
    ranges = spec.get("loadBalancerSourceRanges")
    if ranges and kind != "LoadBalancer":
        yield forbidden(where, _BALANCED)
    elif ranges:
        for at, cidr in items(ranges, where):
            if not is_cidr(cidr):
                yield invalid(at, cidr, CIDR_TEXT)
    if spec.get("allocateLoadBalancerNodePorts") is not None and kind != "LoadBalancer":
        yield forbidden("spec.allocateLoadBalancerNodePorts", _BALANCED)
    name = spec.get("loadBalancerClass")
    if name is not None and kind != "LoadBalancer":
        yield forbidden("spec.loadBalancerClass", _BALANCED)
    elif name is not None:
        yield from each_invalid("spec.loadBalancerClass", name, key_problems(name))


def _traffic(spec: Value, kind: str) -> Faults:
    outer, inner = spec.get("externalTrafficPolicy") or "", spec.get("internalTrafficPolicy")
    exposed = kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))
    policies = ("Cluster", "Local")
    if not exposed:
        if outer:
            why = "may only be set for externally-accessible services"
            yield invalid("spec.externalTrafficPolicy", outer, why)
    else:
        yield from one_of("spec.externalTrafficPolicy", outer, policies)
    check = spec.get("healthCheckNodePort") or 0
    if check and not (kind == "LoadBalancer" and outer == "Local"):
        why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield invalid("spec.healthCheckNodePort", check, why)
    if inner is None:
        if kind in ("ClusterIP", "NodePort", "LoadBalancer"):
            yield required("spec.internalTrafficPolicy")
    elif inner not in policies:
        yield unsupported("spec.internalTrafficPolicy", inner, policies)
    yield from optional_one_of("spec.trafficDistribution", spec.get("trafficDistribution"), _NEAR)
