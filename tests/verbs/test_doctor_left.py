"""What is left undone or in disorder on a hub: its controllers run, and then something comes between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.klusterlet.agent import KlusterletOptions, run_klusterlet
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.objects.conditions import micro_timestamp
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CLUSTER_ROLE_BINDINGS, CSRS, LEASES, NAMESPACES
from gitops_ocm.testing.clusters import embedded, memory
from gitops_ocm.testing.csrs import agent_subject, cluster_csr
from gitops_ocm.testing.hub import controllers_on
from gitops_ocm.testing.joining import CLUSTERS, answer
from gitops_ocm.testing.objects import (
    addon,
    binding,
    cluster_addon,
    config_map,
    managed_cluster,
    manifest_work,
    namespace,
    placement,
    replica_set,
)
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs.doctor import Examination
from gitops_ocm.verbs.doctor_text import text
from tests.verbs.doctoring import HOOKS, alive, causes, comes, first, hub_in_memory, looked, made

pytestmark = pytest.mark.slow

ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", namespaced=True)


@pytest.fixture
async def hub() -> AsyncIterator[Cluster]:
    """A hub of this test alone."""
    async with hub_in_memory() as cluster:
        yield cluster


async def every(hub: Cluster, wanted: set[str], *names: str) -> Examination:
    """Look until all of these are found, be they under others."""

    async def look() -> Examination:
        found = await looked(hub, *names)
        assert wanted <= set(causes(found)), text(found)
        return found

    found = await eventually(look, describe=", ".join(sorted(wanted)))
    assert isinstance(found, Examination)
    return found


async def test_what_nobody_does_any_more() -> None:
    """The hub's controllers ended: what they would have put right or decided follows from just that."""
    lost = {
        "namespace-missing",
        "rights-missing",
        "lease-not-judged",
        "set-not-judged",
        "placement-not-decided",
        "work-set-not-handled",
    }
    async with memory() as hub:
        async with controllers_on(hub):
            await alive(hub, "east")
            await alive(hub, "west")
        freed = {"metadata": {"finalizers": None}}
        held = "open-cluster-management:managedcluster:west:work"
        await hub.patch(ROLE_BINDINGS, "west", held, freed, type=PatchType.MERGE)
        await hub.delete(NAMESPACES, "", "west")
        await hub.delete(CLUSTER_ROLE_BINDINGS, "", "open-cluster-management:managedcluster:east")
        old = micro_timestamp(datetime.now(UTC) - timedelta(hours=1))
        lease = {"spec": {"renewTime": old}}
        await hub.patch(LEASES, "east", "managed-cluster-lease", lease, type=PatchType.MERGE)
        await made(
            hub,
            namespace("shop"),
            binding("global", "shop"),
            placement("all", "shop"),
            replica_set("web", "shop", ["all"], [config_map("one")]),
        )
        found = await every(hub, lost)
    under = {f.mend: {g.cause for g in f.follows} for f in causes(found)["controllers-stopped"]}
    assert under == {
        "gitops-ocm hub run --controllers placement": {"placement-not-decided"},
        "gitops-ocm hub run --controllers registration": lost
        - {"placement-not-decided", "work-set-not-handled"},
    }
    (missing,) = causes(found)["namespace-missing"]
    assert missing.mend == "kubectl create namespace west"


async def test_requests_that_come_to_nothing(hub: Cluster) -> None:
    """A signer that gave a request up, and requests so many that the agent makes no more."""
    for number in range(10):
        await hub.create(CSRS, cluster_csr("many", agent_subject("many"), name=f"many-{number}"))
    found = await every(hub, {"csr-flood", "csr-pending"}, "many")
    assert causes(found)["csr-flood"][0].mend.startswith("kubectl delete csr -l ")


async def test_a_signer_that_gave_up(tmp_path: Path) -> None:
    """A request that the hub's signer may not sign is approved and fails, in the signer's words."""
    async with embedded(tmp_path / "hub") as hub:
        usages = ["client auth", "server auth"]
        request = cluster_csr("odd", agent_subject("odd"), name="odd", usages=usages)
        await hub.create(CSRS, request)
        await answer(hub, "odd")
        found = await comes(hub, "csr-failed", "odd")
    finding = first(found, "csr-failed")
    assert finding.mend == "kubectl delete csr odd"
    assert "SignerValidationFailure" in finding.sentence


async def test_an_acceptance_that_fails(tmp_path: Path) -> None:
    """A webhook that nobody serves keeps the hub from granting rights: the hub says so of the cluster."""
    hook = {
        "name": "nobody.example.com",
        "clientConfig": {"url": "https://127.0.0.1:1/refuse"},
        "rules": [
            {
                "apiGroups": ["rbac.authorization.k8s.io"],
                "apiVersions": ["v1"],
                "operations": ["CREATE"],
                "resources": ["rolebindings"],
            }
        ],
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "timeoutSeconds": 1,
    }
    async with embedded(tmp_path / "hub") as hub, controllers_on(hub):
        meta: Object = {"name": "nobody"}
        body = {"apiVersion": HOOKS.api_version, "kind": HOOKS.kind, "metadata": meta, "webhooks": [hook]}
        await hub.create(HOOKS, body)
        await hub.create(CLUSTERS, managed_cluster("blocked"))
        found = await comes(hub, "acceptance-failed", "blocked")
    assert "nobody.example.com" in first(found, "acceptance-failed").sentence


async def test_what_is_applied_and_not_there(hub: Cluster) -> None:
    """A work that only looks at an object, which does not exist."""
    only = [
        {
            "resourceIdentifier": {"resource": "configmaps", "name": "one", "namespace": "default"},
            "updateStrategy": {"type": "ReadOnly"},
        }
    ]
    async with AsyncExitStack() as stack:
        spoke = await stack.enter_async_context(memory())
        await alive(hub, "runs")
        await made(hub, manifest_work("looks", "runs", [config_map("one")], manifestConfigs=only))
        stop = asyncio.Event()
        settings = AgentSettings("runs", hub_server="https://hub.example")
        running = asyncio.create_task(run_klusterlet(hub, spoke, KlusterletOptions(settings), stop))
        try:
            found = await comes(hub, "work-unavailable", "runs")
        finally:
            stop.set()
            await running
    finding = first(found, "work-unavailable")
    assert "ConfigMap default/one" in finding.sentence


async def test_what_is_configured_wrongly(hub: Cluster) -> None:
    """A placement that cannot be understood, and an add-on with a configuration that is not for it."""
    bad = {"requiredClusterSelector": {"celSelector": {"celExpressions": ["managedCluster.nothing ==="]}}}
    config = {"group": "addon.open-cluster-management.io", "resource": "addondeploymentconfigs"}
    await alive(hub, "runs")
    await made(
        hub,
        namespace("shop"),
        binding("global", "shop"),
        placement("odd", "shop", predicates=[bad]),
        addon("watch"),
        {**cluster_addon("watch", "runs"), "spec": {"configs": [{**config, "name": "any"}]}},
    )
    found = await every(hub, {"placement-misconfigured", "addon-not-configured"})
    assert causes(found)["placement-misconfigured"][0].subject == "Placement shop/odd"
    assert "is not supported" in causes(found)["addon-not-configured"][0].sentence
