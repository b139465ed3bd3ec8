"""The hub's controllers are killed with SIGKILL at any moment: what comes of it is what comes without."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.apiserver.serve import serve
from gitops_ocm.hub.daemon import HubOptions
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, CSRS, NAMESPACES
from gitops_ocm.testing.clusters import connected
from gitops_ocm.testing.commands import TRACEBACK
from gitops_ocm.testing.csrs import agent_subject, cluster_csr
from gitops_ocm.testing.hub import controllers_on
from gitops_ocm.testing.waiting import eventually
from tests.hub.registrations import CLUSTERS, WORKS, managed_cluster
from tests.klusterlet.forks import Forks

KILLS = int(os.environ.get("GITOPS_OCM_CRASHES", "20"))
LONGEST = 1.5
"""Seconds the controllers live at most before they are killed: some of them end before they have started."""
GROUPS = frozenset({"registration", "work"})
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", namespaced=True)
SETS = Resource(
    "cluster.open-cluster-management.io",
    "v1beta2",
    "ManagedClusterSet",
    "managedclustersets",
    namespaced=False,
)
SHOWN = (CLUSTERS, NAMESPACES, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS, WORKS, CSRS, SETS)

NOTHING_MUCH = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}}

Move = Callable[[Cluster], Awaitable[Any]]


def _course(name: str, chance: random.Random) -> Iterator[Move]:
    """What happens to one cluster: it comes, is let in or not, has work or not, goes or stays."""
    csr = cluster_csr(name, agent_subject(name), label=name)
    csr["metadata"] = {**csr["metadata"], "name": f"{name}-csr"}
    csr["metadata"].pop("generateName", None)
    work = {
        "apiVersion": "work.open-cluster-management.io/v1",
        "kind": "ManifestWork",
        "metadata": {"name": "mw", "namespace": name},
        "spec": {"workload": {"manifests": [NOTHING_MUCH]}},
    }
    marks = {"cluster.open-cluster-management.io/clusterset": "default"} if chance.random() < 0.5 else {}

    def verdict(accepted: bool) -> Move:
        body = {"spec": {"hubAcceptsClient": accepted}}
        return lambda hub: hub.patch(CLUSTERS, "", name, body, type=PatchType.MERGE)

    async def begun(hub: Cluster) -> None:
        """Wait until the hub is at it, and no longer: whom it has let in halfway may be denied now."""
        role = f"open-cluster-management:managedcluster:{name}"
        await eventually(lambda: find(hub, CLUSTER_ROLES, role), 120)

    yield lambda hub: hub.create(CLUSTERS, managed_cluster(name, marks))
    yield lambda hub: hub.create(CSRS, csr)
    yield verdict(True)
    yield begun
    if works := chance.random() < 0.5:
        yield lambda hub: hub.create(WORKS, work)
    ends = chance.choice(["stays", "denied", "goes", "comes back"])
    if ends != "stays":
        yield verdict(False)
    if ends == "comes back":
        yield verdict(True)
    if ends == "goes":
        yield lambda hub: hub.delete(CLUSTERS, "", name)
    if ends == "denied" and works:
        # While there are works, what is said is what was said last: that is more or less, as it was killed.
        yield lambda hub: hub.delete(WORKS, name, "mw")


async def _shown(hub: Cluster) -> dict[str, Any]:
    """All that tells of clusters, without what differs from hub to hub (times, uids, keys)."""
    found: dict[str, Any] = {}
    for resource in SHOWN:
        for obj in (await hub.list(resource)).items:
            meta = obj["metadata"]
            found[f"{resource.kind} {meta.get('namespace', '')}/{meta['name']}"] = _essence(obj)
    return found


def _essence(obj: Object) -> dict[str, Any]:
    meta, status = obj["metadata"], obj.get("status") or {}
    told = {(c["type"], c["status"], c.get("reason", "")) for c in status.get("conditions") or ()}
    return {
        "labels": meta.get("labels"),
        "finalizers": sorted(meta.get("finalizers") or ()),
        "leaving": "deletionTimestamp" in meta,
        "rules": obj.get("rules"),
        "subjects": obj.get("subjects"),
        "conditions": sorted(told),
        "phase": status.get("phase"),
        "taints": [t["key"] for t in (obj.get("spec") or {}).get("taints") or ()],
    }


@asynccontextmanager
async def _undisturbed(folder: Path) -> AsyncIterator[Cluster]:
    """A hub whose controllers run all the time."""
    async with (
        serve(folder) as server,
        connected(server.kubeconfig_path) as hub,
        controllers_on(hub, HubOptions(GROUPS)),
    ):
        yield hub


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_killed_anywhere_the_hub_ends_the_same(tmp_path: Path) -> None:
    """Rights, namespaces, finalizers, conditions: as on a hub where nobody was killed, no more, no less."""
    chance, done = random.Random(7), asyncio.Event()
    log = tmp_path / "hub.log"
    async with AsyncExitStack() as stack:
        calm = await stack.enter_async_context(_undisturbed(tmp_path / "calm"))
        server = await stack.enter_async_context(serve(tmp_path / "hit"))
        hit = await stack.enter_async_context(connected(server.kubeconfig_path))
        forks = stack.enter_context(Forks(tmp_path))
        command = (
            *("hub", "run", "--kubeconfig", str(server.kubeconfig_path)),
            *("--controllers", ",".join(sorted(GROUPS)), "--no-leader-elect"),
        )
        first = forks.start(command, log)  # which installs the kinds; then nobody knows when it ends

        async def served() -> bool:
            kinds = {resource.kind for resource in await hit.discover()}
            return {"ManagedCluster", "ManifestWork", "ManagedClusterSet"} <= kinds

        await eventually(served, 60)
        forks.end(first)

        async def moves(hub: Cluster, seed: int) -> None:
            order = random.Random(seed)
            courses = [_course(f"crash-{n}", random.Random(n)) for n in range(max(8, KILLS // 2))]
            while courses:
                course = order.choice(courses)
                if (move := next(course, None)) is None:
                    courses.remove(course)
                else:
                    await move(hub)

        async def hit_moves() -> None:
            await moves(hit, 1)
            done.set()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(hit_moves())
            tasks.create_task(moves(calm, 1))
            kills = 0
            while kills < KILLS or not done.is_set():
                hub = forks.start(command, log)
                await asyncio.sleep(chance.uniform(0.0, LONGEST))  # its life, which may end anywhere
                forks.end(hub)
                kills += 1
        forks.start(command, log)

        async def alike() -> bool:
            return await _shown(hit) == await _shown(calm)

        try:
            await eventually(alike, 240)
        except AssertionError:
            one, other = await _shown(hit), await _shown(calm)
            differing = {n: (one.get(n), other.get(n)) for n in {*one, *other} if one.get(n) != other.get(n)}
            lines = [f"{n}: killed {a}\n    undisturbed {b}" for n, (a, b) in sorted(differing.items())]
            raise AssertionError("\n".join([*lines, log.read_text()[-4000:]])) from None
        assert TRACEBACK not in log.read_text()
