"""Rollouts and the blast radius as lines for a terminal: waves, where they stop, and how far it goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitops_ocm.preview.formats.words import (
    after,
    done_by,
    fails_by,
    few,
    number_of,
    percent,
    place,
    rollout_rule,
    rollout_title,
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
        Span(f"  {visible(rule)}" if rule else ""),
        Span(f"  {visible(where)}" if where else "", "dim"),
    )
    names = 1_000_000 if whole else 6
    numbered = list(enumerate(found.waves, start=1))
    hidden = 0 if whole or len(numbered) <= WAVES + 1 else len(numbered) - WAVES
    for number, wave in numbered[: WAVES - 1] if hidden else numbered:
        yield _wave(number, wave, preview, names)
    if hidden:
        yield (Span(f"    … {hidden:,} more waves", "dim"),)
        yield _wave(*numbered[-1], preview, names)
    for label, clusters, style, why in (
        ("failed", found.failed, "red", ""),
        ("under way", found.under_way, "yellow", ""),
        ("not reached", found.waiting, "red", found.why),
        ("not done with before", found.unfinished, "yellow", ""),
    ):
        if clusters:
            more = f"  {visible(why)}" if why else ""
            yield (Span(f"    {label}: {len(clusters)}  {few(clusters, names)}{more}", style),)
    if found.end is not None and len(found.waves) > 1:
        yield (Span(f"    all done {after(found.end, preview.now)} at the earliest", "dim"),)


def _wave(number: int, wave: Wave, preview: Preview, names: int) -> Line:
    count, when = len(wave.clusters), after(wave.at, preview.now)
    done, fails = done_by(wave, preview.now), fails_by(wave, preview.now)
    groups = f"  group {few([group or 'default' for group in wave.groups])}" if any(wave.groups) else ""
    ends = [f"done {done}" if done else "", f"failed unless good {fails}" if fails else ""]
    return (
        Span(f"    wave {number:<3} {when:<14} {count:>5,} cluster{'s' if count != 1 else ' '}"),
        Span(groups),
        Span(f"  {few(wave.clusters, names)}", "dim"),
        Span("".join(f"  {end}" for end in ends if end), "dim"),
    )


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
