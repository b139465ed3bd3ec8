"""The example add-on of the repository template, with its manager, on a hub and a cluster with our agent.

The add-on is written with the public library alone (`gitops_ocm.addon`); workloads are simulated.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm import addon
from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.hub.simulated import simulated_workloads
from gitops_ocm.hub.template import template_root
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.testing import objects as make
from tests.klusterlet.conftest import Agent, Hub
from tests.klusterlet.test_registration import joined

Eventually = Callable[..., Awaitable[Any]]
Make = Callable[..., Agent]
GROUP = "addon.open-cluster-management.io"
NAME, HOME = "helloworld", "open-cluster-management-agent-addon"
MANAGEMENTS = Resource(
    GROUP, "v1alpha1", "ClusterManagementAddOn", "clustermanagementaddons", namespaced=False
)
ADDONS = Resource(GROUP, "v1beta1", "ManagedClusterAddOn", "managedclusteraddons", namespaced=True)
CONFIGS = Resource(GROUP, "v1alpha1", "AddOnDeploymentConfig", "addondeploymentconfigs", namespaced=True)
DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments", namespaced=True)
CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
SECRETS = Resource("", "v1", "Secret", "secrets", namespaced=True)


def example() -> addon.Addon[Any]:
    """The add-on as the template has it."""
    path = template_root() / "addons" / "helloworld.py"
    spec = importlib.util.spec_from_file_location("helloworld_example", path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    exec(compile(path.read_text(), str(path), "exec"), module.__dict__)  # no bytecode beside the template
    found: addon.Addon[Any] = module.helloworld
    return found


async def found(cluster: Cluster, resource: Resource, namespace: str, name: str) -> Object:
    """An object, or nothing."""
    try:
        return await cluster.get(resource, namespace, name)
    except ApiError as error:
        if error.http_code != 404:
            raise
        return {}


@pytest.mark.slow
async def test_the_example_comes_up_is_set_and_goes(
    hub: Hub, agent: Make, eventually: Eventually, spoke: Cluster, tmp_path: Path
) -> None:
    """Installed by hand: its workload comes up, it may use the hub, follows its settings, and goes whole."""
    one = agent()
    assert isinstance(spoke, LocalCluster)
    kubelet = simulated_workloads({one.name: spoke.api}, asyncio.Event())
    async with one.running(), kubelet, addon.manage(example(), hub=hub.kubeconfig):
        await joined(hub, one, eventually)
        cma = make.addon(NAME)
        cma["spec"]["supportedConfigs"] = [{"group": GROUP, "resource": "addondeploymentconfigs"}]
        await hub.admin.create(MANAGEMENTS, cma)
        await hub.admin.create(
            ADDONS, {**make.cluster_addon(NAME, one.name), "apiVersion": f"{GROUP}/v1beta1"}
        )

        async def says(type: str) -> tuple[str, str, str]:
            status = (await hub.admin.get(ADDONS, one.name, NAME)).get("status") or {}
            told = find(status.get("conditions"), type) or {}
            return told.get("status", ""), told.get("reason", ""), told.get("message", "")

        async def is_up() -> bool:
            return await says("Available") == ("True", "ProbeAvailable", f"{NAME} add-on is available.")

        await eventually(is_up, 60)
        deployment = await found(spoke, DEPLOYMENTS, HOME, NAME)
        assert deployment["status"]["readyReplicas"] == 1
        secret = await eventually(lambda: found(spoke, SECRETS, HOME, f"{NAME}-hub-kubeconfig"), 60)
        assert set(secret["data"]) == {"kubeconfig", "tls.crt", "tls.key", "cluster-name"}

        async def greets(text: str) -> bool:
            greeting = (await found(spoke, CONFIG_MAPS, HOME, NAME)).get("data", {}).get("greeting")
            return bool(greeting == f"{text}, {one.name}!")

        assert await greets("Hello")
        await _configure(hub, one.name, GREETING="Good day", REPLICAS="2")
        await eventually(lambda: greets("Good day"), 60)
        await _configure(hub, one.name, REPLICAS="many")
        wrong = "failed to get manifest from agent interface: the add-on's settings are wrong: replicas: "

        async def refused() -> bool:
            status, reason, message = await says("ManifestApplied")
            return (status, reason) == ("False", "ManifestWorkApplyFailed") and message.startswith(wrong)

        await eventually(refused, 60)
        assert await greets("Good day")
        await hub.admin.delete(ADDONS, one.name, NAME)

        async def gone() -> bool:
            return not await found(spoke, DEPLOYMENTS, HOME, NAME)

        await eventually(gone, 60)


async def _configure(hub: Hub, cluster: str, **variables: str) -> None:
    """Set the add-on on a cluster; made at the first time, changed later on."""
    named = [{"name": name, "value": value} for name, value in variables.items()]
    spec = {"customizedVariables": named, "agentInstallNamespace": ""}
    meta = {"name": NAME, "namespace": cluster}
    config = {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "AddOnDeploymentConfig",
        "metadata": meta,
        "spec": spec,
    }
    if await found(hub.admin, CONFIGS, cluster, NAME):
        await hub.admin.patch(CONFIGS, cluster, NAME, {"spec": spec}, type=PatchType.MERGE)
        return
    await hub.admin.create(CONFIGS, config)
    reference = {"group": GROUP, "resource": "addondeploymentconfigs", "namespace": cluster, "name": NAME}
    await hub.admin.patch(ADDONS, cluster, NAME, {"spec": {"configs": [reference]}}, type=PatchType.MERGE)
