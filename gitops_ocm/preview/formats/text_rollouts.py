"""Rollouts and the blast radius as lines for a terminal: waves, where they stop, and how far it goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitops_ocm.preview.formats.words import (
    after,
    done_by,
    fails_by,
    few,
    groups_of,
    number_of,
    percent,
    place,
    rollout_rule,
    rollout_title,
    said,
    visible,
)
from gitops_ocm.preview.model import Preview, Rollout, Share, Wave
from gitops_ocm.report.plan_text import Line, Span

WAVES = 12
"""So many waves of a rollout are shown, the last among them."""
_BAR = 20


def rollout_lines(found: Rollout, preview: Preview, whole: bool) -> Iterator[Line]:
    """One rollout."""
    rule, where = rollout_rule(found), place(found.origin)
    yield (
        Span(f"  {rollout_title(found)}", "bold"),
        Span(f"  {said(rule)}" if rule else ""),
        Span(f"  {visible(where)}" if where else "", "dim"),
    )
    names = 1_000_000 if whole else 6
    yield from _waves(found.waves, preview, names, whole)
    for label, clusters, style, why in (
        ("failed", found.failed, "red", ""),
        ("under way", found.under_way, "yellow", ""),
        ("not reached", found.waiting, "red", found.why),
        ("still in progress from before", found.unfinished, "yellow", ""),
    ):
        if clusters:
            more = f"  {said(why)}" if why else ""
            yield (Span(f"    {label}: {len(clusters):,}  {few(clusters, names)}{more}", style),)
    if found.end is not None and len(found.waves) > 1:
        yield (Span(f"    all done {after(found.end, preview.now)} at the earliest", "dim"),)


def _waves(found: Sequence[Wave], preview: Preview, names: int, whole: bool) -> Iterator[Line]:
    """A table: when each wave starts, is done, has failed; who is in it. One that just happens: a line."""
    if len(found) == 1 and not done_by(found[0], preview.now) and not fails_by(found[0], preview.now):
        yield (Span(f"    {after(found[0].at, preview.now)}: {_clusters(found[0], names)}"),)
        return
    numbered = list(enumerate(found, start=1))
    hidden = 0 if whole or len(numbered) <= WAVES + 1 else len(numbered) - WAVES
    shown = [*numbered[: WAVES - 1], *numbered[-1:]] if hidden else numbered
    rows = [_HEAD, *(_wave(number, wave, preview, names) for number, wave in shown)] if shown else []
    used = [at for at in range(len(_HEAD)) if any(row[at] for row in rows[1:])]
    for number, row in enumerate(rows):
        if hidden and number == len(rows) - 1:
            yield (Span(f"    … {hidden:,} more waves", "dim"),)
        cells = [f"{row[at]:<{max(len(other[at]) for other in rows)}}" for at in used]
        yield (Span("    " + "  ".join(cells).rstrip(), "dim" if number == 0 else ""),)


_HEAD = ("", "starts", "done", "deadline", "clusters")


def _wave(number: int, wave: Wave, preview: Preview, names: int) -> tuple[str, ...]:
    return (
        f"wave {number}",
        after(wave.at, preview.now),
        done_by(wave, preview.now),
        fails_by(wave, preview.now),
        _clusters(wave, names),
    )


def _clusters(wave: Wave, names: int) -> str:
    group = groups_of(wave)
    return f"{len(wave.clusters):,}  {f'{group}: ' if group else ''}{few(wave.clusters, names)}"


def radius_lines(shares: Sequence[Share]) -> Iterator[Line]:
    """How much of the fleet and of its sets is touched; nothing where that is none of it."""
    if not any(share.touched for share in shares):
        return
    width = max(len(_name(share)) for share in shares)
    for share in shares:
        part = percent(share.touched, share.clusters)
        once = f"  at most {share.at_once:,} at once" if 0 < share.at_once < share.touched else ""
        yield (
            Span(f"  {_name(share):<{width}}  "),
            Span(bar(share), "yellow" if share.touched < share.clusters else "red"),
            Span(f" {part:>4}  {share.touched:,} of {number_of(share.clusters, 'cluster')}{once}"),
        )


def bar(share: Share, wide: int = _BAR) -> str:
    """A share as a bar; something never shows as nothing, and not all never as all."""
    full = round(wide * share.touched / share.clusters) if share.clusters else 0
    if 0 < share.touched < share.clusters:
        full = min(max(full, 1), wide - 1)
    return "█" * full + "░" * (wide - full)


def _name(share: Share) -> str:
    return f"set {visible(share.name)}" if share.name else "fleet"
