"""What a verb says while it works, and how it fails.

A verb prints nothing: it is handed a `Voice`. Results that people script against go to `say`; progress,
warnings and checks go to `note`.

    GitopsError
    └── VerbError               a verb could not be carried out
        ├── PreflightError      what has to hold before it, does not
        └── WaitError           what it waited for did not come in time
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gitops_ocm.errors import GitopsError

NAME = "gitops-ocm"
"""What printed commands begin with."""


class VerbError(GitopsError):
    """A verb could not be carried out."""

    code = "verb"


class PreflightError(VerbError):
    """What has to hold before a verb begins, does not."""

    code = "preflight"


class WaitError(VerbError):
    """What was waited for did not come in time."""

    code = "wait-timeout"


@dataclass(frozen=True)
class Voice:
    """Where a verb's words go."""

    say: Callable[[str], None]
    note: Callable[[str], None]


class Preflight:
    """Checks before a verb, told as clusteradm tells them; `done` fails if any of them did."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._errors: list[str] = []
        self._hints: list[str] = []

    def told(self, name: str, *, warnings: Sequence[str] = (), errors: Sequence[str] = ()) -> None:
        """One check and what came of it."""
        for warning in warnings:
            self._voice.note(f"\t[WARNING {name}]: {warning}")
        self._errors += [f"\t[ERROR {name}]: {error}" for error in errors]
        verdict = "Failed" if errors else "Passed"
        self._voice.note(
            f"Preflight check: {name} {verdict} with {len(warnings)} warnings and {len(errors)} errors"
        )

    def failed(self, name: str, error: GitopsError) -> None:
        """One check that an error ended; its hint is kept."""
        self.told(name, errors=[error.message])
        if error.hint:
            self._hints.append(error.hint)

    def done(self) -> None:
        """Go on only if every check passed."""
        if self._errors:
            text = "\n".join(["[preflight] Some fatal errors occurred:", *self._errors])
            raise PreflightError(text, hint="; ".join(self._hints))
