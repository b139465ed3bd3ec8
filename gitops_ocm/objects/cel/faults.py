"""What goes wrong with an expression: before it runs (`CompileError`), or while it does (`EvalError`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gitops_ocm.errors import GitopsError

_MOST_SHOWN = 100
LONGEST_TEXT = 16 * 1024 * 1024
"""Characters of a text that an expression may make."""


class Issue(NamedTuple):
    """One fault, and the offset in the text it is about."""

    at: int
    message: str


class CompileError(GitopsError):
    """A text that is no expression, or one that cannot have a value."""

    code = "cel"

    def __init__(self, text: str, issues: Iterable[Issue]) -> None:
        self.issues = tuple(sorted(issues, key=lambda issue: issue.at))
        super().__init__("\n".join(_shown(text, issue) for issue in self.issues[:_MOST_SHOWN]))


class EvalError(Exception):
    """An evaluation that has no value; a function of the language may still make something of it."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class CostExceeded(Exception):
    """An evaluation that was stopped; no expression can catch it."""

    message = "operation cancelled: actual cost limit exceeded"


def of_length(characters: int) -> None:
    """Stop what would make a text longer than any that can be sent, whatever it costs by its price."""
    if characters > LONGEST_TEXT:
        raise CostExceeded


def _shown(text: str, issue: Issue) -> str:
    """A fault with the line it is in and a pointer, as every CEL implementation prints it."""
    if issue.at < 0:
        return f"ERROR: <input>:-1:0: {issue.message}"
    before = text[: issue.at]
    line, start = before.count("\n"), before.rfind("\n") + 1
    where = f"ERROR: <input>:{line + 1}:{issue.at - start + 1}: {issue.message}"
    source = text.split("\n")[line].replace("\t", " ")
    dots = "".join("．" if ord(c) > 127 else "." for c in before[start:])
    at = source[issue.at - start : issue.at - start + 1]
    return f"{where}\n | {source}\n | {dots}{'＾' if at and ord(at) > 127 else '^'}"
