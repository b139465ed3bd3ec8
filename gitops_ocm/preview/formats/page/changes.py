"""What changes in Git, field by field, and whom placements select then and why. Like things stand once."""

from __future__ import annotations

from gitops_ocm.preview.formats.alike import Turned, turned
from gitops_ocm.preview.formats.page.groups import Groups
from gitops_ocm.preview.formats.page.markup import NOTHING, Markup, joined, tag
from gitops_ocm.preview.formats.page.said import (
    act_badge,
    field_diffs,
    foldable,
    section,
    where,
    who,
    within,
)
from gitops_ocm.preview.formats.words import number_of, path_of, place
from gitops_ocm.preview.model import Effect, Preview, Selection

_LARGEST = 2_400_000
_FIRST = 200
"""So many entries are shown before a fold."""
_OPENED = 12_000
"""So many characters of diffs are unfolded to begin with."""


class _Unfolded:
    """Says of one fold after the other whether there is room for it to be open."""

    def __init__(self) -> None:
        self._left = _OPENED

    def __call__(self, content: Markup) -> bool:
        self._left -= len(content)
        return self._left >= 0


def objects(found: Preview) -> Markup:
    """The objects of desired state, field by field."""
    room = _Unfolded()
    entries = within(_LARGEST, found.effects, lambda effect: _object(effect, room), "objects", first=_FIRST)
    tools = tag("p", class_="tools", data_folds="objects", hidden=True) if found.effects else NOTHING
    return section("objects", "Objects", tools, entries, number=len(found.effects))


def _object(effect: Effect, room: _Unfolded) -> Markup:
    path = place(effect.origin)
    if effect.source.path:
        path = f"{place(effect.source)} → {path}"
    why = tag("span", effect.why, class_="why") if effect.why else NOTHING
    name = joined(tag("span", effect.ref.kind, class_="kind"), " ", tag("b", path_of(effect.ref)))
    summary = joined(act_badge(effect.act), " ", name, where(path), " ", why)
    diffs = field_diffs(effect.fields)
    fold = foldable(summary, diffs, opened=room(diffs))
    return tag("div", fold, class_=f"entry object {effect.act.value}")


def placements(found: Preview, groups: Groups) -> Markup:
    """Whom placements select now and no longer, and why."""
    entries = within(
        _LARGEST // 2, found.selections, lambda one: _selection(one, groups), "placements", first=_FIRST
    )
    return section("placements", "Placements", entries, number=len(found.selections))


def _selection(found: Selection, groups: Groups) -> Markup:
    name = path_of(found.ref)
    kept = sorted(set(found.before) & set(found.after))
    if kept:
        groups.add("selected before and after", kept, about=f"Placement {name}", placement=name)
    count = f"{len(found.before):,} → {number_of(len(found.after), 'cluster')}"
    title = joined(tag("b", name), " ", tag("span", count, class_="count"), where(found.origin))
    message = tag("p", found.message, class_="note") if found.message else NOTHING
    turns = tag("ul", (_turn(turn, name, groups) for turn in turned(found)), class_="turns")
    return tag("div", tag("h3", title), message, turns, class_="entry")


def _turn(found: Turned, placement: str, groups: Groups) -> Markup:
    word = "selected" if found.gained else "no longer selected"
    kind = "selected now" if found.gained else "selected no more"
    title = f"{word}: {found.why}" if found.why else word
    group = groups.add(title, found.clusters, about=f"Placement {placement}", kind=kind, placement=placement)
    act = "create" if found.gained else "delete"
    badge = tag("span", f"{'+' if found.gained else '-'} {word}", class_=f"badge {act}")
    why = tag("span", found.why, class_="why") if found.why else NOTHING
    return tag("li", badge, " ", why, where(found.cause), " ", who(group), id=group.key)
