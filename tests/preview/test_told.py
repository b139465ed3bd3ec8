"""The fleet as files of a status branch tell of it, in the forms that hubs have."""

from __future__ import annotations

import pytest
import yaml

from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.tree import Tree, memory_tree
from gitops_ocm.objects.conversion import converted
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.preview.stage import set_up
from gitops_ocm.preview.state import read_state
from gitops_ocm.report.yaml_text import to_yaml
from tests.preview.fleets import CATALOG
from tests.preview.golden.cases import repository
from tests.preview.golden.stage import account

ADDONS = "addon.open-cluster-management.io"


def _told_at(version: str) -> Tree:
    """The account of a fleet whose hub shows add-ons at this version."""
    texts = dict(account())
    for path, text in texts.items():
        obj = yaml.safe_load(text)
        if obj["apiVersion"].startswith(ADDONS):
            texts[path] = to_yaml(converted(obj, f"{ADDONS}/{version}")).encode()
    return memory_tree(texts)


def _staged(version: str, files: dict[str, str]) -> dict[Ref, Object]:
    state = read_state(_told_at(version))
    told = [obj["apiVersion"] for ref, obj in state.objects.items() if ref.group == ADDONS]
    assert set(told) == {f"{ADDONS}/{version}"}
    base = compile_tree(memory_tree(files), CATALOG)
    assert base.ok
    found = set_up(base, state, CATALOG).world.all()
    return {ref_of(obj): obj for obj in found}


@pytest.mark.slow
@pytest.mark.parametrize("files", [{}, repository()], ids=["made on the hub", "of Git"])
def test_add_ons_at_either_version(files: dict[str, str]) -> None:
    """A hub that prefers v1beta1 tells of add-ons so; the preview's hub is the same as with v1alpha1."""
    assert _staged("v1beta1", files) == _staged("v1alpha1", files)
