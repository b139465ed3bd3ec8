"""What CEL expressions of placements may call: OCM's own functions beside those of Kubernetes.

    managedCluster.scores("usage")     the scores of an AddOnPlacementScore of the cluster
    "...".parseJSON()                  the value a text of JSON stands for
    semver("1.2.3"), ip("..."), cidr("...")

A function that fails answers null instead of raising: whatever is done with that fails inside the
expression, which then does not match, and the interpreter has nothing to print.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from gitops_ocm.decide.writes import name_of, status_of
from gitops_ocm.objects.cel_functions import FUNCTIONS as KUBERNETES
from gitops_ocm.objects.ref import Object

Function = Callable[..., Any]
ScoreObject = Callable[[str, str], Object | None]
"""Finds the AddOnPlacementScore of a cluster by its name."""

_NUMBER = r"(0|[1-9]\d*)"
_PART = r"(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_PART}(?:\.{_PART})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
Version = Mapping[str, Any]


def no_scores(cluster: str, name: str) -> None:
    """What is found where there are no scores to look into."""


def functions(score_object: ScoreObject) -> dict[str, Function]:
    """All functions, with `scores` looking into what `score_object` finds."""

    def scores(cluster: Mapping[str, Any], name: str) -> list[dict[str, Any]] | None:
        found = score_object(name_of(cluster), name)
        if found is None:
            return None
        held = status_of(found).get("scores") or ()
        return [{"name": s.get("name", ""), "value": int(s.get("value", 0))} for s in held]

    return {name: _answering(function) for name, function in {**_PLAIN, "scores": scores}.items()}


def _answering(function: Function) -> Function:
    def answer(*args: Any) -> Any:
        try:
            return function(*args)
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
            return None

    return answer


# --- versions ---------------------------------------------------------------------------------------


def _semver(text: str) -> Version:
    """A version as a map: the interpreter has no type for it. A leading `v` is none of it."""
    found = _SEMVER.fullmatch(text)
    if found is None:
        raise ValueError(text)
    numbers = dict(zip(("major", "minor", "patch"), map(int, found.groups()[:3]), strict=True))
    return {**numbers, "pre": found[4] or ""}


def _order(version: Version) -> tuple[Any, ...]:
    """What versions are compared by: a pre-release is before its release, its numbers before its words."""
    parts = str(version["pre"]).split(".") if version["pre"] else []
    ranked = tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts)
    return version["major"], version["minor"], version["patch"], not parts, ranked


def _compared(a: Any, b: Any) -> int:
    if isinstance(a, Mapping):
        left, right = _order(a), _order(b)
        return (left > right) - (left < right)
    return int(KUBERNETES["compareTo"](a, b))


# --- addresses --------------------------------------------------------------------------------------


def _address(text: str) -> str:
    """An address is its text; of a CIDR, the address in it."""
    return str(ipaddress.ip_interface(text).ip if "/" in text else ipaddress.ip_address(text))


def _cidr(text: str) -> str:
    if "/" not in text:
        raise ValueError(text)
    return str(ipaddress.ip_interface(text))


def _contains_ip(cidr: str, address: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_interface(cidr).network


def _contains_cidr(cidr: str, inner: str) -> bool:
    outside, inside = (ipaddress.ip_interface(c).network for c in (cidr, inner))
    return outside.version == inside.version and inside.subnet_of(outside)  # type: ignore[arg-type]


_PLAIN: Mapping[str, Function] = {
    **KUBERNETES,
    "parseJSON": json.loads,
    "semver": _semver,
    "isSemver": lambda text: _SEMVER.fullmatch(text) is not None,
    "major": lambda version: version["major"],
    "minor": lambda version: version["minor"],
    "patch": lambda version: version["patch"],
    "compareTo": _compared,
    "isGreaterThan": lambda a, b: _compared(a, b) > 0,
    "isLessThan": lambda a, b: _compared(a, b) < 0,
    "ip": _address,
    "family": lambda address: ipaddress.ip_address(address).version,
    "isLoopback": lambda address: ipaddress.ip_address(address).is_loopback,
    "isUnspecified": lambda address: ipaddress.ip_address(address).is_unspecified,
    "cidr": _cidr,
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    "masked": lambda cidr: str(ipaddress.ip_interface(cidr).network),
    "prefixLength": lambda cidr: ipaddress.ip_interface(cidr).network.prefixlen,
}

NAMES = frozenset(_PLAIN) | {"scores"}
"""What may be called, beside what the language itself has."""
