"""`gitops-ocm preview --cluster`: the manifests as they would be on one cluster, against those it has now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gitops_ocm.cli.preview import preview
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.ref import Object
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.testing import objects as make
from tests.preview.clones import Clone, account, cloned, texts
from tests.preview.fleets import ordinary

pytestmark = pytest.mark.slow

SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "key", "namespace": "default"},
    "stringData": {"key": "hunter2", "same": "battery staple"},
}
ADDON = "addon.open-cluster-management.io"


def _config(image: str) -> Object:
    return {
        "apiVersion": f"{ADDON}/v1alpha1",
        "kind": "AddOnDeploymentConfig",
        "metadata": {"name": "config", "namespace": "fleet"},
        "spec": {"customizedVariables": [{"name": "IMAGE", "value": image}]},
    }


def _template() -> Object:
    return {
        "apiVersion": f"{ADDON}/v1alpha1",
        "kind": "AddOnTemplate",
        "metadata": {"name": "hello"},
        "spec": {
            "addonName": "hello",
            "agentSpec": {"workload": {"manifests": [make.deployment("hello", image="{{IMAGE}}")]}},
        },
    }


def _management() -> Object:
    configs = [
        {"group": ADDON, "resource": "addontemplates", "defaultConfig": {"name": "hello"}},
        {
            "group": ADDON,
            "resource": "addondeploymentconfigs",
            "defaultConfig": {"name": "config", "namespace": "fleet"},
        },
    ]
    strategy = {"type": "Placements", "placements": [{"name": "all", "namespace": "fleet"}]}
    return {
        "apiVersion": f"{ADDON}/v1alpha1",
        "kind": "ClusterManagementAddOn",
        "metadata": {"name": "hello"},
        "spec": {"supportedConfigs": configs, "installStrategy": strategy},
    }


def files() -> dict[str, Any]:
    """The ordinary repository with a work of all sorts, and an add-on made of a template."""
    sorts = make.manifest_work(
        "sorts",
        "c1",
        [SECRET, make.config_map("once"), make.config_map("seen"), make.config_map("left")],
        manifestConfigs=[
            _rule("once", updateStrategy={"type": "CreateOnly"}),
            _rule("seen", updateStrategy={"type": "ReadOnly"}),
        ],
        deleteOption={
            "propagationPolicy": "SelectivelyOrphan",
            "selectivelyOrphans": {"orphaningRules": [_named("left")]},
        },
    )
    return {
        **ordinary(),
        "works/sorts.yaml": [sorts],
        "hub/hello.yaml": [_template(), _config("example.com/hello:1"), _management()],
    }


def _named(name: str) -> Object:
    return {"group": "", "resource": "configmaps", "namespace": "default", "name": name}


def _rule(name: str, **rule: Any) -> Object:
    return {"resourceIdentifier": _named(name), **rule}


@pytest.fixture(scope="module")
def status() -> dict[str, bytes]:
    """The status branch of a fleet that runs it."""
    return account(files())


@pytest.fixture
def clone(tmp_path: Path, status: dict[str, bytes]) -> Clone:
    """A clone of it."""
    return cloned(tmp_path / "fleet", texts(files()), status)


def shown(clone: Clone, cluster: str, *args: str) -> Result:
    """What the command prints of a cluster, and how it ends."""
    command = ["--repo", str(clone.path), "--cluster", cluster, *args]
    result = CliRunner().invoke(preview, command, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result


def acts(clone: Clone, cluster: str, *args: str) -> dict[str, str]:
    """What becomes of which object, by kind and name."""
    found = json.loads(shown(clone, cluster, "-o", "json", *args).stdout)
    return {f"{c['object']['kind']} {c['object']['name']}": c["act"] for c in found["changes"]}


def _web(*manifests: Object) -> dict[str, str]:
    return {"works/web.yaml": to_yaml(make.replica_set("web", "fleet", ["all"], manifests))}


def test_nothing_changes(clone: Clone) -> None:
    """What is not touched is counted; exit status 0, also where other clusters change."""
    clone.write({"works/two.yaml": to_yaml(make.manifest_work("two", "c2", [make.config_map("two")]))})
    result = shown(clone, "c1")
    assert result.stdout.startswith("c1: nothing changes; 7 unchanged\n")
    assert result.return_value == 0
    assert acts(clone, "c2") == {"ConfigMap two": "create"}


def test_a_diff(clone: Clone) -> None:
    """A changed field is a line less and a line more, with its surroundings; each object names its work."""
    clone.write(_web(make.config_map("web", data={"a": "1", "b": "2"}), make.config_map("more")))
    result = shown(clone, "c1")
    assert result.return_value == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "c1: 1 new, 1 changed; 6 unchanged"
    head = next(line for line in lines if line.startswith("~ change  ConfigMap default/web"))
    assert " for ManifestWorkReplicaSet web  works/web.yaml:1" in head
    assert '    +  b: "2"' in lines
    assert "    +kind: ConfigMap" in lines


def test_the_whole(clone: Clone) -> None:
    """`--full` shows the lines that stay, too."""
    manifest = make.config_map("web", data={f"k{number:02}": "v" for number in range(40)})
    clone.write(_web(manifest))
    clone.commit({}, "Many")
    clone.write(_web({**manifest, "data": {**manifest["data"], "k20": "w"}}))
    assert "k00" not in shown(clone, "c1", "HEAD..").stdout
    assert "k00" in shown(clone, "c1", "HEAD..", "--full").stdout


def test_an_add_ons_manifests(clone: Clone) -> None:
    """An add-on's work is filled in from its template and configuration, before and after."""
    clone.write(texts({"hub/hello.yaml": [_template(), _config("example.com/hello:2"), _management()]}))
    result = shown(clone, "c3")
    assert result.stdout.splitlines()[0] == "c3: 1 changed; 1 unchanged"
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["-", "image:", "example.com/hello:1"] in lines
    assert ["+", "image:", "example.com/hello:2"] in lines
    assert "for ClusterManagementAddOn hello  hub/hello.yaml:" in result.stdout


def test_how_an_agent_treats_them(clone: Clone) -> None:
    """What is made once, only read, or orphaned is not changed on the cluster, and that is said."""
    (work,) = files()["works/sorts.yaml"]
    content = work["spec"]["workload"]["manifests"]
    changed = [SECRET, *({**obj, "data": {"new": "value"}} for obj in content[1:3])]
    clone.write(
        {"works/sorts.yaml": to_yaml({**work, "spec": {**work["spec"], "workload": {"manifests": changed}}})}
    )
    assert acts(clone, "c1") == {
        "ConfigMap left": "keep",
        "ConfigMap once": "keep",
        "ConfigMap seen": "keep",
    }
    text = shown(clone, "c1").stdout
    for why in ("it is orphaned and stays", "(CreateOnly)", "it is only read"):
        assert why in text


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets(clone: Clone, form: str) -> None:
    """A secret's value is never shown; that it changes is."""
    (work,) = files()["works/sorts.yaml"]
    content = work["spec"]["workload"]["manifests"]
    rotated = {**SECRET, "stringData": {"key": "correct horse", "same": "battery staple"}}
    spec = {**work["spec"], "workload": {"manifests": [rotated, *content[1:]]}}
    clone.write({"works/sorts.yaml": to_yaml({**work, "spec": spec})})
    text = shown(clone, "c1", "-o", form).stdout
    assert not any(secret in text for secret in ("hunter2", "correct horse", "battery staple"))
    assert "(before)" in text
    assert "(after)" in text


def test_a_work_goes_over(clone: Clone) -> None:
    """An object that another work takes over stays on the cluster."""
    clone.write({"works/one.yaml": to_yaml(make.manifest_work("other", "c1", [make.config_map("one")]))})
    assert acts(clone, "c1") == {}


def test_a_work_that_goes(clone: Clone) -> None:
    """What leaves with its work is deleted."""
    clone.write({"works/one.yaml": None})
    assert acts(clone, "c1") == {"ConfigMap one": "delete"}


def test_before_the_end(clone: Clone) -> None:
    """With --at a cluster whose turn has not come has what it has."""
    slow = make.replica_set("web", "fleet", ["all"], [make.config_map("new")])
    slow["spec"]["placementRefs"][0]["rolloutStrategy"] = {
        "type": "Progressive",
        "progressive": {"maxConcurrency": 1, "minSuccessTime": "1h"},
    }
    clone.write({"works/web.yaml": to_yaml(slow)})
    assert acts(clone, "c6", "--at", "30m") == {}
    assert acts(clone, "c6") == {"ConfigMap new": "create", "ConfigMap web": "delete"}
    assert "not of the end" in shown(clone, "c6", "--at", "30m").stdout


def test_what_nobody_tells(clone: Clone) -> None:
    """Of a work that was made on the hub by hand the status branch tells no manifests: that is said."""
    by_hand = {
        "apiVersion": "work.open-cluster-management.io/v1",
        "kind": "ManifestWork",
        "metadata": {"name": "by-hand", "namespace": "c2"},
        "status": {"conditions": []},
    }
    clone.git("checkout", "--quiet", "status")
    clone.commit({"clusters/c2/works/by-hand.yaml": to_yaml(by_hand)}, "By hand")
    clone.git("checkout", "--quiet", "main")
    assert "? ManifestWork.work.open-cluster-management.io c2/by-hand" in shown(clone, "c2").stdout
    assert json.loads(shown(clone, "c2", "-o", "json").stdout)["untold"][0]["name"] == "by-hand"


def test_no_such_cluster(clone: Clone) -> None:
    """A cluster that there is none of is named."""
    with pytest.raises(GitopsError, match="c9 is none of the fleet's 6 clusters"):
        shown(clone, "c9")


def test_a_broken_change(clone: Clone) -> None:
    """What the sync would refuse is told as without --cluster; exit status 3."""
    clone.write({"works/broken.yaml": "kind: [\n"})
    result = shown(clone, "c1")
    assert result.return_value == 3
    assert "works/broken.yaml:" in result.stdout + result.stderr
