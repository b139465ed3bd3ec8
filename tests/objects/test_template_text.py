"""Variables in the JSON of a manifest: what stands for what, and what breaks it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.template_text import substituted, variables_in

VALUES = {"A": "1", "B": "two words", "EMPTY": "", "LIST": '","'}


def manifest(value: Any) -> Object:
    """A manifest that says this."""
    return {"kind": "X", "value": value}


TEXTS: Mapping[str, tuple[Any, Any]] = {
    "one": ("{{A}}", "1"),
    "several": ("{{A}}-{{B}}{{A}}", "1-two words1"),
    "unknown": ("a{{NONE}}b", "ab"),
    "empty": ("{{EMPTY}}", ""),
    "with spaces": ("{{ A }}", ""),
    "no name": ("{{}}", ""),
    "three braces": ("{{{A}}}", "}"),
    "not closed": ("{{A", "{{A"),
    "not opened": ("A}}", "A}}"),
    "single braces": ("{A}", "{A}"),
    "in a key": ({"{{A}}": 1}, {"1": 1}),
    "in a list": (["{{A}}", "{{B}}"], ["1", "two words"]),
    "markup": ("<{{A}}>&", "<1>&"),
    "beyond ASCII": ("é {{A}} \u2028", "é 1 \u2028"),
    "a whole float": (1.0, 1),
    "a float": (1.5, 1.5),
    "twice as one value": (["{{LIST}}"], ["", ""]),
}


@pytest.mark.parametrize("case", TEXTS)
def test_what_stands_for_what(case: str) -> None:
    """Text for text, before anybody reads JSON; an unknown name for nothing."""
    given_, expected = TEXTS[case]
    assert substituted(manifest(given_), VALUES)["value"] == expected


BROKEN: Mapping[str, tuple[Object, dict[str, str], str]] = {
    "a quotation mark": (
        manifest("{{Q}}"),
        {"Q": 'a"b'},
        "invalid character 'b' after object key:value pair",
    ),
    "a backslash": (manifest("{{Q}}"), {"Q": "\\x"}, "invalid character 'x' in string escape code"),
    "swallowed": (
        {"kind": "X", "a": "{{A", "b": {"c": {}}},
        {},
        "invalid character 'k' after object key:value pair",
    ),
    "no kind left": ({"kind": "{{NONE}}"}, {}, "Object 'Kind' is missing in '{\"kind\":\"\"}'"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_breaks_a_manifest(case: str) -> None:
    """In the words of Go, as in OCM."""
    obj, values, why = BROKEN[case]
    with pytest.raises(ValueError, match=r".") as caught:
        substituted(obj, values)
    assert str(caught.value) == why


def test_names_are_found_once_in_their_order() -> None:
    """Wherever they stand; keys are in the order of the JSON, sorted."""
    assert variables_in({"b": "{{X}} {{Y}}", "a": ["{{Z}}", "{{X}}"]}) == ["Z", "X", "Y"]


PLAIN = st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLAIN, inner, max_size=4),
    max_leaves=12,
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(value=JSON, name=st.sampled_from(["A", "B"]), filler=st.text("abc xyz", max_size=8))
def test_without_variables_nothing_changes(value: Any, name: str, filler: str) -> None:
    """And a variable is filled in wherever text is, without a trace in anything else."""
    assert substituted(manifest(value), {name: filler}) == manifest(value)
    marked = substituted(manifest({"mark": f"<{{{{{name}}}}}>", "rest": value}), {name: filler})
    assert marked == manifest({"mark": f"<{filler}>", "rest": value})
    assert json.loads(json.dumps(marked)) == marked
