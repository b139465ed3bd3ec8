"""Branches that machines write, deleted or rewritten by somebody: the account of the fleet comes back whole.

Known from controllers that write back to Git (image automation, rendered-manifest branches): a branch that
was deleted or force-pushed stopped them for good, or was from then on only a part of what it had been.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from subprocess import run

import pytest
from click.testing import CliRunner

from gitops_ocm.cli.preview import preview
from gitops_ocm.decide.contract import Side
from gitops_ocm.git.address import parse
from gitops_ocm.git.command import Git
from gitops_ocm.git.writer import Author, BranchWriter
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.cache import Cache
from gitops_ocm.objects.ref import Resource
from gitops_ocm.objects.served import NAMESPACES
from gitops_ocm.runtime.clock import SystemClock
from gitops_ocm.sync.agent_push import AgentPush
from gitops_ocm.sync.events import silent
from gitops_ocm.sync.publish import Message, Publisher
from gitops_ocm.sync.push import Push
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.gitops import NAMESPACE, WORKS, Fleet, config_map
from gitops_ocm.testing.waiting import eventually
from tests.preview.clones import Clone

pytestmark = pytest.mark.slow

CLUSTERS = Resource(
    "cluster.open-cluster-management.io", "v1", "ManagedCluster", "managedclusters", namespaced=False
)
AVAILABLE = {
    "status": {
        "conditions": [
            {
                "type": "ManagedClusterConditionAvailable",
                "status": "True",
                "reason": "Told",
                "message": "",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ]
    }
}
AUTHOR = Author("gitops-ocm", "gitops-ocm@example.com")
NAMES = ("c1", "c2", "c3")
WHOLE = [f"clusters/{name}/{file}" for name in NAMES for file in ("cluster.yaml", "works/web.yaml")]


async def joined(fleet: Fleet) -> None:
    """Three clusters with a work each."""
    hub = fleet.wire.hub
    for name in NAMES:
        await hub.create(NAMESPACES, make.namespace(name))
        await hub.create(CLUSTERS, make.managed_cluster(name))
        await hub.create(WORKS, make.manifest_work("web", name, [make.config_map("web")]))


async def labelled(fleet: Fleet, value: str) -> None:
    """A change of one cluster."""
    body = {"metadata": {"labels": {"tier": value}}}
    await fleet.wire.hub.patch(CLUSTERS, "", "c1", body, type=PatchType.MERGE)


def writer(fleet: Fleet, branch: str, *, remote: bool) -> BranchWriter:
    """Of a branch in a repository on this machine, or of a remote one by way of a cache."""
    if not remote:
        return BranchWriter(Git(fleet.repo.path), branch, author=AUTHOR)
    cache = fleet.cache / "writer.git"
    run(["git", "init", "-q", "--bare", str(cache)], check=True)
    address = parse(f"file://{fleet.repo.path}")
    return BranchWriter(Git(cache, address=address), branch, author=AUTHOR, remote=address)


def listing(fleet: Fleet, branch: str) -> list[str]:
    """The branch's files."""
    if not fleet.repo.git("for-each-ref", f"refs/heads/{branch}"):
        return []
    return fleet.repo.git("ls-tree", "-r", "--name-only", branch).split()


def deleted(fleet: Fleet, branch: str) -> None:
    """Somebody deletes the branch."""
    fleet.repo.git("update-ref", "-d", f"refs/heads/{branch}")


def rewritten(fleet: Fleet, branch: str) -> None:
    """Somebody forces the branch to a commit of another history, with a file of their own."""
    other = fleet.repo.git("hash-object", "-w", "--stdin")
    tree = run(
        ["git", "-C", str(fleet.repo.path), "mktree"],
        input=f"100644 blob {other}\tnotes.txt\n",
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    identity = ("-c", "user.name=Bob", "-c", "user.email=bob@example.com")
    commit = fleet.repo.git(*identity, "commit-tree", "-m", "Rewrite", tree)
    fleet.repo.git("update-ref", f"refs/heads/{branch}", commit)


def edited(fleet: Fleet, branch: str) -> None:
    """Somebody deletes one of the files by an ordinary commit, and adds one of their own."""
    other = BranchWriter(Git(fleet.repo.path), branch, author=Author("Bob", "bob@example.com"))
    gone = next(path for path in listing(fleet, branch) if "works/" in path and "c1" not in path)
    other.commit({gone: None, "notes.txt": b"mine\n"}, "Tidy up", now=SystemClock().now())


@asynccontextmanager
async def running(push: Push | AgentPush) -> AsyncIterator[None]:
    """It keeps its branch up to date meanwhile."""
    stop = asyncio.Event()
    task = asyncio.create_task(push.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


@asynccontextmanager
async def pushing(fleet: Fleet, *, remote: bool = False, look: float = 600.0) -> AsyncIterator[None]:
    """The hub's account is kept on `status`."""
    push = Push(
        fleet.wire,
        Mapper(fleet.wire),
        writer(fleet, "status", remote=remote),
        None,
        name="fleet",
        clock=SystemClock(),
        listener=silent,
        min_interval=0.0,
        look=look,
    )
    async with push, running(push):
        await eventually(lambda: listing(fleet, "status") == WHOLE)
        yield


TROUBLES: Mapping[str, Callable[[Fleet, str], None]] = {
    "deleted": deleted,
    "rewritten": rewritten,
    "edited": edited,
}


@pytest.mark.parametrize("remote", [False, True], ids=["here", "remote"])
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_the_status_branch_comes_back_whole(fleet: Fleet, trouble: str, remote: bool) -> None:
    """After the next change of one cluster the branch tells of all of them again; people's files stay."""
    await joined(fleet)
    async with pushing(fleet, remote=remote):
        TROUBLES[trouble](fleet, "status")
        mine = ["notes.txt"] * (trouble != "deleted")
        await labelled(fleet, "gold")
        await eventually(lambda: listing(fleet, "status") == [*WHOLE, *mine])
        assert "gold" in fleet.repo.git("show", "status:clusters/c1/cluster.yaml")


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_quiet_fleet_s_branch_comes_back(fleet: Fleet, trouble: str) -> None:
    """Where nothing changes the branch is looked at now and then, and brought back all the same."""
    await joined(fleet)
    async with pushing(fleet, look=0.02):
        TROUBLES[trouble](fleet, "status")
        await eventually(lambda: listing(fleet, "status")[: len(WHOLE)] == WHOLE)


async def test_looking_is_no_commit(fleet: Fleet) -> None:
    """However often a branch is looked at that nobody touched, nothing is written."""
    await joined(fleet)
    async with pushing(fleet):
        tip = fleet.repo.git("rev-parse", "status")
    publisher = Publisher(
        writer(fleet, "status", remote=False),
        lambda path: None,
        lambda paths: Message("Report"),
        clock=SystemClock(),
        listener=silent,
    )
    await publisher.adopt(tuple, ours=lambda path: False)
    for _ in range(3):
        await publisher.look()
        assert await publisher.flush() == []
    assert fleet.repo.git("rev-parse", "status") == tip


@pytest.mark.parametrize("remote", [False, True], ids=["here", "remote"])
@pytest.mark.parametrize("trouble", ["deleted", "rewritten"])
async def test_an_agent_s_branch_comes_back_whole(fleet: Fleet, trouble: str, remote: bool) -> None:
    """An agent's own account, too: the next word on its cluster brings back what it says of its work."""
    await joined(fleet)
    files = ["cluster.yaml", "works/web.yaml"]
    async with Cache(Side.HUB, fleet.wire) as hub, Cache(Side.SPOKE, fleet.wire) as spoke:
        own = writer(fleet, "agents/c1", remote=remote)
        push = AgentPush(
            hub, spoke, own, cluster="c1", clock=SystemClock(), listener=silent, min_interval=0.0
        )
        async with running(push):
            await eventually(lambda: listing(fleet, "agents/c1") == files)
            TROUBLES[trouble](fleet, "agents/c1")
            await fleet.wire.hub.patch(
                CLUSTERS, "", "c1", AVAILABLE, type=PatchType.MERGE, subresource="status"
            )
            mine = ["notes.txt"] * (trouble == "rewritten")
            await eventually(lambda: listing(fleet, "agents/c1") == sorted([*files, *mine]))


def test_a_preview_without_a_status_branch(person: Clone) -> None:
    """Before the branch is back, a preview says that it knows nothing of the fleet, and goes on."""
    person.commit({"hub/namespace.yaml": NAMESPACE})
    person.commit({"hub/a.yaml": config_map("a")})
    result = CliRunner().invoke(
        preview, ["--repo", str(person.path), "HEAD~1..HEAD"], standalone_mode=False, color=False
    )
    assert result.return_value == 1
    assert "+ create  ConfigMap shop/a" in result.stdout
    assert "there is no status branch: no cluster is known but those that Git declares" in result.stdout
