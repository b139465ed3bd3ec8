"""What can be wrong with a Placement as such: its selectors, tolerations, scores and groups.

The scheduler asks it when it decides (`decide.placement`), the sync before anything is written (`desired`).
Faults are told in the words of OCM's scheduler and of apimachinery. Its expressions are
`placement_expressions`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from gitops_ocm.objects.names import key_problems

# --- selectors --------------------------------------------------------------------------------------

_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_INVALID_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def selector_fault(selector: Mapping[str, Any] | None) -> str:
    """What is wrong with a LabelSelector, in apimachinery's words; `""` if nothing is."""
    if selector is None:
        return ""
    for key, value in sorted((selector.get("matchLabels") or {}).items()):
        if fault := _check_value(key, value):
            return fault
    for expression in selector.get("matchExpressions") or ():
        key, operator = expression.get("key", ""), expression.get("operator", "")
        if fault := _check_expression(key, operator, tuple(expression.get("values") or ())):
            return fault
    return ""


@lru_cache(maxsize=4096)
def _check_expression(key: str, operator: str, values: tuple[str, ...]) -> str:
    if operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
        return f'"{operator}" is not a valid label selector operator'
    if operator in ("In", "NotIn") and not values:
        return "values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty"
    if operator in ("Exists", "DoesNotExist") and values:
        shown = ",".join(f'"{v}"' for v in values)
        return f"values: Invalid value: [{shown}]: values set must be empty for exists and does not exist"
    if faults := key_problems(key):
        return f'key: Invalid value: "{key}": {"; ".join(faults)}'
    return next((fault for at, v in enumerate(values) if (fault := _check_value(key, v, at))), "")


def _check_value(key: str, value: str, at: int = 0) -> str:
    if len(value) > 63:
        return f'values[{at}][{key}]: Invalid value: "{value}": must be no more than 63 bytes'
    if not _LABEL_VALUE.fullmatch(value):
        return f'values[{at}][{key}]: Invalid value: "{value}": {_INVALID_VALUE}'
    return ""


# --- the rest ---------------------------------------------------------------------------------------

BUILT_IN = frozenset({"Balance", "Steady", "ResourceAllocatableCPU", "ResourceAllocatableMemory"})
"""The scheduler's own scores."""
_PERCENT = re.compile(r"([0-9]+)%")


def toleration_fault(toleration: Mapping[str, Any]) -> str:
    """What is wrong with a toleration; `""` if nothing is."""
    exists = toleration.get("operator") == "Exists"
    if not toleration.get("key") and not exists:
        return "If the key is empty, operator must be Exists."
    if exists and toleration.get("value"):
        return "If the operator is Exists, the value should be empty."
    return ""


def mode_fault(policy: Mapping[str, Any]) -> str:
    """What is wrong with the mode of a prioritizer policy."""
    mode = policy.get("mode") or "Additive"
    return "" if mode in ("Additive", "Exact") else f"incorrect prioritizer policy mode: {mode}"


def score_fault(coordinate: Mapping[str, Any]) -> str:
    """What is wrong with the score that a configuration (of a weight that counts) names."""
    if coordinate.get("type", "BuiltIn") != "BuiltIn":
        return "" if coordinate.get("addOn") else "addOn should not be empty"
    name = coordinate.get("builtIn", "")
    return "" if name in BUILT_IN else f"incorrect builtin prioritizer: {name}"


def percent_of(size: object) -> int | None:
    """The number of `"25%"`; None for what is no percentage."""
    found = _PERCENT.fullmatch(str(size))
    return int(found[1]) if found else None


def group_size_fault(size: object) -> str:
    """What is wrong with `clustersPerDecisionGroup`."""
    if size is None or isinstance(size, int) or percent_of(size) is not None:
        return ""
    return f"{size} invalid type: string is not a percentage"
