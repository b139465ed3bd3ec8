"""Many add-ons on many clusters: how soon a configuration that changes is in all works, in how many writes.

The hub is a real control plane; the add-on manager is ours, alone, in this process. Nobody plays the
clusters' agents: what is measured ends with the works. `python -m tests.bench.addons 50 50`.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import Counter

from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.contract import Create, MergePatch, Side
from gitops_ocm.decide.controllers import hub_controllers, in_groups
from gitops_ocm.decide.kinds import (
    DEPLOYMENT_CONFIG,
    MANAGEMENT_ADDON,
    PLACEMENT,
    PLACEMENT_DECISION,
)
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.live.commit import Committer
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.ref import Object, Ref, Resource
from gitops_ocm.runtime.log import configure
from gitops_ocm.runtime.metrics import REQUESTS, WRITES
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.controlplane import control_plane
from gitops_ocm.testing.programs import ensure
from gitops_ocm.testing.waiting import eventually
from tests.bench.measure import Stopwatch, resident_mib
from tests.bench.table import Row, render
from tests.decide.addons.configuration_recorder import definitions

GO_MODULE = Path(__file__).parents[1] / "controlplane"
ADDON = "addon.open-cluster-management.io"
HASHES = "open-cluster-management.io/config-spec-hash"
HOME = "default"
WORKS = Resource("work.open-cluster-management.io", "v1", "ManifestWork", "manifestworks", namespaced=True)
QUIET, REST = 3.0, 10.0
"""Seconds without a write that count as rest, and seconds that rest is looked at."""
PATIENCE = 600.0


@dataclass
class Found:
    """What was measured; times in seconds."""

    addons: int
    clusters: int
    installed: float = 0.0
    changed: Mapping[str, float] = field(default_factory=dict)
    writes: float = 0.0
    all_writes: float = 0.0
    rest: float = 0.0
    memory: float = 0.0

    def rows(self) -> Iterator[Row]:
        """As a table."""
        count = self.addons * self.clusters
        what = f"{self.addons} add-ons × {self.clusters} clusters"
        yield Row(f"{what}: installed and configured, {count:,} works made", self.installed, "s")
        yield Row(f"{what}: a configuration changes, until all works have it", self.changed["wall"], "s")
        yield Row(f"{what}: CPU of the add-on manager for that", self.changed["cpu"], "s")
        yield Row(f"{what}: writes until then, per object that changes", self.writes / self._objects, "", 1.5)
        yield Row(f"{what}: writes until nothing moves, per object", self.all_writes / self._objects, "")
        yield Row(f"{what}: requests in {REST:g} s at rest", self.rest, "", 0)
        yield Row(f"{what}: memory", self.memory, "MiB")

    @property
    def _objects(self) -> int:
        """The add-ons, their installations, the works."""
        return self.addons + 2 * self.addons * self.clusters


class Bench:
    """A hub with the add-on manager at work, and a person at it."""

    def __init__(self, cluster: HttpCluster, runner: Runner, found: Found) -> None:
        self._cluster, self._runner, self._found = cluster, runner, found
        self._person = Committer({Side.HUB: cluster}, runner.mappers, field_manager="kubectl")

    async def run(self) -> None:
        """Install everything, change the configuration, look at the rest."""
        await self._begin()
        watch = Stopwatch()
        await self._act(*map(Create, self._addons()))
        await eventually(lambda: self._all_have(""), PATIENCE)
        self._found.installed = watch.stop()["wall"]
        await self._rest()
        before, watch = _total(WRITES), Stopwatch()
        old = await self._hash()
        config = Ref(*DEPLOYMENT_CONFIG, HOME, "shared")
        await self._act(MergePatch(config, {"spec": {"customizedVariables": [{"name": "A", "value": "2"}]}}))
        await eventually(lambda: self._all_have(old), PATIENCE)
        self._found.changed, self._found.writes = watch.stop(), _total(WRITES) - before - 1
        await self._rest()
        self._found.all_writes = _total(WRITES) - before - 1
        asked = _total(REQUESTS)
        await asyncio.sleep(REST)
        self._found.rest, self._found.memory = _total(REQUESTS) - asked, resident_mib()

    async def _act(self, *writes: Create | MergePatch) -> None:
        for result in await self._person.write_all(writes):
            if result.error is not None:
                raise result.error

    async def _begin(self) -> None:
        names = self._clusters()
        await self._act(*(Create(make.namespace(name)) for name in names))
        await self._act(*(Create(make.managed_cluster(name)) for name in names))
        labels = {
            "cluster.open-cluster-management.io/placement": "all",
            "cluster.open-cluster-management.io/decision-group-index": "0",
        }
        decision: Object = {
            "apiVersion": "cluster.open-cluster-management.io/v1beta1",
            "kind": PLACEMENT_DECISION.kind,
            "metadata": {"name": "all-decision-1", "namespace": HOME, "labels": labels},
        }
        decided = {"status": {"decisions": [{"clusterName": name, "reason": ""} for name in names]}}
        counted = {"status": {"numberOfSelectedClusters": len(names), "decisionGroups": []}}
        await self._act(
            Create(make.placement("all", HOME)),
            Create(decision),
            MergePatch(Ref(*PLACEMENT_DECISION, HOME, "all-decision-1"), decided, subresource="status"),
            MergePatch(Ref(*PLACEMENT, HOME, "all"), counted, subresource="status"),
            Create(_config("shared")),
            *(Create(_template(name)) for name in self._names()),
        )

    def _clusters(self) -> list[str]:
        return [f"c{n:03}" for n in range(self._found.clusters)]

    def _names(self) -> list[str]:
        return [f"addon-{n:03}" for n in range(self._found.addons)]

    def _addons(self) -> Iterator[Object]:
        kind = {"group": ADDON, "resource": "addondeploymentconfigs"}
        for name in self._names():
            made = make.addon(name, [(HOME, "all")])
            template = {"group": ADDON, "resource": "addontemplates", "defaultConfig": {"name": name}}
            config = {**kind, "defaultConfig": {"namespace": HOME, "name": "shared"}}
            made["spec"]["supportedConfigs"] = [template, config]
            yield at_beta(made)

    async def _all_have(self, old: str) -> bool:
        """Whether there is a work of each add-on for each cluster, none of them with the old content."""
        await asyncio.sleep(0.5)  # looking is not what is measured
        works = (await self._cluster.list(WORKS)).items
        told = [(w["metadata"].get("annotations") or {}).get(HASHES, "") for w in works]
        due = self._found.addons * self._found.clusters
        return len(told) == due and all(told) and not (old and any(old in each for each in told))

    async def _hash(self) -> str:
        """The content of the shared configuration as the add-ons' status tells it."""
        resource = await self._runner.mappers[Side.HUB].resource_of(MANAGEMENT_ADDON)
        assert resource is not None
        told = (await self._cluster.get(resource, "", self._names()[0]))["status"]
        return str(told["defaultConfigReferences"][1]["desiredConfig"]["specHash"])

    async def _rest(self) -> None:
        """Until nothing has been written for a while."""
        since, before = time.perf_counter(), _total(WRITES)
        while time.perf_counter() - since < QUIET or not self._runner.status().idle:
            await asyncio.sleep(0.2)
            if (now := _total(WRITES)) != before:
                since, before = time.perf_counter(), now


def _config(name: str) -> Object:
    return {
        "apiVersion": f"{ADDON}/v1alpha1",
        "kind": DEPLOYMENT_CONFIG.kind,
        "metadata": {"name": name, "namespace": HOME},
        "spec": {"customizedVariables": [{"name": "A", "value": "1"}]},
    }


def _template(name: str) -> Object:
    manifests = [make.deployment(name, "open-cluster-management-agent-addon"), make.config_map(name)]
    return {
        "apiVersion": f"{ADDON}/v1alpha1",
        "kind": "AddOnTemplate",
        "metadata": {"name": name},
        "spec": {"addonName": name, "agentSpec": {"workload": {"manifests": manifests}}},
    }


def _total(counter: Counter) -> float:
    return sum(s.value for m in counter.collect() for s in m.samples if s.name.endswith("_total"))


async def _measure(found: Found, kubeconfig: Path) -> None:
    cluster, stop = HttpCluster(load_kubeconfig(kubeconfig)), asyncio.Event()
    runner = Runner(in_groups(hub_controllers(), ["addon"]), {Side.HUB: cluster})
    running = asyncio.create_task(runner.run(stop))
    try:
        await runner.synced()
        await Bench(cluster, runner, found).run()
    finally:
        stop.set()
        await running
        await cluster.close()


def addon_rows(addons: int, clusters: int) -> list[Row]:
    """Measure so many add-ons on so many clusters."""
    configure(level="error", json=False)
    found = Found(addons, clusters)
    with tempfile.TemporaryDirectory(prefix="gitops-ocm-addons-") as name:
        programs = ensure(os.environ, GO_MODULE)
        with control_plane(programs, Path(name), manifests=definitions()) as plane:
            asyncio.run(_measure(found, plane.kubeconfig))
    return list(found.rows())


def main() -> None:
    """Measure and print."""
    addons, clusters = map(int, sys.argv[1:3]) if len(sys.argv) > 2 else (50, 50)
    print(render(addon_rows(addons, clusters)))


if __name__ == "__main__":
    main()
