"""Rollouts and the blast radius in a comment: a table of waves where there are waves, else a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitops_ocm.preview.formats.inert import cell, code, prose, table
from gitops_ocm.preview.formats.room import Room, size
from gitops_ocm.preview.formats.text_rollouts import bar
from gitops_ocm.preview.formats.words import (
    after,
    done_by,
    fails_by,
    few,
    groups_of,
    name_of,
    number_of,
    percent,
    rollout_rule,
)
from gitops_ocm.preview.model import Preview, Rollout, Share, Wave

WAVES = 10
"""So many waves of a rollout are shown, the last among them."""
_SETS = 30
_TITLE = "**Rollouts**\n\n"


def rollouts(room: Room, found: Preview, allowed: int) -> str:
    """All rollouts; those of several waves, or that stop, before those that are done at once."""
    staged = [rollout for rollout in found.rollouts if _is_staged(rollout)]
    plain = [rollout for rollout in found.rollouts if not _is_staged(rollout)]
    entries = (_rollout(rollout, found) for rollout in (*staged, *plain))
    content = room.lines(entries, len(found.rollouts), allowed - size(_TITLE), lead="\n")
    return _TITLE + content if content else ""


def _is_staged(found: Rollout) -> bool:
    return len(found.waves) > 1 or bool(found.waiting or found.failed or found.under_way or found.unfinished)


def _rollout(found: Rollout, preview: Preview) -> str:
    rule = rollout_rule(found)
    title = code(name_of(found.owner)) + (f" on {code(found.placement)}" if found.placement else "")
    title += f" — {prose(rule)}" if rule else ""
    if not _is_staged(found):
        clusters = [name for wave in found.waves for name in wave.clusters]
        moment = after(found.waves[0].at, preview.now) if found.waves else ""
        return f"- {title}: {moment} {number_of(len(clusters), 'cluster')}, {code(few(clusters))}\n"
    lines = [f"- {prose(text, 600)}\n" for text in _ends(found, preview)]
    # A line that begins with a code span of many backticks would be taken for a fence.
    parts = [f"▸ {title}\n", _waves(found.waves, preview) if found.waves else "", "".join(lines)]
    return "".join(f"{part}\n" for part in parts if part)


def _waves(found: Sequence[Wave], preview: Preview) -> str:
    numbered = list(enumerate(found, start=1))
    hidden = max(0, len(numbered) - WAVES)
    shown = numbered if hidden <= 1 else [*numbered[: WAVES - 1], *numbered[-1:]]
    rows = [_wave(number, wave, preview) for number, wave in shown]
    if len(shown) < len(numbered):
        rows.insert(-1, ["…", f"{hidden:,} more waves", *[""] * (len(_HEADS) - 2)])
    keep = [at for at in range(len(_HEADS)) if any(row[at] for row in rows)]
    return table([_HEADS[at] for at in keep], [[row[at] for at in keep] for row in rows], right=(0,))


_HEADS = ("Wave", "Starts", "Done", "Deadline", "How many", "Group", "Clusters")


def _wave(number: int, wave: Wave, preview: Preview) -> list[str]:
    return [
        str(number),
        after(wave.at, preview.now),
        done_by(wave, preview.now),
        fails_by(wave, preview.now),
        f"{len(wave.clusters):,}",
        cell(groups_of(wave)),
        cell(few(wave.clusters)),
    ]


def _ends(found: Rollout, preview: Preview) -> Iterator[str]:
    """What became of clusters for which it does not simply go well."""
    for label, clusters, why in (
        ("🔴 failed", found.failed, ""),
        ("🟡 under way", found.under_way, ""),
        ("⛔ not reached", found.waiting, found.why),
        ("🟡 still in progress from before", found.unfinished, ""),
    ):
        if clusters:
            more = f"; {why}" if why else ""
            yield f"{label}: {number_of(len(clusters), 'cluster')} ({few(clusters)}){more}"
    if found.end is not None:
        yield f"all done {after(found.end, preview.now)} at the earliest"


def radius(room: Room, found: Sequence[Share], allowed: int) -> str:
    """How much of the fleet, and of its cluster sets, is touched."""
    touched = [share for share in found if share.touched]
    if not touched:
        return ""
    rows = [_share(share) for share in touched[:_SETS]]
    if len(touched) > _SETS:
        rows.append([f"… {len(touched) - _SETS:,} more sets", "", "", ""])
    text = table(("Blast radius", "", "Touched", "At most at once"), rows, right=(2, 3))
    if size(text) > allowed:
        room.short = True
        text = table(("Blast radius", "", "Touched", "At most at once"), rows[:1], right=(2, 3))
    return text if size(text) <= allowed else ""


def _share(found: Share) -> list[str]:
    name = f"cluster set {cell(found.name)}" if found.name else "the whole fleet"
    part = percent(found.touched, found.clusters)
    return [
        name,
        f"{bar(found, 10)} {part}",
        f"{found.touched:,} of {found.clusters:,}",
        f"{found.at_once:,}",
    ]
