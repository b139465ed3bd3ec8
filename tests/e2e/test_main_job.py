"""Push a commit, see it run: repository, sync, hub controllers and agent together, on each hub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.hub.daemon import HubOptions, run_hub
from gitops_ocm.hub.template import template_files
from gitops_ocm.klusterlet.account import keep_account
from gitops_ocm.klusterlet.agent import KlusterletOptions, run_klusterlet
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CONFIG_MAPS, NAMESPACES, PODS
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.runtime.tasks import Tasks
from gitops_ocm.sync.events import Level, SyncEvent
from gitops_ocm.sync.loop import SyncSettings
from gitops_ocm.sync.service import ServiceSettings, SyncService
from gitops_ocm.testing.clusters import memory
from gitops_ocm.testing.gitops import SYNCS, WORKS, Repo
from gitops_ocm.testing.waiting import eventually as eventually_holds

CLUSTERS = Resource(
    "cluster.open-cluster-management.io", "v1", "ManagedCluster", "managedclusters", namespaced=False
)
PLACEMENTS = Resource(
    "cluster.open-cluster-management.io", "v1beta1", "Placement", "placements", namespaced=True
)
Eventually = Callable[..., Awaitable[object]]


@dataclass
class Stage:
    """A hub with a sync and controllers, one managed cluster with an agent, and a repository."""

    repo: Repo
    hub: Cluster
    spoke: Cluster
    sync: str
    name: str
    events: list[SyncEvent]

    def template(self) -> dict[str, str | None]:
        """The template's files but for pipelines, its names made this test's own."""
        files = {str(path): text for path, text in template_files([self.name]).items()}
        return {path: self._own(text) for path, text in files.items() if not path.startswith(".")}

    def _own(self, text: str) -> str:
        for word in ("name: fleet", "namespace: fleet", "name: helloworld"):
            text = text.replace(word, f"{word}-{self.name}")
        return text.replace(
            "name: hello\n          namespace", f"name: hello-{self.name}\n          namespace"
        )

    async def get(self, side: Cluster, resource: Resource, namespace: str, name: str) -> Object | None:
        """An object, or None."""
        try:
            return await side.get(resource, namespace, name)
        except ApiError as error:
            if error.http_code != 404:
                raise
            return None

    async def synced(self, commit: str) -> bool:
        """Whether the HubSync says that `commit` is in force."""
        sync = await self.get(self.hub, SYNCS, "", self.sync)
        status: dict[str, Any] = (sync or {}).get("status") or {}
        return status.get("lastAppliedCommit") == commit and is_true(sync or {}, "Ready")

    async def available(self, *works: str) -> bool:
        """Whether these works are applied and available."""
        found = {w["metadata"]["name"]: w for w in (await self.hub.list(WORKS, self.name)).items}
        return all(
            name in found and is_true(found[name], "Applied") and is_true(found[name], "Available")
            for name in works
        )


@asynccontextmanager
async def _stage(hub: Cluster, spoke: Cluster, name: str, folder: Path) -> AsyncIterator[Stage]:
    repo = Repo(folder / "fleet.git")
    events: list[SyncEvent] = []
    stop, ready = asyncio.Event(), asyncio.Event()
    service = SyncService(
        hub,
        name,
        settings=ServiceSettings(SyncSettings(folder / "cache", retry_base=0.05), status_interval=0.2),
        catalog=load_catalog(),
        create={"metadata": {"name": name}, "spec": {"repository": {"url": str(repo.path)}}},
        listener=events.append,
    )

    async def account(runner: Runner) -> None:
        await keep_account(runner, name, str(repo.path), stop, cache_dir=folder / "agent", interval=0.2)

    agent = KlusterletOptions(AgentSettings(name, hub_server=hub.server))
    async with Tasks("stage") as tasks:
        tasks.start("hub", run_hub(hub, HubOptions(), stop, ready=ready.set))
        await ready.wait()
        tasks.start("sync", service.run(stop))
        tasks.start("agent", run_klusterlet(hub, spoke, agent, stop, beside=[account]))
        try:
            yield Stage(repo, hub, spoke, name, name, events)
            await _cleared(hub, name)
        finally:
            stop.set()


async def _cleared(hub: Cluster, name: str) -> None:
    """The hub is shared: what selects every cluster of it must not outlive its test."""
    await hub.patch(SYNCS, "", name, {"spec": {"suspend": True}}, type=PatchType.MERGE)
    with suppress(ApiError):
        await hub.delete(NAMESPACES, "", f"fleet-{name}")
    label = f"work.open-cluster-management.io/manifestworkreplicaset=fleet-{name}.web"

    async def gone() -> bool:
        return not (await hub.list(WORKS, label_selector=label)).items

    await eventually_holds(gone, 60)


@pytest.fixture
async def stage(
    cluster: Cluster, unique: Callable[[str], str], tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Stage]:
    """The whole system on one of the three hubs; a real control plane is its own managed cluster."""
    async with AsyncExitStack() as stack:
        spoke = cluster
        if "kubernetes" not in request.node.callspec.id:
            spoke = await stack.enter_async_context(memory())
        yield await stack.enter_async_context(_stage(cluster, spoke, unique("c"), tmp_path))


@pytest.mark.slow
async def test_from_push_to_pod_and_back(stage: Stage, eventually: Eventually) -> None:
    """The template arrives; a mistake, drift and a removal end as they should, and Git tells of it."""
    files = stage.template()
    commit = stage.repo.commit(files, "Start")
    await eventually(lambda: stage.synced(commit), 60)
    await eventually(lambda: stage.available("mw-01"), 60)
    pod = f"hello-{stage.name}"
    assert await stage.get(stage.spoke, PODS, "default", pod) is not None

    async def joined() -> bool:
        return is_true(await stage.hub.get(CLUSTERS, "", stage.name), "ManagedClusterJoined")

    await eventually(joined)
    cluster = await stage.hub.get(CLUSTERS, "", stage.name)
    assert cluster["metadata"]["annotations"]["sync.gitops-ocm.io/commit"] == commit

    # A commit with an error changes nothing and is named with its line.
    broken = f"{files['works/mw-01.yaml']}  unknown: field\n"
    bad = stage.repo.commit({"works/mw-01.yaml": broken}, "Break")

    async def refused() -> bool:
        status = (await stage.hub.get(SYNCS, "", stage.sync)).get("status") or {}
        return status.get("lastAttemptedCommit") == bad and status.get("lastAppliedCommit") == commit

    await eventually(refused)
    line = broken.count("\n")
    told = [e for e in stage.events if e.level is Level.ERROR and e.where.path == "works/mw-01.yaml"]
    assert told
    assert told[-1].where.line == line

    # What somebody deletes on the hub comes back.
    await stage.hub.delete(WORKS, stage.name, "mw-01")
    await eventually(lambda: stage.available("mw-01"), 60)

    # What leaves Git leaves the hub and the cluster.
    gone = stage.repo.commit({"works/mw-01.yaml": None}, "Stop")
    await eventually(lambda: stage.synced(gone), 60)

    async def left() -> bool:
        work = await stage.get(stage.hub, WORKS, stage.name, "mw-01")
        return work is None and await stage.get(stage.spoke, PODS, "default", pod) is None

    await eventually(left, 60)

    # The fleet's state is on `status`, the agent's account on its own branch.
    async def reported() -> bool:
        heads = stage.repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
        if not {"status", f"agents/{stage.name}"} <= set(heads):
            return False
        listed = stage.repo.git("ls-tree", "-r", "--name-only", "status").split()
        answered = stage.repo.git("log", "--format=%H", f"--grep=Source-Commit: {gone}", "status")
        work = f"clusters/{stage.name}/works/mw-01.yaml"
        return f"clusters/{stage.name}/cluster.yaml" in listed and work not in listed and bool(answered)

    await eventually(reported)


@pytest.mark.slow
@pytest.mark.parametrize("count", [10, 1000])
@pytest.mark.timeout(400)
async def test_many_works(stage: Stage, count: int, eventually: Eventually) -> None:
    """The template with many works arrives whole, and quiet follows: no object is written again."""
    files = stage.template()
    names = [f"work-{number:04}" for number in range(count)]
    for name in names:
        files[f"works/{name}.yaml"] = _work(name, stage.name)
    commit = stage.repo.commit(files, "Many")
    await eventually(lambda: stage.synced(commit), 150)
    await eventually(lambda: stage.available(*names), 200)
    maps = await stage.spoke.list(CONFIG_MAPS, "default", label_selector=f"made-for={stage.name}")
    assert sorted(o["metadata"]["name"] for o in maps.items) == [f"{stage.name}-{n}" for n in names]
    before = {w["metadata"]["name"]: w["metadata"]["generation"] for w in (await _works(stage))}
    again = stage.repo.commit({"works/note.yaml": "# nothing\n"}, "Nothing")
    await eventually(lambda: stage.synced(again), 60)
    after = {w["metadata"]["name"]: w["metadata"]["generation"] for w in (await _works(stage))}
    assert {name: after.get(name) for name in before} == before


async def _works(stage: Stage) -> list[Object]:
    return (await stage.hub.list(WORKS, stage.name)).items


def _work(name: str, cluster: str) -> str:
    return f"""\
apiVersion: work.open-cluster-management.io/v1
kind: ManifestWork
metadata:
  name: {name}
  namespace: {cluster}
spec:
  workload:
    manifests:
      - apiVersion: v1
        kind: ConfigMap
        metadata:
          name: {cluster}-{name}
          namespace: default
          labels:
            made-for: {cluster}
        data:
          name: {name}
"""
