"""The fields that differ, as rows of a diff: what all formats show of one object's change.

A value is said as short as it can be: a scalar on its line, a map or a list as YAML, of a text only the lines
that differ, of a long line the part that differs. What has the form of a secret is not shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from gitops_ocm.objects.diff import ABSENT, Difference
from gitops_ocm.preview.formats.words import cut, visible
from gitops_ocm.report.redaction import redacted
from gitops_ocm.report.yaml_text import to_yaml

WIDE = 160
"""Characters of one line."""
LONG = 40
"""Lines of one value."""
_AROUND = 2
_LARGEST = 20_000
"""Characters of a value that are looked at."""
_MATCHED = 300
"""Lines on each side that are matched one with another; more are shown as they are."""


class Row(NamedTuple):
    """A line of a diff; `sign` is `-`, `+` or a space."""

    sign: str
    text: str


class Hunk(NamedTuple):
    """One field. `brief` says it on one line, where that is possible."""

    path: str
    rows: tuple[Row, ...]
    brief: str = ""


def hunks(fields: Iterable[Difference]) -> Iterator[Hunk]:
    """Each field's hunk."""
    return map(hunk, fields)


def hunk(field: Difference) -> Hunk:
    """What to show of one field."""
    path = cut(visible(field.path), WIDE)
    before, after = field.before, field.after
    if isinstance(before, str) and isinstance(after, str):
        before, after = _window(before, after)
    before, after = safe(before, after, _LARGEST)
    if before is not ABSENT and after is not ABSENT and not (_is_text(before) and _is_text(after)):
        was, now = _scalar(before), _scalar(after)
        if was and now and len(was) + len(now) <= WIDE:
            return Hunk(path, (Row("-", f"{path}: {was}"), Row("+", f"{path}: {now}")), f"{was} → {now}")
    if _is_text(before) and _is_text(after):
        return Hunk(path, (Row(" ", f"{path}:"), *_limited(_text_rows(before, after))))
    if isinstance(before, str) and isinstance(after, str):
        was, now = _apart(before, after)
        return Hunk(path, (Row("-", f"{path}: {was}"), Row("+", f"{path}: {now}")))
    return Hunk(path, (*_side("-", path, before), *_side("+", path, after)))


def safe(before: Any, after: Any, longest: int) -> tuple[Any, Any]:
    """Two values without what has the form of a secret, and still two where it was two."""
    was, now = (value if value is ABSENT else redacted(value, longest) for value in (before, after))
    if was == now and before != after:
        return f"{was} (before)", f"{now} (after)"
    return was, now


def _window(before: str, after: str) -> tuple[str, str]:
    """The part of two long texts that begins a little before they differ."""
    if max(len(before), len(after)) <= _LARGEST:
        return before, after
    same = _common_length(before, after)
    start = before.rfind("\n", 0, max(0, before.rfind("\n", 0, same)))
    start = start + 1 if same - start < _LARGEST // 2 else same - WIDE
    lead = "…\n" if start > 0 and "\n" in before + after else ""
    return lead + before[max(0, start) :], lead + after[max(0, start) :]


def _common_length(one: str, other: str) -> int:
    """How long the beginning is that two texts share; halving, as comparing slices is quick."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value


def _scalar(value: Any) -> str:
    """A value on one line; `""` where it has no place on one."""
    if isinstance(value, str) and len(value) > WIDE:
        return ""
    text = _json(value) if not value or not isinstance(value, (dict, list, tuple)) else ""
    return visible(text)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _side(sign: str, path: str, value: Any) -> Iterator[Row]:
    """A value that was not there before, or is not any more."""
    if value is ABSENT:
        return
    if short := _scalar(value):
        yield Row(sign, f"{path}: {cut(short, WIDE)}")
    elif _is_text(value):
        yield Row(sign, f"{path}: |")
        yield from _limited(Row(sign, f"  {line}") for line in value.splitlines())
    elif isinstance(value, str):
        yield Row(sign, f"{path}: {cut(_json(visible(value[:_LARGEST])), WIDE)}")
    else:
        yield Row(sign, f"{path}:")
        yield from _limited(Row(sign, f"  {line}") for line in to_yaml(value).splitlines())


def _limited(rows: Iterable[Row]) -> Iterator[Row]:
    """So many rows as one reads, each no wider than one reads."""
    found = list(rows)
    over = len(found) - LONG
    for row in found if over <= 1 else found[:LONG]:
        yield Row(row.sign, cut(visible(row.text), WIDE))
    if over > 1:
        yield Row(" ", f"  … {over:,} more lines")


def _text_rows(before: str, after: str) -> Iterator[Row]:
    """The lines of a text that differ, with what stands around them."""
    old, new = before.splitlines(), after.splitlines()
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    middle_old, middle_new = old[start : len(old) - end], new[start : len(new) - end]
    if not middle_old and not middle_new:
        yield Row(" ", f"  {'a line break is new' if len(after) > len(before) else 'a line break is gone'}")
        return
    yield from _same(old[max(0, start - _AROUND) : start], skipped=start > _AROUND)
    if max(len(middle_old), len(middle_new)) > _MATCHED:
        yield from (Row("-", f"  {line}") for line in middle_old)
        yield from (Row("+", f"  {line}") for line in middle_new)
    else:
        yield from _matched(middle_old, middle_new)
    yield from _same(new[len(new) - end :][:_AROUND], skipped=False)


def _same(lines: Sequence[str], *, skipped: bool) -> Iterator[Row]:
    if skipped:
        yield Row(" ", "  …")
    yield from (Row(" ", f"  {line}") for line in lines)


def _matched(old: Sequence[str], new: Sequence[str]) -> Iterator[Row]:
    for what, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what != "equal":
            yield from (Row("-", f"  {line}") for line in old[i:j])
            yield from (Row("+", f"  {line}") for line in new[k:m])
        elif j - i <= 2 * _AROUND:
            yield from _same(new[k:m], skipped=False)
        else:
            yield from _same(new[k : k + _AROUND], skipped=False)
            yield from _same(new[m - _AROUND : m], skipped=True)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many first lines are the same."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _apart(before: str, after: str) -> tuple[str, str]:
    """Two long lines from shortly before where they differ."""
    start = max(0, _common_length(before, after) - 20)
    lead = "…" if start else ""
    was, now = (_json(lead + visible(text[start : start + _LARGEST])) for text in (before, after))
    return cut(was, WIDE), cut(now, WIDE)
