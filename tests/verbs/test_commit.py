"""A change is committed to the fleet's repository instead of being made on the hub."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.errors import DiagnosticsError, GitopsError
from gitops_ocm.git.clone import NoIdentity, NotCommitted
from gitops_ocm.git.errors import NotOnABranch, RepositoryNotFound
from gitops_ocm.hub.template import write_template
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.verbs import addons, clustersets, placements, works
from gitops_ocm.verbs.commit import RepositoryTarget, SecretRefused, repository_target
from gitops_ocm.verbs.listing import CLUSTERS, SETS
from gitops_ocm.verbs.placements import PlacementFlags
from gitops_ocm.verbs.targets import Target
from gitops_ocm.verbs.voice import VerbError, Voice
from gitops_ocm.verbs.waiting import Patience

SETS_FILE = "hub/cluster-sets.yaml"
CLUSTER_FILE = "clusters/cluster1/cluster.yaml"


class Fleet:
    """A clone of a fleet's repository, made from the template."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        write_template(folder, ("cluster1",))
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "Ann")
        self.git("config", "user.email", "ann@example.com")
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", "Start")

    def git(self, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def read(self, path: str, branch: str = "HEAD") -> str:
        return self.git("show", f"{branch}:{path}") + "\n"


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path / "fleet")


Opened = Callable[..., Awaitable[RepositoryTarget]]


@pytest.fixture
async def opened(fleet: Fleet) -> AsyncIterator[Opened]:
    """Opens targets on the fleet's repository, closed with the test."""
    async with AsyncExitStack() as stack:

        async def open_target(
            branch: str = "", cluster: Cluster | None = None, folder: str = ""
        ) -> RepositoryTarget:
            return await stack.enter_async_context(repository_target(fleet.folder / folder, branch, cluster))

        yield open_target


def quiet() -> tuple[Voice, list[str]]:
    said: list[str] = []
    return Voice(said.append, said.append), said


async def test_the_checked_out_branch(fleet: Fleet, opened: Opened) -> None:
    """One line of one file changes, files and index with it, in the person's own name."""
    before = fleet.read(CLUSTER_FILE)
    target = await opened()
    voice, said = quiet()
    await clustersets.create_set(target, voice, "prod")
    await clustersets.set_members(target, voice, "prod", ["cluster1"], [])
    made = await target.finish("Move cluster1 to prod")
    assert made is not None
    assert (made.branch, made.checked_out, made.paths) == ("main", True, [CLUSTER_FILE, SETS_FILE])
    assert (
        fleet.git("log", "-1", "--format=%H %an %ae %s")
        == f"{made.commit} Ann ann@example.com Move cluster1 to prod"
    )
    assert fleet.read(CLUSTER_FILE) == before.replace("clusterset: default", "clusterset: prod")
    assert (fleet.folder / CLUSTER_FILE).read_text() == fleet.read(CLUSTER_FILE)
    assert fleet.git("status", "--porcelain") == ""
    assert said[-1] == "Cluster cluster1 is set, from ClusterSet default to Clusterset prod"


async def test_a_branch_for_review(fleet: Fleet, opened: Opened) -> None:
    """Changes gather on a new branch; what is checked out, even half-written work, is not touched."""
    (fleet.folder / SETS_FILE).write_text("somebody is editing this\n")
    head = fleet.git("rev-parse", "HEAD")
    voice, _ = quiet()

    async def bind(target: Target) -> None:
        await clustersets.bind(target, voice, "prod", "fleet")

    async def place(target: Target) -> None:
        flags = PlacementFlags(["prod"])
        await placements.create_placement(target, voice, "web", "fleet", flags, overwrite=False)

    async def make(target: Target) -> None:
        await clustersets.create_set(target, voice, "prod")

    for change in (make, bind, place):
        target = await opened("review")
        await change(target)
        assert await target.finish("A step") is not None
    assert fleet.git("rev-list", "--count", "main..review") == "3"
    assert fleet.git("rev-parse", "HEAD") == head
    assert (fleet.folder / SETS_FILE).read_text() == "somebody is editing this\n"
    assert "kind: ManagedClusterSet\n" in fleet.read(SETS_FILE, "review")


async def test_a_dirty_file_is_refused(fleet: Fleet, opened: Opened) -> None:
    """A file with changes that nobody committed is not committed along, and nothing is written."""
    (fleet.folder / SETS_FILE).write_text("half\n")
    target = await opened()
    await clustersets.create_set(target, quiet()[0], "prod")
    with pytest.raises(NotCommitted, match=SETS_FILE):
        await target.finish("No")
    assert fleet.git("rev-list", "--count", "HEAD") == "1"


async def test_other_work_in_progress_is_not_taken_along(fleet: Fleet, opened: Opened) -> None:
    """What is staged for another commit stays staged and out of this one."""
    (fleet.folder / "works/mw-01.yaml").unlink()
    fleet.git("add", "--all")
    target = await opened()
    await clustersets.create_set(target, quiet()[0], "prod")
    made = await target.finish("Only the set")
    assert made is not None
    assert fleet.git("show", "--name-only", "--format=", "HEAD") == SETS_FILE
    assert fleet.git("diff", "--cached", "--name-only") == "works/mw-01.yaml"


async def test_a_dry_run_shows_the_difference_alone(fleet: Fleet, opened: Opened) -> None:
    """The difference is told; branch, index and files are as before."""
    target = await opened("new")
    await clustersets.unbind(target, quiet()[0], "global", "fleet")
    made = await target.finish("No", dry_run=True)
    assert made is not None
    assert not made.commit
    assert "-  name: global" in made.diff
    assert fleet.git("branch", "--list", "new") == ""


async def test_deleting_the_last_object_deletes_the_file(fleet: Fleet, opened: Opened) -> None:
    """A file that would be empty goes."""
    target = await opened()
    await works.delete_works(target, quiet()[0], "mw-01", ["cluster1"], Patience(), force=False)
    assert await target.finish("Stop mw-01") is not None
    assert not (fleet.folder / "works/mw-01.yaml").exists()


async def test_nothing_new_is_no_commit(fleet: Fleet, opened: Opened) -> None:
    """A change that Git has already makes no commit."""
    target = await opened()
    flags = PlacementFlags(cluster_sets=["global"])
    with pytest.raises(VerbError, match="already exists"):
        await placements.create_placement(target, quiet()[0], "all-clusters", "fleet", flags, overwrite=False)
    assert await target.finish("Nothing") is None


def secret(**content: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "d"}, **content}


@pytest.mark.parametrize("content", [{"data": {"a": "cHJpdmF0ZQ=="}}, {"stringData": {"a": "private"}}])
async def test_secrets_are_refused(opened: Opened, content: dict[str, Any]) -> None:
    """A Secret inside a work is not committed, and the message does not tell what is in it."""
    target = await opened()
    with pytest.raises(SecretRefused) as caught:
        await works.create_works(target, quiet()[0], "w", [secret(**content)], ["cluster1"], overwrite=False)
    assert "private" not in f"{caught.value.message} {caught.value.hint}"
    assert await target.finish("No") is None


async def test_what_the_sync_would_refuse_is_refused(fleet: Fleet, opened: Opened) -> None:
    """The result is compiled before it is written: problems come with file and line."""
    target = await opened()
    with pytest.raises(DiagnosticsError) as caught:
        await clustersets.create_set(target, quiet()[0], "Not_A_Name")
    assert caught.value.diagnostics[0].where.path == SETS_FILE


async def test_a_path_that_is_not_synced_is_refused(fleet: Fleet, opened: Opened) -> None:
    """A repository whose layout does not sync the conventional path gets no dead file."""
    (fleet.folder / "gitops-ocm.yaml").write_text(
        "apiVersion: config.gitops-ocm.io/v1alpha1\nkind: FleetRepository\nsync:\n  paths: [works/]\n"
    )
    fleet.git("commit", "--quiet", "-am", "Sync works alone")
    target = await opened()
    with pytest.raises(VerbError, match="does not sync that path"):
        await clustersets.create_set(target, quiet()[0], "prod")


async def test_a_folder_below_the_root(fleet: Fleet, opened: Opened) -> None:
    """With --repo naming a folder of a clone, objects are declared below it."""
    fleet.git("mv", "hub", "fleet-hub")
    (fleet.folder / "eu").mkdir()
    for name in ("clusters", "works", "gitops-ocm.yaml"):
        fleet.git("mv", name, f"eu/{name}")
    fleet.git("mv", "fleet-hub", "eu/hub")
    fleet.git("commit", "--quiet", "-m", "Move")
    target = await opened(folder="eu")
    await clustersets.create_set(target, quiet()[0], "prod")
    made = await target.finish("Make prod")
    assert made is not None
    assert made.paths == [f"eu/{SETS_FILE}"]


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda f: f.git("checkout", "--quiet", "--detach"), NotOnABranch),
        (lambda f: f.git("config", "user.name", ""), NoIdentity),
        (lambda f: subprocess.run(["rm", "-rf", str(f.folder / ".git")], check=True), RepositoryNotFound),
    ],
)
async def test_repositories_that_cannot_be_committed_to(
    fleet: Fleet,
    opened: Opened,
    spoil: Callable[[Fleet], object],
    error: type[GitopsError],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is refused with what to do about it."""
    monkeypatch.setenv("HOME", str(fleet.folder.parent))
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "EMAIL", "GIT_CONFIG_GLOBAL"):
        monkeypatch.delenv(name, raising=False)
    spoil(fleet)
    with pytest.raises(error) as caught:
        await _set_made(opened)
    assert caught.value.hint


async def _set_made(opened: Opened) -> None:
    target = await opened()
    await clustersets.create_set(target, quiet()[0], "prod")
    await target.finish("Make prod")


async def test_what_only_the_hub_has(
    opened: Opened, memory_cluster: Cluster, unique: Callable[[str], str]
) -> None:
    """Of a cluster that Git does not declare, Git comes to declare what changes and no more."""
    name, cluster = unique("set"), unique("cluster")
    await memory_cluster.create(SETS, _object(SETS, name))
    live = _object(CLUSTERS, cluster) | {"spec": {"hubAcceptsClient": True, "leaseDurationSeconds": 99}}
    live["metadata"]["labels"] = {"region": "eu"}
    await memory_cluster.create(CLUSTERS, live)
    target = await opened(cluster=memory_cluster)
    await clustersets.set_members(target, quiet()[0], name, [cluster], [])
    declared = await target.find(CLUSTERS, cluster)
    assert declared is not None
    assert declared["metadata"] == {
        "name": cluster,
        "labels": {"cluster.open-cluster-management.io/clusterset": name},
    }
    assert declared["spec"] == {"hubAcceptsClient": True}
    with pytest.raises(VerbError, match="does not declare it"):
        await clustersets.delete_set(target, quiet()[0], name, Patience())
    unchanged = await memory_cluster.get(CLUSTERS, "", cluster)
    assert unchanged["metadata"]["labels"]["region"] == "eu"
    assert unchanged["metadata"]["labels"].get("cluster.open-cluster-management.io/clusterset") != name


async def test_an_addon_that_git_declares(fleet: Fleet, opened: Opened) -> None:
    """An add-on is enabled for a declared cluster beside that cluster's own file."""
    target: Target = await opened()
    await addons.enable(
        target,
        quiet()[0],
        ["helloworld"],
        ["cluster1"],
        namespace="agents",
        annotations={},
        labels={"a": "b"},
    )
    assert isinstance(target, RepositoryTarget)
    made = await target.finish("Enable helloworld")
    assert made is not None
    assert made.paths == ["clusters/cluster1/addons.yaml"]


def _object(resource: Any, name: str) -> dict[str, Any]:
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": name}}
