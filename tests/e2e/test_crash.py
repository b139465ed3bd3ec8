"""kill -9 of each process in the middle of its work; started again, everything converges."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gitops_ocm.apiserver.serve import serve
from gitops_ocm.kube.cluster import Cluster, Unreachable
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CONFIG_MAPS
from gitops_ocm.testing.clusters import connected
from gitops_ocm.testing.commands import TRACEBACK, Daemon, environment
from gitops_ocm.testing.gitops import SYNCS, WORKS, Repo

pytestmark = pytest.mark.slow

Eventually = Callable[..., Awaitable[object]]
APPLIED = Resource(
    "work.open-cluster-management.io",
    "v1",
    "AppliedManifestWork",
    "appliedmanifestworks",
    namespaced=False,
)
CLUSTERS = Resource(
    "cluster.open-cluster-management.io", "v1", "ManagedCluster", "managedclusters", namespaced=False
)
CONTROLLERS = ("--controllers", "registration,placement,work,addon")


class Processes:
    """The daemons of one test, with one environment."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.env = environment(folder)
        self._stack = stack
        self.all: list[Daemon] = []

    def start(self, *args: str) -> Daemon:
        """Start a command that runs on."""
        daemon = self._stack.enter_context(Daemon(*args, env=self.env))
        self.all.append(daemon)
        return daemon

    async def hub(self, *options: str) -> tuple[Daemon, Path]:
        """A hub on this test's data directory, serving; its kubeconfig."""
        daemon = self.start("hub", "serve", "--data-dir", str(self.folder / "hub"), *CONTROLLERS, *options)
        await daemon.said("controllers run")
        return daemon, self.folder / "hub" / "kubeconfig"


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Processes that are gone after the test, and of which none told a traceback."""
    with ExitStack() as stack:
        found = Processes(tmp_path, stack)
        yield found
        for daemon in found.all:
            sys.stderr.write(daemon.output)  # shown where the test failed
            assert TRACEBACK not in daemon.output, daemon.output


def config_map(name: str, value: str = "1") -> Object:
    """A ConfigMap in `default`."""
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"v": value}}


async def names(cluster: Cluster, prefix: str = "") -> set[str]:
    """The ConfigMaps in `default` that begin with `prefix`."""
    found = await cluster.list(CONFIG_MAPS, "default")
    return {o["metadata"]["name"] for o in found.items if o["metadata"]["name"].startswith(prefix)}


async def exists(cluster: Cluster, resource: Resource, namespace: str, name: str) -> Object | None:
    """An object, or None."""
    try:
        return await cluster.get(resource, namespace, name)
    except ApiError as error:
        if error.http_code != 404:
            raise
        return None


async def test_a_killed_hub_loses_nothing_it_acknowledged(
    processes: Processes, eventually: Eventually
) -> None:
    """Writes from many clients at once, kill -9, a new process: each acknowledged write is there."""
    hub, kubeconfig = await processes.hub()
    port = (processes.folder / "hub" / "port").read_text()
    acknowledged: set[str] = set()

    async def write(cluster: Cluster, writer: int) -> None:
        for number in range(10_000):
            name = f"w{writer}-{number}"
            try:
                await cluster.create(CONFIG_MAPS, config_map(name))
            except Unreachable:
                return
            acknowledged.add(name)

    async with connected(kubeconfig) as cluster:
        writers = [asyncio.create_task(write(cluster, number)) for number in range(8)]
        await eventually(lambda: len(acknowledged) > 200)
        hub.kill()
        await asyncio.gather(*writers)
    before = len(acknowledged)

    await processes.hub()
    assert (processes.folder / "hub" / "port").read_text() == port
    async with connected(kubeconfig) as cluster:
        there = await names(cluster, "w")
        assert acknowledged <= there
        # One write per client may have been carried out without an answer; never more.
        assert len(there) <= before + 8
        created = await cluster.create(CONFIG_MAPS, config_map("after"))
        known = {o["metadata"]["resourceVersion"] for o in (await cluster.list(CONFIG_MAPS, "default")).items}
        assert int(created["metadata"]["resourceVersion"]) == max(map(int, known))


def files(count: int, value: str) -> dict[str, str | None]:
    """`count` ConfigMaps as files of a repository."""
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata:"
    return {
        f"hub/c{n:04}.yaml": f'{head} {{name: c{n:04}, namespace: default}}\ndata: {{v: "{value}"}}\n'
        for n in range(count)
    }


def _history(repo: Repo) -> list[tuple[str, str]]:
    """The status branch: (tree, subject) of each commit, newest first."""
    lines = repo.git("log", "--format=%T %s", "status").splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


def _told(repo: Repo) -> str:
    """What the status branch says of the sync; "" before it says anything."""
    if not repo.git("for-each-ref", "refs/heads/status"):
        return ""
    return repo.git("show", "status:sync.yaml")


@pytest.mark.parametrize("victim", ["sync", "hub"])
async def test_a_sync_killed_or_cut_off_while_it_applies_is_finished(
    victim: str, processes: Processes, eventually: Eventually
) -> None:
    """Whichever end dies in the middle of 400 objects: all are there in the end, none is left over.

    Afterwards a file less is an object less, so that nothing was created without being recorded; and
    the status branch tells each state once.
    """
    hub, kubeconfig = await processes.hub()
    repo = Repo(processes.folder / "fleet.git")
    repo.commit(files(400, "1"))
    options = ("--repo", str(repo.path), "--kubeconfig", str(kubeconfig), "--status-interval", "0.2", "-q")
    sync = processes.start("sync", *options)
    async with connected(kubeconfig) as cluster:
        await eventually(lambda: _at_least(cluster, 50), 60)
    (sync if victim == "sync" else hub).kill()
    if victim == "sync":
        sync = processes.start("sync", *options)
    else:
        await processes.hub()

    async with connected(kubeconfig) as cluster:
        await eventually(lambda: _synced(cluster, repo.git("rev-parse", "main")), 60)
        assert len(await names(cluster, "c")) == 400
        assert await _counted(cluster) == 400
        last = repo.commit({"hub/c0000.yaml": None})
        await eventually(lambda: _synced(cluster, last), 60)
        assert len(await names(cluster, "c")) == 399
    # With the pass over, `sync` has told the last state too.
    # YAML quotes a commit's id where it could be read as a number.
    await eventually(lambda: f"lastAppliedCommit: {last}" in _told(repo).replace('"', ""))
    assert await sync.stop() == 0
    history = _history(repo)
    assert all(one[0] != other[0] for one, other in itertools.pairwise(history))
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    assert not [path.name for path in repo.path.iterdir() if path.name.startswith("fast_import_crash")]
    assert not list((repo.path / "refs").rglob("*.lock"))


async def _at_least(cluster: Cluster, count: int) -> bool:
    return len(await names(cluster, "c")) >= count


async def _synced(cluster: Cluster, commit: str) -> bool:
    try:
        sync = await cluster.get(SYNCS, "", "fleet")
    except Unreachable:
        return False
    return (sync.get("status") or {}).get("lastAppliedCommit") == commit and is_true(sync, "Ready")


async def _counted(cluster: Cluster) -> int:
    """How many ConfigMaps the HubSync says it has."""
    kinds = (await cluster.get(SYNCS, "", "fleet"))["status"]["inventory"]["kinds"]
    return sum(entry["count"] for entry in kinds if entry["kind"] == "ConfigMap")


async def _counts(cluster: Cluster, count: int) -> bool:
    return await _counted(cluster) == count


def _work(count: int) -> Object:
    manifests = [config_map(f"m{n:03}") for n in range(count)]
    return {
        "apiVersion": "work.open-cluster-management.io/v1",
        "kind": "ManifestWork",
        "metadata": {"name": "many", "namespace": "cluster1"},
        "spec": {"workload": {"manifests": manifests}},
    }


async def test_an_agent_killed_while_it_applies_and_deletes_goes_on(
    processes: Processes, eventually: Eventually, tmp_path: Path
) -> None:
    """kill -9 in the middle of a work's 200 manifests, then in the middle of taking them away again."""
    _, kubeconfig = await processes.hub()
    async with serve(tmp_path / "cluster1", name="cluster1") as member:
        spoke_kubeconfig = str(member.kubeconfig_path)
        options = ("--cluster-name", "cluster1", "--hub-kubeconfig", str(kubeconfig))
        agent = processes.start("klusterlet", "run", *options, "--spoke-kubeconfig", spoke_kubeconfig)
        async with connected(kubeconfig) as hub, connected(member.kubeconfig_path) as spoke:
            await hub.create(CLUSTERS, _accepted("cluster1"))
            await eventually(lambda: _namespace(hub, "cluster1"))
            await hub.create(WORKS, _work(200))
            await eventually(lambda: _some(spoke, 20))
            agent.kill()
            agent = processes.start("klusterlet", "run", *options, "--spoke-kubeconfig", spoke_kubeconfig)
            await eventually(lambda: _work_applied(hub), 60)
            assert len(await names(spoke, "m")) == 200

            await hub.delete(WORKS, "cluster1", "many")
            await eventually(lambda: _fewer(spoke, 190))
            agent.kill()
            agent = processes.start("klusterlet", "run", *options, "--spoke-kubeconfig", spoke_kubeconfig)
            await eventually(lambda: _gone(hub, spoke), 60)
            assert await names(spoke, "m") == set()
        assert await agent.stop() == 0


def _accepted(name: str) -> Object:
    return {
        "apiVersion": "cluster.open-cluster-management.io/v1",
        "kind": "ManagedCluster",
        "metadata": {"name": name},
        "spec": {"hubAcceptsClient": True},
    }


async def _namespace(hub: Cluster, name: str) -> bool:
    return (
        await exists(hub, Resource("", "v1", "Namespace", "namespaces", namespaced=False), "", name)
        is not None
    )


async def _some(spoke: Cluster, count: int) -> bool:
    return len(await names(spoke, "m")) >= count


async def _fewer(spoke: Cluster, count: int) -> bool:
    return len(await names(spoke, "m")) < count


async def _work_applied(hub: Cluster) -> bool:
    work = await hub.get(WORKS, "cluster1", "many")
    manifests = ((work.get("status") or {}).get("resourceStatus") or {}).get("manifests") or ()
    return is_true(work, "Applied") and len(manifests) == 200


async def _gone(hub: Cluster, spoke: Cluster) -> bool:
    if await exists(hub, WORKS, "cluster1", "many") is not None:
        return False
    return not (await spoke.list(APPLIED)).items


async def test_two_syncs_of_one_hubsync_do_no_harm(processes: Processes, eventually: Eventually) -> None:
    """Two daemons by mistake: both see the objects in force, and a pruned object stays away."""
    _, kubeconfig = await processes.hub()
    repo = Repo(processes.folder / "fleet.git")
    repo.commit(files(40, "1"))
    options = ("--repo", str(repo.path), "--kubeconfig", str(kubeconfig), "--status-interval", "0.2", "-q")
    both = [processes.start("sync", *options) for _ in range(2)]
    async with connected(kubeconfig) as cluster:
        changes: tuple[dict[str, str | None], ...] = (
            {"hub/c0001.yaml": None},
            files(40, "2"),
            {"hub/c0002.yaml": None},
        )
        for number, change in enumerate(changes):
            commit = repo.commit(change, f"Change {number}")
            await eventually(lambda commit=commit: _synced(cluster, commit))
        assert len(await names(cluster, "c")) == 39
        await eventually(lambda: _counts(cluster, 39))
    assert [await one.stop() for one in both] == [0, 0]
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
