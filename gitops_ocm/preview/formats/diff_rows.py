"""The details of a preview as groups of diff rows, each group about one thing: for fences in a comment.

A group begins with its title. Rows say all there is to say within reason; who has little room takes fewer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gitops_ocm.objects.diff import Difference
from gitops_ocm.preview.formats.alike import Chosen, chosen, configured, given, is_told, names_of, turned
from gitops_ocm.preview.formats.fields import Row, hunks
from gitops_ocm.preview.formats.words import SIGNS, cut, name_of, path_of, place, visible
from gitops_ocm.preview.model import Act, Effect, Preview

WIDE = 200
_SIGNS = {Act.CREATE: "+", Act.DELETE: "-", Act.MOVE: "!", Act.KEEP: "!", Act.CHANGE: "@@"}
_NAMES = 12


class Group(NamedTuple):
    """One object, placement, or what some clusters have in common."""

    title: Row
    rows: tuple[Row, ...] = ()


def objects(found: Preview) -> Iterator[Group]:
    """The objects of Git."""
    return (_object(effect) for effect in found.effects)


def _object(effect: Effect) -> Group:
    where = place(effect.origin)
    if effect.source.path:
        where = f"{place(effect.source)} → {where}"
    sign = "" if effect.act in (Act.CREATE, Act.DELETE, Act.CHANGE) else f"{SIGNS[effect.act]} "
    parts = [f"{sign}{name_of(effect.ref)}", where, effect.why]
    return Group(_row(_SIGNS[effect.act], "  ".join(part for part in parts if part)), _fields(effect.fields))


def placements(found: Preview) -> Iterator[Group]:
    """Whom placements take and let go, and why."""
    for selection in found.selections:
        count = f"{len(selection.before)} → {len(selection.after)} clusters"
        title = [path_of(selection.ref), count, place(selection.origin)]
        rows = [
            _row(
                "+" if turn.gained else "-",
                "  ".join(part for part in (names_of(turn.clusters, _NAMES), turn.why, turn.cause) if part),
            )
            for turn in turned(selection)
        ]
        if selection.message:
            rows.append(_row("!", selection.message))
        yield Group(_row("@@", "  ".join(part for part in title if part)), tuple(rows))


def clusters(found: Preview) -> Iterator[Group]:
    """What clusters are given; the same things once."""
    for gift in given(found.clusters):
        act = gift.effect.act
        title = gift.title.split(" ", 1)[1] if _SIGNS[act] in "+-@@" else gift.title
        fields = () if is_told(gift, found.effects) else gift.effect.fields
        yield Group(_row(_SIGNS[act], f"{title}  {names_of(gift.clusters, _NAMES)}"), _fields(fields))


def configs(found: Preview) -> Iterator[Group]:
    """Add-ons' effective configuration, and where each value comes from."""
    for group in configured(found.clusters):
        title = f"{group.config.addon}  {names_of(group.clusters, _NAMES)}"
        rows = (row for source in chosen(group.config) for row in _chosen(source))
        yield Group(_row("@@", title), tuple(rows))


def _chosen(found: Chosen) -> Iterator[Row]:
    yield _row("#", found.title)
    for value in found.values:
        rows = list(_fields([Difference(value.path, value.before, value.after)]))
        was, now = place(value.origin_before), place(value.origin_after)
        places = {"-": was, "+": now} if was != now else {row.sign: now for row in rows[-1:]}
        for at, row in enumerate(rows):
            last = row.sign not in {other.sign for other in rows[at + 1 :]}
            where = places.get(row.sign, "") if last else ""
            yield _row(row.sign, f"{row.text}  {where}") if where else row


def _fields(fields: Iterable[Difference]) -> tuple[Row, ...]:
    return tuple(row for hunk in hunks(fields) for row in hunk.rows)


def _row(sign: str, text: str) -> Row:
    return Row(sign, cut(visible(text), WIDE))


def line(row: Row) -> str:
    """A row as a line of a fence; hunk marks stand on both sides, so that forges colour the line."""
    if row.sign == "@@":
        return f"@@ {row.text} @@\n"
    return f"{row.sign} {row.text}".rstrip() + "\n"
