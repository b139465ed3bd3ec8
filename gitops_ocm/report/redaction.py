"""What must never become a commit: a commit is for ever.

Applied to every text that goes into a status file. It knows forms (private keys, tokens, passwords in
URLs); that a value is secret because of the object it came from is known where the file is made
(`status_files`).
"""

from __future__ import annotations

import re
from typing import Any

MASK = "<redacted>"
LONGEST = 1024
"""Characters kept of one text; a status file is for people, not for payloads."""

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        MASK,
    ),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(\.[A-Za-z0-9_-]*)?"), MASK),
    (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}"), rf"\1 {MASK}"),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s@]+@"), rf"\1{MASK}@"),
    (
        re.compile(
            r"(?i)(\"?\b[\w-]*(?:passw(?:or)?d|secret|token|api[-_]?key|credentials?)\"?\s*[=:]\s*)"
            r"(\"[^\"]*\"|'[^']*'|[^\s,;&\"'}]+)"
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}\b"), MASK),
)


def redacted_text(text: str, limit: int = LONGEST) -> str:
    """`text` without what has the form of a secret, cut to `limit` characters."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def redacted(value: Any, limit: int = LONGEST) -> Any:
    """A copy of a JSON value with every text in it redacted."""
    match value:
        case str():
            return redacted_text(value, limit)
        case dict():
            return {key: redacted(item, limit) for key, item in value.items()}
        case list() | tuple():
            return [redacted(item, limit) for item in value]
        case _:
            return value
