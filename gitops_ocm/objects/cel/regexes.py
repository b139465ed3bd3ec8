"""Regular expressions as Go has them: RE2's, which take time in proportion to the text, whatever the pattern.

The library is loaded when the first pattern is: most processes see none.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from gitops_ocm.objects.cel.faults import EvalError

_GO = {
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
}


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:
    """The pattern, for bytes; ValueError says what is wrong with it, as Go does."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern.encode(), options)
    except re2.error as error:
        text = error.args[0]
        message = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
        why, colon, what = message.partition(": ")
        if why == "unexpected )":
            raise ValueError(f"error parsing regexp: unexpected ): `{pattern}`") from error
        shown = f": `{pattern if why.startswith('missing )') else what}`" if colon else ""
        raise ValueError(f"error parsing regexp: {_GO.get(why, why)}{shown}") from error


def matches(text: str, pattern: str) -> bool:
    """Whether the pattern is found in the text."""
    return _compiled(pattern).search(text.encode()) is not None


def find(text: str, pattern: str) -> str:
    """The first match, or nothing."""
    found = _compiled(pattern, "Illegal regex: ").search(text.encode())
    return str(found.group(0).decode()) if found else ""


def find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    """All matches, or as many as are wanted; an empty one is none right after another match."""
    found: list[str] = []
    last = -1
    for match in _compiled(pattern, "Illegal regex: ").finditer(text.encode()):
        if 0 <= limit <= len(found):
            break
        if match.start() == match.end() == last:
            continue
        last = match.end()
        found.append(match.group(0).decode())
    return found


def _compiled(pattern: str, before: str = "") -> Any:
    try:
        return compiled(pattern)
    except ValueError as error:
        raise EvalError(f"{before}{error}") from error
