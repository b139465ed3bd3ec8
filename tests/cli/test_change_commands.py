"""Commands that change a hub: their flags, and `--commit` from the command line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gitops_ocm.cli.main import cli
from gitops_ocm.errors import GitopsError
from gitops_ocm.hub.template import write_template


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fleet's repository, and an environment that names no hub."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "GIT_CONFIG_GLOBAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "fleet"
    folder.mkdir()
    write_template(folder, ("cluster1",))
    for args in (
        ("init", "--quiet", "--initial-branch=main"),
        ("config", "user.name", "Ann"),
        ("config", "user.email", "ann@example.com"),
        ("add", "."),
        ("commit", "--quiet", "-m", "Start"),
    ):
        subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True)
    return folder


def invoke(*args: str) -> Result:
    return CliRunner().invoke(cli, args, prog_name="gitops-ocm")


def log(folder: Path, branch: str) -> str:
    done = subprocess.run(
        ["git", "log", "-1", "--format=%s", branch], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("args", "branch"),
    [
        (["create", "clusterset", "--commit", "prod"], "main"),
        (["create", "clusterset", "prod", "--commit"], "main"),
        (["create", "clusterset", "--commit=review", "prod"], "review"),
    ],
)
def test_commit_takes_a_branch_only_after_an_equals_sign(clone: Path, args: list[str], branch: str) -> None:
    """A name that follows `--commit` is the command's argument; without a hub the repository will do."""
    done = invoke(*args, "--repo", str(clone))
    assert done.exit_code == 0, done.output
    assert log(clone, branch) == "Make cluster set prod"
    assert f"on branch {branch}: hub/cluster-sets.yaml" in done.stdout
    assert f"next: git -C {clone} push" in done.stdout


def test_a_hub_that_does_not_answer_is_no_hindrance(clone: Path) -> None:
    """The kubeconfig's hub is away: it is said, and the commit is made from what Git declares."""
    kubeconfig = clone.parent / "kubeconfig"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\n"
        "clusters: [{name: a, cluster: {server: 'http://127.0.0.1:9'}}]\n"
        "users: [{name: a, user: {}}]\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n"
    )
    for cluster, status in (("unknown", 1), ("cluster1", 0)):
        args = ("clusterset", "set", "global", "--clusters", cluster, "--commit", "--repo", str(clone))
        done = invoke(*args, "--kubeconfig", str(kubeconfig))
        assert done.exit_code == status, done.output
        assert "going by the repository alone" in done.stderr
    assert log(clone, "main") == "Put cluster1 into cluster set global"


def test_a_dry_run_of_a_commit_prints_the_difference(clone: Path) -> None:
    """Nothing is committed; the difference is on standard output as Git would show it."""
    done = invoke("create", "clusterset", "prod", "--commit", "--dry-run", "--repo", str(clone))
    assert done.exit_code == 0
    assert "+  name: prod\n" in done.stdout
    assert log(clone, "main") == "Start"


def test_what_is_there_makes_no_commit(clone: Path) -> None:
    """A binding that Git has already, of a set that every hub has, is told and changes nothing."""
    done = invoke("clusterset", "bind", "global", "--namespace", "fleet", "--commit", "--repo", str(clone))
    assert done.stdout == "Clusterset global is already bound to Namespace fleet\n"
    assert "nothing to commit" in done.stderr
    assert log(clone, "main") == "Start"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["addon", "enable", "-c", "a"], "names is missing"),
        (["addon", "enable", "--names", "x"], "either --cluster or --clusters needs to be set"),
        (
            ["addon", "enable", "--names", "x", "--clusters", "a,"],
            "--clusters cannot be set as an empty value",
        ),
        (["addon", "disable"], "names is missing"),
        (["addon", "create", "x"], "manifest files must be specified"),
        (["addon", "create", "x", "-k", "dir"], "kubectl kustomize dir"),
        (["create", "clusterset"], "the name of the clusterset must be specified"),
        (["create", "clusterset", "a", "b"], "only one clusterset can be created"),
        (["delete", "clusterset", "a", "b"], "only one clusterset can be deleted"),
        (["create", "work", "w", "-f", "x"], "--clusters or --placement must be specified"),
        (["create", "work", "w", "-f", "x", "-c", "a", "--placement", "n/p"], "can only specify one"),
        (["create", "work", "w", "-r", "-f", "x", "-c", "a"], "--placement must be specified"),
        (["create", "work", "w", "-c", "a"], "manifest files must be specified"),
        (["create", "placement", "p", "--count", "-1"], "--count"),
        (["clusterset", "bind", "s", "--namespace", ""], "namespace name must be specified"),
        (["get", "works"], "either --cluster or --clusters needs to be set"),
        (["get", "clusters", "-o", "wide"], "'wide' is not one of"),
        (["clusterset", "bind", "s", "--repo", "."], "--repo is for --commit"),
    ],
)
def test_bad_flags_are_told_before_anything_is_asked(clone: Path, args: list[str], said: str) -> None:
    """What is wrong with a command line is said in clusteradm's words, without a hub."""
    done = invoke(*args)
    assert done.exit_code == 2
    assert said in done.output


@pytest.mark.parametrize(("names", "hint"), [("argocd", "helm install"), ("x", "one of argocd")])
def test_hub_addons_say_what_to_run_instead(names: str, hint: str) -> None:
    """What is not built in is said plainly, with the command that does it."""
    from gitops_ocm.verbs import hub_addons

    with pytest.raises(GitopsError) as caught:
        hub_addons.install([names], "open-cluster-management")
    assert hint in caught.value.hint


def test_version() -> None:
    """Two lines, as clusteradm has them."""
    assert [line.split("\t")[0] for line in invoke("version").output.splitlines()] == [
        "gitops-ocm",
        "default bundle",
    ]
