"""What is said of a whole hub: nothing where all is well, and the cause where something is not.

The hub's controllers run against the store in this process; agents are real ones where they matter.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.klusterlet.agent import KlusterletOptions, run_klusterlet
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.objects.conditions import micro_timestamp
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CRDS, LEASES
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
from gitops_ocm.verbs.doctor import Examination
from gitops_ocm.verbs.doctor_text import text
from gitops_ocm.verbs.targets import ocm
from tests.klusterlet.conftest import Hub, hub_at
from tests.verbs.doctoring import (
    Unique,
    Ward,
    alive,
    comes,
    first,
    folded,
    hub_in_memory,
    looked,
    made,
    roots,
)

pytestmark = pytest.mark.slow

WORKS = ocm("work.open-cluster-management.io/v1", "ManifestWork")


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
    found = await comes(hub, "addon-not-handled", "runs")
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
