"""What can go wrong, said so that a person can act on it.

    GitopsError                 the root of every error this package raises on purpose
    └── DiagnosticsError        one or more problems found in what a person wrote

Each package draws its own branch in its own module (`objects.faults`, `git.errors`, ...). An
error carries fields, never a formatted page: `cli` is the only place that lays them out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How bad a `Diagnostic` is: an `ERROR` stops the commit, a `WARNING` does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, order=True)
class Location:
    """Where something was written: a path in a tree, a line (1-based, 0 if unknown), a commit."""

    path: str = ""
    line: int = 0
    commit: str = ""
    column: int = 0

    def __str__(self) -> str:
        text = self.path
        if self.line:
            text += f":{self.line}"
        if self.commit:
            text += f"@{self.commit[:12]}"
        return text


@dataclass(frozen=True)
class Diagnostic:
    """One problem: what happened, where, and what to do.

    `code` is stable and machine readable (`yaml-duplicate-key`); `subject` names the object it is
    about (`ConfigMap default/a`); `note` says whose problem it is or gives context; `hint` is the
    next step.
    """

    code: str
    message: str
    where: Location = field(default_factory=Location)
    subject: str = ""
    note: str = ""
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = str(self.where)
        parts = [place] if place else []
        if self.subject:
            parts.append(self.subject)
        parts.append(self.message)
        return ": ".join(parts)


class GitopsError(Exception):
    """The root. `message` says what happened, `hint` what to do, `where` points at the source.

    Arguments are text for people: never put a secret, a token or a request body in them.
    """

    code: str = "error"

    def __init__(
        self, message: str, *, hint: str = "", note: str = "", where: Location | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.note = note
        self.where = where or Location()

    def diagnostic(self) -> Diagnostic:
        """This error as a value that a report can print."""
        return Diagnostic(self.code, self.message, self.where, note=self.note, hint=self.hint)


class DiagnosticsError(GitopsError):
    """What a person wrote has problems; all of them are in `diagnostics`."""

    code = "invalid"

    def __init__(self, message: str, diagnostics: Iterable[Diagnostic], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.diagnostics = tuple(diagnostics)
