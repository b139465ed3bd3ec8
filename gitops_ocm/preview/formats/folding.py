"""Lines folded to the width of a terminal, at spaces, so that what goes on stands below where it began."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gitops_ocm.report.plan_text import Line, Span
from gitops_ocm.report.tables import width as columns

_WORD = re.compile(r" *[^ ]+| +")
_HANGING = 4
_NARROWEST = 40


def folded(lines: Iterable[Line], width: int) -> Iterator[Line]:
    """The lines, none wider than `width` but for words that are (0: as they are)."""
    if width <= 0:
        yield from lines
        return
    for line in lines:
        yield from _folded(line, max(width, _NARROWEST))


def _folded(line: Line, width: int) -> Iterator[Line]:
    if columns("".join(span.text for span in line)) <= width:
        yield line
        return
    indent = _indent(line) + _HANGING
    row: list[Span] = []
    used = 0
    for word, style in _words(line):
        size = columns(word)
        if used > indent and word.strip() and used + size > width:
            yield tuple(row)
            word = " " * indent + word.lstrip(" ")
            row, used, size = [], 0, columns(word)
        row.append(Span(word, style))
        used += size
    yield tuple(row)


def _indent(line: Line) -> int:
    text = "".join(span.text for span in line)
    return len(text) - len(text.lstrip(" "))


def _words(line: Line) -> Iterator[tuple[str, str]]:
    for span in line:
        for word in _WORD.findall(span.text):
            yield word, span.style
