"""Files that are read as one: each is what reading it alone makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitops_ocm.desired.alike import Alike
from gitops_ocm.desired.documents import Parsed, decode, parse
from gitops_ocm.desired.yaml_events import Limits

pytestmark = pytest.mark.slow

FLEETS = Path(__file__).parents[2] / "repo-template"
PIECES = st.sampled_from(
    [
        *("k: VALUE\n", "  k: VALUE\n", "- k: VALUE\n", '"k": VALUE\n', "k: &a VALUE\n", "k: VALUE # c\n"),
        *("k: |\n  a: VALUE\n", "k: >-\n  a: VALUE\n  b: VALUE\n", "k: '\n  a: VALUE\n  '\n"),
        *('k: "\n  a: VALUE\n  "\n', "# a: VALUE\n", "k: {a: VALUE\n", "  , b: 1}\n", "VALUE: VALUE\n"),
        *("k: a\n  VALUE\n", "k: VALUE\n  more\n", "---\n", "--- a: VALUE\n", "? a: VALUE\n", ": VALUE\n"),
        *("kind: VALUE\n", "items:\n- a: VALUE\n", "l: *a\n", "<<: VALUE\n", "k:  VALUE\n", "k: VALUE \n"),
        *("k: VALUE\r\n", "é: VALUE\n", "\n", "  ", '{"a": VALUE\n', ', "b": 1}\n', "k: VALUE"),
    ]
)
VALUES = st.sampled_from(
    [
        *(
            '"x"',
            '""',
            '"it is, at 10:00: so"',
            '"2026-01-01T00:00:00Z"',
            '" # "',
            '"null"',
            '"List"',
            '"{["',
        ),
        *("web-1", "r1", "e-1", "a-", "x0", "zq-0-qz", "on-1", "list-1", '"zq-1-qz"', '"it\'s"', '"a\\n"'),
        *("true", "1e3", "ConfigMapList", "~", "x", "'y'", "[]", "2026-01-01", '"é"'),
    ]
)


def _filled(pieces: list[str], values: list[str]) -> bytes:
    text = "".join(pieces)
    for value in values:
        text = text.replace("VALUE", value, 1)
    return text.encode()


def _read(reader: Alike, data: bytes) -> Parsed:
    """What is read, which is what a cache would give back of it."""
    parsed, encoded = reader.read(data)
    assert decode(encoded) == parsed
    return parsed


@given(
    st.lists(PIECES, max_size=6), st.lists(st.lists(VALUES, min_size=12, max_size=12), min_size=3, max_size=5)
)
@settings(derandomize=True, deadline=None, max_examples=1500)
@example(["k: VALUE\n"], [["web-1"], ['"web-2"'], ["web-3"]])
@example(["kind: VALUE\n", "items:\n- a: VALUE\n"], [['"x"', "a-1"], ['"y"', "a-2"], ['"AList"', "a-3"]])
def test_as_if_alone(pieces: list[str], values: list[list[str]]) -> None:
    """Whatever files differ in, none is read otherwise than it is alone."""
    reader = Alike()
    for each in values:
        data = _filled(pieces, each)
        assert _read(reader, data) == parse(data), data


@pytest.mark.parametrize("size", [40, 100_000])
def test_limits(size: int) -> None:
    """What is too large is so whatever was read before it."""
    limits = Limits(document_bytes=60)
    reader = Alike(limits)
    for number in range(3):
        assert _read(reader, b'a: "x%d"\n' % number).documents
    data = b'a: "%s"\n' % (b"x" * size)
    assert _read(reader, data) == parse(data, limits)


@pytest.mark.parametrize("path", sorted(FLEETS.rglob("*.yaml")), ids=str)
def test_of_a_repository(path: Path) -> None:
    """Files as people write them, read a third time."""
    reader, data = Alike(), path.read_bytes()
    for _ in range(3):
        assert _read(reader, data) == parse(data)
