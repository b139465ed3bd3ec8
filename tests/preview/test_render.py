"""`gitops-ocm render`: the stream of what a commit would have synced, and kubectl's word on it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from subprocess import CompletedProcess, run

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from gitops_ocm.cli.render import render
from gitops_ocm.errors import DiagnosticsError, GitopsError
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.commands import Daemon, environment
from tests.preview.clones import Clone, account, cloned, texts
from tests.preview.fleets import ordinary

pytestmark = pytest.mark.slow

SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "key", "namespace": "fleet"},
    "data": {"key": base64.b64encode(b"hunter2").decode()},
}


@pytest.fixture(scope="module")
def status() -> dict[str, bytes]:
    """The status branch of a fleet that runs the ordinary repository."""
    return account(ordinary())


@pytest.fixture
def clone(tmp_path: Path, status: dict[str, bytes]) -> Clone:
    """A clone of the ordinary repository."""
    return cloned(tmp_path / "fleet", texts(ordinary()), status)


def rendered(clone: Clone, *args: str) -> str:
    """What the command prints."""
    done = CliRunner().invoke(render, ["--repo", str(clone.path), *args], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.stdout


def test_the_order_is_the_syncs(clone: Clone) -> None:
    """Kinds that others stand on come first, then the wave annotation counts."""
    late = make.config_map("a-late", "fleet")
    late["metadata"]["annotations"] = {"sync.gitops-ocm.io/wave": "1"}
    clone.write(texts({"hub/more.yaml": [late, make.config_map("b-early", "fleet")]}))
    lines = rendered(clone, "-o", "name").splitlines()
    assert lines[:3] == ["namespace/fleet", "configmap/b-early -n fleet", "configmap/a-late -n fleet"]
    assert lines[-4:] == [
        "placement.cluster.open-cluster-management.io/eu -n fleet",
        "manifestwork.work.open-cluster-management.io/one -n c1",
        "manifestworkreplicaset.work.open-cluster-management.io/eu -n fleet",
        "manifestworkreplicaset.work.open-cluster-management.io/web -n fleet",
    ]


def test_each_says_where_it_was_written(clone: Clone) -> None:
    """Files on disk by path and line, those of a commit by the commit too."""
    commit = clone.git("rev-parse", "HEAD")
    assert rendered(clone).startswith("# hub/fleet.yaml:1\napiVersion: v1\nkind: Namespace\n")
    assert rendered(clone, "main").startswith(f"# hub/fleet.yaml:1@{commit[:12]}\n")


def test_forms_say_the_same(clone: Clone) -> None:
    """The JSON list holds the documents of the YAML stream, in their order."""
    documents = list(YAML(typ="safe", pure=True).load_all(rendered(clone)))
    assert json.loads(rendered(clone, "-o", "json"))["items"] == documents
    assert len(documents) == len(rendered(clone, "-o", "name").splitlines())


def test_a_revision_is_not_what_is_on_disk(clone: Clone) -> None:
    """With REV the commit counts; without it files that are new on disk."""
    clone.write(texts({"hub/more.yaml": [make.config_map("more", "fleet")]}))
    assert "configmap/more -n fleet" in rendered(clone, "-o", "name")
    assert "configmap/more" not in rendered(clone, "HEAD", "-o", "name")


@pytest.mark.parametrize(("options", "shown"), [((), True), (("--mask",), False)])
def test_secrets(clone: Clone, options: tuple[str, ...], shown: bool) -> None:
    """A Secret is printed as Git has it, or masked on demand, in a work's manifests too."""
    work = make.manifest_work("secret", "c1", [SECRET])
    clone.write({"hub/secret.yaml": to_yaml(SECRET), "works/secret.yaml": to_yaml(work)})
    value = base64.b64encode(b"hunter2").decode()
    for target in ((), ("--cluster", "c1")):
        assert (value in rendered(clone, *target, *options)) == shown


def test_what_the_sync_would_refuse(clone: Clone) -> None:
    """Nothing is printed of a commit that cannot be synced; each problem has its place."""
    clone.write({"works/broken.yaml": "kind: [\n"})
    with pytest.raises(DiagnosticsError) as refused:
        rendered(clone)
    assert [d.where.path for d in refused.value.diagnostics] == ["works/broken.yaml"]


@pytest.mark.parametrize(
    ("cluster", "hint"), [("c7", "see `gitops-ocm get clusters`"), ("c", "there is c1, c2, c3")]
)
def test_no_such_cluster(clone: Clone, cluster: str, hint: str) -> None:
    """A cluster that there is none of is named, with those whose names come near."""
    with pytest.raises(GitopsError, match=f"{cluster} is none of the fleet's 6 clusters") as found:
        rendered(clone, "--cluster", cluster)
    assert found.value.hint == hint


def test_one_cluster(clone: Clone) -> None:
    """What a cluster is given says the work it comes with, and the file that made the work."""
    stream = rendered(clone, "--cluster", "c1")
    assert "# ManifestWork c1/one, works/one.yaml:1\n" in stream
    assert " for ManifestWorkReplicaSet fleet/web, works/web.yaml:1\n" in stream
    names = [d["metadata"]["name"] for d in YAML(typ="safe", pure=True).load_all(stream)]
    assert names == ["one", "web"]
    assert rendered(clone, "--cluster", "c3", "-o", "name") == "configmap/web -n default\n"


async def test_kubectl_takes_it(clone: Clone, kubectl: Path, tmp_path: Path) -> None:
    """kubectl applies the stream to a hub in its order, and a cluster's too; then it sees no difference."""
    env = environment(tmp_path)
    options = ("--data-dir", str(tmp_path / "hub"), "--controllers", "registration")
    with Daemon("hub", "serve", *options, env=env) as daemon:
        await daemon.said("controllers run")

        def ask(*args: str, stdin: str) -> CompletedProcess[str]:
            command = [str(kubectl), "--kubeconfig", str(tmp_path / "hub/kubeconfig"), *args, "-f", "-"]
            return run(command, input=stdin, env=env, capture_output=True, text=True)

        stream = rendered(clone)
        dry = ask("apply", "--dry-run=client", stdin=stream)
        assert (dry.returncode, dry.stdout.count("(dry run)")) == (0, len(stream.split("---\n")))
        for part in (rendered(clone, "--cluster", "c1"), rendered(clone, "--cluster", "c1", "-o", "json")):
            done = ask("apply", "--server-side", stdin=part)
            assert done.returncode == 0, done.stderr
            same = ask("diff", "--server-side", stdin=part)
            assert (same.returncode, same.stdout) == (0, "")
