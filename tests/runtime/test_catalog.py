"""The packaged catalog: what OCM's definitions make, without their models until somebody asks."""

from __future__ import annotations

import subprocess
import sys

from gitops_ocm.api.crd import crds
from gitops_ocm.runtime.catalog import load_catalog

ASKED = """
import sys
from gitops_ocm.runtime.catalog import load_catalog
assert load_catalog().resource("work.open-cluster-management.io/v1", "ManifestWork")
print([name for name in sys.modules if name == "gitops_ocm.api.work"])
"""


def test_kinds_are_as_their_definitions_make_them() -> None:
    """Every kind, at every version, is served as by its CustomResourceDefinition, schema and all."""
    catalog = load_catalog()
    made = load_catalog(ocm=False)
    for crd in crds():
        made = made.with_crd(crd)
    assert [entry.resource for entry in catalog.entries()] == [entry.resource for entry in made.entries()]
    assert list(catalog.entries()) != []
    for ours, theirs in zip(catalog.entries(), made.entries(), strict=True):
        if theirs.custom:
            assert ours.schema is not None
            assert theirs.schema is not None
            assert ours.schema.raw == theirs.schema.raw
            assert (ours.columns, ours.list_kind, ours.storage) == (
                theirs.columns,
                theirs.list_kind,
                theirs.storage,
            )


def test_models_wait_until_a_schema_is_asked_for() -> None:
    """Which kinds there are is known without loading a model: commands start the faster."""
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
