"""What can be wrong with a Placement as such: its selectors, expressions, tolerations, scores and groups.

The scheduler asks it when it decides (`decide.placement`), the sync before anything is written (`desired`).
Faults are told in the words of OCM's scheduler and of apimachinery.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any

from gitops_ocm.objects.cel.declarations import Functions, declared, kubernetes
from gitops_ocm.objects.cel.environment import CALL_LIMIT, Environment
from gitops_ocm.objects.cel.faults import CompileError, EvalError
from gitops_ocm.objects.cel.functions import IMPLEMENTATIONS
from gitops_ocm.objects.cel.patience import OutOfPatience, Patience, hasty
from gitops_ocm.objects.cel.tree import Node
from gitops_ocm.objects.cel.types import DYN, STRING, Type, map_of
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


# --- expressions ------------------------------------------------------------------------------------

FUNCTIONS: Functions = {
    **kubernetes(),
    **declared(
        [
            "scores cluster_scores dyn.(string) list(dyn)",
            "parseJSON parse_json_string string.() dyn",
        ]
    ),
}
"""What expressions of placements may call: OCM's own functions beside those of Kubernetes."""
VARIABLE = "managedCluster"
VARIABLES: Mapping[str, Type] = {VARIABLE: map_of(STRING, DYN)}


@lru_cache(maxsize=1024)
def checked_expression(text: str) -> Node:
    """The tree of an expression over `managedCluster`; raises `CompileError`."""
    return Environment(VARIABLES, FUNCTIONS, strict=False).check(text)


LONGEST = 20_000
"""Characters of all expressions of a selector: each takes five millionths of a second to compile."""


def expressions_fault(texts: Sequence[str]) -> str:
    """What is wrong with the expressions of a selector beside what is wrong with each."""
    length = sum(map(len, texts))
    return f"{length} characters of expressions: at most {LONGEST} are allowed" if length > LONGEST else ""


def expression_fault(text: str) -> str:
    """What is wrong with an expression; `""` if it compiles."""
    try:
        checked_expression(text)
    except CompileError as fault:
        return f"compilation failed: {fault.message}"
    return ""


_BARE: Mapping[str, Any] = {"metadata": {"name": "cluster"}, "spec": {}, "status": {}}
_STEPS = 300_000


def _unknown(*_: Any) -> Any:
    raise EvalError("this is not known without a cluster")


_WITHOUT_CLUSTERS = {**IMPLEMENTATIONS, "cluster_scores": _unknown, "parse_json_string": _unknown}


@lru_cache(maxsize=1024)
def too_dear(text: str) -> bool:
    """Whether an expression that compiles costs more than it may even on a cluster of nothing but a name."""
    program = Environment(VARIABLES, FUNCTIONS, _WITHOUT_CLUSTERS, strict=False).plan(
        checked_expression(text)
    )
    steps = count()
    try:  # what takes so many steps that cost nothing is not known
        with hasty(Patience(lambda: next(steps) > _STEPS, CALL_LIMIT + 1)):
            return program.run({VARIABLE: _BARE}).cost > CALL_LIMIT
    except OutOfPatience:
        return False


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
