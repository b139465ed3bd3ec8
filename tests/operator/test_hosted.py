"""Hosted: agents (or a hub's controllers) run on one cluster, and what they work on is another one."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.apiserver.serve import serve
from gitops_ocm.decide.operators.settings import OperatorSettings
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.kube.reading import find as find_object
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import ACCOUNTS, CRDS, DEPLOYMENTS, NAMESPACES, SECRETS
from gitops_ocm.operator.process import Role, run_operator
from gitops_ocm.runtime.tasks import Tasks
from gitops_ocm.testing.clusters import memory

Eventually = Callable[..., Awaitable[Any]]
GROUP = "operator.open-cluster-management.io"
KLUSTERLETS = Resource(GROUP, "v1", "Klusterlet", "klusterlets", namespaced=False)
MANAGERS = Resource(GROUP, "v1", "ClusterManager", "clustermanagers", namespaced=False)
HUB = "hosted-hub"
WEBHOOKS = ("registrationWebhookConfiguration", "workWebhookConfiguration", "addonWebhookConfiguration")
MUTATOR = "managedclustermutators.admission.cluster.open-cluster-management.io"
MUTATORS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "MutatingWebhookConfiguration",
    "mutatingwebhookconfigurations",
    namespaced=False,
)
NAME, FAR = "klusterlet-hosted", "open-cluster-management-klusterlet-hosted"


@asynccontextmanager
async def hosting(mode: str) -> AsyncIterator[Cluster]:
    """A management cluster with an operator and a hosted Klusterlet, which has no kubeconfig yet."""
    stop, ready = asyncio.Event(), asyncio.Event()
    async with memory() as management, Tasks("test") as tasks:
        settings = OperatorSettings("gitops-ocm:test", "1.3.1")
        running = run_operator(management, Role.KLUSTERLET, settings, stop, ready=ready.set)
        tasks.start("operator", running)
        await ready.wait()
        await management.create(
            NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME}}
        )
        spec = {"clusterName": "c1", "deployOption": {"mode": mode}}
        made = {"apiVersion": f"{GROUP}/v1", "kind": "Klusterlet", "metadata": {"name": NAME}, "spec": spec}
        await management.create(KLUSTERLETS, made)
        try:
            yield management
        finally:
            stop.set()


async def connect(
    management: Cluster, kubeconfig: bytes, name: str = "external-managed-kubeconfig", where: str = NAME
) -> None:
    """Give the hosted object the other cluster's kubeconfig."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": where},
        "data": {"kubeconfig": base64.b64encode(kubeconfig).decode()},
    }
    await management.create(SECRETS, secret)


async def reason(management: Cluster, type: str) -> str:
    """The reason of a condition."""
    live = await management.get(KLUSTERLETS, "", NAME)
    found = find((live.get("status") or {}).get("conditions"), type)
    return str(found["reason"]) if found else ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "agents", "tokens"),
    [
        (
            "Hosted",
            {f"{NAME}-registration-agent", f"{NAME}-work-agent"},
            {"external-managed-kubeconfig-registration", "external-managed-kubeconfig-work"},
        ),
        ("SingletonHosted", {f"{NAME}-agent"}, {"external-managed-kubeconfig-agent"}),
    ],
)
async def test_a_hosted_klusterlet(
    tmp_path: Path, eventually: Eventually, mode: str, agents: set[str], tokens: set[str]
) -> None:
    """It waits for a kubeconfig, puts accounts there and agents with their tokens here, and goes again."""
    async with AsyncExitStack() as stack:
        managed = await stack.enter_async_context(serve(tmp_path / "managed"))
        admin = HttpCluster(load_kubeconfig(managed.kubeconfig_path))
        stack.push_async_callback(admin.close)
        management = await stack.enter_async_context(hosting(mode))

        async def prepared(wanted: str) -> bool:
            return await reason(management, "ReadyToApply") == wanted

        await eventually(lambda: prepared("KlusterletPrepareFailed"))
        assert (await management.list(DEPLOYMENTS)).items == []
        await connect(management, managed.kubeconfig_path.read_bytes())
        await eventually(lambda: prepared("KlusterletPrepared"), 60)

        async def has_tokens() -> bool:
            names = {s["metadata"]["name"] for s in (await management.list(SECRETS, NAME)).items}
            return tokens <= names

        await eventually(has_tokens, 60)
        live = {d["metadata"]["name"] for d in (await management.list(DEPLOYMENTS, NAME)).items}
        assert live == agents
        assert await find_object(admin, ACCOUNTS, f"{NAME}-work-sa", FAR) is not None
        secret = await management.get(SECRETS, NAME, min(tokens))
        path = tmp_path / "kubeconfig"
        path.write_bytes(base64.b64decode(secret["data"]["kubeconfig"]))
        agent = HttpCluster(load_kubeconfig(path))
        stack.push_async_callback(agent.close)
        assert await agent.version()

        async def finalizers() -> bool:
            return len((await management.get(KLUSTERLETS, "", NAME))["metadata"].get("finalizers", [])) == 2

        await eventually(finalizers)
        await management.delete(KLUSTERLETS, "", NAME)

        async def gone() -> bool:
            return await find_object(management, KLUSTERLETS, NAME) is None

        await eventually(gone, 60)
        assert await find_object(admin, NAMESPACES, FAR) is None
        assert await find_object(management, NAMESPACES, NAME) is None


@pytest.mark.slow
async def test_a_cluster_that_is_gone_is_given_up_in_time(tmp_path: Path, eventually: Eventually) -> None:
    """Unreachable at the end: the time is noted, and the Klusterlet stays until the grace is over."""
    async with hosting("Hosted") as management:
        async with serve(tmp_path / "managed") as managed:
            await connect(management, managed.kubeconfig_path.read_bytes())

            async def finalizers() -> bool:
                return (
                    len((await management.get(KLUSTERLETS, "", NAME))["metadata"].get("finalizers", [])) == 2
                )

            await eventually(finalizers, 60)
        await management.delete(KLUSTERLETS, "", NAME)
        eviction = "operator.open-cluster-management.io/managed-resources-eviction-timestamp"

        async def noted() -> bool:
            live = await management.get(KLUSTERLETS, "", NAME)
            return eviction in (live["metadata"].get("annotations") or {})

        await eventually(noted, 90)
        # As if that had been more than five minutes ago.
        past = {"metadata": {"annotations": {eviction: "2020-01-01T00:00:00Z"}}}
        await management.patch(KLUSTERLETS, "", NAME, past)

        async def gone() -> bool:
            return await find_object(management, KLUSTERLETS, NAME) is None

        await eventually(gone, 60)
        assert await find_object(management, NAMESPACES, NAME) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("user", "message"),
    [
        ("{token: [", "is not YAML"),
        ("{exec: {command: sh, apiVersion: c/v1}}", "it would run a program here"),
    ],
)
async def test_a_kubeconfig_that_is_none(eventually: Eventually, user: str, message: str) -> None:
    """What is wrong with the Secret is told in the condition; the next content is taken up."""
    text = (
        "{current-context: c, contexts: [{name: c, context: {cluster: k, user: u}}],"
        "clusters: [{name: k, cluster: {server: 'https://127.0.0.1:1'}}],"
        f"users: [{{name: u, user: {user}}}]}}"
    )
    async with hosting("Hosted") as management:
        await connect(management, text.encode())

        async def told(wanted: str) -> bool:
            live = await management.get(KLUSTERLETS, "", NAME)
            condition = find((live.get("status") or {}).get("conditions"), "ReadyToApply") or {}
            return condition.get("reason") == "KlusterletPrepareFailed" and wanted in condition["message"]

        await eventually(lambda: told(message), 60)
        better = base64.b64encode(text.replace(user, "{token: t}").encode()).decode()
        await management.patch(SECRETS, NAME, "external-managed-kubeconfig", {"data": {"kubeconfig": better}})
        await eventually(lambda: told("127.0.0.1:1"), 60)


@asynccontextmanager
async def hosting_hub() -> AsyncIterator[Cluster]:
    """A management cluster with an operator and a hosted ClusterManager, which has no kubeconfig yet."""
    stop, ready = asyncio.Event(), asyncio.Event()
    async with memory() as management, Tasks("test") as tasks:
        settings = OperatorSettings("gitops-ocm:test", "1.3.1")
        tasks.start("operator", run_operator(management, Role.HUB, settings, stop, ready=ready.set))
        await ready.wait()
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HUB}}
        await management.create(NAMESPACES, namespace)
        option = {
            "mode": "Hosted",
            "hosted": {key: {"address": "hub.example", "port": 443} for key in WEBHOOKS},
        }
        made = {
            "apiVersion": f"{GROUP}/v1",
            "kind": "ClusterManager",
            "metadata": {"name": HUB},
            "spec": {"deployOption": option},
        }
        await management.create(MANAGERS, made)
        try:
            yield management
        finally:
            stop.set()


async def run_pods(management: Cluster) -> None:
    """Do as the cluster would: every Deployment comes to run."""
    for found in (await management.list(DEPLOYMENTS, HUB)).items:
        count = found["spec"]["replicas"]
        told = {"observedGeneration": found["metadata"]["generation"]} | dict.fromkeys(
            ("replicas", "readyReplicas", "availableReplicas", "updatedReplicas"), count
        )
        if (found.get("status") or {}) != told:
            await management.update(DEPLOYMENTS, {**found, "status": told}, subresource="status")


@pytest.mark.slow
async def test_a_hosted_hub(tmp_path: Path, eventually: Eventually) -> None:
    """Controllers run here with tokens of there; kinds, rights and webhooks are there; and it goes again."""
    async with AsyncExitStack() as stack:
        far = await stack.enter_async_context(serve(tmp_path / "hub"))
        hub = HttpCluster(load_kubeconfig(far.kubeconfig_path))
        stack.push_async_callback(hub.close)
        management = await stack.enter_async_context(hosting_hub())
        await connect(management, far.kubeconfig_path.read_bytes(), "external-hub-kubeconfig", HUB)

        async def working() -> bool:
            await run_pods(management)
            status = (await management.get(MANAGERS, "", HUB)).get("status") or {}
            told = {c["type"]: (c["status"], c["reason"]) for c in status.get("conditions") or ()}
            return told.get("Progressing") == ("False", "ClusterManagerUpToDate") and all(
                told.get(f"Hub{part}Degraded", ("", ""))[0] == "False"
                for part in ("Registration", "Placement")
            )

        await eventually(working, 90)
        deployments = (await management.list(DEPLOYMENTS, HUB)).items
        assert {d["metadata"]["name"] for d in deployments} >= {
            f"{HUB}-registration-controller",
            f"{HUB}-placement-controller",
            f"{HUB}-registration-webhook",
        }
        assert (await hub.list(DEPLOYMENTS)).items == []
        for found in deployments:
            mounted = [v["secret"]["secretName"] for v in pod_volumes(found) if "secret" in v]
            (name,) = (name for name in mounted if name.endswith("-kubeconfig"))
            secret = await eventually(lambda name=name: find_object(management, SECRETS, name, HUB), 60)
            path = tmp_path / name
            path.write_bytes(base64.b64decode(secret["data"]["kubeconfig"]))
            pod = HttpCluster(load_kubeconfig(path))
            stack.push_async_callback(pod.close)
            assert await pod.version()
        assert await find_object(hub, CRDS, "managedclusters.cluster.open-cluster-management.io") is not None
        (webhook,) = (await hub.get(MUTATORS, "", MUTATOR))["webhooks"]
        assert webhook["clientConfig"]["url"].startswith("https://hub.example:443/mutate-")

        await management.delete(MANAGERS, "", HUB)

        async def gone() -> bool:
            return await find_object(management, MANAGERS, HUB) is None

        await eventually(gone, 90)
        assert (await management.list(DEPLOYMENTS, HUB)).items == []
        assert await find_object(hub, CRDS, "managedclusters.cluster.open-cluster-management.io") is None
        assert await find_object(hub, MUTATORS, MUTATOR) is None
        assert await find_object(hub, NAMESPACES, HUB) is None


def pod_volumes(found: Object) -> list[Object]:
    """The volumes of a Deployment's pods."""
    volumes: list[Object] = found["spec"]["template"]["spec"]["volumes"]
    return volumes
