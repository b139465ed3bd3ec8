"""When a CronJob runs: schedules of five fields, as the cron library reads them that Kubernetes uses.

A `Schedule` knows the minutes it fires in; `parsed` reads one and says in that library's words what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

_MONTHS = {
    "jan": 1,
    "feb": 2,
    "mar": 3,
    "apr": 4,
    "may": 5,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "sep": 9,
    "oct": 10,
    "nov": 11,
    "dec": 12,
}
_DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_NAMED: Mapping[str, str] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = "@every "
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_HORIZON = timedelta(days=366 * 5)
"""How far ahead a next time is looked for: what never comes, such as 30 February, is given up."""


class BadSchedule(ValueError):
    """A schedule that is none."""


@dataclass(frozen=True)
class _Field:
    name: str
    least: int
    most: int
    names: Mapping[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _DAYS),
)


@dataclass(frozen=True)
class Schedule:
    """The minutes a schedule names; or, with `every`, one moment after another."""

    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    any_day: bool = True
    any_weekday: bool = True
    every: timedelta | None = None

    def after(self, moment: datetime) -> datetime | None:
        """The first time after a moment, in that moment's zone; None where there is none."""
        if self.every is not None:
            return moment.replace(microsecond=0) + self.every
        at = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        end = moment + _HORIZON
        while at < end:
            if at.month not in self.months or not self._is_day(at):
                at = (at + timedelta(days=1)).replace(hour=0, minute=0)
            elif at.hour not in self.hours:
                at = (at + timedelta(hours=1)).replace(minute=0)
            elif at.minute not in self.minutes:
                at += timedelta(minutes=1)
            else:
                return at
        return None

    def _is_day(self, at: datetime) -> bool:
        """Where both kinds of days are limited, either will do."""
        in_month, in_week = at.day in self.days, at.isoweekday() % 7 in self.weekdays
        return in_month and in_week if self.any_day or self.any_weekday else in_month or in_week


def parsed(text: str) -> Schedule:
    """The schedule a text names; raises BadSchedule."""
    if not text:
        raise BadSchedule("empty spec string")
    if text.startswith("@"):
        return _described(text)
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise BadSchedule(f"expected exactly {len(_FIELDS)} fields, found {len(fields)}: {_listed(fields)}")
    minutes, hours, days, months, weekdays = map(_field, fields, _FIELDS)
    starred = [any(one[:1] in "*?" for one in part.split(",")) for part in fields]
    return Schedule(minutes, hours, days, months, weekdays, any_day=starred[2], any_weekday=starred[4])


def _listed(fields: list[str]) -> str:
    return f"[{' '.join(fields)}]"


def _described(text: str) -> Schedule:
    if text in _NAMED:
        return parsed(_NAMED[text])
    if not text.startswith(_EVERY):
        raise BadSchedule(f"unrecognized descriptor: {text}")
    duration = text.removeprefix(_EVERY)
    parts = _DURATION.findall(duration)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != duration:
        raise BadSchedule(f'failed to parse duration {text}: time: invalid duration "{duration}"')
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return Schedule(every=timedelta(seconds=max(1, int(seconds))))


def _field(text: str, field: _Field) -> frozenset[int]:
    return frozenset(value for one in text.split(",") if one for value in _range(one, field))


def _range(text: str, field: _Field) -> range:
    span, *steps = text.split("/")
    low, *rest = span.split("-")
    if low in ("*", "?"):
        start, end = field.least, field.most
    else:
        start = _number(low, field.names)
        if len(rest) > 1:
            raise BadSchedule(f"too many hyphens: {text}")
        end = _number(rest[0], field.names) if rest else start
    if len(steps) > 1:
        raise BadSchedule(f"too many slashes: {text}")
    step = _whole(steps[0]) if steps else 1
    if steps and not rest:
        end = field.most
    if start < field.least:
        raise BadSchedule(f"beginning of range ({start}) below minimum ({field.least}): {text}")
    if end > field.most:
        raise BadSchedule(f"end of range ({end}) above maximum ({field.most}): {text}")
    if start > end:
        raise BadSchedule(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise BadSchedule(f"step of range should be a positive number: {text}")
    return range(start, end + 1, step)


def _number(text: str, names: Mapping[str, int]) -> int:
    named = names.get(text.lower())
    return _whole(text) if named is None else named


def _whole(text: str) -> int:
    if re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        number = int(text)
        if number < 0:
            raise BadSchedule(f"negative number ({number}) not allowed: {text}")
        return number
    why = f'strconv.Atoi: parsing "{text}": invalid syntax'
    raise BadSchedule(f"failed to parse int from {text}: {why}")
