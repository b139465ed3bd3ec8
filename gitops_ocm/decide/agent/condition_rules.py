"""Condition rules: conditions of an applied object that its work defines, as CEL or by a well-known name.

`rule_conditions` judges one object, `aggregated` sums its results up for the work. CEL is Kubernetes'
(`objects.cel_functions`), with `object`, in messages `result`, and `hasConditions`. A rule that fails says
why in its condition and never disturbs another.
"""

from __future__ import annotations

import re
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
from gitops_ocm.objects.cel_engine import cel
from gitops_ocm.objects.cel_functions import FUNCTIONS
from gitops_ocm.objects.ref import Object

OWN_TYPES = frozenset({APPLIED, FEEDBACK_SYNCED})
"""Condition types the agent itself keeps; a rule for one would undo it and be undone for ever."""

_FAILURES = (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError)
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
_BOUND = re.compile(r"\.(?:all|exists|exists_one|existsOne|map|filter)\(\s*(\w+)\s*,")
_UNDEFINED = re.compile(r"Undefined variable or function: '([^']+)'")

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
    """What an expression comes to; raises `BadExpression` in the words of OCM's agent, where it can."""
    for name in sorted(_names(text) - set(variables)):
        raise _undeclared(text, name)
    try:
        return _program(text).execute(cel.Context(variables=dict(variables), functions=dict(_FUNCTIONS)))
    except KeyError as error:
        raise BadExpression(f"no such key: {error.args[0]}") from error
    except ZeroDivisionError as error:
        raise BadExpression("division by zero") from error
    except _FAILURES as error:
        if unknown := _UNDEFINED.match(str(error)):
            raise _undeclared(text, unknown[1]) from error
        raise BadExpression(str(error)) from error


def _undeclared(text: str, name: str) -> BadExpression:
    at = re.search(rf"(?<![\w.]){re.escape(name)}\b", text)
    column = (at.start() if at else 0) + 1
    where = f"ERROR: <input>:1:{column}: undeclared reference to '{name}' (in container '')"
    return BadExpression(f"{where}\n | {text}\n | {'.' * (column - 1)}^")


@lru_cache(maxsize=1024)
def _program(text: str) -> Any:
    try:
        return cel.compile(text)
    except ValueError as error:
        _, _, told = str(error).partition("ERROR: ")
        raise BadExpression(f"ERROR: {told or error}".replace("\n| ", "\n | ")) from error


@lru_cache(maxsize=1024)
def _names(text: str) -> frozenset[str]:
    """The free variables: all but those that macros such as `exists(c, …)` bind."""
    return frozenset(map(str, _program(text).variables())) - frozenset(_BOUND.findall(text))


def _has_conditions(status: Any) -> bool:
    found = status.get("conditions") if isinstance(status, Mapping) else None
    return isinstance(found, list) and bool(found)


_FUNCTIONS = {**FUNCTIONS, "hasConditions": _has_conditions}


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
