"""How this command line talks: consoles, error blocks, diagnostics.

Results go to standard output, everything else to standard error. Colour only on a terminal and
never with `NO_COLOR` (rich sees to both).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NoReturn

from rich.console import Console
from rich.text import Text

from gitops_ocm.errors import Diagnostic, DiagnosticsError, GitopsError, Severity

MOST_PROBLEMS = 50
"""So many problems are printed one by one; the rest is counted."""


class _Console(Console):
    """Rich's own ends with 1 when nobody reads on, which here means a difference."""

    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError


@cache
def out() -> Console:
    """Standard output."""
    return _Console(highlight=False, soft_wrap=True)


@cache
def err() -> Console:
    """Standard error."""
    return _Console(stderr=True, highlight=False, soft_wrap=True)


def print_error(error: GitopsError) -> None:
    """One readable block: what happened, where, why, what to do."""
    console = err()
    title = Text("error: ", style="bold red")
    title.append(error.message, style="bold")
    console.print(title)
    _details(str(error.where), error.note, error.hint)
    if isinstance(error, DiagnosticsError):
        print_diagnostics(error.diagnostics)


def _details(where: str, note: str, hint: str) -> None:
    for label, text in (("where", where), ("note", note), ("hint", hint)):
        if text:
            err().print(Text(f"  {label}: ", style="dim").append(text, style="default"))


def print_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Each problem on a line `path:line@commit: subject: message`, its note and hint below.

    Where there are too many, what is left out are warnings rather than errors.
    """
    problems = list(diagnostics)
    if len(problems) > MOST_PROBLEMS:
        problems.sort(key=lambda problem: problem.severity is not Severity.ERROR)
    for problem in problems[:MOST_PROBLEMS]:
        style = "red" if problem.severity is Severity.ERROR else "yellow"
        line = Text(f"{problem.severity.value} ", style=style)
        place = str(problem.where)
        if place:
            line.append(f"{place}: ", style="bold")
        if problem.subject:
            line.append(f"{problem.subject}: ")
        line.append(problem.message)
        line.append(f"  [{problem.code}]", style="dim")
        err().print(line)
        _details("", problem.note, problem.hint)
    if len(problems) > MOST_PROBLEMS:
        err().print(f"... and {len(problems) - MOST_PROBLEMS} more")
