"""The small parts that sections of the page are made of: places, names of clusters, field diffs, budgets.

No section may grow without end: what is beyond its budget is counted, and where all of it is, is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from gitops_ocm.errors import Location
from gitops_ocm.objects.diff import Difference
from gitops_ocm.preview.formats.fields import Hunk, hunks
from gitops_ocm.preview.formats.page.groups import Group
from gitops_ocm.preview.formats.page.markup import NOTHING, Markup, Part, joined, tag
from gitops_ocm.preview.formats.words import SIGNS, WORDS, after, clock, few, number_of, place
from gitops_ocm.preview.model import Act

T = TypeVar("T")
NAMES = 12
SOME = 4
"""So many clusters are named where a group is told of, some of a larger one; the grid shows all."""
_ROWS = {"+": "ins", "-": "del", " ": "span"}


def section(key: str, title: str, *parts: Part, number: int | None = None) -> Markup:
    """A part of the page that its contents lists; nothing where there is nothing to say."""
    content = joined(*parts)
    if not content:
        return NOTHING
    told = tag("span", f"{number:,}", class_="number") if number is not None else NOTHING
    head = tag("h2", title, " ", told, id=f"{key}-title")
    return tag("section", head, content, id=key, aria_labelledby=f"{key}-title")


def within(
    most: int, items: Sequence[T], write: Callable[[T], Markup], what: str, *, first: int = 1_000_000
) -> Markup:
    """Items, those after the `first` in a fold, until so many characters are written; the rest is counted."""
    shown: list[Markup] = []
    for item in items:
        if most <= 0:
            break
        shown.append(write(item))
        most -= len(shown[-1])
    parts = [joined(shown[:first])]
    if rest := shown[first:]:
        parts.append(tag("details", tag("summary", f"{len(rest):,} more {what}"), rest, class_="rest"))
    if missing := len(items) - len(shown):
        whole = tag("code", "gitops-ocm preview -o json")
        parts.append(tag("p", f"… and {missing:,} more {what}: ", whole, " has all of them", class_="more"))
    return joined(*parts)


def where(found: Location | str) -> Markup:
    """`path:line`."""
    text = found if isinstance(found, str) else place(found)
    return joined(" ", tag("code", text, class_="where")) if text else NOTHING


def moment(at: datetime, now: datetime) -> Markup:
    """A time as people say it, with the clock's beside."""
    iso = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return tag("time", after(at, now), datetime=iso, title=clock(at))


def act_badge(act: Act) -> Markup:
    """`~ changed`: a sign and a word, and only then a colour."""
    return tag("span", f"{SIGNS[act]} {WORDS[act]}", class_=f"badge {act.value}")


def who(group: Group) -> Markup:
    """A group's clusters, and a button that shows them in the grid."""
    many = number_of(len(group.clusters), "cluster")
    label = f"Show {many} in the grid: {group.title}"
    button = tag(
        "button", many, type="button", class_="show", data_show=group.key, aria_label=label, disabled=True
    )
    names = few(group.clusters, NAMES if len(group.clusters) <= NAMES else SOME)
    return tag("span", button, " ", tag("span", names, class_="names"), class_="who")


def foldable(summary: Part, folds: Part, *, opened: bool = False) -> Markup:
    """What can be unfolded, where there is anything in the fold."""
    content = joined(folds)
    if not content:
        return tag("div", summary, class_="flat")
    return tag("details", tag("summary", summary), content, open=opened)


def field_diffs(fields: Iterable[Difference]) -> Markup:
    """An object's fields, each with its old and its new value."""
    return joined(map(_hunk, hunks(fields)))


def _hunk(found: Hunk) -> Markup:
    if found.brief:
        path = tag("code", found.path, class_="path")
        old, new = (row.text.removeprefix(f"{found.path}: ") for row in found.rows)
        pair = joined(tag("del", "- ", old), tag("ins", "+ ", new))
        return tag("div", path, tag("pre", pair), class_="field")
    rows = (tag(_ROWS[row.sign], f"{row.sign} {row.text}") for row in found.rows)
    return tag("div", tag("pre", rows), class_="field")
