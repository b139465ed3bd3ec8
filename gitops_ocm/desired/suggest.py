"""What a person probably meant by a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str:
    """`did you mean "spec"?` for a name close to a known one, else ""."""
    by_fold = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name.lower(), by_fold, n=1, cutoff=0.7)
    return f'did you mean "{by_fold[close[0]]}"?' if close else ""
