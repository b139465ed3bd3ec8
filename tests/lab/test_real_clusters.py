"""The installation guide on two real clusters with pods that run, from nothing to nothing.

It changes both clusters, so they should be there for it; afterwards nothing of ours is left on them.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CLUSTER_ROLES, CONFIG_MAPS, CRDS, NAMESPACES, PODS

Eventually = Callable[..., Awaitable[Any]]
CLUSTER = f"e2e-{uuid.uuid4().hex[:6]}"
"""A name of its own: requests of an earlier run stay on the hub for an hour."""
HUB, AGENT = "open-cluster-management-hub", "open-cluster-management-agent"
CLUSTERS = Resource(
    "cluster.open-cluster-management.io", "v1", "ManagedCluster", "managedclusters", namespaced=False
)
WORKS = Resource("work.open-cluster-management.io", "v1", "ManifestWork", "manifestworks", namespaced=True)
HUB_PODS = (
    "cluster-manager-registration-controller",
    "cluster-manager-registration-webhook",
    "cluster-manager-work-webhook",
    "cluster-manager-placement-controller",
    "cluster-manager-addon-manager-controller",
    "cluster-manager-addon-webhook",
)
AGENT_PODS = ("klusterlet-registration-agent", "klusterlet-work-agent")
PATIENCE = 240


@pytest.fixture
async def hub(lab: Any) -> AsyncIterator[HttpCluster]:
    """The hub's API."""
    cluster = HttpCluster(load_kubeconfig(lab.hub))
    yield cluster
    await cluster.close()


@pytest.fixture
async def managed(lab: Any) -> AsyncIterator[HttpCluster]:
    """The managed cluster's API."""
    cluster = HttpCluster(load_kubeconfig(lab.managed))
    yield cluster
    await cluster.close()


async def ours(*arguments: str) -> str:
    """What `gitops-ocm` prints."""
    command = (sys.executable, "-m", "gitops_ocm", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, f"gitops-ocm {arguments[0]}: {out.decode()}\n{err.decode()}"
    return out.decode()


async def ready(cluster: Cluster, namespace: str, *owners: str) -> bool:
    """Whether each of the Deployments has a pod that is ready."""
    pods = (await cluster.list(PODS, namespace)).items
    running = {pod["metadata"]["name"].rsplit("-", 2)[0] for pod in pods if is_true(pod, "Ready")}
    lacking = sorted({*owners} - running)
    assert not lacking, f"not ready: {lacking}"
    return True


async def accepted(hub: Cluster) -> bool:
    """HUB ACCEPTED, JOINED and AVAILABLE."""
    cluster = await hub.get(CLUSTERS, "", CLUSTER)
    for condition in (
        "HubAcceptedManagedCluster",
        "ManagedClusterJoined",
        "ManagedClusterConditionAvailable",
    ):
        assert is_true(cluster, condition), f"{condition} is not True: {cluster.get('status')}"
    return True


async def absent(cluster: Cluster, resource: Resource, name: str) -> bool:
    """Whether an object is gone."""
    try:
        await cluster.get(resource, "", name)
    except ApiError as error:
        return error.http_code == 404
    return False


def work(image: str) -> Object:
    """The guide's ManifestWork: a pod that says hello."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "hello", "namespace": "default"},
        "spec": {
            "containers": [
                {
                    "name": "hello",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["/bin/sh", "-c", "echo hello; sleep 3600"],
                }
            ],
            "terminationGracePeriodSeconds": 1,
        },
    }
    return {
        "apiVersion": "work.open-cluster-management.io/v1",
        "kind": "ManifestWork",
        "metadata": {"name": "mw-01", "namespace": CLUSTER},
        "spec": {"workload": {"manifests": [pod]}},
    }


async def publish(hub: HttpCluster, lab: Any) -> None:
    """Say in `cluster-info` how others reach the hub, where that differs from our kubeconfig."""
    connection = load_kubeconfig(lab.hub)
    ca = base64.b64encode(connection.ca.read()).decode()
    cluster = {"server": lab.hub_server, "certificate-authority-data": ca}
    kubeconfig = {"apiVersion": "v1", "kind": "Config", "clusters": [{"name": "", "cluster": cluster}]}
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "cluster-info", "namespace": "kube-public"},
        "data": {"kubeconfig": json.dumps(kubeconfig)},
    }
    with suppress(ApiError):
        await hub.create(CONFIG_MAPS, body)


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_the_installation_guide(
    lab: Any, hub: HttpCluster, managed: HttpCluster, eventually: Eventually
) -> None:
    """init, join, accept; the guide's pods run, work arrives, restarts are survived; unjoin and clean."""
    if lab.hub_server:
        await publish(hub, lab)
    image = ("--image", lab.image)
    await ours("init", "--kubeconfig", str(lab.hub), "--wait", *image)
    await eventually(lambda: ready(hub, HUB, *HUB_PODS), PATIENCE)
    token = json.loads(await ours("get", "token", "--kubeconfig", str(lab.hub), "-o", "json"))
    internal = ("--force-internal-endpoint-lookup",) if lab.hub_server else ()
    join = ("join", "--kubeconfig", str(lab.managed), "--hub-token", token["hub-token"])
    where = ("--hub-apiserver", token["hub-apiserver"], "--cluster-name", CLUSTER)
    await ours(*join, *where, *internal, *image, "--wait")
    await ours("accept", "--kubeconfig", str(lab.hub), "--clusters", CLUSTER, "--wait")
    await eventually(lambda: accepted(hub), PATIENCE)
    await eventually(lambda: ready(managed, AGENT, *AGENT_PODS), PATIENCE)

    await hub.create(WORKS, work(lab.pod_image))

    async def hello() -> bool:
        return bool((await managed.get(PODS, "default", "hello"))["status"].get("phase") == "Running")

    await eventually(hello, PATIENCE)
    await restart(hub, managed)
    await eventually(lambda: ready(hub, HUB, *HUB_PODS), PATIENCE)
    await eventually(lambda: ready(managed, AGENT, *AGENT_PODS), PATIENCE)
    await hub.delete(WORKS, CLUSTER, "mw-01")

    async def said_goodbye() -> bool:
        try:
            await managed.get(PODS, "default", "hello")
        except ApiError as error:
            return error.http_code == 404
        return False

    await eventually(said_goodbye, PATIENCE)

    await hub.delete(CLUSTERS, "", CLUSTER)
    await eventually(lambda: absent(hub, CLUSTERS, CLUSTER), PATIENCE)
    await ours("unjoin", "--kubeconfig", str(lab.managed), "--cluster-name", CLUSTER)
    await ours("clean", "--kubeconfig", str(lab.hub))
    await eventually(lambda: nothing_left(hub), PATIENCE)
    await eventually(lambda: nothing_left(managed), PATIENCE)


async def restart(hub: Cluster, managed: Cluster) -> None:
    """Kill every pod of ours at once."""
    for cluster, namespace in (
        (hub, HUB),
        (hub, "open-cluster-management"),
        (managed, AGENT),
        (managed, "open-cluster-management"),
    ):
        for pod in (await cluster.list(PODS, namespace)).items:
            with suppress(ApiError):
                await cluster.delete(PODS, namespace, pod["metadata"]["name"])


async def nothing_left(cluster: Cluster) -> bool:
    """No namespace, no role and no kind but those that outlive a Klusterlet."""
    names = [n["metadata"]["name"] for n in (await cluster.list(NAMESPACES)).items]
    assert not [n for n in names if n.startswith("open-cluster-management")], names
    kinds = {c["spec"]["names"]["kind"] for c in (await cluster.list(CRDS)).items}
    assert kinds <= {"AppliedManifestWork", "ClusterClaim", "ClusterProperty"}, kinds
    roles = [r["metadata"]["name"] for r in (await cluster.list(CLUSTER_ROLES)).items]
    assert not [r for r in roles if r.startswith(("open-cluster-management", "cluster-manager"))], roles
    return True
