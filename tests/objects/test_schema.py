"""Schemas: defaults, pruning, unknown fields, validation; the texts are those of a kube-apiserver."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects.schema import Schema

STRING, INTEGER = {"type": "string"}, {"type": "integer"}
TEXTS = {"type": "object", "additionalProperties": STRING}
LIST = {"type": "array", "items": STRING}
BODY = "spec in body"
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def schema_of(spec: dict[str, Any]) -> Schema:
    """The schema of a kind whose `spec` is this."""
    return Schema.from_openapi({"type": "object", "properties": {"spec": spec}})


def with_fields(**fields: Any) -> Schema:
    """The schema of a kind with these fields in its spec."""
    return schema_of({"type": "object", "properties": fields})


def obj(spec: Any) -> dict[str, Any]:
    """An object of the kind under test."""
    return {"apiVersion": "x.io/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": spec}


@pytest.mark.parametrize(
    ("field", "given", "result"),
    [
        ({**STRING, "default": "x"}, {}, {"f": "x"}),
        ({**STRING, "default": "x"}, {"f": "y"}, {"f": "y"}),
        ({**STRING, "default": "x"}, {"f": None}, {"f": "x"}),
        ({**STRING, "default": "x", "nullable": True}, {"f": None}, {"f": None}),
        ({"type": "object", "properties": {"g": {**INTEGER, "default": 1}}}, {}, {}),
        ({"type": "object", "properties": {"g": {**INTEGER, "default": 1}}}, {"f": {}}, {"f": {"g": 1}}),
        (
            {"type": "object", "default": {}, "properties": {"g": {**INTEGER, "default": 1}}},
            {},
            {"f": {"g": 1}},
        ),
        (
            {"type": "array", "items": {"type": "object", "properties": {"g": {**INTEGER, "default": 1}}}},
            {"f": [{}, {"g": 2}]},
            {"f": [{"g": 1}, {"g": 2}]},
        ),
    ],
)
def test_defaults(field: dict[str, Any], given: Any, result: Any) -> None:
    """Filled in where nothing is, or a null that may not be; inside what is there, and no deeper."""
    sent = obj(given)
    assert with_fields(f=field).default(sent)["spec"] == result
    assert sent["spec"] == given


@pytest.mark.parametrize(
    ("spec", "given", "kept", "unknown"),
    [
        ({"type": "object", "properties": {"a": STRING}}, {"a": "x", "b": 1}, {"a": "x"}, ["spec.b"]),
        (TEXTS, {"a": "x"}, {"a": "x"}, []),
        (OPEN, {"a": {"b": 1}}, {"a": {"b": 1}}, []),
        (
            {"type": "array", "items": {"type": "object", "properties": {"a": STRING}}},
            [{"a": "x"}, {"b": 1}],
            [{"a": "x"}, {}],
            ["spec[1].b"],
        ),
        (
            {**OPEN, "properties": {"a": {"type": "object", "properties": {"b": STRING}}}},
            {"a": {"b": "x", "c": 1}, "d": 1},
            {"a": {"b": "x"}, "d": 1},
            ["spec.a.c"],
        ),
    ],
)
def test_pruning(spec: dict[str, Any], given: Any, kept: Any, unknown: list[str]) -> None:
    """What a schema does not know goes, and is told; what is open stays, down to what is described again."""
    schema = schema_of(spec)
    assert schema.prune(obj(given))["spec"] == kept
    assert schema.unknown_fields(obj(given)) == unknown


@pytest.mark.parametrize(
    ("spec", "given", "reason", "message"),
    [
        (STRING, 5, "TypeInvalid", f'"integer": {BODY} must be of type string: "integer"'),
        (INTEGER, 1.5, "TypeInvalid", f'"number": {BODY} must be of type integer: "number"'),
        (INTEGER, True, "TypeInvalid", f'"boolean": {BODY} must be of type integer: "boolean"'),
        ({**STRING, "minLength": 2}, "a", "Invalid", f'"a": {BODY} should be at least 2 chars long'),
        ({**STRING, "pattern": "^a+$"}, "b", "Invalid", f"\"b\": {BODY} should match '^a+$'"),
        ({**INTEGER, "minimum": 1}, 0, "Invalid", f"0: {BODY} should be greater than or equal to 1"),
        ({**INTEGER, "maximum": 1}, 2, "Invalid", f"2: {BODY} should be less than or equal to 1"),
        ({**STRING, "enum": ["a", "b"]}, "c", "NotSupported", '"c": supported values: "a", "b"'),
        ({**STRING, "maxLength": 2}, "abc", "TooLong", "may not be more than 2 bytes"),
        ({**LIST, "maxItems": 1}, ["a", "b"], "TooMany", "2: must have at most 1 item"),
        ({**LIST, "x-kubernetes-list-type": "set"}, ["a", "a"], "Duplicate", '"a"'),
    ],
)
def test_validation(spec: dict[str, Any], given: Any, reason: str, message: str) -> None:
    """Each keyword refuses in its own words."""
    (cause,) = schema_of(spec).validate(obj(given))
    assert (cause.reason, cause.message.partition(": ")[2]) == (f"FieldValue{reason}", message)
    assert cause.field.startswith("spec")


def test_all_problems_are_told() -> None:
    """Not only the first."""
    schema = schema_of({"type": "object", "required": ["a"], "properties": {"a": STRING, "b": STRING}})
    causes = schema.validate(obj({"b": 5}))
    assert sorted((c.reason, c.field) for c in causes) == [
        ("FieldValueRequired", "spec.a"),
        ("FieldValueTypeInvalid", "spec.b"),
    ]


def test_list_keys_are_unique() -> None:
    """Two items of one key are one too many, missing parts of keys count as missing."""
    item = {"type": "object", "properties": {"name": STRING, "value": STRING}}
    keyed = {"type": "array", "items": item, "x-kubernetes-list-type": "map"}
    schema = schema_of({**keyed, "x-kubernetes-list-map-keys": ["name"]})
    assert schema.validate(obj([{"name": "a"}, {"name": "b"}])) == []
    (cause,) = schema.validate(obj([{"name": "a", "value": "x"}, {"name": "a"}]))
    assert (cause.reason, cause.field) == ("FieldValueDuplicate", "spec[1]")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "x-1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
RICH = schema_of(
    {
        "type": "object",
        "properties": {
            "a": {**STRING, "default": "x"},
            "b": {"type": "array", "items": {"type": "object", "properties": {"a": INTEGER}}},
            "c": {"type": "object", "default": {}, "properties": {"d": {**INTEGER, "default": 2}}},
            "d": OPEN,
        },
    }
)


@given(st.dictionaries(st.sampled_from("abcde"), _VALUES, max_size=4))
@settings(derandomize=True, deadline=None)
def test_once_is_enough(spec: Any) -> None:
    """Defaults and pruning done again change nothing, whatever the object; nothing makes validation fail."""
    first = RICH.default(RICH.prune(obj(spec)))
    assert RICH.default(RICH.prune(first)) == first
    assert RICH.unknown_fields(RICH.prune(obj(spec))) == []
    assert all(cause.field.startswith("spec") for cause in RICH.validate(first))
