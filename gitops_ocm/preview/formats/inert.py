"""Text that others wrote, made inert for a forge's Markdown: it mentions nobody and links nowhere.

GitHub, GitLab, Gitea and Bitbucket each link more than CommonMark says: mentions, numbers of issues,
addresses. None of them does so in code, so what is not prose stands in code spans and fences. In prose an
invisible character parts what would be linked, and every mark is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gitops_ocm.preview.formats.words import cut, visible

APART = "\u200b"
"""A zero-width space: what is left and right of it is no link any more."""
_MARKS = re.compile(r"[\\`*_{}\[\]<>|~$]")
_LINKED = re.compile(
    r"(?<=[@#!~%&$^])(?=[\w\"'])"  # mentions, issues, merge requests, labels, milestones, snippets, formulas
    r"|(?<=:)(?=//)|(?<=\b[Ww][Ww][Ww])(?=\.)|(?<=\bmailto)(?=:)"  # addresses
    r"|(?<=\b[A-Z]{2})(?=[A-Z0-9]*-\d)|(?<=:)(?=[\w+-]+:)"  # tickets of other trackers; :names: of emoji
    r"|(?<=\b[0-9a-f]{6})(?=[0-9a-f]+\b)",  # commits
)
_BACKTICKS = re.compile("`+")


def prose(text: str, most: int = 400) -> str:
    """A sentence in running text, on one line."""
    plain = cut(" ".join(visible(text.replace("\n", " ")).split()), most)
    return _MARKS.sub(r"\\\g<0>", _LINKED.sub(APART, plain))


def code(text: str, most: int = 160) -> str:
    """A name or a value in a code span, on one line; `""` where there is none."""
    plain = cut(visible(text), most)
    if not plain.strip():
        return ""
    ticks = "`" * (_longest_run(plain) + 1)
    pad = " " if plain[0] in "` " or plain[-1] in "` " else ""
    return f"{ticks}{pad}{plain}{pad}{ticks}"


def cell(text: str, most: int = 160) -> str:
    """A code span in a table, where forges disagree on how a pipe is escaped: it becomes a broken bar."""
    return code(text.replace("|", "¦"), most)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table; cells must be inert already. `right` columns are aligned to the right."""
    rule = ["---:" if at in right else "---" for at in range(len(headers))]
    return "".join(f"| {' | '.join(row)} |\n" for row in (headers, rule, *rows))


def fence(content: str, language: str = "diff") -> str:
    """Lines in a fence that nothing in them can close."""
    ticks = "`" * max(3, _longest_run(content) + 1)
    return f"{ticks}{language}\n{content}{ticks}\n"


def folded_away(summary: str, content: str, *, opened: bool = False) -> str:
    """A part that a reader opens. `summary` must be inert already."""
    return f"<details{' open' if opened else ''}><summary>{summary}</summary>\n\n{content}\n</details>\n"


def _longest_run(text: str) -> int:
    return max(map(len, _BACKTICKS.findall(text)), default=0)
