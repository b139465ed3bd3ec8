"""Quantities and times: read as a server reads them, written in its one form."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects.go_times import canonical_micro_time, canonical_time
from gitops_ocm.objects.quantities import canonical_quantity, quantity

CANONICAL = {
    "0": "0", "0.0Gi": "0", "1": "1", "1000m": "1", "0.1": "100m", "0.50": "500m", "1500m": "1500m",
    "1.5": "1500m", "1000": "1k", "1e3": "1e3", "1e4": "10e3", "100e9": "100e9", "12E": "12E", "1024": "1024",
    "1024Mi": "1Gi",
        "1.5Gi": "1536Mi", "0.5Ti": "512Gi", "1023Mi": "1023Mi", "0.5Ki": "512",
    "0.1Mi": "104857600m", "1e20": "100e18",
    "-1Ki": "-1Ki", "-0.5": "-500m", "1n": "1n", "0.1n": "1n", "10Ei": "9223372036854775807",
    ".5": "500m", "5.": "5", "100000000u": "100",
}  # fmt: skip
"""As `resource.MustParse(text).String()` has them."""


@pytest.mark.parametrize("text", CANONICAL)
def test_the_one_form_of_a_quantity(text: str) -> None:
    """A quantity is written as a server writes it, which is its own canonical form."""
    assert canonical_quantity(text) == CANONICAL[text]
    assert canonical_quantity(CANONICAL[text]) == CANONICAL[text]


@pytest.mark.parametrize("text", ["", "1 Gi", "Gi", "1GiB", "1e", "--1", "1,5", "0x1", "."])
def test_what_is_no_quantity(text: str) -> None:
    """Nonsense is refused with the server's words."""
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        quantity(text)


@settings(derandomize=True, deadline=None)
@given(
    number=st.integers(-(10**12), 10**12),
    suffix=st.sampled_from(["", "m", "u", "k", "M", "Ki", "Mi", "e3", "e-3"]),
)
def test_writing_keeps_the_number(number: int, suffix: str) -> None:
    """The canonical form names the same number, within the range there is."""
    text = f"{number}{suffix}"
    assert quantity(canonical_quantity(text)) == quantity(text)


TIMES = {
    "2026-01-02T03:04:05Z": "2026-01-02T03:04:05Z",
    "2026-01-02T03:04:05.999Z": "2026-01-02T03:04:05Z",
    "2026-01-02T03:04:05+01:00": "2026-01-02T02:04:05Z",
    "2026-01-01T00:30:00-01:30": "2026-01-01T02:00:00Z",
}


@pytest.mark.parametrize("text", TIMES)
def test_the_one_form_of_a_time(text: str) -> None:
    """A time is written in UTC and to the second."""
    assert canonical_time(text) == TIMES[text]


def test_the_one_form_of_a_micro_time() -> None:
    """A MicroTime has six digits, whatever the zone."""
    assert canonical_micro_time("2026-01-02T03:04:05.600000+02:00") == "2026-01-02T01:04:05.600000Z"


FAULTS = {
    "yesterday": 'cannot parse "yesterday" as "2006"',
    "2026-13-01T00:00:00Z": "month out of range",
    "2026-02-30T00:00:00Z": "day out of range",
    "2026-01-02T25:00:00Z": "hour out of range",
    "2026-01-02": 'cannot parse "" as "T"',
    "2026-01-02T03:04:05Zx": 'extra text: "x"',
}


@pytest.mark.parametrize("text", FAULTS)
def test_what_is_no_time(text: str) -> None:
    """What is wrong with a time is said in the words of Go."""
    with pytest.raises(ValueError, match=re.escape(FAULTS[text])):
        canonical_time(text)


def test_a_micro_time_needs_its_fraction() -> None:
    """A MicroTime without six digits of a second is refused, as there."""
    with pytest.raises(ValueError, match=r'cannot parse "\.6Z" as "\.000000"'):
        canonical_micro_time("2026-01-02T03:04:05.6Z")
