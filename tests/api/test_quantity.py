"""Quantities: exact sums that print as Kubernetes prints them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.api.quantity import Notation, Quantity, total
from gitops_ocm.api.resource import Resource
from gitops_ocm.api.scalars import ScalarError
from gitops_ocm.kube.cluster import Cluster

POD_TEMPLATES = Resource("", "v1", "PodTemplate", "podtemplates", namespaced=True)
AS_WRITTEN = {"+1", "5.", "1e0", "1E3"}
"""Odd ones that an API server hands back unchanged as long as it does not compute with them."""

# Written → as the API server writes it.
CANONICAL = [
    ("0", "0"),
    ("0Ki", "0"),
    ("00", "0"),
    ("-0", "0"),
    ("1", "1"),
    ("+1", "1"),
    ("1000", "1k"),
    ("1500", "1500"),
    ("1.5", "1500m"),
    ("0.1", "100m"),
    (".5", "500m"),
    ("5.", "5"),
    ("1000m", "1"),
    ("100m", "100m"),
    ("0.001", "1m"),
    ("1u", "1u"),
    ("1n", "1n"),
    ("0.1n", "1n"),
    ("1.1n", "2n"),
    ("1024", "1024"),
    ("1Ki", "1Ki"),
    ("1024Ki", "1Mi"),
    ("1536Mi", "1536Mi"),
    ("1.5Gi", "1536Mi"),
    ("0.5Ki", "512"),
    ("0.1Ki", "102400m"),
    ("1.0001Ki", "1024102400u"),
    ("33000000Ki", "33000000Ki"),
    ("16Gi", "16Gi"),
    ("1Ei", "1Ei"),
    ("7Ei", "7Ei"),
    ("8Ei", "9223372036854775807"),
    ("1E", "1E"),
    ("100E", "100E"),
    ("1e3", "1e3"),
    ("1E3", "1e3"),
    ("12e6", "12e6"),
    ("1.5e3", "1500"),
    ("1e2", "100"),
    ("1e-3", "1e-3"),
    ("5e-1", "500e-3"),
    ("1e0", "1"),
    ("123456789", "123456789"),
    ("1000000", "1M"),
    ("1000k", "1M"),
]


@pytest.mark.parametrize(("written", "canonical"), CANONICAL, ids=[w for w, _ in CANONICAL])
def test_canonical_form(written: str, canonical: str) -> None:
    """A quantity prints in the form the API server would store, and that form is stable."""
    assert str(Quantity.parse(written)) == canonical
    assert str(Quantity.parse(canonical)) == canonical


@pytest.mark.controlplane
async def test_the_api_server_agrees(kubernetes_cluster: Cluster, unique: Callable[[str], str]) -> None:
    """The canonical forms are those of a real API server."""
    written = [w for w, _ in CANONICAL if w not in AS_WRITTEN]
    volumes = [{"name": f"v{i}", "emptyDir": {"sizeLimit": text}} for i, text in enumerate(written)]
    template = {
        "apiVersion": "v1",
        "kind": "PodTemplate",
        "metadata": {"name": unique("quantities"), "namespace": "default"},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"volumes": volumes, "containers": [{"name": "a", "image": "a"}]},
        },
    }
    made = await kubernetes_cluster.create(POD_TEMPLATES, template, dry_run=True)
    stored = [v["emptyDir"]["sizeLimit"] for v in made["template"]["spec"]["volumes"]]
    assert dict(zip(written, stored, strict=True)) == {w: c for w, c in CANONICAL if w not in AS_WRITTEN}


@pytest.mark.parametrize(
    "text",
    ["", " ", "1 ", "x", "1ki", "1KI", "1Zi", "--1", "1e", "1e1.5", "1.2.3", "Ki", ".", "1\n", "٣", "1e9999"],
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    """Text that no API server takes raises the package's error."""
    with pytest.raises(ScalarError, match="is not a quantity"):
        Quantity.parse(text)


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ({"cpu": "1500m"}, {"cpu": "500m"}, {"cpu": "2"}),
        ({"memory": "16Gi"}, {"memory": "512Mi"}, {"memory": "16896Mi"}),
        ({"pods": 110}, {"pods": "110"}, {"pods": "220"}),
        ({"cpu": "1"}, {"gpu": "1"}, {"cpu": "1", "gpu": "1"}),
        ({"memory": "0"}, {"memory": "1Gi"}, {"memory": "1Gi"}),
        ({"memory": "1Gi"}, {"memory": "1000"}, {"memory": "1073742824"}),
        ({}, {}, {}),
    ],
)
def test_totals(one: dict[str, str | int], two: dict[str, str | int], expected: dict[str, str]) -> None:
    """Resource lists add up name by name, in the notation of the first that is not zero."""
    assert total(one, two) == expected


@settings(derandomize=True, deadline=None)
@given(
    st.fractions(min_value=-(10**8), max_value=10**8, max_denominator=10**9).map(
        lambda f: Fraction(round(f * 10**9), 10**9)
    ),
    st.sampled_from(Notation),
)
def test_printing_loses_nothing(amount: Fraction, notation: Notation) -> None:
    """What is printed reads back as the same amount."""
    assert Quantity.parse(str(Quantity(amount, notation))).amount == amount


@settings(derandomize=True, deadline=None)
@given(st.lists(st.sampled_from([w for w, _ in CANONICAL if "E" not in w]), min_size=1, max_size=6))
def test_sums_do_not_depend_on_order(texts: list[str]) -> None:
    """Adding up in any order gives the same amount."""
    forward = sum((Quantity.parse(t) for t in texts), Quantity(Fraction(0)))
    backward = sum((Quantity.parse(t) for t in reversed(texts)), Quantity(Fraction(0)))
    assert forward.amount == backward.amount
