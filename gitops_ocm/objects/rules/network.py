"""Ingresses and their classes, NetworkPolicies, and EndpointSlices."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from gitops_ocm.objects.names import dns1035_problems, path_problems, subdomain_problems
from gitops_ocm.objects.rules.containers import PROTOCOLS
from gitops_ocm.objects.rules.faults import (
    IMMUTABLE,
    Faults,
    Value,
    duplicate,
    each_invalid,
    forbidden,
    invalid,
    items,
    one_of,
    required,
    unsupported,
)
from gitops_ocm.objects.rules.formats import (
    CIDR_TEXT,
    IP_TEXT,
    is_cidr,
    is_ip,
    label,
    label_selector,
    port_name_problems,
    port_or_name,
    port_problems,
    subdomain,
    wildcard_problems,
)
from gitops_ocm.objects.rules.services import external_address

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_BAD_PARTS = ("//", "/./", "/../", "%2f", "%2F")
_BAD_ENDS = ("/..", "/.")
_PATHED = re.compile(r"[^/]+/.+")


def ingress(obj: Value, old: Value | None) -> Faults:
    """An Ingress."""
    spec = obj.get("spec") or {}
    rules, backend = spec.get("rules"), spec.get("defaultBackend")
    if not rules and backend is None:
        yield invalid("spec", rules, "either `defaultBackend` or `rules` must be specified")
    if backend is not None:
        yield from _backend("spec.defaultBackend", backend)
    for at, rule in items(rules, "spec.rules"):
        yield from _rule(at, rule)
    for at, tls in items(spec.get("tls"), "spec.tls"):
        for place, host in items(tls.get("hosts"), f"{at}.hosts"):
            yield from each_invalid(place, host, _host_problems(host))
        if tls.get("secretName"):
            yield from subdomain(f"{at}.secretName", tls["secretName"])
    name = spec.get("ingressClassName")
    if name is not None:
        yield from each_invalid("spec.ingressClassName", name, subdomain_problems(name))
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    told = annotations.get(_CLASS_ANNOTATION)
    if old is None and name is not None and told is not None and told != name:
        why = "must match `ingressClassName` when both are specified"
        yield invalid(f"annotations.{_CLASS_ANNOTATION}", told, why)


def _host_problems(host: str) -> list[str]:
    return wildcard_problems(host) if "*" in host else subdomain_problems(host)


def _rule(path: str, rule: Value) -> Faults:
    host = rule.get("host") or ""
    if host and is_ip(host):
        yield invalid(f"{path}.host", host, "must be a DNS name, not an IP address")
    elif host:
        yield from each_invalid(f"{path}.host", host, _host_problems(host))
    http = rule.get("http")
    if http is None:
        return
    if not http.get("paths"):
        yield required(f"{path}.http.paths")
    for at, one in items(http.get("paths"), f"{path}.http.paths"):
        yield from _http_path(at, one)


def _http_path(path: str, one: Value) -> Faults:
    kind, where = one.get("pathType"), one.get("path") or ""
    if kind is None:
        yield required(f"{path}.pathType", "pathType must be specified")
        return
    if kind in ("Exact", "Prefix"):
        if not where.startswith("/"):
            yield invalid(f"{path}.path", where, "must be an absolute path")
        if where:
            for part in _BAD_PARTS:
                if part in where:
                    yield invalid(f"{path}.path", where, f"must not contain '{part}'")
            for end in _BAD_ENDS:
                if where.endswith(end):
                    yield invalid(f"{path}.path", where, f"cannot end with '{end}'")
    elif kind == "ImplementationSpecific":
        if where and not where.startswith("/"):
            yield invalid(f"{path}.path", where, "must be an absolute path")
    else:
        yield unsupported(f"{path}.pathType", kind, _PATH_TYPES)
    yield from _backend(f"{path}.backend", one.get("backend") or {})


def _backend(path: str, backend: Value) -> Faults:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        yield from _local_reference(f"{path}.resource", resource)
    elif service is None:
        yield invalid(path, "", "resource or service backend is required")
    else:
        yield from _service_backend(path, service)


def _service_backend(path: str, service: Value) -> Faults:
    name, port = service.get("name") or "", service.get("port") or {}
    if name:
        yield from each_invalid(f"{path}.service.name", name, dns1035_problems(name))
    else:
        yield required(f"{path}.service.name")
    if port.get("name") and port.get("number"):
        yield invalid(path, "", "cannot set both port name & port number")
    elif port.get("name"):
        yield from each_invalid(f"{path}.service.port.name", port["name"], port_name_problems(port["name"]))
    elif port.get("number"):
        yield from each_invalid(f"{path}.service.port.number", port["number"], port_problems(port["number"]))
    else:
        yield required(path, "port name or number is required")


def _local_reference(path: str, ref: Value) -> Faults:
    group, kind, name = ref.get("apiGroup"), ref.get("kind") or "", ref.get("name") or ""
    if group is not None:
        yield from each_invalid(f"{path}.apiGroup", group, subdomain_problems(group))
    for field, value in (("kind", kind), ("name", name)):
        if value:
            yield from each_invalid(f"{path}.{field}", value, path_problems(value))
        else:
            yield required(f"{path}.{field}")


def ingress_class(obj: Value, old: Value | None) -> Faults:
    """An IngressClass."""
    spec = obj.get("spec") or {}
    controller = spec.get("controller") or ""
    if old is not None:
        if controller != ((old.get("spec") or {}).get("controller") or ""):
            yield invalid("spec.controller", controller, IMMUTABLE)
        return
    if not controller:
        yield required("spec.controller")
    elif len(controller) > 250 or not _PATHED.fullmatch(controller):
        yield invalid("spec.controller", controller, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        yield from subdomain("spec.controller", controller.partition("/")[0])
    yield from _parameters("spec.parameters", spec.get("parameters"))


def _parameters(path: str, ref: Value | None) -> Faults:
    if ref is None:
        return
    yield from _local_reference(path, ref)
    scope, namespace = ref.get("scope"), ref.get("namespace")
    if scope is None:
        yield required(f"{path}.scope")
        return
    if scope not in ("Cluster", "Namespace"):
        yield unsupported(f"{path}.scope", scope, ("Cluster", "Namespace"))
    elif scope == "Namespace":
        if not namespace:
            yield required(f"{path}.namespace", "`parameters.scope` is set to 'Namespace'")
        else:
            yield from label(f"{path}.namespace", namespace)
    elif namespace is not None:
        yield forbidden(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'")


def network_policy(obj: Value, old: Value | None) -> Faults:
    """A NetworkPolicy."""
    spec = obj.get("spec") or {}
    yield from label_selector("spec.podSelector", spec.get("podSelector"))
    for kind, side in (("ingress", "from"), ("egress", "to")):
        for at, rule in items(spec.get(kind), f"spec.{kind}"):
            for place, port in items(rule.get("ports"), f"{at}.ports"):
                yield from _policy_port(place, port)
            for place, peer in items(rule.get(side), f"{at}.{side}"):
                yield from _peer(place, peer)
    types = spec.get("policyTypes") or []
    if len(types) > 2:
        yield invalid("spec.policyTypes", types, "may not specify more than two policyTypes")
        return
    for at, one in items(types, "spec.policyTypes"):
        if one not in ("Ingress", "Egress"):
            yield unsupported(at, one, ("Ingress", "Egress"))


def _policy_port(path: str, port: Value) -> Faults:
    protocol, number, end = port.get("protocol"), port.get("port"), port.get("endPort")
    if protocol is not None and protocol not in PROTOCOLS:
        yield unsupported(f"{path}.protocol", protocol, ("TCP", "UDP", "SCTP"))
    if number is None:
        if end is not None:
            yield invalid(f"{path}.endPort", end, "may not be specified when `port` is not specified")
        return
    yield from port_or_name(f"{path}.port", number)
    if end is None:
        return
    if isinstance(number, str):
        yield invalid(f"{path}.endPort", end, "may not be specified when `port` is non-numeric")
    elif end < number:
        # It is the beginning that a server tells of, not the end.
        yield invalid(f"{path}.endPort", number, "must be greater than or equal to `port`")
    else:
        yield from each_invalid(f"{path}.endPort", end, port_problems(end))


def _peer(path: str, peer: Value) -> Faults:
    used = [name for name in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(name) is not None]
    for name in ("podSelector", "namespaceSelector"):
        yield from label_selector(f"{path}.{name}", peer.get(name))
    if "ipBlock" in used:
        yield from _block(f"{path}.ipBlock", peer["ipBlock"])
    if not used:
        yield required(path, "must specify a peer")
    elif "ipBlock" in used and len(used) > 1:
        yield forbidden(path, "may not specify both ipBlock and another peer")


def _block(path: str, block: Value) -> Faults:
    cidr = block.get("cidr") or ""
    if not cidr:
        yield required(f"{path}.cidr")
        return
    if not is_cidr(cidr):
        yield invalid(f"{path}.cidr", cidr, CIDR_TEXT)
        return
    whole = ipaddress.ip_network(cidr, strict=False)
    for at, one in items(block.get("except"), f"{path}.except"):
        if not is_cidr(one):
            yield invalid(at, one, CIDR_TEXT)
            continue
        part = ipaddress.ip_network(one, strict=False)
        inside = part.version == whole.version and part.network_address in whole
        if not inside or part.prefixlen <= whole.prefixlen:
            yield invalid(at, one, "must be a strict subset of `cidr`")


def endpoint_slice(obj: Value, old: Value | None) -> Faults:
    """An EndpointSlice."""
    kind = obj.get("addressType") or ""
    yield from one_of("addressType", kind, ("FQDN", "IPv4", "IPv6"))
    for at, endpoint in items(obj.get("endpoints"), "endpoints"):
        yield from _endpoint(at, endpoint, kind)
    names: set[str] = set()
    for at, port in items(obj.get("ports"), "ports"):
        name = port.get("name") or ""
        if name:
            yield from label(f"{at}.name", name)
        if name in names:
            yield duplicate(f"{at}.name", name)
        names.add(name)
        yield from one_of(f"{at}.protocol", port.get("protocol"), PROTOCOLS)
    if old is not None and kind != old.get("addressType"):
        yield invalid("addressType", kind, IMMUTABLE)


def _endpoint(path: str, endpoint: Value, kind: str) -> Faults:
    addresses: list[Any] = endpoint.get("addresses") or []
    if not addresses:
        yield required(f"{path}.addresses", "must contain at least 1 address")
    for at, address in items(addresses, f"{path}.addresses"):
        yield from _address(at, f"{path}.addresses", address, kind)
    if endpoint.get("nodeName") is not None:
        yield from each_invalid(
            f"{path}.nodeName", endpoint["nodeName"], subdomain_problems(endpoint["nodeName"])
        )
    if endpoint.get("hostname") is not None:
        yield from label(f"{path}.hostname", endpoint["hostname"])


def _address(path: str, whole: str, address: str, kind: str) -> Faults:
    if kind == "FQDN":
        yield from subdomain(path, address)
    elif kind in ("IPv4", "IPv6"):
        if not is_ip(address):
            yield invalid(path, address, IP_TEXT)
            return
        version = ipaddress.ip_address(address).version
        if f"IPv{version}" != kind:
            yield invalid(whole, address, f"must be an {kind} address")
        yield from external_address(path, address)
