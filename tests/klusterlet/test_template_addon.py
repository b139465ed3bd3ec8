"""An add-on made of a template, from its installation to its removal, with our agent on the cluster."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509

from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.hub.simulated import simulated_workloads
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.token_request import read_token
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.runtime.certificates import self_signed, subject_name
from gitops_ocm.testing import objects as make
from tests.decide.addons.template_cases import current_cluster, kube_client, workload
from tests.klusterlet.conftest import Agent, Hub
from tests.klusterlet.test_authors_addon import DEPLOYMENTS, MANAGEMENTS, SECRETS, found
from tests.klusterlet.test_registration import joined

Eventually = Callable[..., Awaitable[Any]]
Make = Callable[..., Agent]
Unique = Callable[[str], str]
pytestmark = pytest.mark.slow
GROUP = "addon.open-cluster-management.io"
HOME = "open-cluster-management-agent-addon"
# A hub without a conversion webhook serves the older version alone.
ADDONS = Resource(GROUP, "v1alpha1", "ManagedClusterAddOn", "managedclusteraddons", namespaced=True)
TEMPLATES = Resource(GROUP, "v1alpha1", "AddOnTemplate", "addontemplates", namespaced=False)
NAMESPACES = Resource("", "v1", "Namespace", "namespaces", namespaced=False)
BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", namespaced=True)
ACCOUNTS = Resource("", "v1", "ServiceAccount", "serviceaccounts", namespaced=True)
SIGNER = "example.com/signer"


class Story:
    """One add-on on one cluster of a hub."""

    def __init__(self, hub: Hub, spoke: Cluster, cluster: str, name: str) -> None:
        self.hub, self.spoke, self.cluster, self.name = hub, spoke, cluster, name

    async def install(self, *registration: Object) -> None:
        """The template, the add-on that refers to it, and its installation by hand."""
        manifests = [make.namespace(HOME), workload(name=self.name)]
        spec = {
            "addonName": self.name,
            "agentSpec": {"workload": {"manifests": manifests}},
            "registration": list(registration),
        }
        template = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "AddOnTemplate"}
        await self.hub.admin.create(TEMPLATES, {**template, "metadata": {"name": self.name}, "spec": spec})
        cma = make.addon(self.name)
        default = {"group": GROUP, "resource": "addontemplates", "defaultConfig": {"name": self.name}}
        cma["spec"]["supportedConfigs"] = [default]
        await self.hub.admin.create(MANAGEMENTS, cma)
        await self.hub.admin.create(ADDONS, make.cluster_addon(self.name, self.cluster))

    async def says(self, type: str) -> tuple[str, str]:
        """Status and reason of a condition."""
        status = (await found(self.hub.admin, ADDONS, self.cluster, self.name)).get("status") or {}
        told = find(status.get("conditions"), type) or {}
        return told.get("status", ""), told.get("reason", "")

    async def is_up(self) -> bool:
        """Whether it is available."""
        return await self.says("Available") == ("True", "ProbeAvailable")

    async def secret(self, name: str) -> dict[str, bytes]:
        """What is in a Secret of the agent."""
        data = (await found(self.spoke, SECRETS, HOME, name)).get("data") or {}
        return {key: base64.b64decode(value) for key, value in data.items()}

    async def subjects(self) -> list[str]:
        """Whom the agent's binding is for."""
        name = f"open-cluster-management:{self.name}:clusterrole:agent"
        binding = await found(self.hub.admin, BINDINGS, self.cluster, name)
        return [subject["name"] for subject in binding.get("subjects") or ()]

    async def is_gone(self) -> bool:
        """Whether nothing of it is left, here or there."""
        left = [
            await found(self.spoke, DEPLOYMENTS, HOME, self.name),
            await found(self.hub.admin, ADDONS, self.cluster, self.name),
            *(await self.hub.admin.list(BINDINGS, self.cluster, label_selector=self._label())).items,
            *(await self.spoke.list(SECRETS, HOME)).items,
        ]
        return not any(left)

    def _label(self) -> str:
        return f"open-cluster-management.io/addon-name={self.name}"


async def test_with_certificates(
    each_hub: Hub, agent: Make, eventually: Eventually, spoke: Cluster, unique: Unique
) -> None:
    """A workload that comes up, rights, a certificate for the hub and one of an own signer; all goes."""
    name, vault = unique("hello"), unique("vault")
    authority = self_signed(subject_name("ca"), datetime.now(UTC), timedelta(days=1))
    pair = {"tls.crt": authority.certificate, "tls.key": authority.key}
    await each_hub.admin.create(NAMESPACES, make.namespace(vault))
    ca = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ca", "namespace": vault}}
    encoded = {key: base64.b64encode(value).decode() for key, value in pair.items()}
    await each_hub.admin.create(SECRETS, {**ca, "data": encoded})
    signing = {"signerName": SIGNER, "signingCA": {"name": "ca", "namespace": vault}}
    one = agent(bootstraps=(each_hub.bootstrap,))
    assert isinstance(spoke, LocalCluster)
    async with one.running(), simulated_workloads({one.name: spoke.api}, asyncio.Event()):
        await joined(each_hub, one, eventually)
        story = Story(each_hub, spoke, one.name, name)
        custom = {"type": "CustomSigner", "customSigner": signing}
        await story.install(kube_client(current_cluster()), custom)
        await eventually(story.is_up, 90)
        kubeconfig = await eventually(lambda: story.secret(f"{name}-hub-kubeconfig"), 60)
        assert set(kubeconfig) == {"kubeconfig", "tls.crt", "tls.key", "cluster-name"}
        own = await eventually(lambda: story.secret(f"{name}-{SIGNER.replace('/', '-')}-client-cert"), 60)
        certificate = x509.load_pem_x509_certificate(own["tls.crt"])
        certificate.verify_directly_issued_by(authority.parsed)
        user = f"system:open-cluster-management:cluster:{one.name}:addon:{name}:agent:{name}-agent"
        assert user in await story.subjects()
        await each_hub.admin.delete(MANAGEMENTS, "", name)
        await eventually(story.is_gone, 90)


async def test_with_a_token(
    hub: Hub, agent: Make, eventually: Eventually, spoke: Cluster, unique: Unique
) -> None:
    """The hub makes an account, the agent gets a token of it and is bound as that; all goes again."""
    name, one = unique("hello"), agent(settings={"addon_driver": "token"})
    assert isinstance(spoke, LocalCluster)
    async with one.running(), simulated_workloads({one.name: spoke.api}, asyncio.Event()):
        await joined(hub, one, eventually)
        story = Story(hub, spoke, one.name, name)
        await story.install(kube_client(current_cluster()))
        kubeconfig = await eventually(lambda: story.secret(f"{name}-hub-kubeconfig"), 60)
        token = read_token(kubeconfig["token"].decode())
        account = await found(hub.admin, ACCOUNTS, one.name, f"{name}-agent")
        assert token is not None
        assert token.uid == account["metadata"]["uid"]

        async def is_bound() -> bool:
            return await story.subjects() == [f"system:serviceaccount:{one.name}:{name}-agent"]

        await eventually(is_bound, 60)
        await eventually(story.is_up, 60)
        await hub.admin.delete(ADDONS, one.name, name)
        await eventually(story.is_gone, 60)

        async def no_account() -> bool:
            return not await found(hub.admin, ACCOUNTS, one.name, f"{name}-agent")

        await eventually(no_account, 60)
