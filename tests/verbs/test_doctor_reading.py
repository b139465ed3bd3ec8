"""How a hub is read: as far as one may, without a write, in pages, and at any size."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gitops_ocm.decide import access
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.conditions import micro_timestamp, timestamp
from gitops_ocm.objects.faults import ApiError, expired, forbidden
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, LEASES, NAMESPACES
from gitops_ocm.testing.clusters import memory
from gitops_ocm.testing.joining import CLUSTERS
from gitops_ocm.testing.objects import namespace
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs.doctor_text import text, to_json
from gitops_ocm.verbs.targets import ocm
from tests.verbs.doctoring import alive, hub_in_memory, looked

RIGHTS = {
    "ClusterRole": CLUSTER_ROLES,
    "ClusterRoleBinding": CLUSTER_ROLE_BINDINGS,
    "RoleBinding": Resource(
        "rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", namespaced=True
    ),
}
WORKS = ocm("work.open-cluster-management.io/v1", "ManifestWork")


@pytest.fixture
async def hub() -> AsyncIterator[Cluster]:
    """A hub of this test alone."""
    async with hub_in_memory() as cluster:
        yield cluster


async def quiet(hub: Cluster) -> bool:
    """Whether nothing is found."""
    return not (await looked(hub)).diagnosis.findings


class Limited:
    """A cluster that refuses to list some kinds, and counts what would have been written."""

    def __init__(self, cluster: Cluster, *refused: str) -> None:
        self._cluster, self._refused = cluster, refused
        self.written: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    async def list(self, resource: Resource, namespace: str = "", **options: Any) -> Any:
        """LIST, refused for some."""
        if resource.plural in self._refused:
            raise forbidden(resource.group, resource.plural, "", "the role has no list")
        return await self._cluster.list(resource, namespace, **options)

    async def create(
        self, resource: Resource, obj: Object, *, dry_run: bool = False, **options: Any
    ) -> Object:
        """POST; who only rehearses writes nothing."""
        if not dry_run:
            self.written.append(resource.plural)
        return await self._cluster.create(resource, obj, dry_run=dry_run, **options)

    async def update(self, *_: Any, **__: Any) -> Object:
        """PUT: nobody is to do that."""
        raise AssertionError("a write")

    patch = delete = update


async def test_rights_that_are_missing_are_told(hub: Cluster) -> None:
    """What may not be listed is said not to have been looked at; its absence is no trouble."""
    await alive(hub, "seen")
    limited = Limited(hub, "certificatesigningrequests", "rolebindings", "namespaces")
    found = await looked(limited)
    assert not found.diagnosis.findings
    assert {what.split("s ")[0] for what in found.diagnosis.unseen} == {
        "CertificateSigningRequest",
        "RoleBinding",
        "Namespace",
    }
    assert "NOT LOOKED AT" in text(found)
    assert limited.written == []


async def test_nothing_is_written(hub: Cluster) -> None:
    """Looking leaves the hub as it was: not one object is made, and no version moves."""
    await alive(hub, "quiet")
    await eventually(lambda: quiet(hub))
    before = [(await hub.list(r)).resource_version for r in (CLUSTERS, WORKS, LEASES)]
    await looked(hub)
    names = {o["metadata"]["name"] for r in (CLUSTERS, WORKS, LEASES) for o in (await hub.list(r)).items}
    assert [(await hub.list(r)).resource_version for r in (CLUSTERS, WORKS, LEASES)] == before
    assert "gitops-ocm-doctor" not in names


class Forgetful:
    """A server that once forgets where a list was: it took too long."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self.pages, self.forgot = cluster, 0, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    async def list(self, resource: Resource, namespace: str = "", **options: Any) -> Any:
        """LIST."""
        assert options["limit"] <= 500
        self.pages += 1
        if options["continue_token"] and resource.kind == "Lease" and not self.forgot:
            self.forgot = True
            raise expired()
        return await self._cluster.list(resource, namespace, **options)


@pytest.mark.slow
async def test_a_thousand_clusters() -> None:
    """A thousand silent clusters are one group with a few names, read in pages, in bounded output."""
    async with memory() as hub:
        old = micro_timestamp(datetime.now(UTC) - timedelta(hours=1))
        now = timestamp(datetime.now(UTC) - timedelta(hours=2))
        for number in range(1000):
            name = f"edge-{number:04}"
            await hub.create(NAMESPACES, namespace(name))
            cluster = {
                "apiVersion": CLUSTERS.api_version,
                "kind": CLUSTERS.kind,
                "metadata": {"name": name},
                "spec": {"hubAcceptsClient": True},
            }
            made_one = await hub.create(CLUSTERS, cluster)
            told = [
                {"type": t, "status": s, "reason": "Said", "message": "", "lastTransitionTime": now}
                for t, s in (
                    ("HubAcceptedManagedCluster", "True"),
                    ("ManagedClusterJoined", "True"),
                    ("ManagedClusterConditionAvailable", "Unknown"),
                )
            ]
            await hub.update(CLUSTERS, {**made_one, "status": {"conditions": told}}, subresource="status")
            lease = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": "managed-cluster-lease", "namespace": name},
                "spec": {"renewTime": old},
            }
            await hub.create(LEASES, lease)
            rights = (
                access.cluster_role(name, accepted=True, labels={}),
                access.cluster_role_binding(name, labels={}),
                *access.role_bindings(name, labels={}),
            )
            for right in rights:
                await hub.create(RIGHTS[right["kind"]], right)
        for role in access.shared_roles(labels={}):
            await hub.create(CLUSTER_ROLES, role)
        paged: Any = Forgetful(hub)
        found = await looked(paged)
    assert paged.forgot
    assert paged.pages < 60
    group = next(group for group in found.diagnosis.groups if group.cause == "agent-silent")
    assert len(group.clusters) == 1000
    printed = text(found)
    assert "1,000 clusters: registration agents stopped renewing their leases" in printed
    assert "and 992 more" in printed
    assert len(printed.splitlines()) < 60
    assert to_json(found).count('"cause": "agent-silent"') == 1001
    with pytest.raises(ApiError):
        await hub.get(CLUSTERS, "", "gitops-ocm-doctor")
