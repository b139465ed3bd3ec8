"""Durations, times and int-or-percent: read as Go reads them, written as Kubernetes writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.api.scalars import (
    ScalarError,
    format_duration,
    format_micro_time,
    format_time,
    parse_duration,
    parse_time,
    scaled,
)

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("text", "span", "printed"),
    [
        ("0", 0 * SECOND, "0s"),
        ("0s", 0 * SECOND, "0s"),
        ("-0", 0 * SECOND, "0s"),
        ("90s", 90 * SECOND, "1m30s"),
        ("1m", 60 * SECOND, "1m0s"),
        ("1h", 3600 * SECOND, "1h0m0s"),
        ("1h30m", 5400 * SECOND, "1h30m0s"),
        ("1h1s", 3601 * SECOND, "1h0m1s"),
        ("30m1h", 5400 * SECOND, "1h30m0s"),
        ("1.5s", 1.5 * SECOND, "1.5s"),
        (".5s", 0.5 * SECOND, "500ms"),
        ("1.s", SECOND, "1s"),
        ("100ms", 0.1 * SECOND, "100ms"),
        ("1500us", timedelta(microseconds=1500), "1.5ms"),
        ("7µs", timedelta(microseconds=7), "7µs"),
        ("7μs", timedelta(microseconds=7), "7µs"),
        ("1500ns", timedelta(microseconds=1), "1µs"),
        ("-1m", -60 * SECOND, "-1m0s"),
        ("+1m", 60 * SECOND, "1m0s"),
        ("100h", 360000 * SECOND, "100h0m0s"),
        ("1h0.000001s", timedelta(hours=1, microseconds=1), "1h0m0.000001s"),
    ],
)
def test_durations(text: str, span: timedelta, printed: str) -> None:
    """A Go duration is read exactly and printed as Go prints it."""
    assert parse_duration(text) == span
    assert format_duration(span) == printed


@pytest.mark.parametrize(
    "text",
    ["", "-", "s", "10", "5m2", "1d", "1 m", " 1m", "1m ", "1m\n", "--1m", "1,5s", "1e3s", "xNone", "None",
     ".s", "٣s", "9999999h", "1h-1m"],
)  # fmt: skip
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Text that Go refuses is refused, with the text shown."""
    with pytest.raises(ScalarError, match="is not a duration"):
        parse_duration(text)


@settings(derandomize=True, deadline=None)
@given(st.timedeltas(min_value=timedelta(days=-90000), max_value=timedelta(days=90000)))
def test_durations_round_trip(span: timedelta) -> None:
    """What is printed reads back as the same span."""
    assert parse_duration(format_duration(span)) == span


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31t12:00:00z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00.123456Z", datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2026-01-31T12:00:00.123456789Z", datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2026-01-31T12:00:00.5Z", datetime(2026, 1, 31, 12, 0, 0, 500000, tzinfo=UTC)),
        ("2026-01-31T14:00:00+02:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T06:30:00-05:30", datetime(2026, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_times(text: str, moment: datetime) -> None:
    """RFC 3339 in any zone is read as the instant it is, in UTC."""
    assert parse_time(text) == moment
    assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z", "2026-02-30T00:00:00Z",
     "2026-01-31T24:00:00Z", "2026-01-31T12:00:60Z", "2026-01-31T12:00:00+25:00", "2026-1-31T12:00:00Z",
     "2026-01-31T12:00:00Z\n", "٢٠٢٦-01-31T12:00:00Z", "0001-01-01T00:00:00+01:00", "x" * 5000],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    """Text that is not an instant is refused, and a long one is cut in the message."""
    with pytest.raises(ScalarError) as caught:
        parse_time(text)
    assert len(str(caught.value)) < 120


@settings(derandomize=True, deadline=None)
@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])))
def test_times_round_trip(moment: datetime) -> None:
    """A time is written in UTC and reads back: to the second, or with microseconds to the microsecond."""
    if not 1000 < moment.year < 9999:
        return
    assert parse_time(format_micro_time(moment)) == moment
    assert parse_time(format_time(moment)) == moment.replace(microsecond=0)
    assert format_time(moment).endswith("Z")


def test_a_time_without_a_zone_is_not_written() -> None:
    """A naive datetime says nothing about which instant it is."""
    with pytest.raises(ScalarError, match="time zone"):
        format_time(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(
    ("value", "of", "expected"),
    [(5, 10, 5), (0, 10, 0), (20, 10, 20), ("0%", 10, 0), ("25%", 10, 3), ("25%", 8, 2), ("10%", 5, 1),
     ("100%", 7, 7), ("1%", 100, 1), ("29%", 100, 29), ("50%", 0, 0)],
)  # fmt: skip
def test_scaled(value: int | str, of: int, expected: int) -> None:
    """A number stands for itself, a percentage for its share rounded up, without float error."""
    assert scaled(value, of) == expected


@pytest.mark.parametrize("value", ["5", "", "%", "-1%", "1.5%", "x%", "5%%"])
def test_what_is_no_share_is_refused(value: str) -> None:
    """Text without a percent sign is neither a number nor a percentage."""
    with pytest.raises(ScalarError, match="percentage"):
        scaled(value, 10)
