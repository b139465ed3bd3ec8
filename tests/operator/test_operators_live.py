"""The operators against the three clusters: everything made, said, and taken away again.

No kubelet runs there, so a test says for the Deployments how their pods fare.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.decide.operators.settings import OperatorSettings
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.kube.reading import find as find_object
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CLUSTER_ROLES, CRDS, DEPLOYMENTS, NAMESPACES, SECRETS
from gitops_ocm.operator.install import hub_operator, klusterlet_operator
from gitops_ocm.operator.process import Role, run_operator
from gitops_ocm.runtime.tasks import Tasks
from gitops_ocm.testing.clusters import apply, memory
from gitops_ocm.testing.controlplane import control_plane
from gitops_ocm.testing.programs import ensure
from gitops_ocm.testing.witness import Witness

GO_MODULE = Path(__file__).parents[1] / "controlplane"
Eventually = Callable[..., Awaitable[Any]]
GROUP = "operator.open-cluster-management.io"
MANAGERS = Resource(GROUP, "v1", "ClusterManager", "clustermanagers", namespaced=False)
KLUSTERLETS = Resource(GROUP, "v1", "Klusterlet", "klusterlets", namespaced=False)
WEBHOOKS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "MutatingWebhookConfiguration",
    "mutatingwebhookconfigurations",
    namespaced=False,
)
SETTINGS = OperatorSettings("gitops-ocm:test", "1.3.1")


async def pods_run(cluster: Cluster, namespace: str) -> None:
    """Say of every Deployment in a namespace that its pods run."""
    for deployment in (await cluster.list(DEPLOYMENTS, namespace)).items:
        wanted = deployment["spec"]["replicas"]
        status = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": wanted,
            "updatedReplicas": wanted,
            "readyReplicas": wanted,
            "availableReplicas": wanted,
        }
        with suppress(ApiError):
            await cluster.patch(
                DEPLOYMENTS,
                namespace,
                deployment["metadata"]["name"],
                {"status": status},
                subresource="status",
            )


@asynccontextmanager
async def operating(cluster: Cluster, role: Role) -> AsyncIterator[None]:
    """An operator runs meanwhile."""
    stop, ready = asyncio.Event(), asyncio.Event()
    async with Tasks("test") as tasks:
        tasks.start("operator", run_operator(cluster, role, SETTINGS, stop, ready=ready.set))
        await ready.wait()
        try:
            yield
        finally:
            stop.set()


def said(obj: Object, type: str) -> tuple[str, str]:
    """Status and reason of a condition."""
    found = find((obj.get("status") or {}).get("conditions"), type)
    return (found["status"], found["reason"]) if found else ("", "")


@pytest.fixture
async def empty() -> AsyncIterator[Cluster]:
    """A cluster of its own, for what an operator does is for a whole cluster."""
    async with memory() as cluster:
        yield cluster


MADE: Object = {
    "apiVersion": f"{GROUP}/v1",
    "kind": "ClusterManager",
    "metadata": {"name": "cluster-manager"},
    "spec": {"deployOption": {"mode": "Default"}},
}
HUB = "open-cluster-management-hub"
PARTS = (
    "registration-controller",
    "registration-webhook",
    "placement-controller",
    "addon-manager-controller",
    "addon-webhook",
    "work-webhook",
    "sync-controller",
)


@pytest.mark.slow
async def test_a_hub_from_its_operator_to_nothing(empty: Cluster, eventually: Eventually) -> None:
    """A ClusterManager becomes Deployments, rights and webhooks in order, and goes without leaving any."""
    await apply(empty, hub_operator())
    await a_hub(empty, empty, eventually)


async def a_hub(admin: Cluster, operator: Cluster, eventually: Eventually) -> None:
    """The life of a ClusterManager, looked after by `operator`."""
    async with operating(operator, Role.HUB):
        await admin.create(MANAGERS, MADE)

        async def status() -> Object:
            return await admin.get(MANAGERS, "", "cluster-manager")

        async def is_said(type: str, *wanted: str) -> bool:
            return said(await status(), type) == wanted

        await eventually(lambda: is_said("Progressing", "True", "ClusterManagerDeploymentRolling"), 60)
        assert said(await status(), "HubRegistrationDegraded") == ("True", "UnavailableRegistrationPod")
        assert (await admin.list(WEBHOOKS)).items == []
        await eventually(lambda: find_object(admin, SECRETS, "work-webhook-serving-cert", HUB))
        names = {d["metadata"]["name"] for d in (await admin.list(DEPLOYMENTS, HUB)).items}
        assert names == {f"cluster-manager-{part}" for part in PARTS}
        await pods_run(admin, HUB)
        await eventually(lambda: is_said("Progressing", "False", "ClusterManagerUpToDate"), 60)
        await eventually(lambda: is_said("Applied", "True", "ClusterManagerApplied"))
        await eventually(lambda: _any(admin, WEBHOOKS))
        assert said(await status(), "HubRegistrationDegraded") == ("False", "RegistrationFunctional")
        await admin.delete(MANAGERS, "", "cluster-manager")
        if isinstance(admin, HttpCluster):  # where controllers of the control plane end namespaces
            await eventually(lambda: _ended(admin), 90)
        await eventually(lambda: _gone(admin, MANAGERS, "cluster-manager"), 60)
        kinds = [c["spec"]["names"]["kind"] for c in (await admin.list(CRDS)).items]
        assert "ManagedCluster" not in kinds
        assert await find_object(admin, NAMESPACES, HUB) is None
        assert (await admin.list(WEBHOOKS)).items == []
        left = [r["metadata"]["name"] for r in (await admin.list(CLUSTER_ROLES)).items]
        assert not [name for name in left if name.startswith("open-cluster-management:cluster-manager")]


async def _ended(admin: Cluster) -> bool:
    """Whether the hub's namespace is gone.

    A definition that is deleted seconds after it was made may find its storage "(re)initializing", and a
    kube-apiserver looks at it again minutes later. There is nothing of these kinds: help it along.
    """
    for crd in (await admin.list(CRDS)).items:
        stuck = find((crd.get("status") or {}).get("conditions"), "Terminating")
        if stuck and stuck["reason"] == "InstanceDeletionFailed":
            with suppress(ApiError):
                body = {"metadata": {"finalizers": None}}
                await admin.patch(CRDS, "", crd["metadata"]["name"], body, type=PatchType.MERGE)
    return await _gone(admin, NAMESPACES, HUB)


async def _any(cluster: Cluster, resource: Resource) -> bool:
    return bool((await cluster.list(resource)).items)


async def _gone(cluster: Cluster, resource: Resource, name: str) -> bool:
    return await find_object(cluster, resource, name) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "agents"),
    [
        ("Default", {"klusterlet-registration-agent", "klusterlet-work-agent"}),
        ("Singleton", {"klusterlet-agent"}),
    ],
)
async def test_a_klusterlet_from_its_operator_to_nothing(
    empty: Cluster, eventually: Eventually, mode: str, agents: set[str]
) -> None:
    """A Klusterlet becomes agents, waits for the hub to let its cluster in, and goes without a trace."""
    await apply(empty, klusterlet_operator())
    await a_klusterlet(empty, empty, eventually, mode, agents)


async def a_klusterlet(
    admin: Cluster, operator: Cluster, eventually: Eventually, mode: str, agents: set[str]
) -> None:
    """The life of a Klusterlet, looked after by `operator`."""
    async with operating(operator, Role.KLUSTERLET):
        where = "open-cluster-management-agent"
        made = {"apiVersion": f"{GROUP}/v1", "kind": "Klusterlet", "metadata": {"name": "klusterlet"}}
        spec = {"clusterName": "cluster1", "deployOption": {"mode": mode}}
        await admin.create(KLUSTERLETS, {**made, "spec": spec})

        async def status() -> Object:
            return await admin.get(KLUSTERLETS, "", "klusterlet")

        async def is_said(type: str, *wanted: str) -> bool:
            return said(await status(), type) == wanted

        await eventually(lambda: is_said("Applied", "True", "KlusterletApplied"))
        reason = "BootstrapSecretMissing,HubKubeConfigSecretMissing"
        await eventually(lambda: is_said("HubConnectionDegraded", "True", reason))
        live = {d["metadata"]["name"]: d for d in (await admin.list(DEPLOYMENTS, where)).items}
        assert set(live) == agents
        await pods_run(admin, where)
        await eventually(lambda: is_said("WorkDesiredDegraded", "False", "DeploymentsFunctional"))
        await eventually(lambda: is_said("RegistrationDesiredDegraded", "False", "DeploymentsFunctional"))
        await admin.delete(KLUSTERLETS, "", "klusterlet")
        await eventually(lambda: _gone(admin, KLUSTERLETS, "klusterlet"))
        for namespace in (where, "open-cluster-management-agent-addon"):
            assert await find_object(admin, NAMESPACES, namespace) is None
        left = [r["metadata"]["name"] for r in (await admin.list(CLUSTER_ROLES)).items]
        assert not [n for n in left if n.startswith("open-cluster-management:klusterlet-registration")]
        kinds = [c["spec"]["names"]["kind"] for c in (await admin.list(CRDS)).items]
        assert "AppliedManifestWork" in kinds


@pytest.mark.slow
@pytest.mark.controlplane
@pytest.mark.timeout(400)
async def test_operators_have_the_rights_they_need(tmp_path: Path, eventually: Eventually) -> None:
    """On a real API server with RBAC: as their own accounts, with their own roles, nothing is refused."""
    with control_plane(ensure(os.environ, GO_MODULE), tmp_path / "plane") as plane:
        admin = HttpCluster(load_kubeconfig(plane.kubeconfig))
        await apply(admin, [*hub_operator(), *klusterlet_operator()])
        hub, agent = (_account(plane.kubeconfig, name) for name in ("cluster-manager", "klusterlet"))
        try:
            await a_hub(admin, hub, eventually)
            both = {"klusterlet-registration-agent", "klusterlet-work-agent"}
            await a_klusterlet(admin, agent, eventually, "Default", both)
            assert (hub.refused, agent.refused) == ([], [])
        finally:
            for cluster in (admin, hub, agent):
                await cluster.close()


def _account(kubeconfig: Path, name: str) -> Any:
    user = f"system:serviceaccount:open-cluster-management:{name}"
    groups = ("system:serviceaccounts", "system:serviceaccounts:open-cluster-management")
    return Witness(HttpCluster(load_kubeconfig(kubeconfig).acting_as(user, groups)))
