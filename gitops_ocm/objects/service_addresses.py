"""Which address a Service has in its cluster: allotted from the range, kept for life, then free again.

`addressed` says it from the Service, what it was before, and the Services there are; no list of addresses
is kept anywhere. Its ports on nodes are `service_ports`, its defaults `native_defaults`. One family, IPv4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from typing import Any

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.faults import ApiError, Cause, invalid
from gitops_ocm.objects.ref import Kind, Object

SERVICE = Kind("", "Service")
RANGE = IPv4Network("10.96.0.0/16")
FIRST_FREE = 256
"""Addresses below are taken only when they are asked for by name, as a cluster's own services do."""
HEADLESS = "None"
_FIELDS = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy")
"""What only a Service with an address has."""

Others = Callable[[], Iterable[Object]]


def addressed(obj: Object, old: Object | None, others: Others) -> Object:
    """The Service with its cluster address; raises Invalid for one that it cannot have."""
    spec = obj.get("spec") or {}
    before = (old or {}).get("spec") or {}
    if spec.get("type") == "ExternalName":
        return _without_address(obj, spec, before)
    addresses = _asked(obj, spec, before)
    held = before.get("clusterIPs") or []
    if held and addresses != held:
        raise _wrong(obj, addresses, "may not change once set", "spec.clusterIPs[0]")
    if not addresses:
        addresses = [_free(obj, others)]
    elif not held and addresses[0] != HEADLESS:
        _check(obj, addresses, others)
    bare = addresses[0] == HEADLESS and not spec.get("selector")
    families = {
        "ipFamilies": before.get("ipFamilies") or (["IPv4", "IPv6"] if bare else ["IPv4"]),
        "ipFamilyPolicy": before.get("ipFamilyPolicy") or ("RequireDualStack" if bare else "SingleStack"),
    }
    return {**obj, "spec": {**families, **spec, "clusterIP": addresses[0], "clusterIPs": addresses}}


def _without_address(obj: Object, spec: Mapping[str, Any], before: Mapping[str, Any]) -> Object:
    for name in ("clusterIP", "clusterIPs"):
        if spec.get(name) and spec[name] != before.get(name):
            text = "Forbidden: may not be set for ExternalName services"
            raise _invalid(obj, Cause("FieldValueForbidden", text, "spec.clusterIPs"))
    return {**obj, "spec": {k: v for k, v in spec.items() if k not in _FIELDS}}


def _asked(obj: Object, spec: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """The addresses the Service names or, where it leaves them out, those that it has."""
    first, addresses = spec.get("clusterIP") or "", list(spec.get("clusterIPs") or ())
    held = list(before.get("clusterIPs") or ())
    if not first:
        if addresses and addresses != held:
            raise _wrong(obj, addresses, "must be empty when `clusterIP` is not specified")
        return held
    if not addresses or (addresses == held and first != held[0]):
        return [first]
    if addresses[0] != first:
        raise _wrong(obj, addresses, "first value must match `clusterIP`")
    return addresses


def _check(obj: Object, addresses: Sequence[str], others: Others) -> None:
    for at, text in enumerate(addresses):
        field = f"spec.clusterIPs[{at}]"
        address = _parsed(obj, text, field)
        if isinstance(address, IPv6Address):
            raise _wrong(obj, addresses, "IPv6 is not configured on this cluster", field)
        if address not in RANGE or address in (RANGE.network_address, RANGE.broadcast_address):
            why = f"failed to allocate IP {text}: the provided network does not match the current range"
            raise _wrong(obj, addresses, why)
        if text in _taken(others):
            raise _wrong(obj, addresses, f"failed to allocate IP {text}: provided IP is already allocated")


def _parsed(obj: Object, text: str, field: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(text)
    except ValueError:
        why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        raise _wrong(obj, text, why, field) from None


def _free(obj: Object, others: Others) -> str:
    """An address nobody has; which one depends on the name, so that a run can be repeated."""
    taken = _taken(others)
    meta = obj["metadata"]
    named = sha256(f"{meta.get('namespace', '')}/{meta.get('name', '')}".encode()).digest()
    usable = RANGE.num_addresses - FIRST_FREE - 1
    start = int.from_bytes(named[:8], "big")
    for step in range(usable):
        address = str(RANGE[FIRST_FREE + (start + step) % usable])
        if address not in taken:
            return address
    raise ApiError("InternalError", "failed to allocate a serviceIP: range is full")


def _taken(others: Others) -> set[str]:
    return {(other.get("spec") or {}).get("clusterIP", "") for other in others()}


def _wrong(obj: Object, value: Any, why: str, field: str = "spec.clusterIPs") -> ApiError:
    text = f"Invalid value: {canonical_json(value).decode()}: {why}"
    return _invalid(obj, Cause("FieldValueInvalid", text, field))


def _invalid(obj: Object, cause: Cause) -> ApiError:
    return invalid("", "Service", obj["metadata"].get("name", ""), (cause,))
