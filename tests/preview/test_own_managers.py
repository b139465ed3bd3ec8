"""Add-ons whose manager is a program of its own: previews assume that it does its part, and say so."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from gitops_ocm.objects.ref import Object
from gitops_ocm.preview.assumptions import Assumptions
from gitops_ocm.preview.model import Preview, Rollout
from tests.preview.drawn import ADDON, CONFIGS, TEMPLATES, add_on_template
from tests.preview.merged import NOW, Files, named, previewed, small

PROGRESSIVE = {"type": "Progressive", "progressive": {"maxConcurrency": 1, "minSuccessTime": "1m"}}


def _config(name: str, value: str) -> Object:
    return {
        "apiVersion": f"{ADDON}/v1alpha1",
        "kind": "AddOnDeploymentConfig",
        "metadata": {"name": name, "namespace": "fleet"},
        "spec": {"customizedVariables": [{"name": "LEVEL", "value": value}]},
    }


def _logs(config: str) -> Object:
    entry: dict[str, Any] = {"namespace": "fleet", "name": "all", "rolloutStrategy": PROGRESSIVE}
    entry["configs"] = [{**CONFIGS, "namespace": "fleet", "name": config}]
    return {
        "apiVersion": f"{ADDON}/v1alpha1",
        "kind": "ClusterManagementAddOn",
        "metadata": {"name": "logs"},
        "spec": {
            "supportedConfigs": [dict(CONFIGS)],
            "installStrategy": {"type": "Placements", "placements": [entry]},
        },
    }


def _fleet() -> Files:
    return small(hub_logs=[_config("one", "info"), _config("two", "debug"), _logs("one")])


def _other_config(files: Files) -> None:
    (entry,) = named(files, "ClusterManagementAddOn", "logs")["spec"]["installStrategy"]["placements"]
    entry["configs"][0]["name"] = "two"


def _rollout(preview: Preview) -> Rollout:
    (found,) = preview.rollouts
    return found


@pytest.mark.parametrize("takes", [0.0, 30.0])
def test_it_is_assumed_to_take_a_configuration(takes: float) -> None:
    """Another configuration goes from one cluster to the next, as an add-on made of a template would; a note
    says what was assumed.
    """
    preview = previewed(_fleet(), _other_config, assumed=Assumptions(takes=takes))
    rollout = _rollout(preview)
    assert [wave.clusters for wave in rollout.waves] == [("c1",), ("c2",), ("c3",)]
    steps = [after.at - before.at for before, after in zip(rollout.waves, rollout.waves[1:], strict=False)]
    assert all(
        timedelta(seconds=60 + takes - 2) <= step <= timedelta(seconds=60 + takes + 2) for step in steps
    )
    assert rollout.end is not None
    assert rollout.end > NOW
    assert [note for note in preview.notes if "the manager of the add-on logs" in note]


def test_where_it_fails_the_rollout_stops() -> None:
    """On a cluster that fails nothing is taken, so the next ones wait."""
    rollout = _rollout(previewed(_fleet(), _other_config, assumed=Assumptions(failing=("c2",))))
    assert [wave.clusters for wave in rollout.waves] == [("c1",), ("c2",)]
    assert rollout.waiting == ("c3",)


def test_a_changed_configuration_is_told_of() -> None:
    """What its manager makes of other content nobody here knows, and that is said."""

    def louder(files: Files) -> None:
        named(files, "AddOnDeploymentConfig", "one")["spec"]["customizedVariables"][0]["value"] = "debug"

    notes = previewed(_fleet(), louder).notes
    assert [note for note in notes if "the manager of the add-on logs" in note]


def test_nothing_is_said_of_others() -> None:
    """Of an add-on made of a template nothing has to be assumed."""
    fleet = _fleet()
    named(fleet, "ClusterManagementAddOn", "logs")["spec"]["supportedConfigs"] += [
        {**TEMPLATES, "defaultConfig": {"name": "logs-template"}}
    ]
    fleet["hub/template.yaml"] = [add_on_template(Random(1), "logs")]
    assert not [note for note in previewed(fleet, _other_config).notes if "the manager of the add-on" in note]
