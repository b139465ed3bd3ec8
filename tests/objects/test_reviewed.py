"""What a reviewer is told of a change: entries of lists by name, no noise, and no secret at any depth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects.diff import ABSENT, LAST_APPLIED, MASK, Difference, differences
from gitops_ocm.objects.reviewed import AFTER, BEFORE, differing, reviewed, shown, told_apart

SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}


def told(old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    """The differences as (path, before, after)."""
    return [(str(one.path), one.before, one.after) for one in differing(old, new)]


CASES: dict[str, tuple[Any, Any, list[tuple[str, Any, Any]]]] = {
    "nothing": ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}, []),
    "a null says nothing": ({"a": None}, {}, []),
    "a null for a value": ({"a": 1}, {"a": None}, [("a", 1, ABSENT)]),
    "false is not zero": ({"a": 0}, {"a": False}, [("a", 0, False)]),
    "one is not one point nought": ({"a": 1}, {"a": 1.0}, [("a", 1, 1.0)]),
    "one more at the front of named entries": (
        {"env": [{"name": "B", "value": "2"}]},
        {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        [("env[A]", ABSENT, {"name": "A", "value": "1"})],
    ),
    "named entries in another order": (
        [{"name": "a"}, {"name": "b"}],
        [{"name": "b"}, {"name": "a"}],
        [("", ["a", "b"], ["b", "a"])],
    ),
    "entries of one name are counted": (
        [{"name": "a", "v": 1}, {"name": "a", "v": 2}],
        [{"name": "a", "v": 1}, {"name": "a", "v": 3}],
        [("[1].v", 2, 3)],
    ),
    "manifests by kind and name": (
        [{"kind": "ConfigMap", "metadata": {"name": "a", "namespace": "n"}, "data": {"k": "1"}}],
        [{"kind": "ConfigMap", "metadata": {"name": "a", "namespace": "n"}, "data": {"k": "2"}}],
        [("[ConfigMap n/a].data.k", "1", "2")],
    ),
    "a key with dots": ({"a": {"x.y/z": 1}}, {"a": {"x.y/z": 2}}, [("a[x.y/z]", 1, 2)]),
    "another type": ({"a": [1]}, {"a": {"b": 1}}, [("a", [1], {"b": 1})]),
    "a Secret's value": (
        {**SECRET, "data": {"k": "b2xk"}},
        {**SECRET, "data": {"k": "bmV3"}},
        [("data.k", BEFORE, AFTER)],
    ),
    "one more of a Secret": (
        {**SECRET, "stringData": {}},
        {**SECRET, "stringData": {"k": "new"}},
        [("stringData.k", ABSENT, MASK)],
    ),
    "a Secret comes": (
        [],
        [{**SECRET, "data": {"k": "bmV3"}}],
        [("[Secret s]", ABSENT, {**SECRET, "data": {"k": MASK}})],
    ),
    "a Secret inside of a work": (
        {"spec": {"workload": {"manifests": [{**SECRET, "data": {"k": "b2xk"}}]}}},
        {"spec": {"workload": {"manifests": [{**SECRET, "data": {"k": "bmV3"}}]}}},
        [("spec.workload.manifests[Secret s].data.k", BEFORE, AFTER)],
    ),
    "what becomes a Secret": (
        {"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "plain"}},
        {"apiVersion": "v1", "kind": "Secret", "data": {"k": "bmV3"}},
        [("kind", "ConfigMap", "Secret"), ("data.k", BEFORE, AFTER)],
    ),
    "a variable that is called so": (
        [{"name": "DB_PASSWORD", "value": "old"}],
        [{"name": "DB_PASSWORD", "value": "new"}],
        [("[DB_PASSWORD].value", BEFORE, AFTER)],
    ),
    "a field that is called so": (
        {"auth": {"apiKey": "old"}},
        {"auth": {"apiKey": "new"}},
        [("auth.apiKey", BEFORE, AFTER)],
    ),
    "the name of a Secret is none": ({"secretName": "a"}, {"secretName": "b"}, [("secretName", "a", "b")]),
    "who logs in, in an address": (
        {"url": "https://ann:old@example.com/x"},
        {"url": "https://ann:new@example.com/x"},
        [("url", BEFORE, AFTER)],
    ),
    "another address": (
        {"url": "https://ann:old@example.com/x"},
        {"url": "https://example.com/y"},
        [("url", f"https://{MASK}@example.com/x", "https://example.com/y")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_told(case: str) -> None:
    """Each difference once, at its own path; of a secret that it is another."""
    old, new, expected = CASES[case]
    assert told(old, new) == expected


def test_what_a_server_sets_is_no_difference() -> None:
    """Status, versions, managed fields and what kubectl notes are nobody's change."""
    old = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": "1"}}
    noise: Mapping[str, Any] = {
        "uid": "u",
        "resourceVersion": "7",
        "generation": 3,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"manager": "kubectl"}],
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"},
    }
    new = {**old, "metadata": {**old["metadata"], **noise}, "status": {"phase": "x"}}  # type: ignore[dict-item]
    assert reviewed(old, new) == []
    assert [str(one.path) for one in reviewed(old, {**new, "data": {"k": "2"}})] == ["data.k"]


HIDDEN = "hunter2"
_PLAIN = st.one_of(st.integers(0, 3), st.booleans(), st.sampled_from(["x", "y", ""]), st.none())
_SECRETS = st.sampled_from(
    [
        {**SECRET, "data": {"k": HIDDEN}},
        {**SECRET, "stringData": {"k": HIDDEN, "l": {"deep": [HIDDEN]}}},
        {"name": "ADMIN_TOKEN", "value": HIDDEN},
        {"password": HIDDEN},
        {"private-key": f"a{HIDDEN}"},
        {"url": f"ssh://{HIDDEN}@host/x"},
        {**SECRET, "metadata": {"annotations": {LAST_APPLIED: HIDDEN}}},
        {"kind": "Deployment", "metadata": {"annotations": {LAST_APPLIED: HIDDEN}}},
    ]
)
_VALUES = st.recursive(
    _PLAIN | _SECRETS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.slow
@given(_VALUES, _VALUES)
@settings(derandomize=True, deadline=None, max_examples=400)
def test_no_secret_is_ever_told(old: Any, new: Any) -> None:
    """Wherever it is on either side, and whatever it turns into."""
    for one in differing(old, new):
        assert HIDDEN not in repr((one.before, one.after))
    assert HIDDEN not in repr(shown(new))


@given(_VALUES, _VALUES)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_both_sides_as_a_whole(old: Any, new: Any) -> None:
    """Two values side by side have no secret either, and what is equal there is so as equal without marks."""
    before, after = told_apart(old, new, shown(old), shown(new))
    assert HIDDEN not in repr((before, after))
    if old == new:
        assert before == after == shown(old)


SHOWN_APART: dict[str, tuple[Any, Any, list[str]]] = {
    "a Secret's value": ({**SECRET, "data": {"p": "a"}}, {**SECRET, "data": {"p": "b"}}, ["data.p"]),
    "a variable": (
        [{"name": "DB_PASSWORD", "value": "a"}],
        [{"name": "DB_PASSWORD", "value": "b"}],
        ["[0].value"],
    ),
    "the same": ({**SECRET, "data": {"p": "a"}}, {**SECRET, "data": {"p": "a"}}, []),
    "another value beside": ({"token": "a", "b": 1}, {"token": "a", "b": 2}, ["b"]),
}


@pytest.mark.parametrize("name", SHOWN_APART)
def test_a_changed_secret_is_another(name: str) -> None:
    """What is masked on both sides, and differs, is seen to differ, at its place."""
    old, new, expected = SHOWN_APART[name]
    before, after = told_apart(old, new, shown(old), shown(new))
    assert [str(each.path) for each in differences(before, after)] == expected


@pytest.mark.slow
@given(_VALUES, _VALUES)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_equal_is_untold_and_both_ways_agree(old: Any, new: Any) -> None:
    """Of equal values nothing is told; the way back has the same places, with the sides exchanged."""
    assert differing(old, old) == []
    there = {(str(one.path), repr(one.before), repr(one.after)) for one in differing(old, new)}
    back = {(str(one.path), repr(one.after), repr(one.before)) for one in differing(new, old)}
    veils = {repr(BEFORE): repr(AFTER), repr(AFTER): repr(BEFORE)}
    assert there == {
        (path, veils.get(before, before), veils.get(after, after)) for path, before, after in back
    }


def test_a_difference_is_a_value() -> None:
    """Equal ones are equal, so that clusters with the same change are told once."""
    assert differing({"a": 1}, {"a": 2}) == [Difference("a", 1, 2)]
