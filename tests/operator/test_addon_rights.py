"""What the agents of add-ons may be granted is what an administrator says, under real RBAC."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm import addon
from gitops_ocm.hub.daemon import HubOptions
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.operator.rbac import ADDON_LABEL, HUB, NAMESPACE
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.clusters import apply
from gitops_ocm.testing.hub import controllers_on
from tests.decide.addons.template_cases import config_map, current_cluster, kube_client
from tests.operator.test_rbac import account, objects_of, started

Eventually = Callable[..., Awaitable[Any]]
GROUP = "addon.open-cluster-management.io"
ADDONS = Resource(GROUP, "v1alpha1", "ManagedClusterAddOn", "managedclusteraddons", namespaced=True)
ROLES = Resource("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", namespaced=False)
ROLE: Object = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "readers"},
    "rules": [{"apiGroups": ["example.com"], "resources": ["things"], "verbs": ["get"]}],
}
pytestmark = pytest.mark.slow


def templated(name: str) -> list[Object]:
    """An add-on made of a template whose agents are to have the role."""
    spec = {
        "addonName": name,
        "agentSpec": {"workload": {"manifests": [config_map()]}},
        "registration": [kube_client(current_cluster("readers"))],
    }
    template = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "AddOnTemplate", "metadata": {"name": name}}
    default = {"group": GROUP, "resource": "addontemplates", "defaultConfig": {"name": name}}
    cma = make.addon(name)
    cma["spec"]["supportedConfigs"] = [default]
    return [{**template, "spec": spec}, cma, make.cluster_addon(name, "c1")]


@pytest.mark.parametrize("server", ["embedded", pytest.param("kubernetes", marks=pytest.mark.controlplane)])
async def test_agents_get_what_an_administrator_has_labelled(
    server: str, tmp_path: Path, eventually: Eventually
) -> None:
    """Until then the add-on says what is refused; nothing else is, neither to the hub nor to an author."""
    author: addon.Addon[Any] = addon.Addon(
        "authored",
        lambda request: [config_map()],
        hub_access=addon.HubAccess((addon.Rule("", ("configmaps",), ("get",)),)),
    )
    async with AsyncExitStack() as stack:
        kubeconfig = await stack.enter_async_context(started(server, tmp_path))
        admin = HttpCluster(load_kubeconfig(kubeconfig))
        stack.push_async_callback(admin.close)
        await apply(admin, objects_of("hub.yaml"))
        await apply(admin, addon.rights(author, namespace=NAMESPACE))
        hub, manager = account(kubeconfig, HUB), account(kubeconfig, "authored-addon-manager")
        for each in (hub, manager):
            stack.push_async_callback(each.close)
        await stack.enter_async_context(controllers_on(hub, HubOptions(frozenset({"addon", "registration"}))))
        cluster = [make.namespace("c1"), make.managed_cluster("c1")]
        await apply(admin, [*cluster, ROLE, *templated("hello")])

        async def says(name: str) -> tuple[str, str, str]:
            status = (await admin.get(ADDONS, "c1", name)).get("status") or {}
            told = find(status.get("conditions"), "RegistrationApplied") or {}
            return told.get("status", ""), told.get("reason", ""), told.get("message", "")

        async def refused() -> bool:
            return (await says("hello"))[:2] == ("False", "SetPermissionFailed")

        await eventually(refused)
        assert 'open-cluster-management:hello:clusterrole:agent" is forbidden' in (await says("hello"))[2]
        await admin.patch(ROLES, "", "readers", {"metadata": {"labels": {ADDON_LABEL: "true"}}})
        applied = ("True", "SetPermissionApplied", "Registration of the addon agent is configured")

        async def granted(name: str) -> bool:
            return await says(name) == applied

        await eventually(lambda: granted("hello"))
        hub.refused.clear()
        await stack.enter_async_context(addon.manage(author, hub=manager))
        await apply(admin, [make.addon("authored"), make.cluster_addon("authored", "c1")])
        await eventually(lambda: granted("authored"))
        assert (hub.refused, manager.refused) == ([], [])
