"""The table of kinds: complete, consistent with the models, and cheap to read."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

import pytest

from gitops_ocm.api.base import Model
from gitops_ocm.api.resource import Kind, Resource
from gitops_ocm.api.scheme import SCHEME, Definition, Version, load_model

ROWS = [(d, v) for d in SCHEME for v in d.versions]


def row_name(value: Definition | Version) -> str:
    return value.kind if isinstance(value, Definition) else value.name


@pytest.mark.parametrize(("definition", "version"), ROWS, ids=row_name)
def test_a_row_and_its_model_agree(definition: Definition, version: Version) -> None:
    """The model of a row is of that kind and version, and has a status where the row says so."""
    model = load_model(version)
    assert definition.kind in allowed(model, "kind")
    assert f"{definition.group}/{version.name}" in allowed(model, "api_version")
    assert ("status" in model.model_fields) == definition.status
    assert SCHEME.model_for(f"{definition.group}/{version.name}", definition.kind) is model


def allowed(model: type[Model], field: str) -> tuple[str, ...]:
    return get_args(model.model_fields[field].annotation)


def test_the_kinds_of_the_fleet_are_all_there() -> None:
    """Every kind of OCM that a hub or a klusterlet speaks, and our own."""
    assert {d.kind for d in SCHEME} == {
        "ManagedCluster", "ManagedClusterSet", "ManagedClusterSetBinding", "Placement", "PlacementDecision",
        "AddOnPlacementScore", "ClusterClaim", "ManifestWork", "AppliedManifestWork",
        "ManifestWorkReplicaSet", "ClusterManagementAddOn", "ManagedClusterAddOn", "AddOnDeploymentConfig",
        "AddOnTemplate", "ClusterManager", "Klusterlet", "HubSync",
    }  # fmt: skip


def test_names_do_not_collide() -> None:
    """Plurals and short names are unique, as a server's discovery needs them to be."""
    for names in ([d.crd_name for d in SCHEME], [s for d in SCHEME for s in d.short_names]):
        assert len(names) == len(set(names))


def test_looking_up() -> None:
    """A kind is found by its version, or is None: unknown kinds and versions are no error."""
    assert SCHEME.resource("work.open-cluster-management.io/v1", "ManifestWork") == Resource(
        "work.open-cluster-management.io",
        "v1",
        "ManifestWork",
        "manifestworks",
        namespaced=True,
        singular="manifestwork",
        subresources=frozenset({"status"}),
    )
    assert SCHEME.model_for("work.open-cluster-management.io/v2", "ManifestWork") is None
    assert SCHEME.resource("v1", "Pod") is None
    row = SCHEME.definition(Kind("addon.open-cluster-management.io", "ClusterManagementAddOn"))
    assert row is not None
    assert row.storage_version.name == "v1alpha1"
    assert {r.group for r in SCHEME.resources(["sync.gitops-ocm.io"])} == {"sync.gitops-ocm.io"}


def test_reading_the_table_imports_neither_pydantic_nor_a_model() -> None:
    """Routing and discovery need the table alone, and must start fast."""
    code = (
        "import sys, gitops_ocm.api.scheme as s; s.SCHEME.resources();"
        "sys.exit(any(m == 'pydantic' or m == 'gitops_ocm.api.base' for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
