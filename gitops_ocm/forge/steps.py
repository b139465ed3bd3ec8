"""What to do next so that a pull request has one comment of ours, with the newest preview in it.

Level-triggered, as all decisions here: everything is read, one step is taken, everything is read again. Two
runs of CI may do that at once. The oldest comment of ours stays, whichever run wrote it, and nobody ever
deletes it: of two runs that both found none and both wrote one, the second sees the first's. A run whose
commit is no longer the pull request's head writes nothing over what a newer one may have written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gitops_ocm.forge.bodies import mark_of
from gitops_ocm.forge.model import Change, Comment

SHORTEST = 7
"""So many digits of a commit tell it from all others; Bitbucket shows twelve."""


class Outcome(StrEnum):
    """How it ended."""

    POSTED = "posted"
    UNCHANGED = "unchanged"
    OUTDATED = "outdated"
    """The pull request is at another commit by now: its own run says what that does."""
    CLOSED = "closed"
    """Nobody reviews it any more."""


@dataclass(frozen=True)
class Wanted:
    """The comment as it should be: of which fleet, at which commit of the pull request."""

    fleet: str
    head: str
    body: str


@dataclass(frozen=True)
class Seen:
    """How things stand: the pull request, and our comments for this fleet."""

    change: Change
    ours: tuple[Comment, ...]


@dataclass(frozen=True)
class Create:
    """Write a comment."""


@dataclass(frozen=True)
class Edit:
    """Write this one anew."""

    comment: Comment


@dataclass(frozen=True)
class Delete:
    """Take this one away."""

    comment: Comment


@dataclass(frozen=True)
class Done:
    """Nothing is left to do."""

    outcome: Outcome


Step = Create | Edit | Delete | Done


def next_step(seen: Seen, wanted: Wanted, *, made: int | None = None, wrote: bool = False) -> Step:
    """What to do, given what was seen just now; `made` is the comment that this run wrote, if it did.

    `wrote` says whether this run has written anything yet.
    """
    ranked = sorted(seen.ours, key=lambda comment: comment.id)
    others = ranked[1:]
    if not same_commit(seen.change.head, wanted.head):
        mine = [comment for comment in others if comment.id == made]
        return Delete(mine[0]) if mine else Done(Outcome.OUTDATED)
    if not seen.change.open:
        return Done(Outcome.CLOSED)
    if not ranked:
        return Create()
    if not _same_text(ranked[0].body, wanted.body):
        return Edit(ranked[0])
    if others:
        return Delete(others[0])
    return Done(Outcome.POSTED if wrote else Outcome.UNCHANGED)


def ours(comments: Iterable[Comment], me: frozenset[str], fleet: str) -> tuple[Comment, ...]:
    """The comments that we wrote for this fleet; what others wrote is theirs, whatever marks it carries."""
    return tuple(
        comment
        for comment in comments
        if comment.author & me and (mark := mark_of(comment.body)) is not None and mark.fleet == fleet
    )


def same_commit(one: str, other: str) -> bool:
    """Whether two ids, one of which may be short, are of one commit."""
    shorter, longer = sorted((one.lower(), other.lower()), key=len)
    return len(shorter) >= SHORTEST and longer.startswith(shorter)


def _same_text(one: str, other: str) -> bool:
    """Forges differ in line ends and in what they leave of blanks at the end."""
    return _lines(one) == _lines(other)


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n")]
