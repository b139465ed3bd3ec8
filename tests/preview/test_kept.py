"""Add-ons that Git has at v1beta1: a preview is as for the same add-on at the version a hub keeps."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from gitops_ocm.objects.conversion import converted
from gitops_ocm.objects.ref import Object
from gitops_ocm.preview.formats.words import exit_status
from gitops_ocm.preview.model import Preview
from gitops_ocm.preview.objects import SAME
from gitops_ocm.testing import objects as make
from tests.preview.edits import drop
from tests.preview.merged import Edit, Files, named, previewed, small

OLD, NEW = "addon.open-cluster-management.io/v1alpha1", "addon.open-cluster-management.io/v1beta1"


def _logs(version: str, *placements: str) -> Object:
    return converted(make.addon("logs", placements=[("fleet", name) for name in placements]), version)


def _files(version: str, *placements: str) -> Files:
    return small(hub_logs=[_logs(version, *placements)])


def _placed(version: str, *placements: str) -> Edit:
    def edit(files: Files) -> None:
        files["hub/logs.yaml"] = [_logs(version, *placements)]

    return edit


def _fleet(found: Preview) -> Preview:
    """What it says of the fleet, but not of Git's objects, which are written otherwise."""
    return replace(found, effects=())


@pytest.mark.parametrize("placements", [("all",), ("eu", "all"), ()])
def test_the_same_comes_of_both(placements: tuple[str, ...]) -> None:
    """Who is given the add-on, in which waves, and what is warned of, is the same at either version."""
    told = [_fleet(previewed(_files(at, "eu"), _placed(at, *placements))) for at in (OLD, NEW)]
    assert told[0].clusters
    assert copy.deepcopy(told[0]) == told[1]


def test_fields_are_those_that_were_written() -> None:
    """The difference is told in the words of the file."""
    before, after = _logs(NEW, "eu"), _logs(NEW, "eu")
    after["spec"]["defaultConfigs"] = [
        {
            "group": OLD.partition("/")[0],
            "resource": "addondeploymentconfigs",
            "name": "d",
            "namespace": "fleet",
        }
    ]
    found = previewed(small(hub_logs=[before]), lambda files: files.update({"hub/logs.yaml": [after]}))
    assert [d.path for effect in found.effects for d in effect.fields] == ["spec.defaultConfigs"]


def test_another_version_alone_changes_nothing() -> None:
    """The file is written at the new version: the hub does not notice, and no cluster is touched."""
    found = previewed(_files(OLD, "all"), _placed(NEW, "all"))
    assert not found.clusters
    assert not found.rollouts
    assert exit_status(found) == 1
    assert [effect.ref.name for effect in found.effects] == ["logs"]


def test_one_by_hand() -> None:
    """A ManagedClusterAddOn at v1beta1 that leaves Git leaves its cluster."""
    one = converted(make.cluster_addon("hello", "c1"), NEW)
    found = previewed(small(hub_one=[one]), drop("ManagedClusterAddOn"))
    assert [cluster.name for cluster in found.clusters] == ["c1"]
    assert named(small(hub_one=[one]), "ManagedClusterAddOn", "hello")["apiVersion"] == NEW
    assert SAME not in {effect.why for effect in found.effects}
