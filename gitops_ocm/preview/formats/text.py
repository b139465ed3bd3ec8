"""A preview as lines for a terminal: the verdict first, then why not, in which order, and what changes where.

How rollouts look is `text_rollouts`; `folding` fits lines to a terminal's width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gitops_ocm.errors import Diagnostic, Severity
from gitops_ocm.objects.diff import Difference
from gitops_ocm.preview.formats.alike import (
    Chosen,
    Turned,
    chosen,
    configured,
    given,
    is_told,
    names_of,
    turned,
)
from gitops_ocm.preview.formats.fields import hunks
from gitops_ocm.preview.formats.text_rollouts import radius_lines, rollout_lines
from gitops_ocm.preview.formats.words import (
    RULED,
    SIGNS,
    cut,
    few,
    name_of,
    path_of,
    place,
    said,
    short,
    stamp,
    subject_of,
    verdict,
    visible,
)
from gitops_ocm.preview.model import Act, Effect, Preview, Ruling, Selection, Verdict
from gitops_ocm.report.plan_text import Line, Span

STYLES = {
    Act.CREATE: "green",
    Act.CHANGE: "yellow",
    Act.DELETE: "red",
    Act.MOVE: "cyan",
    Act.KEEP: "magenta",
}
_SIDES = {"-": "red", "+": "green", " ": "dim"}
_RULED = {Verdict.ALLOWED: "green", Verdict.REFUSED: "red", Verdict.OVERRIDDEN: "yellow"}
MOST = 20
"""So many entries of a section are shown one by one."""
FIELDS = 12
"""So many lines of one object's fields."""
CLUSTER_FIELDS = 4
"""So many of what a cluster is given: mostly the objects above say it in full."""


def preview_lines(found: Preview, *, whole: bool = False) -> Iterator[Line]:
    """The preview; `whole` leaves nothing out."""
    yield (Span(verdict(found), _tone(found)),)
    yield (Span(stamp(found), "dim"),)
    errors = [d for d in found.diagnostics if d.severity is Severity.ERROR]
    yield from _section("policy", _rulings(found.rulings, whole))
    yield from _section("problems", _few((_problem(d) for d in errors), len(errors), whole))
    yield from _section("warnings", _few(map(_problem, found.warnings), len(found.warnings), whole))
    yield from _section("rollouts", (line for r in found.rollouts for line in rollout_lines(r, found, whole)))
    radius = ((line,) for line in radius_lines(found.shares))
    yield from _section("blast radius", _few(radius, len(found.shares), whole))
    objects = (_object(effect, whole) for effect in found.effects)
    yield from _section("objects", _few(objects, len(found.effects), whole, most=3 * MOST))
    placements = (_selection(selection, whole) for selection in found.selections)
    yield from _section("placements", _few(placements, len(found.selections), whole))
    yield from _section("clusters", _clusters(found, whole))
    yield from _section("add-on configuration", _configs(found, whole))
    yield from _section("", ((Span(f"note: {said(note)}", "dim"),) for note in found.notes))


def _tone(found: Preview) -> str:
    if found.refused:
        return "bold red"
    return "bold" if found.changes_anything else "bold green"


def _section(title: str, lines: Iterable[Line]) -> Iterator[Line]:
    begun = False
    for line in lines:
        if not begun:
            yield ()
            if title:
                yield (Span(title, "bold underline"),)
            begun = True
        yield line


def _few(entries: Iterable[Iterable[Line]], number: int, whole: bool, most: int = MOST) -> Iterator[Line]:
    """The first entries, and how many there are beside."""
    for at, entry in enumerate(entries):
        if at >= most and not whole and number > most + 1:
            yield (Span(f"  … and {number - most:,} more: --full shows them", "dim"),)
            return
        yield from entry


# Whether it would be taken


def _rulings(found: Iterable[Ruling], whole: bool) -> Iterator[Line]:
    rulings = list(found)
    shown = [r for r in rulings if whole or r.verdict is not Verdict.ALLOWED]
    width = max((len(r.rule) for r in shown), default=0)
    for ruling in shown:
        why = ruling.message
        if ruling.verdict is Verdict.OVERRIDDEN:
            why = f"{why}; meant, says {short(ruling.by)}: {ruling.override}"
        yield (
            Span(f"  {RULED[ruling.verdict]} {ruling.verdict.value:<10} ", _RULED[ruling.verdict]),
            Span(f"{visible(ruling.rule):<{width}}", "bold"),
            Span(f"  {said(why)}" if why else ""),
            _where(place(ruling.where)),
        )
    if rest := [r.rule for r in rulings if r not in shown]:
        yield (Span("  ✓ allowed    ", "green"), Span(few(rest)))


def _problem(found: Diagnostic) -> Iterator[Line]:
    style = "red" if found.severity is Severity.ERROR else "yellow"
    where = place(found.where)
    yield (
        Span(f"  {visible(where)}: " if where else "  ", "bold"),
        Span(f"{subject_of(found.subject)}: " if found.subject else ""),
        Span(said(found.message), style),
        Span(f"  [{found.code}]", "dim"),
    )
    for label, text in (("note", found.note), ("hint", found.hint)):
        if text:
            yield (Span(f"    {label}: {said(text)}", "dim"),)


def _where(text: str) -> Span:
    return Span(f"  {said(text)}" if text else "", "dim")


# Objects


def _object(effect: Effect, whole: bool) -> Iterator[Line]:
    where = place(effect.origin)
    if effect.source.path:
        where = f"{place(effect.source)} → {where}"
    yield (
        Span(f"  {SIGNS[effect.act]} {effect.act.value:<7} ", STYLES[effect.act]),
        Span(name_of(effect.ref), "bold"),
        _where(where),
        Span(f"  {said(effect.why)}" if effect.why else "", "dim"),
    )
    yield from field_lines(effect.fields, "      ", 0 if whole else FIELDS)


def field_lines(fields: Iterable[Difference], indent: str, most: int) -> Iterator[Line]:
    """A line where a field's change fits on one, else a diff; `most` is how many lines (0: all)."""
    lines = [line for hunk in hunks(fields) for line in _hunk_lines(hunk.path, hunk.brief, hunk.rows, indent)]
    shown = lines if not most or len(lines) <= most + 1 else lines[:most]
    yield from shown
    if len(shown) < len(lines):
        yield (Span(f"{indent}… {len(lines) - len(shown)} more lines", "dim"),)


def _hunk_lines(path: str, brief: str, rows: Iterable[tuple[str, str]], indent: str) -> Iterator[Line]:
    if brief:
        yield (Span(f"{indent}{path}: "), Span(brief, "yellow"))
        return
    for sign, text in rows:
        yield (Span(f"{indent}{sign} {text}", _SIDES[sign]),)


# Whom placements select


def _selection(found: Selection, whole: bool) -> Iterator[Line]:
    yield (
        Span(f"  {path_of(found.ref)}", "bold"),
        Span(f"  {len(found.before)} → {len(found.after)} clusters"),
        _where(place(found.origin)),
        Span(f"  {said(found.message)}" if found.message else "", "yellow"),
    )
    reasons = turned(found)
    yield from _few((_turned(turn, whole) for turn in reasons), len(reasons), whole)


def _turned(found: Turned, whole: bool) -> Iterator[Line]:
    sign, style = ("+", "green") if found.gained else ("-", "red")
    yield (
        Span(f"    {sign} {names_of(found.clusters, most=_names(whole))}", style),
        Span(f"  {said(found.why)}" if found.why else ""),
        _where(found.cause),
    )


def _names(whole: bool) -> int:
    return 1_000_000 if whole else 6


# What clusters are given


def _clusters(found: Preview, whole: bool) -> Iterator[Line]:
    gifts = given(found.clusters)
    entries = (
        (
            (
                Span(f"  {gift.title}", STYLES[gift.effect.act]),
                Span(f"  {names_of(gift.clusters, most=_names(whole))}"),
            ),
            *field_lines(
                () if is_told(gift, found.effects) else gift.effect.fields,
                "      ",
                0 if whole else CLUSTER_FIELDS,
            ),
        )
        for gift in gifts
    )
    yield from _few(entries, len(gifts), whole)


def _configs(found: Preview, whole: bool) -> Iterator[Line]:
    groups = configured(found.clusters)
    entries = (
        (
            (
                Span(f"  {visible(group.config.addon)}", "bold"),
                Span(f"  {names_of(group.clusters, most=_names(whole))}"),
            ),
            *(line for source in chosen(group.config) for line in _chosen(source)),
        )
        for group in groups
    )
    yield from _few(entries, len(groups), whole)


def _chosen(found: Chosen) -> Iterator[Line]:
    yield (Span(f"    {cut(found.title, 240)}", "dim"),)
    for value in found.values:
        lines = list(field_lines([Difference(value.path, value.before, value.after)], "      ", FIELDS))
        places = dict.fromkeys(map(place, (value.origin_before, value.origin_after)))
        yield from lines[:-1]
        yield from ((*last, _where(" → ".join(filter(None, places)))) for last in lines[-1:])
