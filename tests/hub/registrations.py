"""A hub at work with real rights and real certificates: who asks for one, and what they may do with it.

The controllers act as the service account of our manifests, agents as what their certificates say; only a
bootstrap identity is impersonated, by the name that its ServiceAccount would have.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization

from gitops_ocm.decide.controllers import hub_controllers
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.hub.daemon import HubOptions
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.kube.kubeconfig_text import Kubeconfig
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CSRS
from gitops_ocm.operator.rbac import HUB, NAMESPACE, hub_manifests
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.testing.clusters import apply, connected
from gitops_ocm.testing.csrs import Subject, agent_subject, cluster_csr, key
from gitops_ocm.testing.hub import controllers_on
from gitops_ocm.testing.waiting import eventually
from tests.hub.conftest import role_for

OCM = "open-cluster-management.io"
CLUSTERS = Resource(f"cluster.{OCM}", "v1", "ManagedCluster", "managedclusters", namespaced=False)
WORKS = Resource(f"work.{OCM}", "v1", "ManifestWork", "manifestworks", namespaced=True)
BOOTSTRAP_RULES = (
    ("certificates.k8s.io", "certificatesigningrequests", "create"),
    ("certificates.k8s.io", "certificatesigningrequests", "get"),
    (f"cluster.{OCM}", "managedclusters", "create"),
    (f"cluster.{OCM}", "managedclusters", "get"),
    (f"cluster.{OCM}", "managedclusters", "list"),
    (f"cluster.{OCM}", "managedclustersets/join", "create"),
)
"""What OCM's ClusterRole for bootstrapping allows, as far as it matters here."""


async def refused(attempt: Awaitable[object]) -> str:
    """The text of the 403 that an attempt is answered with."""
    try:
        await attempt
    except ApiError as error:
        if error.http_code == 403:
            return error.message
        raise
    raise AssertionError("it was allowed")


@dataclass
class Hub:
    """A hub whose controllers run; `bootstrap` may ask for certificates and ManagedClusters."""

    kubeconfig: Path
    directory: Path
    admin: Cluster
    bootstrap: Cluster
    bootstrap_user: str
    stack: AsyncExitStack
    marks: dict[str, str] = field(default_factory=dict)

    async def registered(self, name: str, *, accepted: bool = True) -> None:
        """A cluster that asked to be let in and, as a rule, was."""
        cluster = managed_cluster(name, self.marks)
        await self.bootstrap.create(CLUSTERS, cluster)
        if accepted:
            await self.accept(name, True)

    async def accept(self, name: str, accepted: bool) -> None:
        """Have a person accept or deny a cluster, and wait until the hub has done so."""
        spec = {"spec": {"hubAcceptsClient": accepted}}
        await self.admin.patch(CLUSTERS, "", name, spec, type=PatchType.MERGE)

        async def done() -> bool:
            return is_true(await self.admin.get(CLUSTERS, "", name), "HubAcceptedManagedCluster") is accepted

        await eventually(done, 60, describe=f"{name} is accepted: {accepted}")

    async def approve(self, csr: str) -> None:
        """Have a person approve a request."""
        found = await self.admin.get(CSRS, "", csr)
        condition = {"type": "Approved", "status": "True", "reason": "Person", "message": ""}
        await self.admin.update(
            CSRS, {**found, "status": {"conditions": [condition]}}, subresource="approval"
        )

    async def approved(self, csr: str) -> bool:
        """Whether a request is approved."""
        return is_true(await self.admin.get(CSRS, "", csr), "Approved")

    async def issued(self, csr: str) -> bytes:
        """The certificate of a request, once it is there."""

        async def certificate() -> str:
            status = (await self.admin.get(CSRS, "", csr)).get("status") or {}
            return str(status.get("certificate", ""))

        return base64.b64decode(str(await eventually(certificate, 60, describe=f"{csr} is issued")))

    async def agent(self, cluster: str) -> Cluster:
        """An agent with the certificate that a person let it have."""
        csr = await ask(self.bootstrap, cluster)
        await self.approve(csr)
        connection = load_kubeconfig(self.kubeconfig)
        private = key().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = self.directory / f"{cluster}.kubeconfig"
        Kubeconfig(
            server=connection.server,
            ca=connection.ca.read(),
            certificate=await self.issued(csr),
            key=private,
        ).write(path)
        own = HttpCluster(load_kubeconfig(path))
        self.stack.push_async_callback(own.close)
        return own


async def ask(
    cluster: Cluster, name: str, subject: Subject | None = None, *, label: str = "", **options: Any
) -> str:
    """File a request for a certificate; the name it got."""
    csr = cluster_csr(name, subject or agent_subject(name), label=label or name, **options)
    made = await cluster.create(CSRS, csr)
    return str(made["metadata"]["name"])


def managed_cluster(name: str, labels: dict[str, str], *, accepted: bool = False) -> Object:
    """A ManagedCluster as an agent makes it."""
    return {
        "apiVersion": f"cluster.{OCM}/v1",
        "kind": "ManagedCluster",
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": {"hubAcceptsClient": accepted},
    }


@asynccontextmanager
async def hub_at_work(
    kubeconfig: Path, directory: Path, name: str, *, auto_approval: bool = False, marks: dict[str, str]
) -> AsyncIterator[Hub]:
    """Run the registration controllers as the account of our manifests, and have a bootstrap identity."""
    user = f"system:serviceaccount:open-cluster-management:{name}"
    users = frozenset({user})
    settings = HubSettings(auto_approval=auto_approval, auto_approved_users=users)
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(connected(kubeconfig))
        rights = [*hub_manifests(hub_controllers(), load_catalog()), *role_for(user, name, *BOOTSTRAP_RULES)]
        await apply(admin, rights)
        connection = load_kubeconfig(kubeconfig)
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}")
        account = HttpCluster(connection.acting_as(f"system:serviceaccount:{NAMESPACE}:{HUB}", groups))
        bootstrap = HttpCluster(connection.acting_as(user))
        stack.push_async_callback(account.close)
        stack.push_async_callback(bootstrap.close)
        options = HubOptions(frozenset({"registration"}), settings)
        await stack.enter_async_context(controllers_on(account, options))
        yield Hub(kubeconfig, directory, admin, bootstrap, user, stack, marks)
