"""Files of desired state are changed where they must be and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.desired import documents
from gitops_ocm.objects.ref import Object, ref_of
from gitops_ocm.verbs.editing import NotEditable, added, removed, replaced

TWO = """\
# The first, for people.
apiVersion: v1
kind: ConfigMap
metadata:
  name: a   # its name
data:
  key:   "yes"   # a comment that stays
---
# The second.
apiVersion: v1
kind: ConfigMap
metadata: {name: b}
"""

LIST_STYLES = {
    "kubectl": "spec:\n  taints:\n  - key: a # why\n    value: b\n",
    "indented": "spec:\n  taints:\n    - key: a # why\n      value: b\n",
    "wide": "spec:\n    taints:\n    -   key: a # why\n        value: b\n",
}


def objects(data: bytes) -> dict[Any, Object]:
    return {ref_of(d.value): d.value for d in documents.parse(data).documents}


def test_a_change_touches_one_line() -> None:
    """Comments, quotes, spacing and the other document stay as they were written."""
    first = documents.parse(TWO.encode()).documents[0].value
    after = {**first, "metadata": {"name": "a", "labels": {"x": "on"}}}
    text = replaced(TWO.encode(), "f.yaml", first, after).decode()
    assert text == TWO.replace("  name: a   # its name\n", '  name: a   # its name\n  labels:\n    x: "on"\n')


@pytest.mark.parametrize("style", LIST_STYLES)
def test_lists_keep_their_indentation(style: str) -> None:
    """A value in a list changes on its own line, however the file indents its lists."""
    indent = "    " if style == "wide" else "  "
    text = f"apiVersion: v1\nkind: X\nmetadata:\n{indent}name: a\n{LIST_STYLES[style]}"
    before = documents.parse(text.encode()).documents[0].value
    after = {**before, "spec": {"taints": [{"key": "a", "value": "c"}]}}
    result = replaced(text.encode(), "f.yaml", before, after).decode()
    kept = set(text.splitlines()) & set(result.splitlines())
    assert objects(result.encode()) == {ref_of(after): after}
    assert len(kept) == len(text.splitlines()) - 1


def test_removing_one_leaves_the_other_with_its_comment() -> None:
    """A document goes with the comments above it."""
    first, second = (d.value for d in documents.parse(TWO.encode()).documents)
    without_first = removed(TWO.encode(), "f.yaml", ref_of(first))
    without_second = removed(TWO.encode(), "f.yaml", ref_of(second))
    assert without_first == TWO.split("---\n")[1].encode()
    assert without_second == TWO.split("---\n")[0].encode()
    assert removed(without_second or b"", "f.yaml", ref_of(first)) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: X\n  metadata: {name: a}\n",
            "a list",
        ),
        ("apiVersion: v1\nkind: X\nmetadata: {name: b}\n", "was not found"),
    ],
)
def test_what_cannot_be_edited_is_refused(text: str, why: str) -> None:
    """An item of a list, or an object that is not there, is left to a person."""
    obj = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}}
    with pytest.raises(NotEditable, match=why):
        replaced(text.encode(), "f.yaml", obj, {**obj, "spec": {}})


def test_json_stays_json() -> None:
    """A JSON file is changed as JSON, with its indentation, and takes no second object."""
    text = '{\n    "apiVersion": "v1",\n    "kind": "X",\n    "metadata": {\n        "name": "a"\n    }\n}\n'
    before = documents.parse(text.encode()).documents[0].value
    result = replaced(text.encode(), "f.json", before, {**before, "spec": {"a": 1}}).decode()
    assert result == text.replace("    }\n}", '    },\n    "spec": {\n        "a": 1\n    }\n}')
    with pytest.raises(NotEditable, match="JSON"):
        added(text.encode(), "f.json", {**before, "metadata": {"name": "b"}})


_SCALARS = st.one_of(
    st.booleans(),
    st.integers(-1000, 1000),
    st.sampled_from(["y", "on", "1", "a b", "a: b", "", "- x", "é", "a\nb\n"]),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "y", "x.y/z"]), inner, max_size=3),
    ),
    max_leaves=8,
)


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=60)
@given(before=_VALUES, after=_VALUES)
def test_any_change_reads_back_as_meant(before: Any, after: Any) -> None:
    """Whatever a field was and becomes, the sync reads the new value, and the other object as before."""
    old = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}, "spec": {"field": before, "same": [1]}}
    new = {**old, "spec": {"field": after, "same": [1]}}
    other = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "b"}, "spec": {"y": "n"}}
    data = added(added(None, "f.yaml", old), "f.yaml", other)
    result = replaced(data, "f.yaml", old, new)
    assert objects(result) == {ref_of(old): new, ref_of(other): other}
    assert result.endswith(data[data.index(b"---\n") :])
