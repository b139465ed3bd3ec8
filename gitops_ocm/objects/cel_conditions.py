"""Conditions in CEL about a write: what match conditions and admission policies say. Pure.

Of what they name nothing is known before they are asked, but of who asks (`cel_authorizer`). Rules of schemas
are `schema_rules`; all of them stand on the package `cel`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gitops_ocm.objects import cel_authorizer
from gitops_ocm.objects.cel.environment import Environment, Program
from gitops_ocm.objects.cel.faults import CompileError
from gitops_ocm.objects.cel.types import DYN, Type
from gitops_ocm.objects.cel_authorizer import IMPLEMENTATIONS, RESOURCE_CHECK
from gitops_ocm.objects.cel_authorizer import functions as authorizing

AUTHORIZER, REQUEST_RESOURCE = "authorizer", "authorizer.requestResource"
_TYPES: Mapping[str, Type] = {AUTHORIZER: cel_authorizer.AUTHORIZER, REQUEST_RESOURCE: RESOURCE_CHECK}
"""Variables whose types are known before there are values."""


class ConditionFailed(Exception):
    """An expression that came to no value; the text says why."""


@dataclass(frozen=True)
class Outcome:
    """Whether conditions hold, or why that cannot be said."""

    holds: bool
    error: str = ""


def evaluated(expression: str, variables: Mapping[str, Any]) -> Any:
    """What an expression comes to; raises ConditionFailed."""
    failed = f"expression '{expression.strip()}' resulted in error"
    try:
        result = compiled(expression, frozenset(variables)).run(variables)
    except CompileError as error:
        raise ConditionFailed(f"{failed}: {error.message}") from error
    if result.error:
        raise ConditionFailed(f"{failed}: {result.error}")
    return result.value


@lru_cache(maxsize=1024)
def compiled(text: str, names: frozenset[str]) -> Program:
    """The program for an expression that may name these; raises CompileError."""
    known = {name: _TYPES.get(name, DYN) for name in names}
    return Environment(known, authorizing(), IMPLEMENTATIONS).compile(text)


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
