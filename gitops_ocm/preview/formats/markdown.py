"""A preview as one comment on a pull request, never longer than a forge allows, whatever is in it.

Each section gets a part of what is left of the limit (`room`), so the length holds by construction. The order
is what a reviewer needs first: the verdict, why not, the waves, how far it goes; then details to open. What
others wrote is made inert (`inert`). Rollouts are `markdown_rollouts`; posting it is the forges' business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from gitops_ocm.errors import Diagnostic, Severity
from gitops_ocm.preview.formats import diff_rows
from gitops_ocm.preview.formats.alike import configured, given
from gitops_ocm.preview.formats.diff_rows import Group
from gitops_ocm.preview.formats.inert import code, folded_away, prose
from gitops_ocm.preview.formats.markdown_rollouts import radius, rollouts
from gitops_ocm.preview.formats.room import Room, size
from gitops_ocm.preview.formats.words import (
    TITLE,
    after,
    clock,
    few,
    number_of,
    place,
    short,
    stamp,
    subject_of,
    verdict,
    visible,
)
from gitops_ocm.preview.model import Preview, Ruling, Verdict

MARKER = f"<!-- {TITLE} -->"
"""The first line, which nobody sees: by it the comment is found again and edited in place."""
LIMIT = 65_536
"""What GitHub takes."""
LEAST = 16_384
"""Less than this is no comment any more."""
_MARKED = 512
"""Kept for what the marker grows by when it is posted (the fleet, the commit)."""
_OPEN_WARNINGS = 5
_SIGNED = {"refused": "⛔", "allowed": "✅", "overridden": "🔓"}

Section = Callable[[int], str]


def comment(found: Preview, *, artifact: str = "", limit: int = LIMIT) -> str:
    """The comment; `artifact` says where all of it is: a URL, or a few words."""
    if limit < LEAST:
        raise ValueError(f"a comment takes {LEAST} characters at least")
    head, foot = _head(found), _foot(found, artifact, cut=True)
    where = "see the artifact" if artifact else "see the whole preview"
    room = Room(limit - _MARKED - size(head) - size(foot), where)
    body = [room.take(part, write) for part, write in _sections(found, room)]
    return "".join((head, *body, _foot(found, artifact, cut=room.short)))


def _head(found: Preview) -> str:
    icon = "⛔" if found.refused else "🔷" if found.changes_anything else "✅"
    until = f" Followed until {clock(found.until)}, {after(found.until, found.now)}." if found.until else ""
    # A commit's name may be linked: it is one of this repository.
    return f"{MARKER}\n### {icon} {prose(verdict(found), 800)}\n\n{visible(stamp(found))}.{until}\n"


def _sections(found: Preview, room: Room) -> Iterator[tuple[float, Section]]:
    """Each section, and which part of what is left it may take; a short one leaves more to the others."""
    errors = [d for d in found.diagnostics if d.severity is Severity.ERROR]
    if found.rulings:
        yield 0.1, partial(_rulings, room, found.rulings)
    if errors:
        yield 0.5, partial(_problems, room, "Problems", errors)
    if found.rollouts:
        yield 0.3, partial(rollouts, room, found)
    yield 0.15, partial(radius, room, found.shares)
    if found.warnings:
        yield 0.2, partial(_warnings, room, found.warnings)
    details = (
        (0.5, f"Objects ({len(found.effects):,})", len(found.effects), diff_rows.objects),
        (0.5, f"Placements ({len(found.selections):,})", len(found.selections), diff_rows.placements),
        (0.6, f"Clusters ({len(found.clusters):,})", len(given(found.clusters)), diff_rows.clusters),
        (1.0, "Add-on configuration", len(configured(found.clusters)), diff_rows.configs),
    )
    for part, title, number, groups in details:
        if number:
            yield part, partial(_details, room, title, number, groups(found))


def _titled(title: str, content: str) -> str:
    return f"**{title}**\n\n{content}" if content else ""


# Whether it would be taken


def _rulings(room: Room, found: Sequence[Ruling], allowed: int) -> str:
    told = [ruling for ruling in found if ruling.verdict is not Verdict.ALLOWED]
    passed = [ruling.rule for ruling in found if ruling.verdict is Verdict.ALLOWED]
    entries = [*map(_ruling, told)]
    if passed:
        entries.append(f"- {_SIGNED['allowed']} allowed: {prose(few(passed))}\n")
    if not told:
        return f"**Policy**: {entries[0][2:]}"[:allowed]
    bare = size(_titled("Policy", "-"))
    return _titled("Policy", room.lines(entries, len(entries), allowed - bare, lead="- "))


def _ruling(found: Ruling) -> str:
    text = f"- {_SIGNED[found.verdict.value]} {found.verdict.value}: {code(found.rule)}"
    if found.message:
        text += f" {prose(found.message)}"
    if found.verdict is Verdict.OVERRIDDEN:
        text += f" — meant, says {code(short(found.by))}: {prose(found.override)}"
    return f"{text}{_at(place(found.where))}\n"


def _at(where: str) -> str:
    return f" ({code(where)})" if where else ""


def _problems(room: Room, title: str, found: Sequence[Diagnostic], allowed: int) -> str:
    bare = size(_titled(title, "-"))
    return _titled(title, room.lines(map(_problem, found), len(found), allowed - bare, lead="- "))


def _warnings(room: Room, found: Sequence[Diagnostic], allowed: int) -> str:
    """Open where they are few: what a reviewer would want to know should not have to be looked for."""
    title = f"⚠️ {number_of(len(found), 'warning')}"
    opened = len(found) <= _OPEN_WARNINGS
    bare = size(folded_away(title, "", opened=opened))
    content = room.lines(map(_problem, found), len(found), allowed - bare, lead="- ")
    return folded_away(title, content, opened=opened) if content else ""


def _problem(found: Diagnostic) -> str:
    where, subject = place(found.where), found.subject
    lead = " ".join(part for part in (code(where), code(subject_of(subject))) if part)
    more = "".join(f"<br> {prose(text)}" for text in (found.note, found.hint) if text)
    return f"- {lead}{' ' if lead else ''}{prose(found.message)} ({code(found.code)}){more}\n"


# Details


def _details(room: Room, title: str, number: int, groups: Iterable[Group], allowed: int) -> str:
    content = room.diff(groups, number, allowed - size(folded_away(title, "")))
    return folded_away(title, content) if content else ""


def _foot(found: Preview, artifact: str, *, cut: bool) -> str:
    notes = "".join(f"- {prose(note)}\n" for note in found.notes[:3])
    if cut or artifact:
        all_of_it = prose(artifact, 300) if artifact else "run " + code(f"{TITLE} --full")
        notes += f"- {'Something is left out here. ' if cut else ''}All of it: {all_of_it}\n"
    return f"\n{notes}" if notes else ""
