"""What Kubernetes adds to CEL: URLs, addresses, quantities, versions, named formats, regular expressions."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from gitops_ocm.objects.cel import regexes
from gitops_ocm.objects.cel.declarations import FORMATS
from gitops_ocm.objects.cel.faults import EvalError
from gitops_ocm.objects.cel.named_formats import problems
from gitops_ocm.objects.cel.values import NONE, Cidr, Format, Ip, Optional, Quantity, Semver, Url
from gitops_ocm.objects.quantities import quantity

Function = Callable[..., Any]
_NUMBER = r"(0|[1-9]\d*)"
_PART = r"(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_PART}(?:\.{_PART})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def _reads(read: Function) -> Function:
    """Whether a text can be read so."""

    def reads(*args: Any) -> bool:
        try:
            read(*args)
        except EvalError:
            return False
        return True

    return reads


# --- URLs ---------------------------------------------------------------------------------------------


def _url(text: str) -> Url:
    """An absolute URL or an absolute path: what may stand in the first line of a request."""
    before = "URL parse error during conversion from string: parse "
    named = _SCHEME.match(text)
    if any(c < " " or c == "\x7f" for c in text):
        raise EvalError(f'{before}"{text}": net/url: invalid control character in URL')
    if not text:
        raise EvalError(f'{before}"": empty url')
    if text.startswith(":"):
        raise EvalError(f'{before}"{text}": missing protocol scheme')
    if not named and not text.startswith("/"):
        raise EvalError(f'{before}"{text}": invalid URI for request')
    if bad := re.search(r"%(?![0-9A-Fa-f]{2}).{0,2}", text.partition("?")[0]):
        raise EvalError(f'{before}"{text}": invalid URL escape "{bad[0]}"')
    if named and not text.startswith("/", named.end()):
        return Url(text, SplitResult(text[: named.end() - 1].lower(), "", "", "", ""))
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise EvalError(f'{before}"{text}": {error}') from error
    if " " in parts.netloc:
        raise EvalError(f'{before}"{text}": invalid character " " in host name')
    return Url(text, parts)


def _host(url: Url) -> str:
    return url.parts.netloc.rpartition("@")[2]


def _hostname(url: Url) -> str:
    host = _host(url)
    return host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]


def _port(url: Url) -> str:
    return _host(url).rpartition("]")[2].partition(":")[2]


# --- addresses ----------------------------------------------------------------------------------------


def _ip(text: str) -> Ip:
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        why = f'parse error during conversion from string: ParseAddr("{text}"): {_why_no_ip(text)}'
        raise EvalError(f'IP Address "{text}" {why}') from error
    if "%" in text:
        raise EvalError(f'IP address "{text}" with zone value is not allowed')
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        raise EvalError(f'IPv4-mapped IPv6 address "{text}" is not allowed')
    return Ip(address)


def _why_no_ip(text: str) -> str:
    if re.fullmatch(r"[\d.]*\d", text) and "." in text:
        if any(len(p) > 1 and p[0] == "0" for p in text.split(".")):
            return "IPv4 field has octet with leading zero"
        if any(p.isdigit() and int(p) > 255 for p in text.split(".")):
            return "IPv4 field has value >255"
        return "IPv4 address too short" if text.count(".") < 3 else "IPv4 address too long"
    return "unable to parse IP" if "." not in text and ":" not in text else "unexpected character"


def _cidr(text: str) -> Cidr:
    before = "network address parse error during conversion from string: "
    address, slash, bits = text.rpartition("/")
    good = re.fullmatch(r"0|[1-9]\d*", bits) is not None and "%" not in address
    try:
        interface = ipaddress.ip_interface(text) if slash and good else None
    except ValueError:
        interface = None
    if interface is None:
        why = ("prefix length out of range" if good else "bad bits after slash") if slash else "no '/'"
        raise EvalError(f'{before}{before}netip.ParsePrefix("{text}"): {why}')
    if isinstance(interface, ipaddress.IPv6Interface) and interface.ip.ipv4_mapped:
        raise EvalError(f'{before}IPv4-mapped IPv6 address "{text}" is not allowed')
    return Cidr(interface)


def _has_ip(cidr: Cidr, ip: Ip) -> bool:
    return ip.address in cidr.interface.network


def _has_cidr(cidr: Cidr, other: Cidr) -> bool:
    outer, inner = cidr.interface.network, other.interface.network
    same = outer.version == inner.version and outer.prefixlen <= inner.prefixlen
    return same and inner.network_address in outer


def _masked(cidr: Cidr) -> Cidr:
    return Cidr(ipaddress.ip_interface(str(cidr.interface.network)))


def _link_local_multicast(ip: Ip) -> bool:
    narrow = "224.0.0.0/24" if ip.address.version == 4 else None
    if narrow:
        return ip.address in ipaddress.ip_network(narrow)
    return ip.address.packed[0] == 0xFF and ip.address.packed[1] & 0x0F == 2


def _global(ip: Ip) -> bool:
    address = ip.address
    broadcast = str(address) == "255.255.255.255"
    special = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    return not (broadcast or special)


# --- quantities and versions ----------------------------------------------------------------------------


def _quantity(text: str) -> Quantity:
    try:
        return Quantity(quantity(text))
    except ValueError as error:
        raise EvalError(str(error)) from error


def _is_whole(value: Quantity) -> bool:
    return value.number == value.number.to_integral_value() and abs(value.number) < 1 << 63


def _whole(value: Quantity) -> int:
    if not _is_whole(value):
        raise EvalError("cannot convert value to integer")
    return int(value.number)


def _sign(one: Any, other: Any) -> int:
    return int(one > other) - int(one < other)


def _semver(text: str, normalize: bool = False) -> Semver:
    """A semantic version; normalized, `v1.2` and `1.02.3` are some too."""
    found = _SEMVER.fullmatch(_normalized(text) if normalize else text)
    if found is None:
        raise EvalError(_why_no_version(text))
    major, minor, patch = (int(n) for n in found.groups()[:3])
    parts = found[4].split(".") if found[4] else []
    ranked = tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts)
    return Semver((major, minor, patch), (major, minor, patch, not parts, ranked))


def _normalized(text: str) -> str:
    parts = [part.lstrip("0") if len(part) > 1 else part for part in text.removeprefix("v").split(".", 2)]
    parts = [part if part[:1].isdigit() else f"0{part}" for part in parts]
    if len(parts) < 3 and re.search(r"[+-]", parts[-1]):
        raise EvalError("short version cannot contain PreRelease/Build meta data")
    return ".".join([*parts, "0", "0"][: max(3, len(parts))])


def _why_no_version(text: str) -> str:
    if not text:
        return "Version string empty"
    parts = text.split(".", 2)
    if len(parts) != 3:
        return "No Major.Minor.Patch elements found"
    for name, part in zip(("major", "minor"), parts, strict=False):
        if not part.isdigit():
            return f'Invalid character(s) found in {name} number "{part}"'
        if len(part) > 1 and part[0] == "0":
            word = name.capitalize()
            return f'{word} number must not contain leading zeroes "{part}"'
    patch = re.split(r"[-+]", parts[2])[0]
    return f'Invalid character(s) found in patch number "{patch}"'


def _validated(named: Format, text: str) -> Optional:
    found = problems(named.name, text)
    return Optional((found,)) if found else NONE


def _constant(value: Any) -> Function:
    return lambda: value


IMPLEMENTATIONS: Mapping[str, Function] = {
    "string_find_string": regexes.find,
    "string_find_all_string": regexes.find_all,
    "string_find_all_string_int": regexes.find_all,
    "string_to_url": _url,
    "is_url_string": _reads(_url),
    "url_get_scheme": lambda url: url.parts.scheme,
    "url_get_host": _host,
    "url_get_hostname": _hostname,
    "url_get_port": _port,
    "url_get_escaped_path": lambda url: url.parts.path,
    "url_get_query": lambda url: parse_qs(url.parts.query, keep_blank_values=True),
    "string_to_quantity": _quantity,
    "is_quantity_string": _reads(_quantity),
    "quantity_sign": lambda value: _sign(value.number, 0),
    "quantity_is_greater_than": lambda one, other: one.number > other.number,
    "quantity_is_less_than": lambda one, other: one.number < other.number,
    "quantity_compare_to": lambda one, other: _sign(one.number, other.number),
    "quantity_get_float": lambda value: float(value.number),
    "quantity_get_int": _whole,
    "quantity_is_integer": _is_whole,
    "quantity_add": lambda one, other: Quantity(one.number + other.number),
    "quantity_add_int": lambda one, number: Quantity(one.number + number),
    "quantity_sub": lambda one, other: Quantity(one.number - other.number),
    "quantity_sub_int": lambda one, number: Quantity(one.number - number),
    "string_to_ip": _ip,
    "is_ip": _reads(_ip),
    "ip_is_canonical": lambda text: str(_ip(text).address) == text,
    "ip_family": lambda ip: ip.address.version,
    "ip_is_unspecified": lambda ip: ip.address.is_unspecified,
    "ip_is_loopback": lambda ip: ip.address.is_loopback,
    "ip_is_link_local_multicast": _link_local_multicast,
    "ip_is_link_local_unicast": lambda ip: ip.address.is_link_local,
    "ip_is_global_unicast": _global,
    "ip_to_string": lambda ip: str(ip.address),
    "string_to_cidr": _cidr,
    "is_cidr": _reads(_cidr),
    "cidr_ip": lambda cidr: Ip(cidr.interface.ip),
    "cidr_contains_ip_string": lambda cidr, text: _has_ip(cidr, _ip(text)),
    "cidr_contains_ip_ip": _has_ip,
    "cidr_contains_cidr_string": lambda cidr, text: _has_cidr(cidr, _cidr(text)),
    "cidr_contains_cidr": _has_cidr,
    "cidr_prefix_length": lambda cidr: cidr.interface.network.prefixlen,
    "cidr_masked": _masked,
    "cidr_to_string": lambda cidr: str(cidr.interface),
    **{f"format.{name}": _constant(Format(name)) for name in FORMATS},
    "format-named": lambda name: Optional((Format(name),)) if name in FORMATS else NONE,
    "format-validate": _validated,
    "string_to_semver": _semver,
    "string_bool_to_semver": _semver,
    "is_semver_string": _reads(_semver),
    "is_semver_string_bool": _reads(_semver),
    "semver_is_greater_than": lambda one, other: one.order > other.order,
    "semver_is_less_than": lambda one, other: one.order < other.order,
    "semver_compare_to": lambda one, other: _sign(one.order, other.order),
    **{
        f"semver_{name}": lambda v, at=at: v.numbers[at]
        for at, name in enumerate(("major", "minor", "patch"))
    },
}
