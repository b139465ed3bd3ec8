"""Hub → Git: one commit for what changed, nothing for what did not, agents' branches folded in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gitops_ocm.decide.contract import Side
from gitops_ocm.git.command import Git
from gitops_ocm.git.source import open_repository
from gitops_ocm.git.writer import Author, BranchWriter
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.cache import Cache
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import NAMESPACES
from gitops_ocm.runtime.clock import SystemClock
from gitops_ocm.sync.agent_push import AgentPush, branch_of
from gitops_ocm.sync.events import silent
from gitops_ocm.sync.publish import Message, Publisher
from gitops_ocm.sync.push import Push
from gitops_ocm.testing.gitops import WORKS, Fleet
from gitops_ocm.testing.waiting import eventually

AUTHOR = Author("gitops-ocm", "gitops-ocm@example.com")
CLUSTERS = Resource(
    "cluster.open-cluster-management.io", "v1", "ManagedCluster", "managedclusters", namespaced=False
)
APPLIED = Resource(
    "work.open-cluster-management.io", "v1", "AppliedManifestWork", "appliedmanifestworks", namespaced=False
)


def managed_cluster(name: str) -> Object:
    return {
        "apiVersion": CLUSTERS.api_version,
        "kind": "ManagedCluster",
        "metadata": {"name": name},
        "spec": {"hubAcceptsClient": True},
    }


def manifest_work(name: str, cluster: str) -> Object:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "hello", "namespace": "default"}}
    return {
        "apiVersion": WORKS.api_version,
        "kind": "ManifestWork",
        "metadata": {"name": name, "namespace": cluster},
        "spec": {"workload": {"manifests": [pod]}},
    }


async def join(fleet: Fleet, name: str) -> None:
    """A managed cluster with its namespace and one work."""
    hub = fleet.wire.hub
    await hub.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    await hub.create(CLUSTERS, managed_cluster(name))
    await hub.create(WORKS, manifest_work("mw-01", name))


async def report(fleet: Fleet, cluster: str, status: str, *, generation: int = 1) -> None:
    """An agent says how its work fares."""
    condition = {
        "type": "Applied",
        "status": status,
        "reason": "AppliedManifestWorkComplete",
        "message": "Apply manifest work complete",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "observedGeneration": generation,
    }
    body = {"status": {"conditions": [condition]}}
    await fleet.wire.hub.patch(WORKS, cluster, "mw-01", body, type=PatchType.MERGE, subresource="status")


@asynccontextmanager
async def pushing(fleet: Fleet, *, fold: bool = False) -> AsyncIterator[Push]:
    """A push to the `status` branch of the fleet's repository."""
    writer = BranchWriter(Git(fleet.repo.path), "status", author=AUTHOR)
    agents = open_repository(str(fleet.repo.path), fleet.cache) if fold else None
    async with Push(
        fleet.wire,
        Mapper(fleet.wire),
        writer,
        agents,
        name="fleet",
        clock=SystemClock(),
        listener=silent,
        min_interval=0.0,
    ) as push:
        yield push
    if agents is not None:
        agents.close()


def listing(fleet: Fleet, branch: str = "status") -> list[str]:
    """The branch's files; none while there is no such branch."""
    if not fleet.repo.git("for-each-ref", f"refs/heads/{branch}"):
        return []
    return fleet.repo.git("ls-tree", "-r", "--name-only", branch).split()


def count(fleet: Fleet, branch: str = "status") -> int:
    return int(fleet.repo.git("rev-list", "--count", branch))


async def test_the_fleet_becomes_files(fleet: Fleet) -> None:
    """Clusters, works and the sync have a file each; the commit names its clusters and its source."""
    source = fleet.repo.commit({"hub/ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"})
    await fleet.sync_object()
    assert (await fleet.loop().once()).ok
    await join(fleet, "c1")
    await join(fleet, "c2")
    async with pushing(fleet) as push:
        await push.once()
    assert listing(fleet) == [
        "clusters/c1/cluster.yaml",
        "clusters/c1/works/mw-01.yaml",
        "clusters/c2/cluster.yaml",
        "clusters/c2/works/mw-01.yaml",
        "sync.yaml",
    ]
    assert fleet.repo.git("log", "-1", "--format=%s", "status") == "Report c1, c2"
    trailers = fleet.repo.git("log", "-1", "--format=%(trailers)", "status")
    assert trailers.splitlines() == ["Cluster: c1", "Cluster: c2", f"Source-Commit: {source}"]
    assert source in fleet.repo.git("show", "status:sync.yaml")


async def test_nothing_new_is_no_commit(fleet: Fleet) -> None:
    """A second push, a restarted one and a heartbeat add no commit."""
    await join(fleet, "c1")
    for _ in range(2):
        async with pushing(fleet) as push:
            await push.once()
            await push.publisher.flush()
    assert count(fleet) == 1


async def test_one_change_is_one_file(fleet: Fleet) -> None:
    """A running push commits a change within moments, and only the file it concerns."""
    for name in ("c1", "c2", "c3"):
        await join(fleet, name)
    async with pushing(fleet) as push:
        stop = asyncio.Event()
        running = asyncio.create_task(push.run(stop))
        await eventually(lambda: "clusters/c3/works/mw-01.yaml" in listing(fleet))
        before = count(fleet)
        await report(fleet, "c2", "True")
        await eventually(lambda: count(fleet) > before)
        stop.set()
        await running
    assert fleet.repo.git("show", "--format=", "--name-only", "status") == "clusters/c2/works/mw-01.yaml"
    assert fleet.repo.git("log", "-1", "--format=%(trailers:key=Cluster,valueonly)", "status") == "c2"


async def test_what_went_while_nobody_looked_is_removed(fleet: Fleet) -> None:
    """Files of objects that are gone are deleted at the next start; people's own files stay."""
    await join(fleet, "c1")
    await join(fleet, "c2")
    async with pushing(fleet) as push:
        await push.once()
    BranchWriter(Git(fleet.repo.path), "status", author=AUTHOR).commit(
        {"README.md": b"mine\n"}, "Explain", now=SystemClock().now()
    )
    await fleet.wire.hub.delete(WORKS, "c2", "mw-01")
    await fleet.wire.hub.delete(CLUSTERS, "", "c2")
    async with pushing(fleet) as push:
        await push.once()
    assert listing(fleet) == ["README.md", "clusters/c1/cluster.yaml", "clusters/c1/works/mw-01.yaml"]


async def test_an_agent_commits_to_its_own_branch_and_is_folded_in(fleet: Fleet) -> None:
    """An agent's account lies beside the hub's, the newer word on a work wins, strangers are not shown."""
    await join(fleet, "c1")
    await report(fleet, "c1", "True", generation=7)
    clock = SystemClock()
    applied = {
        "apiVersion": APPLIED.api_version,
        "kind": "AppliedManifestWork",
        "metadata": {"name": "hash-mw-01"},
        "spec": {"hubHash": "hash", "manifestWorkName": "mw-01", "agentID": "a"},
    }
    await fleet.wire.hub.create(APPLIED, applied)
    async with Cache(Side.HUB, fleet.wire) as hub, Cache(Side.SPOKE, fleet.wire) as spoke:
        writer = BranchWriter(Git(fleet.repo.path), branch_of("c1"), author=AUTHOR)
        agent = AgentPush(hub, spoke, writer, cluster="c1", clock=clock, listener=silent)
        await agent.once()
        assert await agent.once() == []
    assert listing(fleet, "agents/c1") == ["applied/hash-mw-01.yaml", "cluster.yaml", "works/mw-01.yaml"]
    assert "manifestWorkName: mw-01" in fleet.repo.git("show", "agents/c1:applied/hash-mw-01.yaml")
    stranger = BranchWriter(Git(fleet.repo.path), branch_of("stranger"), author=AUTHOR)
    stranger.commit({"cluster.yaml": b"x: 1\n", "works/w.yaml": b"x: 1\n"}, "Hello", now=clock.now())
    await report(fleet, "c1", "False", generation=1)
    async with pushing(fleet, fold=True) as push:
        await push.once()
    assert listing(fleet) == [
        "clusters/c1/agent.yaml",
        "clusters/c1/applied/hash-mw-01.yaml",
        "clusters/c1/cluster.yaml",
        "clusters/c1/works/mw-01.yaml",
    ]
    assert "observedGeneration: 7" in fleet.repo.git("show", "status:clusters/c1/works/mw-01.yaml")
    await report(fleet, "c1", "True", generation=8)
    async with pushing(fleet, fold=True) as push:
        await push.once()
    assert "observedGeneration: 8" in fleet.repo.git("show", "status:clusters/c1/works/mw-01.yaml")


async def test_a_branch_that_cannot_be_written_is_tried_again(fleet: Fleet) -> None:
    """While the ref is locked nothing is lost; once it is free the commit is made."""
    await join(fleet, "c1")
    lock = fleet.repo.path / "refs" / "heads" / "status.lock"
    lock.touch()
    async with pushing(fleet) as push:
        stop = asyncio.Event()
        running = asyncio.create_task(push.run(stop))
        await report(fleet, "c1", "True")
        lock.unlink()
        await eventually(lambda: fleet.repo.git("for-each-ref", "refs/heads/status") != "")
        stop.set()
        await running
    assert "clusters/c1/works/mw-01.yaml" in listing(fleet)


async def test_what_came_and_went_between_two_commits_is_no_commit(fleet: Fleet) -> None:
    """A path that has nothing to show, and had nothing before, leaves nothing to commit or to describe."""

    def describe(paths: tuple[str, ...]) -> Message:
        return Message(f"Report {paths[0]}")

    writer = BranchWriter(Git(fleet.repo.path), "agents/c1", author=AUTHOR)
    publisher = Publisher(writer, lambda path: None, describe, clock=SystemClock(), listener=silent)
    publisher.dirty(["works/fleeting.yaml"])
    assert await publisher.flush() == []
    assert fleet.repo.git("for-each-ref", "refs/heads/agents") == ""
