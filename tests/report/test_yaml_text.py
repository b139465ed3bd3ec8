"""YAML in one form: what is written is read back by other parsers as the same value."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gitops_ocm.report.yaml_text import to_yaml

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [1, {"c": True, "d": None}]}, "a:\n- 1\n- c: true\n  d: null\nb: 1\n"),
        ({"a": {"b": {}}, "c": []}, "a:\n  b: {}\nc: []\n"),
        ({"a": "on", "b": "012", "c": "1e3", "d": "", "e": "x: y", "f": "- a", "g": "a #b"},
         'a: "on"\nb: "012"\nc: "1e3"\nd: ""\ne: "x: y"\nf: "- a"\ng: "a #b"\n'),
        ({"a": "Apply manifest work complete", "b": "v1.35.4", "c": "2026-01-01T00:00:00Z"},
         'a: Apply manifest work complete\nb: v1.35.4\nc: "2026-01-01T00:00:00Z"\n'),
        ({"a": "one\ntwo\n", "b": ["x\ny"]}, "a: |\n  one\n  two\nb:\n- |-\n  x\n  y\n"),
        ([[1, 2], [{"a": 1}]], "- - 1\n  - 2\n- - a: 1\n"),
    ],
)  # fmt: skip
def test_text(value: Any, text: str) -> None:
    """The one text of a value, ready for a diff."""
    assert to_yaml(value) == text


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=300)
@given(VALUES)
def test_yaml_1_1_and_1_2_read_back_the_same(value: Any) -> None:
    """A YAML 1.1 parser and a YAML 1.2 parser both give the value that was written."""
    text = to_yaml(value)
    assert yaml.safe_load(text) == value
    assert YAML(typ="safe", pure=True).load(text) == value


@settings(derandomize=True, deadline=None)
@given(st.dictionaries(TEXT, VALUES, max_size=6))
def test_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    """Equal values are equal bytes."""
    assert to_yaml(dict(reversed(value.items()))) == to_yaml(value)
