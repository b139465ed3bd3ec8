"""Putting into a bounded space as much as fits: every function here returns no more than its `room`.

Space is counted in bytes of UTF-8, which no forge counts more strictly. `""` is returned where not even the
least fits; `Room` keeps in mind that something was left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gitops_ocm.preview.formats.diff_rows import Group, line
from gitops_ocm.preview.formats.fields import Row
from gitops_ocm.preview.formats.inert import fence

_FENCE = len(fence("")) + 2 * 220
"""What a fence takes around its content: rows are shorter than that, so no run of backticks is longer."""


_APART = "\n\n"


def size(text: str) -> int:
    """How much room a text takes."""
    return len(text.encode("utf-8", "surrogatepass"))


@dataclass
class Room:
    """The space that is left in a comment."""

    left: int
    where: str = "see the artifact"
    short: bool = False

    def take(self, part: float, write: Callable[[int], str]) -> str:
        """Let a section write into a part of what is left; what it does not use is there for the next.

        An empty line stands before it.
        """
        allowed = max(0, int(self.left * part) - size(_APART))
        text = write(allowed).strip("\n")
        assert size(text) <= allowed, (size(text), allowed)
        self.left -= size(text) + size(_APART)
        return f"\n{text}\n" if text else ""

    def lines(self, entries: Iterable[str], number: int, room: int, lead: str = "") -> str:
        """As many of `number` entries, each ending a line, as fit; then, after `lead`, how many there are."""
        used: list[str] = []
        most = room - size(self._more(number, lead))
        for entry in entries:
            most -= size(entry)
            if most < 0:
                self.short = True
                more = self._more(number - len(used), lead if used else lead.lstrip("\n"))
                return "".join((*used, more)) if size("".join((*used, more))) <= room else ""
            used.append(entry)
        return "".join(used)

    def _more(self, number: int, lead: str) -> str:
        return f"{lead}… and {number:,} more: {self.where}\n"

    def diff(self, groups: Iterable[Group], number: int, room: int) -> str:
        """A fence with as many groups as fit; one that is too large for all shows its first rows."""
        entries = self._cut(groups, max(0, (room - _FENCE) // 2))
        content = self.lines(entries, number, room - _FENCE)
        return fence(content) if content else ""

    def _cut(self, groups: Iterable[Group], most: int) -> Iterator[str]:
        """Groups as text, each at most about so large, but never without its title."""
        for group in groups:
            rows = [line(row) for row in group.rows]
            shown = _fitting(rows, most)
            if len(shown) < len(rows):
                self.short = True
                shown = [*shown, line(Row(" ", f"  … {len(rows) - len(shown):,} more lines"))]
            yield "".join((line(group.title), *shown))


def _fitting(rows: Sequence[str], most: int) -> list[str]:
    shown: list[str] = []
    for row in rows:
        most -= size(row)
        if most < 0:
            break
        shown.append(row)
    return shown
