"""Keep secrets out of logs, messages and reprs.

`Secret` wraps a value on its way from a file to a header; `redacted` masks by key name what
somebody logs. Masking the data of Secret *objects* in diffs is `objects.diff.masked`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASK = "***"

_SECRET_KEY = re.compile(
    r"token|passw(or)?d|secret|authorization|api[-_]?key|private[-_]?key|client[-_]?key|credential|cookie",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}")
_URL_USERINFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s@]+@")
_PEM_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)


class Secret:
    """A string that prints as `***`; `reveal()` at the point of use only."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def redacted_text(text: str) -> str:
    """`text` without bearer tokens, passwords in URLs and private keys."""
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _URL_USERINFO.sub(rf"\1{MASK}@", text)
    return _PEM_KEY.sub(MASK, text) if "PRIVATE KEY" in text else text


def redacted(value: Any, key: str = "") -> Any:
    """A copy of `value` in which whatever looks like a secret, by key or by form, is masked."""
    match value:
        case Secret():
            return MASK
        case Mapping():
            if value.get("kind") == "Secret" and value.keys() & {"data", "stringData"}:
                return {**{k: v for k, v in value.items() if k not in ("data", "stringData")}, "data": MASK}
            return {k: redacted(v, str(k)) for k, v in value.items()}
        case list() | tuple():
            return [redacted(v, key) for v in value]
        case bytes():
            return f"<{len(value)} bytes>"
        case str():
            return MASK if value and _SECRET_KEY.search(key) else redacted_text(value)
        case _:
            return value
