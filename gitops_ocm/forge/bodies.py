"""A comment's text: the hidden mark it is found by, what a forge does not show, what is too long for it.

    <!-- gitops-ocm preview -->                              as a preview begins
    <!-- gitops-ocm preview fleet=eu head=0123abcd -->       as a comment does

A reader sees neither. Where HTML is shown as it is written (Bitbucket), a link's definition takes its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

_INSIDE = r"gitops-ocm preview(?: fleet=(?P<fleet>[^\s)>]*))?(?: head=(?P<head>[0-9a-f]*))?"
_MARK = re.compile(rf"\s*(?:<!-- {_INSIDE} -->|\[//\]: # \({_INSIDE.replace('P<', 'P<plain_')}\))")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_FOLD = re.compile(r"</?details\b[^>]*>|</?(?:br|sub|sup)\s*/?>")
_SUMMARY = re.compile(r"<summary>(.*?)</summary>")
_TAG = re.compile(r"</?(?:b|strong|code|i|em)>")
_CUT = "_The rest is left out: this forge takes no longer comments. The pipeline's artifacts have all of it._"


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose comment it is: the fleet's path or name (`""`: the only one), the pull request's commit."""

    fleet: str = ""
    head: str = ""


def mark_of(body: str) -> Mark | None:
    """The mark a comment begins with."""
    found = _MARK.match(body)
    if found is None:
        return None
    fleet = found["fleet"] or found["plain_fleet"] or ""
    return Mark(unquote(fleet), found["head"] or found["plain_head"] or "")


def marked(text: str, mark: Mark, *, limit: int, plain: bool = False) -> str:
    """A preview's text as the comment to write: marked, and no longer than the forge takes."""
    found = _MARK.match(text)
    rest = (text[found.end() :] if found else text).strip("\n")
    head = _line(mark, plain=plain) + "\n"
    if plain:
        head, rest = head + "\n", without_html(rest).strip("\n")
    return head + fitted(rest, limit - len(head))


def _line(mark: Mark, *, plain: bool) -> str:
    # A comment may hold no "--", and a link's title no parenthesis: neither is left in what is quoted.
    fleet = f" fleet={quote(mark.fleet, safe='/').replace('-', '%2D')}" if mark.fleet else ""
    inside = f"gitops-ocm preview{fleet}" + (f" head={mark.head}" if mark.head else "")
    return f"[//]: # ({inside})" if plain else f"<!-- {inside} -->"


def without_html(text: str) -> str:
    """Folded parts unfolded, their titles in bold; what is fenced stays as it is."""
    lines, fence = [], ""
    for line in text.split("\n"):
        fence = _after(line, fence)
        if fence or _FENCE.match(line):
            lines.append(line)
            continue
        bare = _TAG.sub("", _SUMMARY.sub(r"**\1**", _FOLD.sub("", line)))
        if bare.strip() or not line.strip():
            lines.append(bare)
    return "\n".join(lines)


def fitted(text: str, limit: int) -> str:
    """The text, or as many of its lines as fit: what they leave open is closed, more is said to be."""
    if len(text) <= limit:
        return text
    kept: list[str] = []
    fence, folds, used, best = "", 0, 0, ""
    for line in text.split("\n"):
        used += len(line) + 1
        fence = _after(line, fence)
        if not fence:
            folds = max(0, folds + len(re.findall(r"<details\b", line)) - line.count("</details>"))
        kept.append(line)
        end = _ending(fence, folds)
        if used + len(end) > limit:
            break
        best = "\n".join(kept) + end
    return best or _CUT[:limit]


def _ending(fence: str, folds: int) -> str:
    closing = [*([fence] if fence else []), *(["", "</details>"] * folds)]
    return "\n" + "\n".join([*closing, "", _CUT])


def _after(line: str, fence: str) -> str:
    """The fence that is open after a line."""
    found = _FENCE.match(line)
    if found is None:
        return fence
    if not fence:
        return found[1]
    closes = found[1][0] == fence[0] and len(found[1]) >= len(fence) and not line[found.end() :].strip()
    return "" if closes else fence
