"""Patterns for paths: the globs of `sync.paths` and the ignore rules of `.gitopsignore`.

Both match whole paths with `/` between segments. `*` and `?` stay inside one segment, `**` spans
any number. Ignore files follow gitignore(5): the last rule that matches wins, `!` takes a path back
in unless a folder above it is left out, a trailing `/` means folders only, a rule without another
`/` matches at any depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple


def covers(globs: Sequence[str], path: str) -> bool:
    """Whether any glob means this file, by naming it or a folder above it."""
    return any(_under(glob).match(path) for glob in globs)


@lru_cache(maxsize=1024)
def _under(glob: str) -> re.Pattern[str]:
    glob = glob.removeprefix("./").rstrip("/")
    if glob in ("", "."):
        return re.compile("")
    return re.compile(_translated(glob) + r"(?:/|\Z)", re.DOTALL)


class Rule(NamedTuple):
    """One line of an ignore file that lies in the folder `base` (`""` or ending in `/`)."""

    base: str
    pattern: re.Pattern[str]
    negated: bool
    folders_only: bool


def rules(lines: Iterable[str], base: str = "") -> list[Rule]:
    """The rules of an ignore file's lines."""
    found = []
    for line in lines:
        text = line.rstrip("\r\n").rstrip(" ")
        if not text or text.startswith("#"):
            continue
        negated = text.startswith("!")
        text = text.removeprefix("!").removeprefix("\\")
        folders_only = text.endswith("/")
        text = text.rstrip("/")
        if text:
            anchored = "/" in text
            regex = _translated(text.lstrip("/"))
            prefix = "" if anchored else "(?:.*/)?"
            found.append(Rule(base, re.compile(prefix + regex + r"\Z", re.DOTALL), negated, folders_only))
    return found


class Ignored:
    """Decides for paths by a set of rules; remembers folders."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._folders: dict[str, bool] = {"": False}

    def __call__(self, path: str) -> bool:
        """Whether a file is left out."""
        if not self._rules:
            return False
        folder = path.rpartition("/")[0]
        return self._folder(folder) or self._judged(path, is_folder=False)

    def _folder(self, folder: str) -> bool:
        known = self._folders.get(folder)
        if known is None:
            above = folder.rpartition("/")[0]
            known = self._folders[folder] = self._folder(above) or self._judged(folder, is_folder=True)
        return known

    def _judged(self, path: str, *, is_folder: bool) -> bool:
        for rule in reversed(self._rules):
            if (rule.folders_only and not is_folder) or not path.startswith(rule.base):
                continue
            if rule.pattern.match(path, len(rule.base)):
                return not rule.negated
        return False


def _translated(glob: str) -> str:
    """A regular expression for a glob, without anchors."""
    out, at = "", 0
    while at < len(glob):
        char = glob[at]
        if glob.startswith("**/", at):
            out, at = out + "(?:.*/)?", at + 3
        elif glob.startswith("**", at):
            out, at = out + ".*", at + 2
        elif char == "[" and (end := glob.find("]", at + 2)) > 0:
            inner = glob[at + 1 : end].replace("\\", r"\\").replace("[", r"\[")
            inner = "^" + inner[1:] if inner[0] in "!^" else inner
            out, at = f"{out}(?!/)[{inner}]", end + 1
        else:
            out += {"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char))
            at += 1
    return out
