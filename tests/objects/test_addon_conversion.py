"""Add-ons between their versions, held to what OCM's own conversion made of the same objects.

The record has 600 random objects of both kinds and versions, each with what OCM's functions answered. Zero
values are left out on both sides: Go writes some of them, which say the same as nothing.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects.conversion import converted
from gitops_ocm.objects.ref import Object

RECORD = Path(__file__).parent / "recorded_addon_conversions.json.gz"
ADDON = "addon.open-cluster-management.io"
OTHER = {f"{ADDON}/v1alpha1": f"{ADDON}/v1beta1", f"{ADDON}/v1beta1": f"{ADDON}/v1alpha1"}


def without_zeroes(value: Any) -> Any:
    """The same without what means nothing in Go."""
    if isinstance(value, Mapping):
        kept = {key: without_zeroes(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in (None, "", {}, [], 0) or each is False}
    return [without_zeroes(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("version", OTHER)
@pytest.mark.parametrize("kind", ["ClusterManagementAddOn", "ManagedClusterAddOn"])
def test_it_converts_as_ocm_does(kind: str, version: str) -> None:
    """Every object of the record that is of this kind and version."""
    record = json.loads(gzip.decompress(RECORD.read_bytes()))
    pairs = [(o, e) for o, e in record if (o["kind"], o["apiVersion"]) == (kind, version)]
    assert len(pairs) == 150
    for obj, expected in pairs:
        assert without_zeroes(converted(obj, OTHER[version])) == expected


_TEXT = st.text("abc", min_size=1, max_size=3)
_CONFIG = st.fixed_dictionaries({"name": _TEXT, "specHash": _TEXT}, optional={"namespace": _TEXT})
_KIND = {"group": _TEXT, "resource": _TEXT}
_SUBJECT = st.fixed_dictionaries({"user": _TEXT}, optional={"groups": st.lists(_TEXT, min_size=1)})
_UNITS = st.fixed_dictionaries({"user": _TEXT}, optional={"organizationUnits": st.lists(_TEXT, min_size=1)})
_STATUS = st.fixed_dictionaries(
    {},
    optional={
        "configReferences": st.lists(
            st.fixed_dictionaries(
                {**_KIND, "desiredConfig": _CONFIG, "lastObservedGeneration": st.integers(1, 9)},
                optional={"lastAppliedConfig": _CONFIG},
            ),
            min_size=1,
        ),
        "registrations": st.tuples(
            st.builds(
                lambda subject, driver: {
                    "type": "kubeClient",
                    "kubeClient": {"subject": subject, "driver": driver},
                },
                _SUBJECT,
                st.sampled_from(["csr", "token"]),
            ),
            st.builds(
                lambda subject: {
                    "type": "customSigner",
                    "customSigner": {"signerName": "example.com/s", "subject": subject},
                },
                _UNITS,
            ),
        ).map(list),
        "supportedConfigs": st.lists(st.fixed_dictionaries(_KIND), min_size=1),
        "namespace": _TEXT,
    },
)


@given(status=_STATUS, namespace=st.none() | _TEXT)
@settings(derandomize=True, deadline=None)
def test_an_installation_comes_back_as_it_was(status: Object, namespace: str | None) -> None:
    """From v1beta1 to the version that is stored and back: nothing lost, nothing added."""
    marks = {"x": "y"} | ({f"{ADDON}/v1alpha1-install-namespace": namespace} if namespace else {})
    addon = {
        "apiVersion": f"{ADDON}/v1beta1",
        "kind": "ManagedClusterAddOn",
        "metadata": {"name": "a", "namespace": "c", "annotations": marks},
        "spec": {},
        "status": status,
    }
    assert converted(converted(addon, f"{ADDON}/v1alpha1"), f"{ADDON}/v1beta1") == addon


_DEFAULT = st.fixed_dictionaries(
    {**_KIND, "name": _TEXT | st.just("__reserved_no_default__")}, optional={"namespace": _TEXT}
).map(lambda d: {k: v for k, v in d.items() if k != "namespace" or not d["name"].startswith("__")})


@given(
    defaults=st.lists(_DEFAULT, min_size=1),
    told=st.lists(st.fixed_dictionaries({**_KIND, "desiredConfig": _CONFIG})),
)
@settings(derandomize=True, deadline=None)
def test_an_add_on_comes_back_as_it_was(defaults: list[Object], told: list[Object]) -> None:
    """A kind without a default keeps the name that says so."""
    cma = {
        "apiVersion": f"{ADDON}/v1beta1",
        "kind": "ClusterManagementAddOn",
        "metadata": {"name": "a"},
        "spec": {"defaultConfigs": defaults, "installStrategy": {"type": "Manual"}},
        "status": {"defaultConfigReferences": told},
    }
    assert converted(converted(cma, f"{ADDON}/v1alpha1"), f"{ADDON}/v1beta1") == cma
