"""Names, labels, annotations, finalizers and owners: what is refused, at which field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects.names import key_problems, label_value_problems, metadata_causes, name_problems
from gitops_ocm.objects.ref import Resource
from gitops_ocm.objects.served import CONFIG_MAPS, NAMESPACES

FINE: dict[str, Any] = {"name": "a", "namespace": "n"}


@pytest.mark.parametrize(
    ("name", "kind", "good"),
    [
        ("a", "ConfigMap", True),
        ("a.b-c.1", "ConfigMap", True),
        ("1a", "ConfigMap", True),
        ("x" * 253, "ConfigMap", True),
        ("x" * 254, "ConfigMap", False),
        ("A", "ConfigMap", False),
        ("a_b", "ConfigMap", False),
        ("-a", "ConfigMap", False),
        ("a..b", "ConfigMap", False),
        ("a\n", "ConfigMap", False),
        ("é", "ConfigMap", False),
        ("a.b", "Namespace", False),
        ("x" * 63, "Namespace", True),
        ("x" * 64, "Namespace", False),
        ("1a", "Service", False),
        ("a1", "Service", True),
        ("system:node", "ClusterRole", True),
        ("a/b", "ClusterRole", False),
        ("..", "ClusterRole", False),
    ],
)
def test_names_by_kind(name: str, kind: str, good: bool) -> None:
    """Subdomains in general; labels for Namespaces and Services; path segments for RBAC."""
    assert (not name_problems(name, kind)) is good


@pytest.mark.parametrize(
    ("key", "problems"),
    [
        ("app", 0),
        ("example.com/App_1.x", 0),
        ("", 2),
        ("/a", 1),
        ("example.com/", 2),
        ("a/b/c", 1),
        ("-a", 1),
        ("Example.com/a", 1),
        ("x" * 63, 0),
        ("x" * 64, 1),
        (f"{'x' * 253}/a", 0),
        (f"{'x' * 254}/a", 1),
    ],
)
def test_keys(key: str, problems: int) -> None:
    """A qualified name: an optional DNS prefix and up to 63 characters; each fault is told."""
    assert len(key_problems(key)) == problems


@pytest.mark.parametrize(
    ("value", "good"),
    [("", True), ("A-1_b.c", True), ("x" * 63, True), ("x" * 64, False), ("a b", False), ("a-", False)],
)
def test_label_values(value: str, good: bool) -> None:
    """Empty, or up to 63 characters that begin and end well."""
    assert (not label_value_problems(value)) is good


@pytest.mark.parametrize(
    ("meta", "resource", "fields"),
    [
        (FINE, CONFIG_MAPS, []),
        ({"namespace": "n"}, CONFIG_MAPS, ["metadata.name"]),
        ({"name": "a"}, CONFIG_MAPS, ["metadata.namespace"]),
        ({"name": "a", "namespace": "n.m"}, CONFIG_MAPS, ["metadata.namespace"]),
        ({"name": "a", "namespace": "n"}, NAMESPACES, ["metadata.namespace"]),
        ({**FINE, "generateName": "a-"}, CONFIG_MAPS, []),
        ({**FINE, "generateName": "A-"}, CONFIG_MAPS, ["metadata.generateName"]),
        ({**FINE, "labels": {"a b": "c d"}}, CONFIG_MAPS, ["metadata.labels", "metadata.labels"]),
        ({**FINE, "annotations": {"A.io/B": "any text"}}, CONFIG_MAPS, []),
        ({**FINE, "annotations": {"a": "x" * 256 * 1024}}, CONFIG_MAPS, ["metadata.annotations"]),
        ({**FINE, "finalizers": ["example.com/f", "orphan"]}, CONFIG_MAPS, []),
        ({**FINE, "finalizers": ["plain"]}, CONFIG_MAPS, ["metadata.finalizers[0]"]),
        ({**FINE, "finalizers": ["orphan", "foregroundDeletion"]}, CONFIG_MAPS, ["metadata.finalizers"]),
        (
            {**FINE, "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": ""}]},
            CONFIG_MAPS,
            ["metadata.ownerReferences.uid"],
        ),
        (
            {
                **FINE,
                "ownerReferences": [
                    {"apiVersion": "v1", "kind": "Pod", "name": n, "uid": n, "controller": True} for n in "ab"
                ],
            },
            CONFIG_MAPS,
            ["metadata.ownerReferences"],
        ),
    ],
)
def test_metadata_names_the_field_at_fault(
    meta: dict[str, Any], resource: Resource, fields: list[str]
) -> None:
    """Every fault of the metadata, each at its field."""
    assert [cause.field for cause in metadata_causes(meta, resource)] == fields


@given(st.text(max_size=80))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_a_good_label_value_is_a_good_key(text: str) -> None:
    """The name part of a key is what a value may be, but for being empty."""
    assert (not label_value_problems(text) and bool(text)) is (not key_problems(text) and "/" not in text)
