"""A preview as lines for a terminal: the verdict first, then what changes, where, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from gitops_ocm.preview.model import Act, Effect, OnCluster, Preview, Rollout, Selection
from gitops_ocm.report.plan_text import Line, Span, field_lines

SIGNS = {
    Act.CREATE: ("+", "green"),
    Act.CHANGE: ("~", "yellow"),
    Act.DELETE: ("-", "red"),
    Act.MOVE: ("»", "cyan"),
    Act.KEEP: ("!", "magenta"),
}
WORDS = {
    Act.CREATE: "new",
    Act.CHANGE: "changed",
    Act.DELETE: "deleted",
    Act.MOVE: "moved",
    Act.KEEP: "kept",
}
NAMES = 6
"""So many names of clusters are spelled out in a line."""
CLUSTERS = 20
"""So many clusters are shown one by one."""
FIELDS = 12
"""So many fields of one object."""


def preview_lines(found: Preview, *, whole: bool = False) -> Iterator[Line]:
    """The preview; `whole` leaves nothing out."""
    yield (Span(verdict(found), "bold"),)
    yield (Span(f"{short(found.head)} against {short(found.base)}, {_state(found)}", "dim"),)
    yield from _section("", (line for effect in found.effects for line in _object(effect, whole)))
    yield from _section("placements", (_selection(s) for s in found.selections))
    yield from _section("rollouts", (line for r in found.rollouts for line in _rollout(r, found)))
    yield from _section("clusters", _clusters(found.clusters, whole))
    yield from _section("", ((Span(f"note: {note}", "dim"),) for note in found.notes))


def verdict(found: Preview) -> str:
    """One line: would it be taken, and whom does it touch?"""
    if found.refused:
        return "refused: the sync would not apply this commit"
    if not found.changes_anything:
        return "nothing changes"
    counts = Counter(effect.act for effect in found.effects)
    objects = ", ".join(f"{counts[act]} {word}" for act, word in WORDS.items() if counts[act])
    touched = len(found.clusters)
    share = f" ({touched / found.fleet:.0%})" if found.fleet else ""
    clusters = f"{touched} of {found.fleet} clusters{share} touched"
    stuck = sum(bool(r.waiting) for r in found.rollouts)
    held = f"; {stuck} rollout{'s' if stuck > 1 else ''} would not finish" if stuck else ""
    return f"{objects or 'no object of Git changes'}; {clusters}{held}"


def short(commit: str) -> str:
    """A commit for people."""
    return commit[:12] or "the work tree"


def _state(found: Preview) -> str:
    return f"the fleet as of {short(found.state)}" if found.state else "of a fleet without a status branch"


def _section(title: str, lines: Iterable[Line]) -> Iterator[Line]:
    begun = False
    for line in lines:
        if not begun:
            yield ()
            if title:
                yield (Span(title, "bold"),)
            begun = True
        yield line


def _object(effect: Effect, whole: bool) -> Iterator[Line]:
    sign, style = SIGNS[effect.act]
    place = f"  {effect.origin.path}:{effect.origin.line}" if effect.origin.path else ""
    yield (
        Span(f"{sign} {effect.act.value:<7}", style),
        Span(f" {effect.ref}", "bold"),
        Span(place),
        Span(f"  {effect.why}" if effect.why else "", "dim"),
    )
    lines = list(field_lines(effect.fields))
    shown = lines if whole else lines[:FIELDS]
    yield from shown
    if len(shown) < len(lines):
        yield (Span(f"    … {len(lines) - len(shown)} more lines", "dim"),)


def _selection(found: Selection) -> Line:
    gained = f"  + {names(found.gained)}" if found.gained else ""
    lost = f"  - {names(found.lost)}" if found.lost else ""
    return (
        Span(f"  {found.ref.namespace}/{found.ref.name}", "bold"),
        Span(f"  {len(found.before)} → {len(found.after)} clusters"),
        Span(gained, "green"),
        Span(lost, "red"),
        Span(f"  {found.message}" if found.message else "", "yellow"),
    )


def _rollout(found: Rollout, preview: Preview) -> Iterator[Line]:
    yield (Span(f"  {found.owner}", "bold"),)
    for number, wave in enumerate(found.waves, start=1):
        after = wave.at - preview.now
        when = "at once" if after < timedelta(seconds=1) else f"after {lasting(after)}"
        count = len(wave.clusters)
        yield (
            Span(f"    wave {number:<3} {when:<14} {count:>5} cluster{'s' if count != 1 else ' '}"),
            Span(f"  {names(wave.clusters)}", "dim"),
        )
    if found.waiting:
        why = f"  {found.why}" if found.why else ""
        yield (Span(f"    not reached: {len(found.waiting)}  {names(found.waiting)}{why}", "red"),)


def _clusters(found: Sequence[OnCluster], whole: bool) -> Iterator[Line]:
    width = max((len(cluster.name) for cluster in found), default=0)
    shown = found if whole else found[:CLUSTERS]
    for cluster in shown:
        for effect in cluster.effects:
            sign, style = SIGNS[effect.act]
            what = f"{effect.ref.kind} {effect.ref.name}"
            yield (Span(f"  {cluster.name:<{width}}", "bold"), Span(f"  {sign} ", style), Span(what))
    if len(shown) < len(found):
        yield (Span(f"  … and {len(found) - len(shown)} more", "dim"),)


def names(found: Sequence[str]) -> str:
    """A few names, and how many there are beside."""
    text = ", ".join(found[:NAMES])
    return text if len(found) <= NAMES else f"{text} and {len(found) - NAMES} more"


def lasting(span: timedelta) -> str:
    """`90 s`, `5 min`, `2 h 5 min`, `3 d`."""
    seconds = round(span.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 120:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"
