"""Rows as a plain table, columns aligned, as `kubectl get` prints them.

For terminals and pipes alike; colour and width of the screen are the command line's business.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

GAP = 3


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A header in capitals and a line per row; None and `""` show as `-`."""
    lines = [[header.upper() for header in headers]]
    lines += [[_cell(value) for value in row] for row in rows]
    widths = [max(width(line[at]) for line in lines) for at in range(len(headers))]
    return "".join(_line(line, widths) + "\n" for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (wide - width(cell) + GAP) for cell, wide in zip(cells, widths, strict=True))
    return "".join(padded).rstrip()


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else plain(str(value))


def plain(text: str) -> str:
    """One line, without control characters: cells come from objects that others write."""
    return "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)


def width(text: str) -> int:
    """Columns on a terminal: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
