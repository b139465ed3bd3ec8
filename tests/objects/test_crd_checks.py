"""What a definition must be, in the places and words of a real server (the rest: `tests/differential`)."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.objects.crd_checks import definition_causes

ONE = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}


def definition(*versions: dict[str, Any], stored: tuple[str, ...] = ("v1",), **spec: Any) -> dict[str, Any]:
    """A CustomResourceDefinition of widgets."""
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    base = {
        "group": "example.com",
        "scope": "Namespaced",
        "names": names,
        "versions": list(versions) or [ONE],
    }
    return {
        "metadata": {"name": "widgets.example.com"},
        "spec": {**base, **spec},
        "status": {"storedVersions": list(stored)},
    }


def of(schema: dict[str, Any]) -> dict[str, Any]:
    """A version whose `spec.a` has that schema."""
    spec = {"type": "object", "properties": {"a": schema}}
    return {**ONE, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}}


def test_a_good_definition_has_no_fault() -> None:
    """Neither with one version nor with two that differ."""
    two = of({"type": "string"}) | {"name": "v2", "storage": False}
    assert [*definition_causes(definition(), None)] == []
    assert [*definition_causes(definition(ONE, two), None)] == []


@pytest.mark.parametrize(
    ("crd", "field", "says"),
    [
        (definition(group="nodots") | {"metadata": {"name": "widgets.nodots"}}, "spec.group", "one dot"),
        (definition(scope="Galaxy"), "spec.scope", "Unsupported value"),
        (definition({**ONE, "storage": False}), "spec.versions", '"Storage":false'),
        (definition(ONE, {**ONE, "storage": False}), "spec.versions", "unique version names"),
        (definition(stored=()), "status.storedVersions", "at least one"),
        (definition(stored=("v0",)), "status.storedVersions[0]", "missing from spec.versions; v0"),
        (definition({**ONE, "schema": None}), "spec.versions[0].schema.openAPIV3Schema", "Required value"),
        (
            definition({**ONE, "additionalPrinterColumns": [{"name": "X", "type": "date", "jsonPath": "x"}]}),
            "spec.additionalPrinterColumns[0].JSONPath",
            "simple json path",
        ),
        (
            definition(
                {**ONE, "subresources": {"scale": {"specReplicasPath": "x", "statusReplicasPath": ".s"}}}
            ),
            "spec.subresources.scale.specReplicasPath",
            "simple json path",
        ),
    ],
)
def test_a_fault_is_told_at_its_field(crd: dict[str, Any], field: str, says: str) -> None:
    """Each fault once, where a server sees it: what all versions share is at the top."""
    found = [cause for cause in definition_causes(crd, None) if cause.field == field]
    assert len(found) == 1
    assert says in found[0].message


@pytest.mark.parametrize(
    ("schema", "field", "says"),
    [
        ({}, "type", "must not be empty for specified object fields"),
        ({"type": "nonsense"}, "type", "Unsupported value"),
        ({"type": "array"}, "items", "must be specified"),
        ({"type": "array", "items": {}}, "items.type", "for specified array items"),
        ({"type": "string", "default": 5}, "default", 'must be of type string: "integer"'),
        ({"type": "string", "pattern": "("}, "pattern", "missing closing )"),
        ({"type": "array", "items": {"type": "string"}, "uniqueItems": True}, "uniqueItems", "quadratic"),
        (
            {"type": "string", "x-kubernetes-validations": [{"rule": "self =="}]},
            "x-kubernetes-validations[0].rule",
            '{"Rule":"self =="',
        ),
        (
            {"type": "string", "x-kubernetes-validations": [{"rule": "true", "message": "a\nb"}]},
            "x-kubernetes-validations[0].message",
            "line breaks",
        ),
    ],
)
def test_a_schema_is_judged_node_by_node(schema: dict[str, Any], field: str, says: str) -> None:
    """Of a single version at the top, of several in each."""
    where = "openAPIV3Schema.properties[spec].properties[a]"
    (alone,) = definition_causes(definition(of(schema)), None)
    other = {**ONE, "name": "v2", "storage": False}
    (beside,) = definition_causes(definition(of(schema), other), None)
    assert alone.field == f"spec.validation.{where}.{field}"
    assert says in alone.message
    assert beside.field == f"spec.versions[0].schema.{where}.{field}"


def test_what_is_stored_is_looked_at_again_when_the_versions_change() -> None:
    """A version with objects in it cannot be taken away; a status alone may say anything."""
    old = definition()
    gone = {**definition({**ONE, "name": "v2"}), "status": {"storedVersions": ["v1", "v2"]}}
    assert [c.field for c in definition_causes(gone, old)] == ["status.storedVersions[0]"]
    assert [*definition_causes({**old, "status": {"storedVersions": ["v9"]}}, old)] == []
