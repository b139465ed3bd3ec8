"""The scalar notations of the Kubernetes API: time, Go duration, int-or-percent.

Functions that turn the text on the wire into numbers, spans and instants and back into the form
Kubernetes itself writes. Quantities are in `api.quantity`; on a model all of them stay text, checked
but not changed (`api.base`). No pydantic here: `objects` stands on it too.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil

from gitops_ocm.errors import GitopsError


class ScalarError(GitopsError, ValueError):
    """A quantity, duration, time or percentage that cannot be read."""

    code = "invalid-scalar"


# --- time ---------------------------------------------------------------------------------------

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_PLAIN_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
"""What an API server writes nearly always."""


def parse_time(text: str) -> datetime:
    """An RFC 3339 instant in UTC; digits below the microsecond are dropped."""
    if _PLAIN_TIME.fullmatch(text):
        return _existing(text)
    found = _TIME.fullmatch(text)
    if not found:
        raise ScalarError(
            f"{_shown(text)} is not an RFC 3339 time", hint="write it like 2026-01-31T12:00:00Z"
        )
    fraction = (found[7] or "").ljust(6, "0")[:6]
    offset = "+00:00" if found[8] in "Zz" else found[8]
    plain = f"{found[1]}-{found[2]}-{found[3]}T{found[4]}:{found[5]}:{found[6]}"
    return _existing(f"{plain}.{fraction}{offset}")


def _existing(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ScalarError(f"{_shown(text)} is not a time that exists") from None


def format_time(moment: datetime) -> str:
    """`2026-01-31T12:00:00Z`, as `metav1.Time` is written: UTC, whole seconds."""
    return _utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_micro_time(moment: datetime) -> str:
    """`2026-01-31T12:00:00.000000Z`, as Leases and Events have it."""
    return _utc(moment).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ScalarError("a time without a time zone cannot be written to an API")
    return moment.astimezone(UTC)


# --- duration -----------------------------------------------------------------------------------

_UNITS = {
    "ns": Fraction(1, 1000),
    "us": Fraction(1),
    "µs": Fraction(1),
    "μs": Fraction(1),
    "ms": Fraction(1000),
    "s": Fraction(10**6),
    "m": Fraction(60 * 10**6),
    "h": Fraction(3600 * 10**6),
}
_DURATION = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_LONGEST = Fraction(2**63 - 1, 1000)


def parse_duration(text: str) -> timedelta:
    """A span in Go's notation (`1h30m`, `1.5s`, `0`), to the microsecond."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return timedelta(0)
    total, end = Fraction(0), 0
    for part in _DURATION.finditer(rest):
        if part.start() != end:
            break
        total += Fraction(part[1].rstrip(".")) * _UNITS[part[2]]
        end = part.end()
    if not rest or end != len(rest) or total > _LONGEST:
        raise ScalarError(f"{_shown(text)} is not a duration", hint="write it like 90s, 5m or 1h30m")
    return sign * timedelta(microseconds=int(total))


def format_duration(span: timedelta) -> str:
    """As Go prints a `time.Duration`: `1h30m0s`, `1.5s`, `300ms`, `0s`."""
    micros = span // timedelta(microseconds=1)
    if micros < 0:
        return "-" + format_duration(-span)
    if micros == 0:
        return "0s"
    if micros < 1000:
        return f"{micros}µs"
    if micros < 10**6:
        return f"{_decimal(Fraction(micros, 1000))}ms"
    seconds, hours = Fraction(micros, 10**6), 0
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{_decimal(seconds)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{hours}h{text}" if hours else text


def _decimal(value: Fraction) -> str:
    """A fraction of a power of ten as plain decimal digits without trailing zeros."""
    whole, rest = divmod(value, 1)
    digits = ""
    while rest:
        digit, rest = divmod(rest * 10, 1)
        digits += str(digit)
    return f"{whole}.{digits}" if digits else str(whole)


# --- int or percent -----------------------------------------------------------------------------

_PERCENT = re.compile(r"(\d+)%", re.ASCII)


def scaled(value: int | str, total: int) -> int:
    """An absolute number as it is, `"25%"` as that share of `total`, rounded up."""
    if isinstance(value, int):
        return value
    found = _PERCENT.fullmatch(value)
    if not found:
        raise ScalarError(f"{_shown(value)} is neither a number nor a percentage", hint="write 5 or 25%")
    return ceil(Fraction(int(found[1]) * total, 100))


def _shown(text: str) -> str:
    """The text for a message, cut so that a pasted file does not fill the screen."""
    return repr(text if len(text) <= 64 else text[:61] + "...")
