"""Times that come again, in a time zone of their own: `Fri 17:00` to `Mon 08:00`, each night, some dates.

    window = read_window("Fri 17:00", "Mon 08:00", zone="Europe/Berlin")
    window.ends(now)        # None outside of it; when it ends

All in the zone's own clock. Where that is put back, what begins in the hour that comes twice begins with the
first of them, and what ends in it ends with the second; where it is put forward, an hour that is not there is
the one after it. Which rules have windows is `policy`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gitops_ocm.desired.suggest import nearest
from gitops_ocm.errors import GitopsError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONGEST = timedelta(days=8)
"""No window that comes again is longer, with the hour that a clock may be put back."""
_JOINED = 400
"""So many windows that follow each other without a gap are taken for one."""
NEVER = datetime.max.replace(tzinfo=UTC)
"""The end of what has none."""
_DAY = r"(?P<date>\d{4}-\d\d-\d\d)|(?P<day>[A-Za-z]+)"
_MOMENT = re.compile(rf"(?:{_DAY})?(?:(?:^|(?<=\S) )(?P<time>\d{{1,2}}:\d\d))?", re.ASCII)


class BadWindow(GitopsError):
    """Times that no window can be made of; `field` is the key at fault."""

    code = "invalid-window"

    def __init__(self, message: str, field: str, hint: str = "") -> None:
        self.field = field
        super().__init__(message, hint=hint)


@dataclass(frozen=True)
class _Moment:
    """What is written of a moment; `minutes` may be 1440, the end of its day."""

    day: date | int | None
    minutes: int


@dataclass(frozen=True)
class Window:
    """When something holds. Without `begin` and `end` it holds on all of its `days`."""

    zone: ZoneInfo
    begin: _Moment
    end: _Moment
    days: frozenset[int] = frozenset(range(7))
    always: bool = False

    def ends(self, now: datetime) -> datetime | None:
        """When the window ends that `now` is in; None outside. `NEVER` for what has no end."""
        if self.always:
            return NEVER
        if (found := self._end(now)) is None:
            return None
        for _ in range(_JOINED):
            later = self._end(found)
            if later is None:
                break
            found = later
        return found

    def _end(self, now: datetime) -> datetime | None:
        holding = [end for begin, end in self._near(now) if begin <= now < end]
        return max(holding, default=None)

    def _near(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Every time it comes that may hold now."""
        begin, end = self.begin, self.end
        if isinstance(begin.day, date) and isinstance(end.day, date):
            yield self._at(begin.day, begin.minutes), self._at(end.day, end.minutes, last=True)
            return
        today = now.astimezone(self.zone).date()
        for back in range(_LONGEST.days + 1):
            first = today - timedelta(days=back)
            if first.weekday() in self.days:
                last = first + timedelta(days=self._nights)
                yield self._at(first, begin.minutes), self._at(last, end.minutes, last=True)

    @property
    def _nights(self) -> int:
        """How many days after it began it ends."""
        begin, end = self.begin, self.end
        early = end.minutes <= begin.minutes
        if isinstance(begin.day, int) and isinstance(end.day, int):
            nights = (end.day - begin.day) % 7
            return 7 if nights == 0 and early else nights
        return 1 if early else 0

    def _at(self, day: date, minutes: int, *, last: bool = False) -> datetime:
        """A moment of the zone's clock; of two that read the same the first, or the `last`."""
        wall = datetime.combine(day, time(), self.zone) + timedelta(minutes=minutes)
        return wall.replace(fold=int(last and _twice(wall))).astimezone(UTC)


def _twice(wall: datetime) -> bool:
    """Whether the clock shows this twice, and does not leave it out."""
    first, second = (wall.replace(fold=fold).utcoffset() for fold in (0, 1))
    return first is not None and second is not None and first > second


def read_window(begin: str, end: str, *, days: tuple[str, ...] = (), zone: str = "UTC") -> Window:
    """The window between two moments of the same form: `17:00`, `Fri 17:00`, `2026-12-24 17:00`.

    A day without a time is the whole day. `days` are those on which a window of times alone begins. Raises
    `BadWindow`.
    """
    known = _zone(zone)
    chosen = frozenset(_day(name, "days") for name in days) or frozenset(range(7))
    if bool(begin) != bool(end):
        missing = "to" if begin else "from"
        raise BadWindow("a window has both `from` and `to`, or none of them", missing)
    if not begin:
        whole = _Moment(None, 0), _Moment(None, 1440)
        return Window(known, *whole, days=chosen, always=not days)
    first, last = _moment(begin, "from", whole=0), _moment(end, "to", whole=1440)
    if type(first.day) is not type(last.day):
        why = f"{begin!r} and {end!r} are not of one form"
        raise BadWindow(why, "to", "write both as 17:00, as Fri 17:00, or as 2026-12-24 17:00")
    if days and first.day is not None:
        raise BadWindow("`days` goes with times alone, not with days in `from` and `to`", "days")
    if isinstance(first.day, int):
        chosen = frozenset({first.day})
    found = Window(known, first, last, days=chosen)
    one, other = first.day, last.day
    dated = isinstance(one, date) and isinstance(other, date)
    if dated and (one, first.minutes) >= (other, last.minutes):
        raise BadWindow(f"the window ends at {end!r}, before it begins", "to")
    return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadWindow(
            f"there is no time zone {name!r}", "timeZone", "name it as Europe/Berlin, or UTC"
        ) from None


def _day(name: str, field: str) -> int:
    if name not in DAYS:
        hint = nearest(name, DAYS) or f"days are {', '.join(DAYS)}"
        raise BadWindow(f"there is no day {name!r}", field, hint)
    return DAYS.index(name)


def _moment(text: str, field: str, *, whole: int) -> _Moment:
    found = _MOMENT.fullmatch(text)
    forms = "write 17:00, Fri 17:00, or 2026-12-24 17:00"
    if not found or not text:
        raise BadWindow(f"{text[:60]!r} is no moment", field, forms)
    day: date | int | None = None
    if found["date"]:
        try:
            day = date.fromisoformat(found["date"])
        except ValueError:
            raise BadWindow(f"there is no day {found['date']}", field, forms) from None
    elif found["day"]:
        day = _day(found["day"], field)
    if not found["time"]:
        return _Moment(day, whole)
    hours, minutes = map(int, found["time"].split(":"))
    total = hours * 60 + minutes
    if minutes > 59 or total > (1440 if field == "to" else 1439):
        raise BadWindow(f"there is no time {found['time']}", field, "times go from 00:00 to 24:00")
    return _Moment(day, total)
