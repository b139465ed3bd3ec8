"""The same commits on each hub: the in-process store, the embedded server, a real control plane."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.objects.ref import Resource
from gitops_ocm.objects.served import CONFIG_MAPS
from gitops_ocm.runtime.catalog import committed_kinds, load_catalog
from gitops_ocm.sync.loop import SyncLoop, SyncSettings
from gitops_ocm.testing.gitops import SYNCS, Repo, Wire, config_map, work
from gitops_ocm.testing.waiting import eventually

ADD_ONS = Resource(
    "addon.open-cluster-management.io",
    "v1alpha1",
    "ClusterManagementAddOn",
    "clustermanagementaddons",
    namespaced=False,
)
ADD_ON = """\
apiVersion: addon.open-cluster-management.io/v1beta1
kind: ClusterManagementAddOn
metadata: {{name: {name}}}
spec: {{installStrategy: {{type: Manual}}}}
"""


def _files(shop: str) -> dict[str, str]:
    """A commit: a namespace with a Deployment and three ConfigMaps, and a work."""
    return {
        "hub/ns.yaml": f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {shop}\n",
        "hub/web.yaml": (
            f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: {shop}}}\n"
            "spec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
            "    spec:\n      containers:\n      - name: web\n        image: busybox\n"
            "        resources: {requests: {cpu: 1000m}}\n"
        ),
        "works/w.yaml": work("mw-01", shop),
        **{f"hub/{n}.yaml": config_map(n, namespace=shop) for n in "abc"},
    }


async def test_add_ons_at_a_version_that_is_converted(
    cluster: Cluster, unique: Callable[[str], str], tmp_path: Path
) -> None:
    """Where a hub serves v1beta1 it may be in Git, and a second pass is idle; elsewhere that is said."""
    name, addon = unique("fleet"), unique("logs")
    repo, wire = Repo(tmp_path / "repo.git"), Wire(cluster)
    repo.commit({"hub/logs.yaml": ADD_ON.format(name=addon)})
    sync = {
        "apiVersion": "sync.gitops-ocm.io/v1alpha1",
        "kind": "HubSync",
        "metadata": {"name": name},
        "spec": {"repository": {"url": str(repo.path)}, "interval": "1h"},
    }
    loop = SyncLoop(
        wire, name, settings=SyncSettings(tmp_path / "cache"), catalog=committed_kinds(), create=sync
    )
    first = await loop.once()
    if not await _serves(cluster, "v1beta1"):
        assert [problem.code for problem in first.problems] == ["unknown-kind"]
        assert "is served as addon.open-cluster-management.io/v1alpha1" in first.problems[0].hint
        return
    assert first.ok, (first.verdict, first.problems)
    before = (await cluster.get(ADD_ONS, "", addon))["metadata"]["resourceVersion"]
    again = SyncLoop(wire, name, settings=SyncSettings(tmp_path / "cache"), catalog=committed_kinds())
    assert (await again.once()).ok
    assert (await cluster.get(ADD_ONS, "", addon))["metadata"]["resourceVersion"] == before


async def _serves(cluster: Cluster, version: str) -> bool:
    mapper = Mapper(cluster)
    await mapper.refresh()
    return mapper.known_for(f"{ADD_ONS.group}/{version}", ADD_ONS.kind) is not None


async def test_a_repository_and_a_hub_in_step(
    cluster: Cluster, unique: Callable[[str], str], tmp_path: Path
) -> None:
    """First sync, no-op, one change, drift put back, prune, and a restart that writes nothing."""
    name, shop = unique("fleet"), unique("shop")
    repo, wire = Repo(tmp_path / "repo.git"), Wire(cluster)
    repo.commit(_files(shop))
    sync = {
        "apiVersion": "sync.gitops-ocm.io/v1alpha1",
        "kind": "HubSync",
        "metadata": {"name": name},
        "spec": {"repository": {"url": str(repo.path)}, "interval": "1h"},
    }

    def loop() -> SyncLoop:
        settings = SyncSettings(tmp_path / "cache", patience=5.0)
        return SyncLoop(wire, name, settings=settings, catalog=load_catalog(), create=sync)

    running, stop = loop(), asyncio.Event()
    task = asyncio.create_task(running.run(stop))
    first = await running.sync_now()
    assert first.ok, (first.verdict, first.problems)

    async def quiet() -> bool:
        before = wire.total
        return (await running.sync_now()).noop and wire.total == before

    # A real hub's controllers still touch the Deployment, whose quantity reads differently there.
    await eventually(quiet)

    repo.commit({"hub/a.yaml": config_map("a", "2", namespace=shop), "hub/c.yaml": None})
    assert (await running.sync_now()).ok
    assert (await cluster.get(CONFIG_MAPS, shop, "a"))["data"] == {"v": "2"}

    await cluster.patch(CONFIG_MAPS, shop, "a", {"data": {"v": "x"}}, type=PatchType.MERGE)
    await cluster.delete(CONFIG_MAPS, shop, "b")

    async def put_back() -> bool:
        found = await cluster.list(CONFIG_MAPS, shop, label_selector="sync.gitops-ocm.io/name")
        return {o["metadata"]["name"]: o["data"] for o in found.items} == {"a": {"v": "2"}, "b": {"v": "1"}}

    await eventually(put_back)
    assert (await running.sync_now()).ok
    stop.set()
    await task

    writes = wire.writes
    assert (await loop().once()).ok
    again = wire.writes
    assert again - writes <= 1, "at most the Deployment, whose quantity the server writes differently"
    await cluster.patch(SYNCS, "", name, {"spec": {"drift": {"mode": "Report"}}}, type=PatchType.MERGE)
    assert (await loop().once()).ok
    conditions = {c["type"] for c in (await cluster.get(SYNCS, "", name))["status"]["conditions"]}
    assert conditions == {"Ready"}, "a value that is only written differently is not reported as drift"
    status = (await cluster.get(SYNCS, "", name))["status"]
    kinds = {entry["kind"]: entry["count"] for entry in status["inventory"]["kinds"]}
    assert kinds == {"Namespace": 1, "Deployment": 1, "ManifestWork": 1, "ConfigMap": 2}
    await cluster.delete(SYNCS, "", name)
