"""JSON patch, merge patch and strategic merge: laws, and cases as data."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.patch import json_patch, merge_diff, merge_patch
from gitops_ocm.objects.schema import Schema
from gitops_ocm.objects.strategic import strategic_merge

SCALARS = st.one_of(st.booleans(), st.integers(-5, 5), st.text("ab", max_size=2))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
DOCS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)
SETTINGS = settings(derandomize=True, deadline=None)


@SETTINGS
@given(old=DOCS, new=DOCS)
def test_the_difference_of_two_objects_turns_one_into_the_other(old: Any, new: Any) -> None:
    """merge_patch(old, merge_diff(old, new)) == new for objects without nulls."""
    assert merge_patch(old, merge_diff(old, new)) == new


@SETTINGS
@given(doc=DOCS, patch=DOCS)
def test_a_merge_patch_applied_twice_is_applied_once(doc: Any, patch: Any) -> None:
    """Merge patches are idempotent, and leave their target alone."""
    before = repr(doc)
    once = merge_patch(doc, patch)
    assert merge_patch(once, patch) == once
    assert repr(doc) == before


@SETTINGS
@given(doc=DOCS)
def test_equal_objects_need_no_patch(doc: Any) -> None:
    """The difference of an object and itself is empty."""
    assert merge_diff(doc, doc) == {}


@SETTINGS
@given(doc=DOCS, key=st.sampled_from("abcd"), value=VALUES)
def test_what_a_json_patch_adds_it_can_test_and_remove(doc: Any, key: str, value: Any) -> None:
    """add, then test, then remove leaves the document without the key, and the original as it was."""
    before = repr(doc)
    ops = [
        {"op": "add", "path": f"/{key}", "value": value},
        {"op": "test", "path": f"/{key}", "value": value},
        {"op": "remove", "path": f"/{key}"},
    ]
    assert json_patch(doc, ops) == {k: v for k, v in doc.items() if k != key}
    assert repr(doc) == before


@pytest.mark.parametrize(
    ("doc", "ops", "result"),
    [
        ({"a": [1, 2]}, [{"op": "add", "path": "/a/1", "value": 9}], {"a": [1, 9, 2]}),
        ({"a": [1, 2]}, [{"op": "add", "path": "/a/-", "value": 9}], {"a": [1, 2, 9]}),
        ({"a": [1, 2]}, [{"op": "remove", "path": "/a/0"}], {"a": [2]}),
        ({"a/b": 1, "m~n": 2}, [{"op": "remove", "path": "/a~1b"}, {"op": "remove", "path": "/m~0n"}], {}),
        ({"a": 1}, [{"op": "move", "from": "/a", "path": "/b"}], {"b": 1}),
        ({"a": {"x": 1}}, [{"op": "copy", "from": "/a", "path": "/b"}], {"a": {"x": 1}, "b": {"x": 1}}),
        ({"a": 1}, [{"op": "replace", "path": "", "value": {"z": 1}}], {"z": 1}),
        ({"a": 1}, [{"op": "replace", "path": "/new", "value": 2}], {"a": 1, "new": 2}),
        ({"a": 1}, [{"op": "test", "path": "/none", "value": None}], {"a": 1}),
    ],
)
def test_json_patch(doc: Any, ops: Any, result: Any) -> None:
    """RFC 6902, and the one place where kube-apiserver is more forgiving (replace)."""
    assert json_patch(doc, ops) == result


@pytest.mark.parametrize(
    ("doc", "ops", "reason"),
    [
        ({}, {"op": "add"}, "BadRequest"),
        ({}, ["x"], "Invalid"),
        ({}, [{"op": "add", "value": 1}], "Invalid"),
        ({}, [{"op": "add", "path": "a", "value": 1}], "Invalid"),
        ({}, [{"op": "add", "path": "/a"}], "Invalid"),
        ({}, [{"op": "add", "path": "/a/b", "value": 1}], "Invalid"),
        ({}, [{"op": "remove", "path": "/a"}], "Invalid"),
        ({}, [{"op": "remove", "path": ""}], "Invalid"),
        ({}, [{"op": "dance", "path": "/a"}], "Invalid"),
        ({"a": [1]}, [{"op": "add", "path": "/a/2", "value": 1}], "Invalid"),
        ({"a": [1]}, [{"op": "remove", "path": "/a/01"}], "Invalid"),
        ({"a": [1]}, [{"op": "remove", "path": "/a/-"}], "Invalid"),
        ({"a": {"b": 1}}, [{"op": "move", "from": "/a", "path": "/a/c"}], "Invalid"),
        ({"a": 1}, [{"op": "test", "path": "/a", "value": True}], "Invalid"),
        ({}, [{"op": "add", "path": "/a", "value": 1}] * 10_001, "RequestEntityTooLarge"),
    ],
)
def test_a_bad_json_patch_is_refused_whole(doc: Any, ops: Any, reason: str) -> None:
    """A patch that does not apply is an ApiError, and the document is as it was."""
    before = repr(doc)
    with pytest.raises(ApiError) as refused:
        json_patch(doc, ops)
    assert (refused.value.reason, repr(doc)) == (reason, before)


SCHEMA = Schema.from_openapi(
    {
        "type": "object",
        "properties": {
            "items": {
                "type": "array",
                "x-kubernetes-patch-merge-key": "name",
                "x-kubernetes-patch-strategy": "merge",
                "items": {"type": "object", "properties": {"name": {"type": "string"}}},
            },
            "tags": {
                "type": "array",
                "x-kubernetes-patch-strategy": "merge",
                "items": {"type": "string"},
            },
        },
    }
)


@pytest.mark.parametrize(
    ("live", "patch", "result"),
    [
        (
            {"items": [{"name": "a", "v": 1}]},
            {"items": [{"name": "a", "w": 2}]},
            {"items": [{"name": "a", "v": 1, "w": 2}]},
        ),
        ({"items": [{"name": "a"}]}, {"items": [{"name": "b"}]}, {"items": [{"name": "b"}, {"name": "a"}]}),
        (
            {"items": [{"name": "a"}, {"name": "b"}]},
            {"items": [{"name": "a", "$patch": "delete"}]},
            {"items": [{"name": "b"}]},
        ),
        (
            {"items": [{"name": "a"}]},
            {"items": [{"$patch": "replace"}, {"name": "c"}]},
            {"items": [{"name": "c"}]},
        ),
        (
            {"items": [{"name": "a"}, {"name": "b"}]},
            {"$setElementOrder/items": [{"name": "b"}, {"name": "a"}], "items": [{"name": "a", "v": 1}]},
            {"items": [{"name": "b"}, {"name": "a", "v": 1}]},
        ),
        ({"tags": ["a"]}, {"tags": ["b", "a"]}, {"tags": ["b", "a"]}),
        ({"tags": ["a", "b"]}, {"$deleteFromPrimitiveList/tags": ["a"]}, {"tags": ["b"]}),
        ({"other": [1]}, {"other": [2]}, {"other": [2]}),
        ({"m": {"a": 1, "b": 2}}, {"m": {"$retainKeys": ["a"], "a": 3}}, {"m": {"a": 3}}),
        ({"m": {"a": 1}}, {"m": {"$patch": "replace", "b": 2}}, {"m": {"b": 2}}),
        ({"m": {"a": 1}}, {"m": None}, {}),
    ],
)
def test_strategic_merge(live: Any, patch: Any, result: Any) -> None:
    """Lists merge by their key, directives are obeyed, the rest merges as JSON does."""
    assert strategic_merge(live, patch, SCHEMA) == result
