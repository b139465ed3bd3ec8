"""Windows of time: which moments they hold, across midnight, weeks and the changes of a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.desired.windows import NEVER, BadWindow, read_window

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
WEEKEND = {"begin": "Fri 17:00", "end": "Mon 08:00", "zone": BERLIN}
NIGHT = {"begin": "22:00", "end": "06:00", "zone": BERLIN}
HOLIDAYS = {"begin": "2026-12-24", "end": "2027-01-06", "zone": BERLIN}


def at(text: str) -> datetime:
    """`2026-11-27 16:30`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "now", "ends"),
    [
        # 27 November 2026 is a Friday; Berlin is an hour ahead of UTC then.
        (WEEKEND, "2026-11-27 15:59", None),
        (WEEKEND, "2026-11-27 16:00", "2026-11-30 07:00"),
        (WEEKEND, "2026-11-29 12:00", "2026-11-30 07:00"),
        (WEEKEND, "2026-11-30 06:59", "2026-11-30 07:00"),
        (WEEKEND, "2026-11-30 07:00", None),
        # The weekend in which the clock is put forward is an hour shorter, the other one longer.
        (WEEKEND, "2026-03-27 16:00", "2026-03-30 06:00"),
        (WEEKEND, "2026-10-23 15:00", "2026-10-26 07:00"),
        (NIGHT, "2026-11-27 20:59", None),
        (NIGHT, "2026-11-27 23:30", "2026-11-28 05:00"),
        (NIGHT, "2026-11-28 04:59", "2026-11-28 05:00"),
        (NIGHT, "2026-11-28 05:00", None),
        # Dates without times are whole days of the zone.
        (HOLIDAYS, "2026-12-23 22:59", None),
        (HOLIDAYS, "2026-12-23 23:00", "2027-01-06 23:00"),
        (HOLIDAYS, "2027-01-06 22:59", "2027-01-06 23:00"),
        (HOLIDAYS, "2027-01-06 23:00", None),
        ({"begin": "2026-12-24 12:00", "end": "2026-12-24 13:00"}, "2026-12-24 12:30", "2026-12-24 13:00"),
        # A night that begins on a Friday goes on into Saturday; Saturday's own is none.
        ({**NIGHT, "days": ("Fri",)}, "2026-11-28 02:00", "2026-11-28 05:00"),
        ({**NIGHT, "days": ("Fri",)}, "2026-11-28 22:00", None),
        # Whole days one after the other are one window.
        ({"begin": "", "end": "", "days": ("Sat", "Sun")}, "2026-11-28 12:00", "2026-11-30 00:00"),
        ({"begin": "", "end": "", "days": ("Sat", "Sun")}, "2026-11-27 23:59", None),
        ({"begin": "00:00", "end": "24:00", "days": ("Sat",)}, "2026-11-28 00:00", "2026-11-29 00:00"),
        ({"begin": "Sat", "end": "Sun"}, "2026-11-29 23:59", "2026-11-30 00:00"),
        ({"begin": "Sun 20:00", "end": "Mon 02:00"}, "2026-11-30 01:00", "2026-11-30 02:00"),
        ({"begin": "Mon 10:00", "end": "Mon 09:00"}, "2026-11-30 09:30", None),
        ({"begin": "Mon 10:00", "end": "Mon 09:00"}, "2026-11-30 08:30", "2026-11-30 09:00"),
        # 25 October 2026, 02:30 in Berlin: at 00:30 and again at 01:30 UTC. It begins with the first and
        # ends with the second.
        ({"begin": "02:30", "end": "02:45", "zone": BERLIN}, "2026-10-25 00:30", "2026-10-25 01:45"),
        ({"begin": "02:30", "end": "02:45", "zone": BERLIN}, "2026-10-25 01:44", "2026-10-25 01:45"),
        # 29 March 2026, 02:30 in Berlin is not: it is 03:30 there.
        ({"begin": "02:30", "end": "04:00", "zone": BERLIN}, "2026-03-29 01:29", None),
        ({"begin": "02:30", "end": "04:00", "zone": BERLIN}, "2026-03-29 01:30", "2026-03-29 02:00"),
        # A night in which New York's clock is put back is an hour longer.
        ({"begin": "23:00", "end": "05:00", "zone": NEW_YORK}, "2026-11-01 03:00", "2026-11-01 10:00"),
    ],
)
def test_what_a_window_holds(window: dict[str, str], now: str, ends: str | None) -> None:
    """A moment is in a window or not, and the window's end is known."""
    assert read_window(**window).ends(at(now)) == (at(ends) if ends else None)  # type: ignore[arg-type]


def test_a_window_without_any_times_never_ends() -> None:
    """Everything is held until the rule is lifted."""
    assert read_window("", "").ends(at("2026-11-27 12:00")) == NEVER


@pytest.mark.parametrize(
    ("window", "field", "words"),
    [
        ({"begin": "17:00", "end": ""}, "to", "both `from` and `to`"),
        ({"begin": "", "end": "17:00"}, "from", "both `from` and `to`"),
        ({"begin": "Fri 17:00", "end": "08:00"}, "to", "not of one form"),
        ({"begin": "2026-12-24", "end": "Mon 08:00"}, "to", "not of one form"),
        ({"begin": "17:60", "end": "18:00"}, "from", "no time 17:60"),
        ({"begin": "24:00", "end": "18:00"}, "from", "no time 24:00"),
        ({"begin": "five", "end": "18:00"}, "from", "no day 'five'"),
        ({"begin": "Fri17:00", "end": "Sat 18:00"}, "from", "'Fri17:00' is no moment"),
        ({"begin": "17.00", "end": "18:00"}, "from", "'17.00' is no moment"),
        ({"begin": "2026-02-30", "end": "2026-03-01"}, "from", "no day 2026-02-30"),
        ({"begin": "2026-03-02", "end": "2026-03-01"}, "to", "before it begins"),
        ({"begin": "Fri", "end": "Mon", "days": ("Sat",)}, "days", "goes with times alone"),
        ({"begin": "", "end": "", "days": ("Saturday",)}, "days", "no day 'Saturday'"),
        ({"begin": "", "end": "", "zone": "Europe/Berlyn"}, "timeZone", "no time zone 'Europe/Berlyn'"),
        ({"begin": "", "end": "", "zone": "../etc/passwd"}, "timeZone", "no time zone"),
    ],
)
def test_what_is_no_window(window: dict[str, str], field: str, words: str) -> None:
    """What is wrong is said of the key that is."""
    with pytest.raises(BadWindow, match=words.replace("(", r"\(")) as refused:
        read_window(**window)  # type: ignore[arg-type]
    assert refused.value.field == field


MOMENTS = st.integers(0, 730 * 1440).map(lambda minutes: at("2026-01-01 00:00") + timedelta(minutes=minutes))
MINUTES = st.integers(0, 1439).map(lambda n: f"{n // 60:02}:{n % 60:02}")


@pytest.mark.slow
@given(
    MINUTES, MINUTES, MOMENTS, st.sampled_from(["UTC", BERLIN, NEW_YORK, "Asia/Kathmandu", "Pacific/Apia"])
)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_a_nightly_window_is_what_its_clock_shows(begin: str, end: str, now: datetime, zone: str) -> None:
    """Away from changes of the clock a moment is inside exactly where the zone's clock is between both."""
    window = read_window(begin, end, zone=zone)
    here = now.astimezone(window.zone)
    far = timedelta(days=2)
    if (now - far).astimezone(window.zone).utcoffset() != (now + far).astimezone(window.zone).utcoffset():
        return
    shown = f"{here:%H:%M}"
    inside = begin <= shown < end if begin < end else shown >= begin or shown < end
    found = window.ends(now)
    assert (found is not None) is inside
    assert found is None or window.ends(found) is None or begin == end
