"""Many files that say the same but for a few words: read as one, with each file's own words put in.

    reader = Alike(limits)
    for data in files: reader.read(data)        what `documents.parse` makes of it, and that encoded

A tree of thousands of files holds few kinds of them: clusters that differ in name and labels, works that
differ in their cluster and in when something was reported. Where a value is certainly a string, whichever one
(in double quotes on one line, or a plain word that no YAML takes for anything else), another one in its place
changes nothing but that string. So a file is taken apart into what is between such values, and only the
first two of those that are alike there are parsed. What is in doubt is parsed. `tests/desired/test_alike.py`
holds it to `documents.parse`.
"""

from __future__ import annotations

import re

from gitops_ocm.desired import documents
from gitops_ocm.desired.documents import Parsed
from gitops_ocm.desired.yaml_events import LIMITS, Limits

MOST = 5_000
"""So many kinds of files are told apart; in a tree with more of them few are alike."""
_BEFORE = ": "
_VALUE = re.compile(rf'{_BEFORE}("[ !#-&(-\[\]-~]*+"|[a-z]++[0-9-][a-z0-9-]*+)$', re.MULTILINE)
"""Quoted: without quotes of either kind and escapes, so it ends nothing it may be inside of."""
_KIND = 'kind: "'
"""A kind may say that the document is a list: it is no value like others."""


class Alike:
    """A reader of many files, one after the other."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._forms: dict[str, tuple[str, ...] | None] = {}
        self._met: set[str] = set()

    def read(self, data: bytes) -> tuple[Parsed, bytes]:
        """A file's documents, and the same as `documents.encode` has it."""
        encoded = self._filled(data)
        if encoded is not None and (known := documents.decode(encoded)) is not None:
            return known, encoded
        parsed = documents.parse(data, self._limits)
        return parsed, documents.encode(parsed)

    def _filled(self, data: bytes) -> bytes | None:
        """The form of the file with its own values; None where it has to be parsed."""
        if not data.isascii() or b"\0" in data or len(data) > self._limits.document_bytes:
            return None
        parts = _VALUE.split(data.decode("ascii"))
        shape = "\0".join(parts[::2])
        if shape not in self._forms:
            if shape not in self._met:
                if len(self._met) < MOST:
                    self._met.add(shape)
                return None
            self._forms[shape] = self._form(parts)
        form = self._forms[shape]
        if form is None:
            return None
        parts[::2] = form
        return "".join(parts).encode()

    def _form(self, parts: list[str]) -> tuple[str, ...] | None:
        """What is between the values in the encoded file, in order; None where that cannot be told.

        Quotes are the values' own, so one without, in the place of one with them, makes no JSON.
        """
        marks = [_mark(number, value) for number, value in enumerate(parts[1::2])]
        text = "".join(f"{part}{_BEFORE}{mark}" for part, mark in zip(parts[::2], marks, strict=False))
        text += parts[-1]
        parsed = documents.parse(text.encode(), self._limits)
        if parsed.problems or _KIND in text:
            return None
        rest = documents.encode(parsed).decode()
        found = []
        for mark in marks:
            if rest.count(mark) != 1:
                return None
            piece, _, rest = rest.partition(mark)
            found.append(piece)
        return (*found, rest)


def _mark(number: int, value: str) -> str:
    """A value of the same sort that nothing else in the file is."""
    word = f"zq-{number}-qz"
    return f'"{word}"' if value.startswith('"') else word
