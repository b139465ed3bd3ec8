"""The fast path reads what the careful path reads, or does not read at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.desired import yaml_events, yaml_fast
from gitops_ocm.desired.documents import parse

PIECES = st.sampled_from(
    [
        "a",
        "b: ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "\n- ",
        ": ",
        " #c",
        '"',
        "'",
        "|\n",
        "|-\n",
        ">\n",
        ">-\n",
        ">+\n",
        "|2\n",
        "[",
        "]",
        ", ",
        "{}",
        "[]",
        "x: y\n",
        "  ",
        "12",
        "0.5",
        "1.2.3",
        "on",
        "true",
        "null",
        "~",
        "\\n",
        "\\",
        ".",
        "-",
        "--",
        "? ",
        "!",
        "&",
        "*",
        "%",
        "http://x:80/a",
        "100m",
        "key:\n",
        "- k: v\n",
        "a b c",
        " ",
        "\n\n",
        "=",
        "<",
        "<<",
        "#",
        "@",
        "1e3",
        "0x1",
        "012",
        ":",
        ";",
        "(",
        "$",
        '"q"',
        "'s'",
        "...",
        "---",
        "\t",
        "y",
        "n:",
        "1:",
        "~:",
        "null:",
        "-\n",
        "- - a\n",
        "''",
        'a: "b\n  c"\n',
        "a: 'b\n\n  c'\n",
        "a: b\n  c\n",
        "a:\n- b\n",
        "k: |\n  x\n   y\n  z\n",
        "k: >\n  x\n\n   y\n  z\n\n",
        "k: |+\n  x\n\n\n",
    ]
)


def agree(text: str) -> None:
    """Assert that the fast parser, where it takes a text, reads what the careful one does, types included."""
    if not yaml_fast.is_plain(text):
        return
    careful = yaml_events.read(text)
    try:
        value = yaml_fast.read(text)
    except yaml_fast.NotPlain:
        return
    assert not careful.problems
    assert repr(value) == repr(careful.value)


TEXTS = st.lists(PIECES, min_size=1, max_size=14).map("".join)


@settings(derandomize=True, deadline=None, max_examples=600)
@given(text=TEXTS)
def test_what_is_plain_reads_the_same(text: str) -> None:
    """A text that passes the scan has, by the fast parser, the careful reader's value."""
    agree(text)


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=4000)
@given(text=TEXTS)
def test_thousands_of_plain_texts_read_the_same(text: str) -> None:
    """The same over a much larger sample."""
    agree(text)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\x85\u2028\u2029"), max_size=30)
"""Without YAML 1.1's line breaks, which a writer folds."""

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


class Quoted(yaml.SafeDumper):  # type: ignore[misc]
    """Writes text in one style always, so that no reader's taste for plain words matters."""

    text_style = '"'

    def represent_text(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=self.text_style)


Quoted.add_representer(str, Quoted.represent_text)


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    value=st.dictionaries(TEXT, VALUES, min_size=1, max_size=5),
    style=st.sampled_from(['"', "'", "|", ">"]),
    flow=st.booleans(),
)
def test_dumped_values_come_back(value: dict[str, object], style: str, flow: bool) -> None:
    """What a YAML writer of the same grammar writes, both paths read back as it was."""
    dumper = type("Dumper", (Quoted,), {"text_style": style})
    text = yaml.dump(value, Dumper=dumper, default_flow_style=flow, allow_unicode=True, sort_keys=False)
    assert yaml_events.read(text).value == value
    parsed = parse(text.encode())
    assert parsed.problems == ()
    assert [d.value for d in parsed.documents] == [value]


@pytest.mark.parametrize(
    "text",
    [
        "a: on",
        "a: 012",
        "a: 1_000",
        "a: 1e3",
        "a: 1.0",
        "a: .5",
        "a: ~x\nb: .inf",
        "a: &x 1",
        "a: *x",
        "a: !!str 1",
        "<<: {a: 1}",
        "a:\tb",
        "a: é",
        "a: b\r\n",
        "%YAML 1.2",
        "--- a",
        "1: a",
        "true: a",
        "y: a",
        '"a":b',
        "{a: 1}",
        "- - - - - a",
        " " * 90 + "a: 1",
        "a: [[b]]",
        "a: [b: c]",
        'a: "\\/"',
        "? a",
        "a: 0x1F",
        "a: 2001-01-01",
        "a: [\n b]",
        "a: +1",
        "- off",
        "n: 1",
    ],
)
def test_unusual_text_takes_the_careful_path(text: str) -> None:
    """Whatever some YAML parser could read otherwise does not pass the scan."""
    assert not yaml_fast.is_plain(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: b",
        "a: 12",
        "a: -5",
        "version: 1.2.3",
        "ip: 10.0.0.1",
        "cpu: 100m",
        "a: true",
        "a: null",
        "a:",
        "a: ~",
        "a: {}",
        "a: []",
        'a: ["x", "y"]',
        "a: 'it''s'",
        "a: |\n  text\n",
        "image: x/y:1.2@sha256:ab",
        "a: b # on c",
        "# on\na: b",
        "a: http://b:80/c#d",
        "only: x",
        "year: yesterday",
        "a: 30s",
    ],
)
def test_ordinary_text_takes_the_fast_path(text: str) -> None:
    """What manifests are made of passes the scan, and reads the same."""
    assert yaml_fast.is_plain(text)
    assert yaml_fast.read(text) == yaml_events.read(text).value


def test_the_template_takes_the_fast_path() -> None:
    """Desired state in the repository template is read by the fast path, but for documents' markers."""
    template = Path(__file__).parents[2] / "repo-template"
    beside = {"addons", ".github"}
    files = [file for file in sorted(template.rglob("*.yaml")) if beside.isdisjoint(file.parts)]
    texts = [text for file in files for text in file.read_text().split("\n---\n")]
    assert files
    assert [text for text in texts if not yaml_fast.is_plain(text)] == []
