"""Times as a server reads and writes them: `Time` to the second, `MicroTime` to the microsecond.

Reading is strict, and says what is wrong in the words of Go's parser, which clients print.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

_DATE = (("2006", r"\d{4}"), ("-", "-"), ("01", r"\d\d"), ("-", "-"), ("02", r"\d\d"), ("T", "T"))
_CLOCK = (("15", r"\d\d"), (":", ":"), ("04", r"\d\d"), (":", ":"))
_ZONE = ("Z07:00", r"Z|[+-]\d\d:\d\d")
_SECONDS: Sequence[tuple[str, str]] = (*_DATE, *_CLOCK, ("05", r"\d\d(?:[.,]\d+)?"), _ZONE)
_MICROS: Sequence[tuple[str, str]] = (*_DATE, *_CLOCK, ("05", r"\d\d"), (".000000", r"\.\d{6}"), _ZONE)


def canonical_time(text: str) -> str:
    """A `Time` in UTC, without a fraction; ValueError says why it is none."""
    return f"{_read(text, _SECONDS):%Y-%m-%dT%H:%M:%S}Z"


def canonical_micro_time(text: str) -> str:
    """A `MicroTime` in UTC; ValueError says why it is none."""
    return f"{_read(text, _MICROS):%Y-%m-%dT%H:%M:%S.%f}Z"


def _read(text: str, layout: Sequence[tuple[str, str]]) -> datetime:
    rest, parts = text, []
    for name, pattern in layout:
        found = re.match(pattern, rest)
        if found is None:
            shown = "".join(element for element, _ in layout)
            raise ValueError(f'parsing time "{text}" as "{shown}": cannot parse "{rest}" as "{name}"')
        parts.append(found[0])
        rest = rest[found.end() :]
    if rest:
        raise ValueError(f'parsing time "{text}": extra text: "{rest}"')
    return _moment(text, parts)


def _moment(text: str, parts: Sequence[str]) -> datetime:
    year, month, day = (int(parts[at]) for at in (0, 2, 4))
    hour, minute = int(parts[6]), int(parts[8])
    second, _, fraction = "".join(parts[10:-1]).replace(",", ".").partition(".")
    for name, value, least, most in (
        ("month", month, 1, 12),
        ("hour", hour, 0, 23),
        ("minute", minute, 0, 59),
        ("second", int(second), 0, 59),
    ):
        if not least <= value <= most:
            raise ValueError(f'parsing time "{text}": {name} out of range')
    try:
        zone = _zone(parts[-1])
        moment = datetime(
            year, month, day, hour, minute, int(second), int(f"{fraction:0<6}"[:6]), tzinfo=zone
        )
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f'parsing time "{text}": day out of range') from error


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)
