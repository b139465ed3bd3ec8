"""Durations and moments as Go reads and writes them, in nanoseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal

SECOND = 1_000_000_000
LONGEST = (1 << 63) - 1
EARLIEST, LATEST = -62_135_596_800 * SECOND, 253_402_300_799 * SECOND + SECOND - 1
_UNITS = {
    "ns": 1,
    "us": 1000,
    "µs": 1000,
    "μs": 1000,
    "ms": 10**6,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
}
_DAYS = {"d": 86_400 * SECOND, "w": 7 * 86_400 * SECOND}
_WORDS = {
    **dict.fromkeys(("nano", "ns"), 1),
    **dict.fromkeys(("micro", "us", "µs"), 1000),
    **dict.fromkeys(("milli", "ms"), 10**6),
    **dict.fromkeys(("second", "sec", "s"), SECOND),
    **dict.fromkeys(("minute", "min", "m"), 60 * SECOND),
    **dict.fromkeys(("hour", "hr", "h"), 3600 * SECOND),
    **dict.fromkeys(("day", "d"), _DAYS["d"]),
    **dict.fromkeys(("week", "wk", "w"), _DAYS["w"]),
}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_SPOKEN = re.compile(r"\s*(\d+)\s*([A-Za-zµ]+)")
_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def duration(text: str) -> int:
    """A duration as Go writes them (`1h30m`, `-1.5s`); ValueError when it is none."""
    sign, rest = (
        (-1 if text[:1] == "-" else 1),
        text.removeprefix("-") if text[:1] == "-" else text.removeprefix("+"),
    )
    if rest == "0":
        return 0
    total, end = Decimal(0), 0
    for part in _PART.finditer(rest):
        if part.start() != end:
            break
        total, end = total + Decimal(part[1]) * _UNITS[part[2]], part.end()
    if not rest or end != len(rest) or abs(total) > LONGEST:
        raise ValueError(f'time: invalid duration "{text}"')
    return sign * int(total)


def go_duration(text: str) -> int:
    """A duration of the OpenAPI format: as Go writes them, or in words (`3 days`)."""
    try:
        return duration(text)
    except ValueError:
        found = _SPOKEN.fullmatch(text)
        unit = found and (_WORDS.get(found[2].lower()) or _WORDS.get(found[2].lower().removesuffix("s")))
        if not found or not unit:
            raise ValueError(f'unable to parse "{text}" as duration') from None
        return int(found[1]) * unit


def moment(text: str) -> int:
    """A moment as RFC 3339 writes them; ValueError when it is none."""
    found = _MOMENT.fullmatch(text)
    if not found:
        raise ValueError(
            f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}" as "2006"'
        )
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    zone = UTC if (found[8] or "Z") in "Zz" else _offset(found[8])
    whole = datetime(year, month, day, hour, minute, second, tzinfo=zone) - _EPOCH
    return (whole.days * 86_400 + whole.seconds) * SECOND + int(f"{found[7] or '':0<9}"[:9])


def date_value(text: str) -> int:
    """The beginning of a day."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise ValueError(f'parsing time "{text}" as "2006-01-02": cannot parse "{text}" as "2006"')
    return moment(f"{text}T00:00:00Z")


def written_moment(nanos: int) -> str:
    """A moment as RFC 3339, with as many digits as it needs."""
    seconds, rest = divmod(nanos, SECOND)
    text = f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}".rjust(19, "0")
    return text + (f".{rest:09}".rstrip("0") if rest else "") + "Z"


def written_duration(nanos: int) -> str:
    """A duration in seconds (`5400s`, `1.5s`)."""
    number = Decimal(nanos) / SECOND
    return f"{number.normalize():f}s"


def local(nanos: int, zone: str = "UTC") -> datetime:
    """A moment where a zone's clocks are (`Europe/Paris`, `+01:00`); ValueError for no zone.

    The library is loaded by the first zone that has a name: hardly a process sees one.
    """
    if re.fullmatch(r"[+-]?\d\d:\d\d", zone):
        where: tzinfo = _offset(zone if zone[0] in "+-" else f"+{zone}")
    elif zone == "UTC":
        where = UTC
    else:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            where = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"unknown time zone {zone}") from error
    return (_EPOCH + timedelta(seconds=nanos // SECOND)).astimezone(where)


def _offset(text: str) -> timezone:
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
