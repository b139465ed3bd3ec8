"""Conditions in CEL about a write: what match conditions and admission policies say. Pure.

Rules of schemas are `schema_rules`; both stand on the evaluator of `cel_engine`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gitops_ocm.objects.cel_engine import cel
from gitops_ocm.objects.cel_functions import FUNCTIONS

FAILURES = (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError)
"""What an evaluation may end in."""


class ConditionFailed(Exception):
    """An expression that came to no value; the text says why."""


@dataclass(frozen=True)
class Outcome:
    """Whether conditions hold, or why that cannot be said."""

    holds: bool
    error: str = ""


def evaluated(expression: str, variables: Mapping[str, Any]) -> Any:
    """What an expression comes to; raises ConditionFailed."""
    try:
        context = cel.Context(variables=dict(variables), functions=dict(FUNCTIONS))
        return _program(expression).execute(context)
    except FAILURES as error:
        why = f"no such key: {error.args[0]}" if isinstance(error, KeyError) else str(error)
        raise ConditionFailed(f"expression '{expression.strip()}' resulted in error: {why}") from None


@lru_cache(maxsize=1024)
def _program(text: str) -> Any:
    return cel.compile(text)


def all_hold(conditions: Iterable[Mapping[str, Any]], variables: Mapping[str, Any]) -> Outcome:
    """Whether every condition holds: one that does not outweighs any that cannot be told."""
    errors = []
    for condition in conditions:
        try:
            if evaluated(str(condition.get("expression")), variables) is not True:
                return Outcome(holds=False)
        except ConditionFailed as error:
            errors.append(str(error))
    if not errors:
        return Outcome(holds=True)
    return Outcome(holds=False, error=errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]")
