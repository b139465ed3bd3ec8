"""Condition rules: conditions of an applied object that its work defines, as CEL or by a well-known name.

`rule_conditions` judges one object, `aggregated` sums its results up for the work. CEL is Kubernetes'
(`objects.cel`), with `object`, in messages `result`, and `hasConditions`. A rule that fails says
why in its condition and never disturbs another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.work import (
    APPLIED,
    AVAILABLE,
    COMPLETE,
    FEEDBACK_SYNCED,
    PROGRESSING,
    RULE_EVALUATED_REASON,
    RULE_EXPRESSION_ERROR_REASON,
    RULE_REASON_PREFIX,
    RULES_AGGREGATED_REASON,
)
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.cel.declarations import declared, kubernetes
from gitops_ocm.objects.cel.environment import Environment, Program
from gitops_ocm.objects.cel.faults import CompileError
from gitops_ocm.objects.cel.functions import IMPLEMENTATIONS
from gitops_ocm.objects.cel.types import BOOL, DYN
from gitops_ocm.objects.ref import Object

OWN_TYPES = frozenset({APPLIED, FEEDBACK_SYNCED})
"""Condition types the agent itself keeps; a rule for one would undo it and be undone for ever."""

_KINDS: Mapping[type, str] = {
    bool: "bool",
    int: "int64",
    float: "float64",
    str: "string",
    type(None): "structpb.NullValue",
    list: "[]ref.Val",
    dict: "map[ref.Val]ref.Val",
}
"""How OCM's agent names the types of results."""

WELL_KNOWN: Mapping[tuple[str, str, str], Mapping[str, Any]] = {
    ("batch/v1", "Job", COMPLETE): {
        "condition": COMPLETE,
        "celExpressions": [
            "hasConditions(object.status)",
            "object.status.conditions.exists(c, c.type in ['Complete', 'Failed'] && c.status == 'True')",
        ],
        "messageExpression": 'result ? "Job is finished" : "Job is not finished"',
    },
    ("v1", "Pod", COMPLETE): {
        "condition": COMPLETE,
        "celExpressions": ["object.status.phase in ['Succeeded', 'Failed']"],
        "messageExpression": '"Pod is in phase " + object.status.phase',
    },
}
"""The rules of `WellKnownConditions`, by apiVersion, kind and condition."""


class BadExpression(GitopsError):
    """An expression that is not CEL, fails, or has a result of the wrong type."""

    code = "condition-rule"


def is_from_rule(condition: Mapping[str, Any]) -> bool:
    """Whether a condition was made by a rule, or summed up from such."""
    return str(condition.get("reason", "")).startswith(RULE_REASON_PREFIX)


def pruned(conditions: Iterable[Mapping[str, Any]], generation: int) -> list[Object]:
    """The conditions without those of rules that this generation no longer has."""
    return [dict(c) for c in conditions if not is_from_rule(c) or c.get("observedGeneration") == generation]


def rule_conditions(rules: Sequence[Mapping[str, Any]], live: Object) -> list[KnownCondition]:
    """What the rules say of an object; a well-known condition that its kind has not says nothing."""
    found = []
    for rule in rules:
        if rule.get("type") == "WellKnownConditions":
            known = WELL_KNOWN.get((live["apiVersion"], live["kind"], rule.get("condition", "")))
            if known is None:
                continue
            own = {k: rule[k] for k in ("message", "messageExpression") if rule.get(k)}
            rule = {**known, **own}
        if rule["condition"] not in OWN_TYPES:
            found.append(_judged(rule, live))
    return found


def _judged(rule: Mapping[str, Any], live: Object) -> KnownCondition:
    try:
        holds = all(_holds(text, live) for text in rule.get("celExpressions") or ())
    except BadExpression as error:
        return KnownCondition(rule["condition"], "False", RULE_EXPRESSION_ERROR_REASON, error.message)
    status = "True" if holds else "False"
    return KnownCondition(rule["condition"], status, RULE_EVALUATED_REASON, _message(rule, live, holds))


def _holds(text: str, live: Object) -> bool:
    value = _value(text, {"object": live})
    if not isinstance(value, bool):
        raise BadExpression(f"expected bool result, got {_kind(value)}")
    return value


def _message(rule: Mapping[str, Any], live: Object, holds: bool) -> str:
    """The expression's text, else the fixed one, else a plain one; a failing expression says so."""
    if text := rule.get("messageExpression"):
        try:
            value = _value(text, {"object": live, "result": holds})
        except BadExpression as error:
            return error.message.partition("\n | ")[0]
        if not isinstance(value, str):
            return f"expected message expression to have a string result, got {_kind(value)}"
        if value:
            return value
    return rule.get("message") or f"Manifest is {'' if holds else 'not '}{rule['condition']}"


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), type(value).__name__)


def _value(text: str, variables: Mapping[str, Any]) -> Any:
    """What an expression comes to; raises `BadExpression` in the words of OCM's agent."""
    try:
        result = _program(text, "result" in variables).run(variables)
    except CompileError as error:
        raise BadExpression(error.message) from error
    if result.error:
        raise BadExpression(result.error)
    return result.value


@lru_cache(maxsize=1024)
def _program(text: str, with_result: bool) -> Program:
    variables = {"object": DYN, "result": BOOL} if with_result else {"object": DYN}
    return Environment(variables, _FUNCTIONS, _IMPLEMENTATIONS, strict=False).compile(text)


def _has_conditions(status: Any) -> bool:
    found = status.get("conditions") if isinstance(status, Mapping) else None
    return isinstance(found, list) and bool(found)


_FUNCTIONS = {**kubernetes(), **declared(["hasConditions status_has_conditions (dyn) bool"])}
_IMPLEMENTATIONS = {**IMPLEMENTATIONS, "status_has_conditions": _has_conditions}


def aggregated(entries: Sequence[Mapping[str, Any]]) -> list[KnownCondition]:
    """The work's condition of each type that rules of its manifests define, in the order of types."""
    by_type: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        for condition in entry.get("conditions") or ():
            if is_from_rule(condition) and condition["type"] != AVAILABLE:
                by_type.setdefault(condition["type"], []).append(condition)
    return [_sum(name, found) for name, found in sorted(by_type.items())]


def _sum(type: str, found: Sequence[Mapping[str, Any]]) -> KnownCondition:
    """False wins, then Unknown; of Progressing True wins, for one that progresses is enough."""
    order = ("True", "Unknown", "False") if type == PROGRESSING else ("False", "Unknown", "True")
    held = {c["status"] for c in found}
    status = next(s for s in order if s in held)
    message = found[0].get("message") if len(found) == 1 else ""
    text = message or f"Aggregated from {len(found)} manifest conditions"
    return KnownCondition(type, status, RULES_AGGREGATED_REASON, text)
