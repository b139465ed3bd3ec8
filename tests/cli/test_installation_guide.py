"""The installation guide, command by command, where no pods are needed: to a fleet, and back."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.served import CLUSTER_ROLES, CONFIG_MAPS, NAMESPACES
from gitops_ocm.testing.commands import Daemon, environment
from gitops_ocm.verbs.targets import ocm
from tests.cli.joining import Fleet

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CLUSTERS = ocm("cluster.open-cluster-management.io/v1", "ManagedCluster")
WORKS = ocm("work.open-cluster-management.io/v1", "ManifestWork")
WORK = {
    "apiVersion": "work.open-cluster-management.io/v1",
    "kind": "ManifestWork",
    "metadata": {"name": "mw-01", "namespace": "cluster1"},
    "spec": {
        "workload": {
            "manifests": [
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": "hello", "namespace": "default"},
                    "data": {"hello": "world"},
                }
            ]
        }
    },
}
Eventually = Callable[..., Awaitable[Any]]


@pytest.fixture
async def embedded_fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    """An embedded hub with all that it runs, and an embedded cluster."""
    options = ("--data-dir", str(tmp_path / "hub"), "--clusters", "1")
    with Daemon("hub", "serve", *options, env=environment(tmp_path)) as daemon:
        await daemon.said("controllers run")
        yield Fleet(tmp_path, tmp_path / "hub/kubeconfig", tmp_path / "hub/clusters/cluster1/kubeconfig")


@pytest.fixture
async def kubernetes_fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    """A new kube-apiserver as the hub, whose controllers are a process; and an embedded cluster."""
    from gitops_ocm.testing.controlplane import control_plane
    from gitops_ocm.testing.programs import ensure
    from tests.conftest import GO_MODULE

    folder = tmp_path / "plane"
    folder.mkdir()
    served = ("hub", "serve", "--data-dir", str(tmp_path / "cluster1"), "--controllers", "placement")
    with (
        control_plane(ensure(os.environ, GO_MODULE), folder) as plane,
        Daemon(*served, env=environment(tmp_path)) as managed,
    ):
        await managed.said("controllers run")
        yield Fleet(tmp_path, plane.kubeconfig, tmp_path / "cluster1/kubeconfig")


async def test_the_guide_on_an_embedded_hub(embedded_fleet: Fleet, eventually: Eventually) -> None:
    """init, join, accept, a work, unjoin and clean do what the guide says, and leave nothing in the end."""
    fleet = embedded_fleet
    said = fleet.on_hub("init", "--wait").stdout
    assert "The multicluster hub control plane has been initialized successfully!" in said
    assert "gitops-ocm join --hub-token ey" in said
    assert "--wait --cluster-name <cluster_name>" in said
    await _from_join_to_clean(fleet, eventually)
    fleet.on_hub("clean")
    assert "hub has not been initialized" in fleet.on_hub("clean", expect=1).stderr


@pytest.mark.controlplane
async def test_the_guide_on_kubernetes(kubernetes_fleet: Fleet, eventually: Eventually) -> None:
    """The same on a real API server; where no pod comes, init --wait ends and says which one is missing."""
    fleet = kubernetes_fleet
    late = fleet.on_hub("init", "--wait", "--timeout", "2", expect=1).stderr
    assert "will create it" in late
    assert "waited 2 s for the cluster manager's operator" in late
    assert "kubectl -n open-cluster-management describe pods -l app=cluster-manager" in late
    fleet.on_hub("init")
    arguments = ("hub", "run", "--kubeconfig", str(fleet.hub))
    with Daemon(*arguments, env=environment(fleet.folder)) as controllers:
        await controllers.said("controllers run")
        await _from_join_to_clean(fleet, eventually)
    fleet.on_hub("clean")
    async with _client(fleet.hub) as hub:
        for resource, name in (
            (NAMESPACES, "open-cluster-management"),
            (CLUSTER_ROLES, "cluster-manager"),
            (CLUSTER_ROLES, "open-cluster-management:bootstrap"),
        ):
            assert await find(hub, resource, name) is None
        assert "clustermanagers" not in {resource.plural for resource in await hub.discover()}


async def _from_join_to_clean(fleet: Fleet, eventually: Eventually) -> None:
    bootstrap = fleet.folder / "bootstrap"
    file = ("--output-bootstrap-kubeconfig", str(bootstrap))
    named = ("--cluster-name", "cluster1")
    joined = fleet.on_managed("join", *fleet.join_flags(), *named, *file)
    assert "gitops-ocm accept --clusters cluster1" in joined.stdout
    async with _client(fleet.hub) as hub, _client(fleet.managed) as managed:
        assert "not found" in fleet.on_hub("accept", "--clusters", "cluster1", expect=1).stderr
        with fleet.agent(bootstrap, "cluster1") as agent:
            accepted = fleet.on_hub("accept", "--clusters", "cluster1", "--wait", "--timeout", "60").stdout
            assert "Starting approve csrs for the cluster cluster1" in accepted
            assert "set hubAcceptsClient to true for managed cluster cluster1" in accepted
            assert "has joined the Hub successfully" in accepted
            again = fleet.on_hub("accept", "--clusters", "cluster1").stdout
            assert "already approved" in again
            assert "hubAcceptsClient already set for managed cluster cluster1" in again

            async def available() -> bool:
                cluster = await hub.get(CLUSTERS, "", "cluster1")
                wanted = (
                    "HubAcceptedManagedCluster",
                    "ManagedClusterJoined",
                    "ManagedClusterConditionAvailable",
                )
                return all(is_true(cluster, kind) for kind in wanted)

            await eventually(available, 60)
            await hub.create(WORKS, WORK)
            await eventually(lambda: managed.get(CONFIG_MAPS, "default", "hello"), 60)
            refused = fleet.on_managed("unjoin", *named).stdout
            assert "still exist on the managed cluster" in refused
            assert await find(managed, CONFIG_MAPS, "hello", "default") is not None
            attached = fleet.on_hub("clean").stdout
            assert "Please detach all managed clusters from the hub control plane" in attached
            await hub.delete(WORKS, "cluster1", "mw-01")

            async def unapplied() -> bool:
                # The agent lets go of the work after what it applied is gone.
                kept = await find(managed, CONFIG_MAPS, "hello", "default")
                return kept is None and await find(hub, WORKS, "mw-01", "cluster1") is None

            await eventually(unapplied, 60)
            assert await agent.stop() == 0
        left = fleet.on_managed("unjoin", *named).stdout
        assert "The status of mcl cluster1 will be unknown in the hub cluster." in left
        for name in ("open-cluster-management", "open-cluster-management-agent"):
            assert await find(managed, NAMESPACES, name) is None
        assert "there is no need to unjoin" in fleet.on_managed("unjoin", *named).stdout
        await hub.delete(CLUSTERS, "", "cluster1")

        async def detached() -> bool:
            return await find(hub, CLUSTERS, "cluster1") is None

        await eventually(detached, 60)


class _client:  # noqa: N801 -- reads as a function
    """A connection for the length of a block."""

    def __init__(self, kubeconfig: Path) -> None:
        self._cluster = HttpCluster(load_kubeconfig(kubeconfig))

    async def __aenter__(self) -> Cluster:
        return self._cluster

    async def __aexit__(self, *error: object) -> None:
        await self._cluster.close()
