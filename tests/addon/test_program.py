"""An author's program as a process: it manages until it is told to stop, and then ends in good order."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.hub.template import template_root
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import LEASES
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.clusters import connected
from gitops_ocm.testing.commands import environment

Eventually = Callable[..., Awaitable[Any]]
GROUP = "addon.open-cluster-management.io"
ADDONS = Resource(GROUP, "v1alpha1", "ManagedClusterAddOn", "managedclusteraddons", namespaced=True)
CMAS = Resource(GROUP, "v1alpha1", "ClusterManagementAddOn", "clustermanagementaddons", namespaced=False)
CLUSTERS = Resource(
    "cluster.open-cluster-management.io", "v1", "ManagedCluster", "managedclusters", namespaced=False
)
NAMESPACES = Resource("", "v1", "Namespace", "namespaces", namespaced=False)
OWN = """
import sys
from gitops_ocm import addon
addon.run(addon.Addon("helloworld", lambda request: []), kubeconfig=sys.argv[1])
"""


def _program(kubeconfig: Path) -> list[str]:
    return [str(template_root() / "addons" / "helloworld.py"), "run", "--kubeconfig", str(kubeconfig)]


def _own(kubeconfig: Path) -> list[str]:
    return ["-c", OWN, str(kubeconfig)]


async def _installed(hub: Cluster, cluster: str) -> None:
    """The add-on on a new cluster."""
    await hub.create(NAMESPACES, make.namespace(cluster))
    await hub.create(CLUSTERS, make.managed_cluster(cluster))
    cma = await hub.create(CMAS, make.addon("helloworld"))
    owner = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "ClusterManagementAddOn", "name": "helloworld"}
    mine: Object = make.cluster_addon("helloworld", cluster)
    mine["metadata"]["ownerReferences"] = [{**owner, "uid": cma["metadata"]["uid"]}]
    await hub.create(ADDONS, mine)


async def _registered(hub: Cluster, cluster: str) -> bool:
    status = (await hub.get(ADDONS, cluster, "helloworld")).get("status") or {}
    return find(status.get("conditions"), "RegistrationApplied") is not None


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [_program, _own], ids=["main", "run"])
async def test_a_program_works_until_it_is_told_to_stop(
    arguments: Callable[[Path], Sequence[str]],
    embedded_kubeconfig: Path,
    tmp_path: Path,
    eventually: Eventually,
    unique: Callable[[str], str],
) -> None:
    """The add-on is registered meanwhile; a SIGTERM ends it with 0, and it has logged no trouble."""
    cluster = unique("programmed")
    async with connected(embedded_kubeconfig) as hub:
        await _installed(hub, cluster)
        process = subprocess.Popen(
            [sys.executable, "-B", *arguments(embedded_kubeconfig)],
            env=environment(tmp_path),
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            await eventually(lambda: _registered(hub, cluster))
            process.send_signal(signal.SIGTERM)
            _, errors = await asyncio.to_thread(process.communicate)
        finally:
            process.kill()
            await hub.delete(CMAS, "", "helloworld")
        trouble = [line for line in errors.decode().splitlines() if "[info" not in line]
        assert (process.returncode, trouble) == (0, [])


QUICK = (
    "--leader-election-lease-duration=6s",
    "--leader-election-renew-deadline=4s",
    "--leader-election-retry-period=500ms",
)
LEASE = "helloworld-addon-manager"


@pytest.mark.slow
async def test_of_two_programs_one_works(
    embedded_kubeconfig: Path, tmp_path: Path, eventually: Eventually, unique: Callable[[str], str]
) -> None:
    """The second waits for the add-on's lease; once the first is killed it takes over and does the work."""
    namespace, cluster = unique("leases"), unique("elected")
    where = f"--leader-election-namespace={namespace}"

    def started() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-B", *_program(embedded_kubeconfig), *QUICK, where],
            env=environment(tmp_path),
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    async with connected(embedded_kubeconfig) as hub:

        async def holder() -> str:
            return str((await hub.get(LEASES, namespace, LEASE))["spec"]["holderIdentity"])

        first = started()
        second = None
        try:
            leader = await eventually(holder, 30.0)
            second = started()
            first.kill()

            async def followed() -> bool:
                return await holder() not in ("", leader)

            await eventually(followed, 30.0)
            await _installed(hub, cluster)

            await eventually(lambda: _registered(hub, cluster))
            second.send_signal(signal.SIGTERM)
            await asyncio.to_thread(second.wait)
            assert (second.returncode, await holder()) == (0, "")
        finally:
            for process in filter(None, (first, second)):
                process.kill()
                await asyncio.to_thread(process.wait)
            await hub.delete(CMAS, "", "helloworld")
