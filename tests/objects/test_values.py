"""The plain verbs: paths, selectors, conditions, differences, order, digests; as cases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects import conditions, diff, paths, selectors
from gitops_ocm.objects.canonical import canonical_json, digest
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.order import sync_rank, work_rank

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)
KEYS = st.dictionaries(st.sampled_from("abc"), st.integers(), max_size=3)


@settings(derandomize=True, deadline=None)
@given(value=KEYS)
def test_a_digest_does_not_depend_on_the_order_of_keys(value: Any) -> None:
    """Canonical JSON sorts keys and has no spaces."""
    backwards = dict(reversed(value.items()))
    assert digest(value) == digest(backwards)
    assert b" " not in canonical_json(value)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (("a", "b"), 1),
        (("a", "c"), None),
        (("l", 0, "x"), 2),
        (("l", 9), None),
        (("a", "b", "c"), None),
        ((), "all"),
    ],
)
def test_get(path: Any, found: Any) -> None:
    """A step that leads nowhere is the default, never an error."""
    obj = {"a": {"b": 1}, "l": [{"x": 2}]}
    assert paths.get(obj, *path) == (obj if found == "all" else found)


def test_writers_leave_the_old_object_alone() -> None:
    """with_value and without copy what they change and share the rest."""
    obj: dict[str, Any] = {"a": {"b": 1}, "z": {"y": 2}}
    changed = paths.with_value(obj, ("a", "c", "d"), 3)
    assert changed == {"a": {"b": 1, "c": {"d": 3}}, "z": {"y": 2}}
    assert paths.without(changed, ("a", "b")) == {"a": {"c": {"d": 3}}, "z": {"y": 2}}
    assert paths.without(changed, ("no", "such")) == changed
    assert obj == {"a": {"b": 1}, "z": {"y": 2}}
    assert changed["z"] is obj["z"]


@pytest.mark.parametrize(
    ("selector", "labels", "selected"),
    [
        (None, {"a": "b"}, False),
        ({}, None, True),
        ({"matchLabels": {"a": "b"}}, {"a": "b", "c": "d"}, True),
        ({"matchLabels": {"a": "b"}}, {}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b", "c"]}]}, {"a": "c"}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}, {}, True),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {"a": ""}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {"a": ""}, False),
    ],
)
def test_label_selectors(selector: Any, labels: Any, selected: bool) -> None:
    """None selects nothing, the empty selector everything, and terms are and-ed."""
    assert selectors.matches(selector, labels) is selected


@pytest.mark.parametrize(
    ("text", "labels", "selected"),
    [
        ("", {}, True),
        ("a", {"a": ""}, True),
        ("!a", {"b": ""}, True),
        ("a=b, c != d", {"a": "b"}, True),
        ("a==", {"a": ""}, True),
        ("a in (x, y),b notin (z)", {"a": "y", "b": "w"}, True),
        ("a in (x,)", {"a": ""}, True),
        ("a>1,a<3", {"a": "2"}, True),
        ("a>1", {"a": "x"}, False),
        ("in in (in)", {"in": "in"}, True),
        ("example.com/a=b", {"example.com/a": "b"}, True),
    ],
)
def test_selector_text(text: str, labels: Any, selected: bool) -> None:
    """The text of a request reads as kubectl writes it."""
    assert selectors.parse(text).matches(labels) is selected


@pytest.mark.parametrize(
    "text", ["=", "a=b=c", "a in", "a in (", "a in b", "a b", "!", "a,", ",a", "a=b c", "a>x", "a=@", "@=a"]
)
def test_bad_selector_text_is_refused(text: str) -> None:
    """What is no selector is a 400, never a selector of everything."""
    with pytest.raises(ApiError) as refused:
        selectors.parse(text)
    assert refused.value.reason == "BadRequest"


def test_field_selectors_undo_escapes() -> None:
    """A comma or equals sign in a value is written with a backslash."""
    selector = selectors.parse_fields(r"a.b=x\,y\=z,c!=w")
    assert selector.matches({"a": {"b": "x,y=z"}})
    assert not selector.matches({"a": {"b": "x,y=z"}, "c": "w"})
    assert selector.exact("a.b") == "x,y=z"


def test_a_condition_moves_only_with_its_status() -> None:
    """A new reason keeps lastTransitionTime, a new status moves it; order and others stay."""
    have = conditions.with_condition(None, type="A", status="True", reason="R", message="m", now=NOW)
    have = conditions.with_condition(have, type="B", status="False", reason="R", message="m", now=NOW)
    same = conditions.with_condition(have, type="A", status="True", reason="Other", message="m", now=LATER)
    moved = conditions.with_condition(same, type="A", status="False", reason="Other", message="m", now=LATER)
    assert [c["type"] for c in moved] == ["A", "B"]
    assert same[0]["lastTransitionTime"] == "2026-01-01T00:00:00Z"
    assert moved[0]["lastTransitionTime"] == "2026-01-02T00:00:00Z"
    assert conditions.is_true({"status": {"conditions": same}}, "A")
    assert not conditions.is_true(moved, "A")
    assert not conditions.is_true(None, "A")


@pytest.mark.parametrize(
    "text", ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.000000Z"]
)
def test_times_are_instants(text: str) -> None:
    """Every RFC 3339 form of an instant reads as that instant in UTC."""
    assert conditions.parse_time(text) == NOW
    assert conditions.timestamp(conditions.parse_time(text)) == "2026-01-01T00:00:00Z"


def test_a_time_without_a_zone_is_none() -> None:
    """Local times name no instant."""
    with pytest.raises(ValueError, match="RFC 3339"):
        conditions.parse_time("2026-01-01T00:00:00")


def test_differences_name_paths() -> None:
    """Additions, removals and changes are each one path; a value of another type is a change."""
    old = {"a": 1, "b": [1, 2], "c": {"x/y": 1}, "gone": None}
    new = {"a": True, "b": [1], "c": {"x/y": 2}, "new": 0}
    found = {(d.path, repr(d.before), repr(d.after)) for d in diff.differences(old, new)}
    assert found == {
        ("a", "1", "True"),
        ("b[1]", "2", "ABSENT"),
        ("c[x/y]", "1", "2"),
        ("gone", "None", "ABSENT"),
        ("new", "ABSENT", "0"),
    }


@pytest.mark.parametrize(
    ("desired", "live", "covered"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, True),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": 2}]}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": None}, {}, False),
    ],
)
def test_covers(desired: Any, live: Any, covered: bool) -> None:
    """The live object may say more in maps, never other values or longer lists."""
    assert diff.covers(desired, live) is covered


SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "s", "annotations": {diff.LAST_APPLIED: "hunter2"}},
    "data": {"p": "aHVudGVyMg=="},
    "stringData": {"q": "hunter2"},
}


def test_no_secret_is_shown_at_any_depth() -> None:
    """Values of Secrets are masked, also inside a ManifestWork and in the last-applied annotation."""
    work = {"kind": "ManifestWork", "spec": {"workload": {"manifests": [SECRET]}}}
    text = repr(diff.masked(work))
    assert "hunter2" not in text
    assert "aHVudGVyMg" not in text


def test_order() -> None:
    """What others stand on comes first, webhooks last; a work's order is OCM's."""
    kinds = [
        "ValidatingWebhookConfiguration",
        "Deployment",
        "ManifestWork",
        "CustomResourceDefinition",
        "Namespace",
    ]
    assert sorted(kinds, key=sync_rank)[:2] == ["Namespace", "CustomResourceDefinition"]
    assert max(kinds, key=sync_rank) == "ValidatingWebhookConfiguration"
    assert [work_rank(k) for k in ("Namespace", "Role", "Secret", "Service", "Job", "Widget", "")] == [
        0, 1, 3, 4, 5, 1000, 1001,
    ]  # fmt: skip
