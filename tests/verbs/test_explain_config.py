"""`gitops-ocm explain config`: which value an add-on has on a cluster, who chose it, and where it is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner

from gitops_ocm.cli.explain_config import config
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Object
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.clusters import memory
from gitops_ocm.verbs.explain_config import ConfigQuestion, document, explain_config_on, text
from tests.preview.clones import Clone, account, cloned, texts
from tests.preview.fleets import ordinary
from tests.preview.test_one_cluster import ADDON, _config, _management, _template
from tests.verbs.doctoring import made

pytestmark = pytest.mark.slow


def _of(name: str) -> Object:
    """A reference to a configuration."""
    return {"group": ADDON, "resource": "addondeploymentconfigs", "name": name, "namespace": "fleet"}


def _other(name: str, image: str) -> Object:
    found = _config(image)
    spec = {**found["spec"], "nodePlacement": {"nodeSelector": {"disk": "ssd"}}}
    return {**found, "metadata": {"name": name, "namespace": "fleet"}, "spec": spec}


def files() -> dict[str, Any]:
    """An add-on with a default for all, another configuration in eu, and one of its own on c1."""
    management = _management()
    management["spec"]["installStrategy"]["placements"].append(
        {"name": "eu", "namespace": "fleet", "configs": [_of("eu")]}
    )
    own = make.cluster_addon("hello", "c1")
    own["spec"] = {**(own.get("spec") or {}), "configs": [_of("own")]}
    return {
        **ordinary(),
        "hub/hello.yaml": [_template(), _config("default:1"), management],
        "hub/eu.yaml": [_other("eu", "eu:1")],
        "hub/own.yaml": [_other("own", "own:1"), own],
    }


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone of it, and the status of the fleet that runs it."""
    return cloned(tmp_path_factory.mktemp("config") / "fleet", texts(files()), account(files()))


def told(clone: Clone, *args: str) -> list[dict[str, Any]]:
    """What the command says at main."""
    command = ["hello", *args, "--at", "main", "--repo", str(clone.path), "-o", "json"]
    done = CliRunner().invoke(config, command, standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("cluster", "level", "value", "file"),
    [
        ("c3", "default", "default:1", "hub/hello.yaml"),
        ("c2", "placement fleet/eu", "eu:1", "hub/eu.yaml"),
        ("c1", "cluster", "own:1", "hub/own.yaml"),
    ],
)
def test_levels(clone: Clone, cluster: str, level: str, value: str, file: str) -> None:
    """The most special object counts, and its line is told."""
    (found,) = told(clone, "customizedVariables[IMAGE]", "--cluster", cluster)
    assert (found["level"], found["value"]) == (level, value)
    path, line = found["origin"].partition("@")[0].split(":")
    assert path == file
    text = clone.git("show", f"main:{path}").splitlines()[int(line) - 1]
    assert value in text


def test_all_fields(clone: Clone) -> None:
    """Without a field every value is told, and the template as a whole."""
    found = told(clone, "--cluster", "c2")
    assert [(s["config"].partition(".")[0], s.get("field", "")) for s in found] == [
        ("addondeploymentconfigs", "customizedVariables[IMAGE]"),
        ("addondeploymentconfigs", "nodePlacement.nodeSelector.disk"),
        ("addondeploymentconfigs", "agentInstallNamespace"),
        ("addontemplates", ""),
    ]
    assert [s["level"] for s in found] == [*["placement fleet/eu"] * 3, "default"]
    assert [s["field"] for s in told(clone, "nodePlacement", "--cluster", "c2")] == [
        "nodePlacement.nodeSelector.disk"
    ]


@pytest.mark.parametrize(
    ("addon", "cluster", "message"),
    [("nothing", "c1", "no ClusterManagementAddOn nothing"), ("hello", "c9", "is not on the cluster c9")],
)
def test_what_is_not_there(clone: Clone, addon: str, cluster: str, message: str) -> None:
    """Add-ons and clusters that there are none of are named."""
    command = [addon, "--cluster", cluster, "--at", "main", "--repo", str(clone.path)]
    done = CliRunner().invoke(config, command, standalone_mode=False)
    assert isinstance(done.exception, GitopsError)
    assert message in done.exception.message
    assert done.exception.hint


@pytest.fixture
async def hub() -> AsyncIterator[Cluster]:
    """A hub with an add-on that is installed by hand on a cluster of its own configuration."""
    async with memory() as cluster:
        management = {
            **_management(),
            "spec": {**_management()["spec"], "installStrategy": {"type": "Manual"}},
        }
        own = make.cluster_addon("hello", "c1")
        own["spec"] = {**(own.get("spec") or {}), "configs": [_of("own")]}
        objects = [
            make.namespace("fleet"),
            make.namespace("c1"),
            _config("default:1"),
            _other("own", "own:1"),
        ]
        await made(cluster, *objects, _template(), management, own)
        yield cluster


async def test_live(hub: Cluster) -> None:
    """The same is told of a hub, by its own objects."""
    question = ConfigQuestion("hello", "c1", "customizedVariables")
    found = await explain_config_on(hub, question, datetime.now(UTC))
    assert [(s["level"], s["value"]) for s in document(found)] == [("cluster", "own:1")]
    assert 'customizedVariables[IMAGE] = "own:1"' in text(found)
