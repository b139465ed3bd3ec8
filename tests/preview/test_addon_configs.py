"""What add-ons come to be configured with, on which clusters, by whose choice, and at which lines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from gitops_ocm.api.cluster import IMAGE_REGISTRIES_ANNOTATION
from gitops_ocm.decide.diagnosis.evidence import Objects
from gitops_ocm.errors import Location
from gitops_ocm.objects.diff import ABSENT, MASK
from gitops_ocm.objects.ref import Object
from gitops_ocm.preview.assumptions import Assumptions
from gitops_ocm.preview.effects import preview_of
from gitops_ocm.preview.formats.alike import configured
from gitops_ocm.preview.hub import Moment
from gitops_ocm.preview.model import Preview, Value
from gitops_ocm.preview.run import Settings, attempt
from gitops_ocm.preview.state import FleetState, read_state
from gitops_ocm.testing import objects as make
from gitops_ocm.verbs.explain_config import ConfigQuestion, explain_config_in
from tests.preview.fleets import CATALOG, ordinary, repository, running, told
from tests.preview.merged import BASE, HEAD, NOW, Edit, Files, edited, named, written_at
from tests.preview.test_one_cluster import ADDON, _config, _management, _template

pytestmark = pytest.mark.slow

CONFIGS = "addondeploymentconfigs"
SLOW = {"type": "Progressive", "progressive": {"maxConcurrency": 1, "minSuccessTime": "5m"}}


def _of(name: str, resource: str = CONFIGS) -> Object:
    """A reference to a configuration."""
    found = {"group": ADDON, "resource": resource, "name": name}
    return {**found, "namespace": "fleet"} if resource == CONFIGS else found


def _named(name: str, image: str, **spec: Any) -> Object:
    found = _config(image)
    return {**found, "metadata": {"name": name, "namespace": "fleet"}, "spec": {**found["spec"], **spec}}


def files(*, slowly: bool = False) -> Files:
    """Six clusters with an add-on: by default, in eu (c2, c4, c6) by another placement, on c1 by its own."""
    eu: Object = {"name": "eu", "namespace": "fleet", "configs": [_of("eu")]}
    if slowly:
        eu["rolloutStrategy"] = SLOW
    management = _management()
    management["spec"]["installStrategy"]["placements"].append(eu)
    own = make.cluster_addon("hello", "c1")
    own["spec"] = {**(own.get("spec") or {}), "configs": [_of("own")]}
    found: dict[str, Sequence[Object]] = {
        **ordinary(),
        "hub/hello.yaml": [_template(), _config("default:1"), management],
        "hub/eu.yaml": [_named("eu", "eu:1"), _named("other", "eu:1", agentInstallNamespace="agents")],
        "hub/own.yaml": [_named("own", "own:1"), own],
    }
    return {path: list(objects) for path, objects in found.items()}


@cache
def _state(*, slowly: bool) -> FleetState:
    return read_state(told(running(repository(files(slowly=slowly), BASE))))


def tried(edit: Edit, *, slowly: bool = False, **assumed: Any) -> tuple[Preview, Moment]:
    """The preview of an edit, and the hub at its end."""
    before, state = files(slowly=slowly), _state(slowly=slowly)
    base, head = repository(before, BASE), repository(edited(before, edit), HEAD)
    settings = Settings(assumed=Assumptions(**assumed))
    found = attempt(base, head, state, catalog=CATALOG, now=NOW, settings=settings)
    preview = preview_of(found, base, head, state, NOW)
    return preview, Moment(found.after, found.ended or NOW)


def _image(name: str, image: str) -> Edit:
    def edit(files: Files) -> None:
        variables = named(files, "AddOnDeploymentConfig", name)["spec"]["customizedVariables"]
        variables[0]["value"] = image

    return edit


def _spec(name: str, **spec: Any) -> Edit:
    return lambda files: named(files, "AddOnDeploymentConfig", name)["spec"].update(spec)


def _chosen(name: str) -> Edit:
    def edit(files: Files) -> None:
        entry = named(files, "ClusterManagementAddOn", "hello")["spec"]["installStrategy"]["placements"][1]
        entry["configs"] = [_of(name)]

    return edit


def _moved(files: Files) -> None:
    named(files, "ManagedCluster", "c3")["metadata"]["labels"]["region"] = "eu"


def _registries(files: Files) -> None:
    text = '{"registries": [{"source": "default", "mirror": "mirror.example.com"}]}'
    named(files, "ManagedCluster", "c2")["metadata"]["annotations"] = {IMAGE_REGISTRIES_ANNOTATION: text}


def _another_template(files: Files) -> None:
    new = {**_template(), "metadata": {"name": "hello-2"}}
    files["hub/hello-2.yaml"] = [new]
    configs = named(files, "ClusterManagementAddOn", "hello")["spec"]["supportedConfigs"]
    configs[0]["defaultConfig"]["name"] = "hello-2"


def _password(value: str) -> Edit:
    image = {"name": "IMAGE", "value": "eu:1"}
    return _spec("eu", customizedVariables=[image, {"name": "TOKEN", "value": value}])


def _told(found: Preview, edit: Edit) -> dict[str, list[str]]:
    after = edited(files(), edit)

    def line(where: Location) -> str:
        return written_at(where, files(), after)

    def said(value: Value) -> str:
        sides = [
            f"{side!r} ({level}; {line(origin)})"
            for side, level, origin in (
                (value.before, value.level_before, value.origin_before),
                (value.after, value.level_after, value.origin_after),
            )
            if side is not ABSENT
        ]
        return f"{value.config.name} {value.path}: {' → '.join(sides)}"

    return {
        " ".join(group.clusters): [said(value) for value in group.config.values]
        for group in configured(found.clusters)
    }


EU, DEFAULT, OWN = "placement fleet/eu", "default", "cluster"
IMAGE, API = "customizedVariables[IMAGE]", f"apiVersion: {ADDON}/v1alpha1"


def _line(what: str, *sides: tuple[str, str, str]) -> str:
    """A value as `_told` says it: of each side the value, who chose it, and the line."""
    return f"{what}: " + " → ".join(f"{value!r} ({level}; {line})" for value, level, line in sides)


CASES: dict[str, tuple[Edit, dict[str, list[str]]]] = {
    "the default": (
        _image("config", "default:2"),
        {
            "c3 c5": [
                _line(
                    f"config {IMAGE}",
                    ("default:1", DEFAULT, "hub/hello.yaml: value: default:1"),
                    ("default:2", DEFAULT, "hub/hello.yaml: value: default:2"),
                )
            ]
        },
    ),
    "a placement's": (
        _image("eu", "eu:2"),
        {
            "c2 c4 c6": [
                _line(
                    f"eu {IMAGE}",
                    ("eu:1", EU, "hub/eu.yaml: value: eu:1"),
                    ("eu:2", EU, "hub/eu.yaml: value: eu:2"),
                )
            ]
        },
    ),
    "a cluster's own": (
        _image("own", "own:2"),
        {
            "c1": [
                _line(
                    f"own {IMAGE}",
                    ("own:1", OWN, "hub/own.yaml: value: own:1"),
                    ("own:2", OWN, "hub/own.yaml: value: own:2"),
                )
            ]
        },
    ),
    "where pods run": (
        _spec("own", nodePlacement={"nodeSelector": {"disk": "ssd"}}),
        {"c1": [_line("own nodePlacement.nodeSelector.disk", ("ssd", OWN, "hub/own.yaml: disk: ssd"))]},
    ),
    "another configuration that says the same but for one value": (
        _chosen("other"),
        {
            "c2 c4 c6": [
                _line(
                    "other agentInstallNamespace",
                    ("open-cluster-management-agent-addon", EU, "hub/eu.yaml: spec:"),
                    ("agents", EU, "hub/eu.yaml: agentInstallNamespace: agents"),
                )
            ]
        },
    ),
    "another template": (
        _another_template,
        {
            "c1 c2 c3 c4 c5 c6": [
                _line(
                    "hello-2 template",
                    ("hello", DEFAULT, f"hub/hello.yaml: {API}"),
                    ("hello-2", DEFAULT, f"hub/hello-2.yaml: {API}"),
                )
            ]
        },
    ),
    "another placement's cluster": (
        _moved,
        {
            "c3": [
                _line(
                    f"eu {IMAGE}",
                    ("default:1", DEFAULT, "hub/hello.yaml: value: default:1"),
                    ("eu:1", EU, "hub/eu.yaml: value: eu:1"),
                )
            ]
        },
    ),
    "what is called a secret": (
        _password("hunter2"),
        {"c2 c4 c6": [_line("eu customizedVariables[TOKEN]", (MASK, EU, "hub/eu.yaml: value: hunter2"))]},
    ),
    "a cluster's registries": (
        _registries,
        {"c2": ["c2 registries: [{'source': 'default', 'mirror': 'mirror.example.com'}] (cluster; clusters"]},
    ),
    "nothing of it": (
        lambda files: named(files, "Placement", "eu")["metadata"].update(labels={"a": "b"}),
        {},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_configs(name: str) -> None:
    """A value that changes is told with both sides' choosers and lines, the same change once."""
    edit, expected = CASES[name]
    found = _told(tried(edit)[0], edit)
    assert found.keys() == expected.keys()
    for clusters, lines in expected.items():
        assert len(found[clusters]) == len(lines)
        assert all(f.startswith(line) for f, line in zip(found[clusters], lines, strict=True)), found


def test_who_is_not_reached_keeps_what_it_has() -> None:
    """A rollout that stops leaves the rest of its clusters with their values, so none is told of them."""
    found, _ = tried(_image("eu", "eu:2"), slowly=True, failing=("c2",))
    assert [c.name for c in found.clusters if c.configs] == ["c2"]


EDITS = {
    "default": _image("config", "default:2"),
    "placement": _image("eu", "eu:2"),
    "own": _image("own", "own:2"),
    "chosen": _chosen("other"),
    "moved": _moved,
    "template": _another_template,
}


@pytest.mark.parametrize("name", EDITS)
def test_explained_alike(name: str) -> None:
    """What a preview says a cluster will have is what `explain config` says once it is merged."""
    found, hub = tried(EDITS[name])
    seen = 0
    for cluster in found.clusters:
        for config in cluster.configs:
            told = explain_config_in(
                Objects(hub.by_kind),
                ConfigQuestion(config.addon, cluster.name),
                NOW,
                lambda ref, steps: Location(),
            )
            settings = {setting.field: setting for setting in told}
            for value in config.values:
                setting = settings["" if value.path == "template" else value.path]
                assert setting.level == value.level_after
                assert value.path == "template" or setting.value == value.after
                seen += 1
    assert seen


def test_explained_secrets_are_masked() -> None:
    """`explain config` shows no more of what is called a secret than a preview does."""
    _, hub = tried(_password("hunter2"))
    question = ConfigQuestion("hello", "c2", "customizedVariables")
    told = explain_config_in(Objects(hub.by_kind), question, NOW, lambda ref, steps: Location())
    assert {setting.field: setting.value for setting in told} == {
        IMAGE: "eu:1",
        "customizedVariables[TOKEN]": MASK,
    }
