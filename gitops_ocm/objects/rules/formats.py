"""Names, numbers, addresses and selectors as Kubernetes wants them: problems are sentences, faults causes."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import Any

from gitops_ocm.objects.names import (
    key_problems,
    label_problems,
    label_value_problems,
    subdomain_problems,
)
from gitops_ocm.objects.rules.faults import Faults, Value, each_invalid, forbidden, invalid, items, required

MAX_PORT = 65535
MAX_ID = 2**31 - 1
_PORT_NAME = re.compile(r"[-a-z0-9]+")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_CONFIG_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_HEADER = re.compile(r"[-A-Za-z0-9]+")
_HEADER_TEXT = (
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used "
    "for validation is '[-A-Za-z0-9]+')"
)
_WILDCARD = re.compile(r"\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_WILDCARD_TEXT = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must "
    "consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. "
    r"'*.example.com', regex used for validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?"
    r"(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_PERCENT = re.compile(r"[0-9]+%")
_PERCENT_TEXT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex "
    "used for validation is '[0-9]+%')"
)
IP_TEXT = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
CIDR_TEXT = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def between(value: Any, least: int, most: int) -> list[str]:
    """What is wrong with a number that has bounds."""
    return [] if least <= value <= most else [f"must be between {least} and {most}, inclusive"]


def port_problems(value: Any) -> list[str]:
    """What is wrong with a port's number."""
    return between(value, 1, MAX_PORT)


def port_name_problems(name: str) -> list[str]:
    """What is wrong with a port's name."""
    problems = ["must be no more than 15 characters"] if len(name) > 15 else []
    if not _PORT_NAME.fullmatch(name):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", name):
        problems.append("must contain at least one letter (a-z)")
    if "--" in name:
        problems.append("must not contain consecutive hyphens")
    if name[:1] == "-" or name[-1:] == "-":
        problems.append("must not begin or end with a hyphen")
    return problems


def port_or_name(path: str, value: Any) -> Faults:
    """A port by its number or its name."""
    if isinstance(value, str):
        return each_invalid(path, value, port_name_problems(value))
    return each_invalid(path, value or 0, port_problems(value or 0))


def env_name_problems(name: str) -> list[str]:
    """What is wrong with a variable's name: nearly everything can be one."""
    if name and name.isascii() and name.isprintable() and "=" not in name:
        return []
    return [
        "a valid environment variable name must consist only of printable ASCII characters other than '='"
    ]


def config_key_problems(key: str) -> list[str]:
    """What is wrong with a key in a ConfigMap or Secret."""
    problems = ["must be no more than 253 characters"] if len(key) > 253 else []
    if not _CONFIG_KEY.fullmatch(key):
        problems.append(_CONFIG_KEY_TEXT)
    if key in (".", ".."):
        problems.append(f"must not be '{key}'")
    elif key.startswith(".."):
        problems.append("must not start with '..'")
    return problems


def header_problems(name: str) -> list[str]:
    """What is wrong with the name of an HTTP header."""
    return [] if _HEADER.fullmatch(name) else [_HEADER_TEXT]


def id_faults(path: str, value: Any) -> Faults:
    """A user's or group's number."""
    return each_invalid(path, value, between(value, 0, MAX_ID)) if value is not None else iter(())


def is_ip(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def is_cidr(text: str) -> bool:
    """Whether a text is a range of addresses."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def wildcard_problems(name: str) -> list[str]:
    """What is wrong with a name that begins with `*.`."""
    return [] if _WILDCARD.fullmatch(name) else [_WILDCARD_TEXT]


def percent_or_count(path: str, value: Any) -> Faults:
    """A number that is not negative, or a percentage."""
    if isinstance(value, str):
        if not _PERCENT.fullmatch(value):
            yield invalid(path, value, _PERCENT_TEXT)
    elif (value or 0) < 0:
        yield invalid(path, value, "must be greater than or equal to 0")


def percent(value: Any) -> int | None:
    """How many percent; None for a plain number."""
    return int(value[:-1]) if isinstance(value, str) and _PERCENT.fullmatch(value) else None


def at_most_all(path: str, value: Any) -> Faults:
    """No more than 100 percent."""
    if (percent(value) or 0) > 100:
        yield invalid(path, value, "must not be greater than 100%")


def label(path: str, value: str) -> Faults:
    """An RFC 1123 label."""
    return each_invalid(path, value, label_problems(value))


def subdomain(path: str, value: str) -> Faults:
    """An RFC 1123 subdomain."""
    return each_invalid(path, value, subdomain_problems(value))


def qualified(path: str, value: str) -> Faults:
    """A name with an optional domain before it."""
    return each_invalid(path, value, key_problems(value))


def labels(path: str, value: Value | None) -> Faults:
    """A map of labels."""
    for key, text in (value or {}).items():
        yield from each_invalid(path, key, key_problems(key))
        yield from each_invalid(path, text, label_value_problems(text))


def annotation_keys(path: str, value: Value | None) -> Faults:
    """A map of annotations."""
    for key in value or {}:
        yield from each_invalid(path, key, key_problems(key.lower()))


def label_selector(path: str, selector: Value | None) -> Faults:
    """A selector of labels."""
    if not selector:
        return
    yield from labels(f"{path}.matchLabels", selector.get("matchLabels"))
    for at, requirement in items(selector.get("matchExpressions"), f"{path}.matchExpressions"):
        yield from _requirement(at, requirement)


def _requirement(path: str, requirement: Value) -> Faults:
    operator, values = requirement.get("operator") or "", requirement.get("values") or []
    yield from set_operator(path, operator, values)
    key = requirement.get("key") or ""
    yield from each_invalid(f"{path}.key", key, key_problems(key))
    for at, value in items(values, f"{path}.values"):
        yield from each_invalid(at, value, label_value_problems(value))


def set_operator(path: str, operator: str, values: Sequence[Value]) -> Faults:
    """How many values In, NotIn, Exists and DoesNotExist go with; there is no other operator."""
    if operator in ("In", "NotIn"):
        if not values:
            yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield forbidden(
                f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            )
    else:
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")


def relative_path(path: str, value: str) -> Faults:
    """A path inside a directory."""
    if value.startswith("/"):
        yield invalid(path, value, "must be a relative path")
    yield from no_backsteps(path, value)


def no_backsteps(path: str, value: str) -> Faults:
    """A path that leads down alone."""
    if ".." in value.split("/"):
        yield invalid(path, value, "must not contain '..'")


def non_reserved_path(path: str, value: str) -> Faults:
    """A path inside a directory, whose first step does not begin with `..`."""
    yield from relative_path(path, value)
    if value.startswith("..") and not value.startswith("../"):
        yield invalid(path, value, "must not start with '..'")


def duplicates(values: Any) -> Iterator[tuple[int, Any]]:
    """Values that were there before, with their places."""
    seen = []
    for at, value in enumerate(values or ()):
        if value in seen:
            yield at, value
        else:
            seen.append(value)
