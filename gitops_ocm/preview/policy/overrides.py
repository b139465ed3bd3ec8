"""What commits let through: the trailer `Gitops-Override: RULE: REASON`.

Which lines of a message are trailers git says (`git.trailers`); what such a line says is read here. One that
gives no reason, or names no rule, lets nothing through, and is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gitops_ocm.desired.policy import OWN_RULE
from gitops_ocm.desired.suggest import nearest
from gitops_ocm.errors import Diagnostic, Location, Severity

TRAILER = "Gitops-Override"
_LONGEST = 500


@dataclass(frozen=True)
class Override:
    """A commit's word that what a rule refuses is meant."""

    rule: str
    reason: str
    commit: str = ""


def read_override(text: str, commit: str) -> Override:
    """What a trailer says; whether that is anything is `problems`' to tell."""
    rule, _, reason = text.partition(":")
    return Override(rule.strip(), " ".join(reason.split())[:_LONGEST], commit)


def read_overrides(trailers: Iterable[tuple[str, str]]) -> tuple[Override, ...]:
    """Those in (commit, text) of a range's trailers."""
    return tuple(read_override(text, commit) for commit, text in trailers)


def chosen(rule: str, overrides: Iterable[Override]) -> Override | None:
    """The one that lets a rule's refusal through: the newest, as they come in the order of `git log`."""
    return next((o for o in overrides if o.rule == rule and o.reason), None)


def problems(overrides: Iterable[Override], rules: Collection[str]) -> Iterable[Diagnostic]:
    """Overrides that let nothing through."""
    known = {*rules, OWN_RULE}
    for override in overrides:
        if override.rule not in known:
            why = f"{TRAILER} names no rule: {override.rule[:63]!r}"
            yield _problem(
                override, why, nearest(override.rule, known) or f"rules: {', '.join(sorted(known))}"
            )
        elif not override.reason:
            why = f"{TRAILER} of the rule {override.rule!r} gives no reason, and lets nothing through"
            yield _problem(override, why, f"write {TRAILER}: {override.rule}: why it is meant")


def _problem(override: Override, why: str, hint: str) -> Diagnostic:
    where = Location(commit=override.commit)
    return Diagnostic("policy-override", why, where, hint=hint, severity=Severity.WARNING)
