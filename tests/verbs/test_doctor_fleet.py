"""What is said of a whole hub: nothing where all is well, and the cause where something is not.

The hub's controllers run against the store in this process; agents are real ones where they matter.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.decide import access
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.hub.daemon import HubOptions, hub_groups, run_hub
from gitops_ocm.klusterlet.agent import KlusterletOptions, run_klusterlet
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.objects.conditions import micro_timestamp, timestamp
from gitops_ocm.objects.faults import ApiError, expired, forbidden
from gitops_ocm.objects.ref import Object, Resource, kind_of, split_api_version
from gitops_ocm.objects.served import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, CRDS, LEASES, NAMESPACES
from gitops_ocm.testing.clusters import memory
from gitops_ocm.testing.joining import CLUSTERS
from gitops_ocm.testing.objects import (
    addon,
    binding,
    cluster_addon,
    config_map,
    deployment,
    manifest_work,
    namespace,
    placement,
)
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs.doctor import DoctorOptions, Examination, examine
from gitops_ocm.verbs.doctor_text import text, to_json
from gitops_ocm.verbs.targets import ocm
from tests.klusterlet.conftest import Hub, hub_at
from tests.verbs.doctoring import Unique, Ward, first, folded, roots

RIGHTS = {
    "ClusterRole": CLUSTER_ROLES,
    "ClusterRoleBinding": CLUSTER_ROLE_BINDINGS,
    "RoleBinding": Resource(
        "rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", namespaced=True
    ),
}
WORKS = ocm("work.open-cluster-management.io/v1", "ManifestWork")


@asynccontextmanager
async def hub_in_memory() -> AsyncIterator[Cluster]:
    """A new hub with all of its controllers."""
    stop, ready = asyncio.Event(), asyncio.Event()
    async with memory() as hub:
        groups = frozenset(hub_groups()) - {"sync"}
        running = asyncio.create_task(run_hub(hub, HubOptions(groups), stop, ready=ready.set))
        try:
            await ready.wait()
            yield hub
        finally:
            stop.set()
            await running


async def made(hub: Cluster, *objects: Object) -> None:
    """Create objects."""
    mapper = Mapper(hub)
    for obj in objects:
        _, version = split_api_version(obj["apiVersion"])
        resource = await mapper.resource_of(kind_of(obj), version)
        assert resource is not None
        await hub.create(resource, obj)


async def alive(
    hub: Cluster, name: str, *, available: str = "True", labels: dict[str, str] | None = None
) -> None:
    """A cluster whose agent has joined: what it would have written is written."""
    cluster: Object = {
        "apiVersion": CLUSTERS.api_version,
        "kind": CLUSTERS.kind,
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"hubAcceptsClient": True, "leaseDurationSeconds": 60},
    }
    await hub.create(CLUSTERS, cluster)

    async def accepted() -> bool:
        return bool(await hub.get(LEASES, name, "managed-cluster-lease"))

    await eventually(accepted)

    async def report() -> bool:
        found = await hub.get(CLUSTERS, "", name)
        now, told = timestamp(datetime.now(UTC)), found["status"]["conditions"]
        for type_, status in (
            ("ManagedClusterJoined", "True"),
            ("ManagedClusterConditionAvailable", available),
        ):
            said = {"type": type_, "status": status, "reason": "Said", "message": f"it says {status}"}
            told = [c for c in told if c["type"] != type_] + [{**said, "lastTransitionTime": now}]
        await hub.update(CLUSTERS, {**found, "status": {"conditions": told}}, subresource="status")
        return True

    await eventually(report)


async def looked(hub: Cluster, *names: str, **told: Any) -> Examination:
    """What is found on a hub."""
    return await examine(hub, None, DoctorOptions(names, **{"settle": 0.0, **told}))


async def comes(hub: Cluster, cause: str, *names: str, **told: Any) -> Examination:
    """Look until a cause is found as a root."""

    async def look() -> Examination | None:
        found = await looked(hub, *names, **told)
        assert cause in roots(found), text(found)
        return found

    found = await eventually(look, describe=f"{cause} is found")
    assert isinstance(found, Examination)
    return found


async def well(look: Callable[[], Awaitable[Examination]]) -> None:
    """Look until nothing is found."""

    async def nothing() -> bool:
        found = await look()
        assert not found.diagnosis.findings, text(found)
        return True

    await eventually(nothing)


@pytest.fixture
async def hub() -> AsyncIterator[Cluster]:
    """A hub of this test alone."""
    async with hub_in_memory() as cluster:
        yield cluster


async def test_an_empty_hub_is_well(hub: Cluster) -> None:
    """A hub that has just been made and has no clusters gives no finding."""
    await well(lambda: looked(hub))
    assert "0 clusters" in text(await looked(hub))


async def test_a_fleet_that_is_well(embedded_kubeconfig: Path, tmp_path: Path, unique: Unique) -> None:
    """A cluster that joined, runs a work and is selected by a placement gives no finding."""
    async with AsyncExitStack() as stack:
        found: Hub = await stack.enter_async_context(hub_at(embedded_kubeconfig, tmp_path))
        spoke = await stack.enter_async_context(memory())
        ward, name, place = Ward(found, spoke, tmp_path), unique("well"), unique("place")
        async with ward.agent(name, secret=True).running():
            await ward.joined(name)
            await made(
                found.admin,
                manifest_work("run", name, [config_map("one", "default")]),
                namespace(place),
                binding("global", place),
                placement("all", place),
            )

            async def healthy() -> Examination:
                return await ward.examined(name, spoke=True)

            await well(healthy)
            whole = await ward.examined()  # other tests' clusters are on this hub, too
            mine = [f for f in whole.diagnosis.findings if name in (f.cluster, *f.subject.split("/"))]
            assert not mine


async def test_definitions_are_missing() -> None:
    """A server that is no hub: which definitions are missing, and `init` as what mends it."""
    async with memory() as server:
        await server.delete(CRDS, "", "placements.cluster.open-cluster-management.io")
        found = await comes(server, "crd-missing")
    assert first(found, "crd-missing").mend == "gitops-ocm init"


async def test_definitions_of_another_version() -> None:
    """A definition without the version that is needed."""
    async with memory() as server:
        name = "placements.cluster.open-cluster-management.io"
        crd = await server.get(CRDS, "", name)
        for version in crd["spec"]["versions"]:
            version["served"] = version["name"] != "v1beta1"
        other = {**crd["spec"]["versions"][0], "name": "v1beta9", "served": True, "storage": False}
        crd["spec"]["versions"] = [v for v in crd["spec"]["versions"] if v["name"] != "v1beta9"] + [other]
        await server.update(CRDS, crd)
        found = await comes(server, "crd-version")
    assert "v1beta1" in first(found, "crd-version").sentence


async def test_sets_and_placements(hub: Cluster) -> None:
    """A set that does not exist, one that is not bound, and what each filter left out of a placement."""
    await alive(hub, "east", labels={"cluster.open-cluster-management.io/clusterset": "nowhere"})
    await alive(hub, "west", labels={"region": "west"})
    north = {"requiredClusterSelector": {"labelSelector": {"matchLabels": {"region": "north"}}}}
    await made(
        hub,
        namespace("shop"),
        namespace("bare"),
        binding("global", "shop"),
        binding("phantom", "shop"),
        placement("north", "shop", predicates=[north], numberOfClusters=1),
        placement("pole", "shop", predicates=[north]),
        placement("lonely", "bare"),
    )
    found = await comes(hub, "placement-empty")
    assert {"set-unknown", "set-not-bound", "placement-empty"} <= set(roots(found))
    finding = first(found, "placement-empty")
    assert finding.subject == "Placement shop/north"
    assert {"ManagedCluster east", "ManagedCluster west"} <= {fact.subject for fact in finding.facts}
    # Without a number it may be meant for clusters that are still to come.
    assert first(found, "placement-unmatched").subject == "Placement shop/pole"
    mends = {f.mend for f in found.diagnosis.findings if f.cause == "set-not-bound"}
    assert mends == {
        "gitops-ocm create clusterset phantom",
        "gitops-ocm clusterset bind default --namespace bare",
    }


async def test_a_placement_that_lost_its_clusters(hub: Cluster) -> None:
    """Where the only clusters of a placement are lost, that is the cause, and the placement follows."""
    await alive(hub, "lost", available="Unknown")
    old = micro_timestamp(datetime.now(UTC) - timedelta(hours=1))
    await hub.patch(
        LEASES, "lost", "managed-cluster-lease", {"spec": {"renewTime": old}}, type=PatchType.MERGE
    )
    await made(hub, namespace("shop"), binding("global", "shop"), placement("all", "shop"))

    async def follows() -> bool:
        return "placement-empty" in folded(await looked(hub))

    await eventually(follows)
    assert roots(await looked(hub)) == ["agent-silent"]


async def test_works_and_addons(hub: Cluster, tmp_path: Path) -> None:
    """A manifest that is refused, by kind, name and the API's words; an add-on nobody has defined."""
    async with memory() as spoke:
        await alive(hub, "runs")
        bad: Object = {
            "apiVersion": "example.com/v1",
            "kind": "Unknown",
            "metadata": {"name": "x", "namespace": "default"},
        }
        await made(
            hub,
            manifest_work("bad", "runs", [bad]),
            manifest_work("slow", "runs", [deployment("web")]),
            cluster_addon("nobodys", "runs"),
        )
        untouched = await comes(hub, "work-agent-silent", "runs")
        assert "2 works" in first(untouched, "work-agent-silent").sentence
        stop = asyncio.Event()
        settings = AgentSettings("runs", hub_server="https://hub.example")
        running = asyncio.create_task(run_klusterlet(hub, spoke, KlusterletOptions(settings), stop))
        try:
            found = await comes(hub, "work-not-applied", "runs")
        finally:
            stop.set()
            await running
    finding = first(found, "work-not-applied")
    assert finding.subject == "ManifestWork runs/bad"
    assert any("Unknown default/x" in fact.field for fact in finding.facts)
    assert "addon-undefined" in roots(found)
    assert {"addon-unavailable", "addon-not-handled"} & folded(found)


async def test_an_addon_nobody_serves(hub: Cluster) -> None:
    """An add-on that is defined, and whose agent never came."""
    await alive(hub, "runs")
    await made(hub, addon("watch"), cluster_addon("watch", "runs"))
    found = await looked(hub, "runs")
    assert {"addon-not-handled"} == set(roots(found))


async def test_a_deletion_that_waits(hub: Cluster) -> None:
    """A cluster that is deleted while its agent is away: which work holds it, and how it is released."""
    await alive(hub, "leaving")
    work = manifest_work("held", "leaving", [config_map("one")])
    work["metadata"]["finalizers"] = ["cluster.open-cluster-management.io/manifest-work-cleanup"]
    await made(hub, work)
    await hub.delete(CLUSTERS, "", "leaving")
    found = await comes(hub, "deletion-stuck", "leaving")
    finding = first(found, "deletion-stuck")
    assert finding.subject == "ManagedCluster leaving"
    assert "ManifestWork leaving/held" in {fact.subject for fact in finding.facts}
    await hub.patch(WORKS, "leaving", "held", {"metadata": {"finalizers": None}}, type=PatchType.MERGE)


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
    await well(lambda: looked(hub))
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
