"""jq expressions that name fields of an object: `.spec.containers[] | select(.name == "x") | .image`.

The language is jq's own library. Only words that find fields are let through: what could run for ever or
look at anything but the object (`def`, `repeat`, `env`, `input`, …) is refused before it is run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jq

from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.paths import Step

LONGEST = 4096
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
_WORDS = re.compile(r"(?<![.\w$])[a-zA-Z_]\w*|\$\w*")
_ALLOWED = frozenset(
    (
        *("select", "has", "test", "startswith", "endswith", "contains", "inside", "any", "all", "not"),
        *("and", "or", "first", "last", "length", "type", "tostring", "tonumber", "ascii_downcase", "keys"),
        *("null", "true", "false", "empty", "if", "then", "elif", "else", "end", "objects", "arrays"),
        *("strings", "numbers", "booleans", "scalars", "values", "nulls", "getpath", "path", "paths"),
    )
)


class BadExpression(GitopsError):
    """An expression that is not jq, names no fields, or uses words that are not let through."""

    code = "jq"


def jq_paths(expression: str, value: Mapping[str, Any]) -> list[list[Step]]:
    """The path of every field that an expression names in a value; deepest and last first.

    In this order they can be taken out one after another, as `del` does. Raises `BadExpression`.
    """
    try:
        found = _program(expression).input_value(value).first()
    except (ValueError, StopIteration) as error:
        raise BadExpression(f"jq expression returned error: {error}") from error
    return [list(path) for path in reversed(found)]


@lru_cache(maxsize=256)
def _program(expression: str) -> Any:
    if len(expression) > LONGEST:
        raise BadExpression("jq expression is too long", hint=f"write it in {LONGEST} characters")
    inside = ["\\("] if "\\(" in expression else []  # text with an expression in it
    for word in [*inside, *_WORDS.findall(_STRINGS.sub('""', expression))]:
        if word not in _ALLOWED:
            raise BadExpression(
                f"jq expression uses {word!r}, which does not name a field",
                hint="use paths, select(...) and comparisons",
            )
    try:
        return jq.compile(f"[path({expression})] | sort")
    except ValueError as error:
        told = str(error).partition("\n")[0]
        raise BadExpression(f"failed to parse jq expression: {told}") from error
