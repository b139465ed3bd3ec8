"""A plan, and a diff's fields, as lines for people: plain text, or spans with a style for rich.

+ create     ConfigMap default/a        hub/a.yaml:3
~ configure  ManifestWork c1/mw-01      works/mw-01.yaml:1   changed in Git
- prune      ConfigMap default/old      removed from Git
= 4,997 unchanged
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from gitops_ocm.objects.diff import ABSENT, Difference
from gitops_ocm.plan.changes import Action, Change, ChangeSet


class Span(NamedTuple):
    """A piece of a line and the rich style it is shown in (`""`: plain)."""

    text: str
    style: str = ""


Line = tuple[Span, ...]

_SIGNS = {
    Action.CREATE: ("+", "green"),
    Action.ADOPT: ("+", "green"),
    Action.CONFIGURE: ("~", "yellow"),
    Action.UNCHANGED: ("=", "dim"),
    Action.PRUNE: ("-", "red"),
    Action.RELEASE: ("-", "yellow"),
    Action.SKIP: ("!", "magenta"),
}
_VALUE = 160
"""Characters shown of one field's value."""


def plan_lines(plan: ChangeSet, *, unchanged: bool = False) -> Iterator[Line]:
    """One line per change and one for what stays; `unchanged` lists that too."""
    shown = [c for c in plan if unchanged or c.action is not Action.UNCHANGED]
    width = max((len(str(c.ref)) for c in shown), default=0)
    for change in shown:
        yield change_line(change, width=width)
    same = plan.counts[Action.UNCHANGED]
    if same and not unchanged:
        yield (Span(f"= {same:,} unchanged", "dim"),)
    if not len(plan):
        yield (Span("nothing is wanted and nothing is there", "dim"),)


def change_line(change: Change, *, width: int = 0) -> Line:
    """What is done to one object, where Git has it, and why."""
    sign, style = _SIGNS[change.action]
    place = str(change.wanted.origin) if change.wanted else ""
    return (
        Span(f"{sign} {change.action.value:<10}", style),
        Span(f" {change.ref!s:<{width}}", "bold"),
        Span(f"  {place}" if place else ""),
        Span(f"  {change.reason.value}", "dim"),
    )


def field_lines(fields: Iterable[Difference], *, indent: str = "    ") -> Iterator[Line]:
    """`-` and `+` lines for each field that differs."""
    for field in fields:
        if field.before is not ABSENT:
            yield (Span(f"{indent}- {field.path}: {_value(field.before)}", "red"),)
        if field.after is not ABSENT:
            yield (Span(f"{indent}+ {field.path}: {_value(field.after)}", "green"),)


def plain(lines: Iterable[Line]) -> str:
    """The lines without style, each ending in a newline."""
    return "".join("".join(span.text for span in line).rstrip() + "\n" for line in lines)


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _VALUE else f"{text[:_VALUE]}… ({len(text)} characters)"
