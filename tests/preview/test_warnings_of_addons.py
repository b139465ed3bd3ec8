"""What a reviewer is warned of about add-ons: configurations that are missing, variables without values."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing import objects as make
from tests.preview import test_addon_configs as addon_configs
from tests.preview.edits import add, both, drop, put
from tests.preview.merged import Edit, Files, edited, named, previewed, small, written_at
from tests.preview.test_one_cluster import ADDON


def _placements(number: int, **entry: Any) -> Edit:
    def edit(files: Files) -> None:
        strategy = named(files, "ClusterManagementAddOn", "hello")["spec"]["installStrategy"]
        strategy["placements"][number].update(entry)

    return edit


def _config(name: str, kind: str = "addondeploymentconfigs") -> Object:
    found = {"group": ADDON, "resource": kind, "name": name}
    return {**found, "namespace": "fleet"} if kind == "addondeploymentconfigs" else found


def _template_asks_more(files: Files) -> None:
    manifests = named(files, "AddOnTemplate", "hello")["spec"]["agentSpec"]["workload"]["manifests"]
    manifests.append(make.config_map("more", data={"level": "{{LEVEL}}"}))


def _level(name: str) -> Edit:
    def edit(files: Files) -> None:
        variables = named(files, "AddOnDeploymentConfig", name)["spec"]["customizedVariables"]
        variables.append({"name": "LEVEL", "value": "info"})

    return edit


MANAGEMENT = f"hub/hello.yaml: apiVersion: {ADDON}/v1alpha1"
ADDONS: dict[str, tuple[Edit, list[tuple[str, str]]]] = {
    "a configuration goes that is named": (
        drop("AddOnDeploymentConfig", "eu"),
        [("config-missing", f"hub/eu.yaml: apiVersion: {ADDON}/v1alpha1")],
    ),
    "a configuration is named that is not there": (
        _placements(1, configs=[_config("nowhere")]),
        [("config-missing", MANAGEMENT)],
    ),
    "two configurations of a kind": (
        _placements(1, configs=[_config("eu"), _config("other")]),
        [("config-conflict", MANAGEMENT)],
    ),
    "a placement is named that is not there": (
        _placements(1, name="nowhere"),
        [("placement-missing", "hub/hello.yaml: - configs:")],
    ),
    "a variable loses its value": (
        put(
            "AddOnDeploymentConfig",
            "eu",
            "spec",
            "customizedVariables",
            value=[{"name": "IMG", "value": "eu:1"}],
        ),
        [("template-variable-empty", f"hub/eu.yaml: apiVersion: {ADDON}/v1alpha1")],
    ),
    "a variable has a value for some": (
        both(_template_asks_more, _level("eu"), _level("own")),
        [("template-variable-empty", MANAGEMENT)],
    ),
    "a variable has no value at all, which is told of the file": (
        _template_asks_more,
        [("template-variable", "hub/hello.yaml: - apiVersion: v1")],
    ),
}


@pytest.mark.parametrize("name", ADDONS)
def test_warnings_of_addons(name: str) -> None:
    """An add-on that cannot be configured as meant is told of where that is written."""
    edit, expected = ADDONS[name]
    before = addon_configs.files()
    found = [w for w in addon_configs.tried(edit)[0].warnings if w.code != "rollout-in-progress"]
    codes = [(w.code, written_at(w.where, before, edited(before, edit))) for w in found]
    assert [told for told in codes if told[0] != "everything-at-once"] == expected


UNPLACED: dict[str, tuple[str, list[str]]] = {
    "on a cluster that is selected": ("c1", []),
    "on a cluster that no placement selects": ("c2", ["hub/own.yaml"]),
}


@pytest.mark.parametrize("name", UNPLACED)
def test_one_in_git_that_the_hub_deletes(name: str) -> None:
    """The hub keeps an add-on only where its placements want it, whatever Git has: that is told."""
    cluster, expected = UNPLACED[name]
    before = small(hub_logs=[make.addon("logs", placements=[("fleet", "eu")])])
    found = previewed(before, add("hub/own.yaml", make.cluster_addon("logs", cluster)))
    assert [w.where.path for w in found.warnings if w.code == "addon-unplaced"] == expected


def test_a_rollout_without_an_end() -> None:
    """A rollout that waits for what cannot come is told of with what it waits for."""
    whole = addon_configs.files(slowly=True)
    before = {
        path: objects for path, objects in whole.items() if not path.startswith("hub/") or "fleet" in path
    }
    found = previewed(before, add("hub/hello.yaml", *whole["hub/hello.yaml"])).warnings
    assert [w.code for w in found] == ["config-missing", "rollout-stuck"]
    assert found[1].message == "2 clusters would never get it on fleet/eu: maxConcurrency is 1: c2 under way"
