"""What is to be said at a place in a file, in one form: for annotations of CI systems (`junit`, `sarif`).

Problems and warnings of a commit are findings, and so are the rules of its policy that refuse it. A finding's
`rule` is a stable id: a diagnostic's code, or `policy/` and the name of the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from gitops_ocm.errors import Diagnostic, Location, Severity
from gitops_ocm.preview.formats.words import short, subject_of, visible
from gitops_ocm.preview.model import Preview, Ruling, Verdict

POLICY = "policy"
LAYOUT = "gitops-ocm.yaml"
"""Where what concerns the whole repository is shown, as annotations need a file."""


class Level(StrEnum):
    """How bad it is, in SARIF's words."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing to say. `meant` is why it counts no more: somebody says it is meant."""

    rule: str
    level: Level
    message: str
    where: Location
    about: str = ""
    subject: str = ""
    meant: str = ""


def findings(found: Preview) -> tuple[Finding, ...]:
    """All of a preview: problems, warnings, then rules."""
    return (*of_diagnostics(found.diagnostics), *_rulings(found.rulings))


def of_diagnostics(found: Iterable[Diagnostic]) -> tuple[Finding, ...]:
    """Problems and warnings, wherever they were found."""
    return tuple(
        Finding(
            problem.code,
            Level.ERROR if problem.severity is Severity.ERROR else Level.WARNING,
            _message(problem),
            problem.where,
            problem.code.replace("-", " "),
            subject_of(problem.subject),
        )
        for problem in found
    )


def _message(found: Diagnostic) -> str:
    subject = f"{subject_of(found.subject)}: " if found.subject else ""
    more = "".join(f"; {visible(text)}" for text in (found.note, found.hint) if text)
    return f"{subject}{visible(found.message)}{more}"


def _rulings(found: Iterable[Ruling]) -> Iterator[Finding]:
    for ruling in found:
        if ruling.verdict is Verdict.ALLOWED:
            continue
        meant = ruling.verdict is Verdict.OVERRIDDEN
        yield Finding(
            f"{POLICY}/{ruling.rule}",
            Level.NOTE if meant else Level.ERROR,
            visible(ruling.message) or f"the rule {visible(ruling.rule)} refuses this change",
            ruling.where,
            f"rule {visible(ruling.rule)} of the repository's policy",
            meant=f"{visible(ruling.override)} (commit {short(ruling.by)})" if meant else "",
        )
