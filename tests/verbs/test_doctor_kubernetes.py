"""On a real control plane: what only its admission refuses, and that a fleet which is well is called so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from gitops_ocm.apiserver.serve import serve
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.klusterlet.agent import KlusterletOptions, run_klusterlet
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.testing.clusters import apply, connected, memory
from gitops_ocm.testing.objects import config_map, manifest_work
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs.doctor_text import text
from gitops_ocm.verbs.targets import ocm
from tests.klusterlet.conftest import hub_at
from tests.verbs.doctoring import HOOKS, Unique, Ward, alive, causes, comes, first, hub_in_memory, made, roots

pytestmark = pytest.mark.controlplane
QUOTAS = Resource("", "v1", "ResourceQuota", "resourcequotas", namespaced=True)
WORKS = ocm("work.open-cluster-management.io/v1", "ManifestWork")


@pytest.fixture
async def ward(kubernetes_kubeconfig: Path, tmp_path: Path) -> AsyncIterator[Ward]:
    """A real kube-apiserver as the hub, with our controllers."""
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(hub_at(kubernetes_kubeconfig, tmp_path))
        spoke = await stack.enter_async_context(memory())
        yield Ward(hub, spoke, tmp_path)


async def test_from_pending_to_well(ward: Ward, unique: Unique) -> None:
    """The course of joining: never asked, pending, well; then silent, once the agent is gone."""
    name = unique("real")
    assert roots(await ward.examined(name)) == ["cluster-unknown"]
    async with ward.agent(name, secret=True).running():
        await ward.found("csr-pending", name)
        await ward.joined(name)
        await ward.hub.admin.create(WORKS, manifest_work("run", name, [config_map("one", "default")]))
        await ward.healthy(name, spoke=True)
    found = await ward.found("agent-silent", name)
    assert roots(found) == ["agent-silent"]


async def test_a_quota_that_is_full(ward: Ward, unique: Unique) -> None:
    """A quota in the cluster's namespace refuses works: the server says so when asked to rehearse one."""
    name = unique("quota")
    async with ward.agent(name).running():
        await ward.joined(name)
        hard = {"count/manifestworks.work.open-cluster-management.io": "0"}
        quota: Object = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "none", "namespace": name},
            "spec": {"hard": hard},
        }
        await ward.hub.admin.create(QUOTAS, quota)
        # The controller that counts need not be among those of the control plane: it would write this.
        counted = {"status": {"hard": hard, "used": dict.fromkeys(hard, "0")}}
        await ward.hub.admin.patch(QUOTAS, name, "none", counted, subresource="status")
        found = await ward.found("quota-exceeded", name)
    assert first(found, "quota-exceeded").mend == f"kubectl describe resourcequota -n {name}"
    await ward.hub.admin.delete(QUOTAS, name, "none")


async def test_a_webhook_that_does_not_answer(ward: Ward, unique: Unique) -> None:
    """A webhook nobody serves refuses works in one namespace: it is named, in the server's words."""
    name = unique("hooked")
    async with ward.agent(name).running():
        await ward.joined(name)
        rule = {
            "apiGroups": ["work.open-cluster-management.io"],
            "apiVersions": ["v1"],
            "operations": ["CREATE"],
            "resources": ["manifestworks"],
        }
        hook = {
            "name": f"{name}.example.com",
            "clientConfig": {"url": "https://127.0.0.1:1/refuse"},
            "rules": [rule],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}},
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "timeoutSeconds": 2,
        }
        configuration: Object = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": HOOKS.kind,
            "metadata": {"name": name},
            "webhooks": [hook],
        }
        await ward.hub.admin.create(HOOKS, configuration)
        try:
            found = await ward.found("webhook-refusing", name)
        finally:
            await ward.hub.admin.delete(HOOKS, "", name)
        assert f"{name}.example.com" in first(found, "webhook-refusing").sentence

        async def well() -> bool:
            return not (await ward.examined(name)).diagnosis.findings

        await eventually(well)


async def test_operators_that_are_not_there(ward: Ward, unique: Unique) -> None:
    """What an operator is to look after, and nobody does: on the hub and where the agents run."""
    name, admin = unique("left"), ward.hub.admin
    group = "operator.open-cluster-management.io/v1"
    objects: list[Object] = [
        {"apiVersion": group, "kind": "ClusterManager", "metadata": {"name": name}, "spec": {}},
        {
            "apiVersion": group,
            "kind": "Klusterlet",
            "metadata": {"name": name},
            "spec": {"clusterName": name},
        },
    ]
    await made(admin, *objects)
    both = Ward(ward.hub, admin, ward.folder)

    async def told() -> bool:
        found = await both.examined(name, spoke=True)
        missed = [causes(found).get(f"{who}-not-handled", []) for who in ("operator", "klusterlet")]
        assert [f.subject for f in missed[0]] == [f"ClusterManager {name}"], text(found)
        logs = "kubectl -n open-cluster-management logs deployment/klusterlet"
        assert [f.mend for f in missed[1]] == [logs], text(found)
        return True

    try:
        await eventually(told)
    finally:
        for obj in objects:
            await admin.delete(ocm(group, obj["kind"]), "", name)


async def test_the_right_that_is_named_mends(kubectl: Path, tmp_path: Path) -> None:
    """A work that its agent may not apply: the command that doctor names is run, and it is applied."""
    quota: Object = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "few", "namespace": "default"},
        "spec": {"hard": {"pods": "1"}},
    }
    own = [{"apiGroups": ["work.open-cluster-management.io"], "resources": ["*"], "verbs": ["*"]}]
    label = {"open-cluster-management.io/aggregate-to-work": "true"}
    stop = asyncio.Event()
    async with (
        hub_in_memory() as hub,
        serve(tmp_path / "spoke") as server,
        connected(server.kubeconfig_path) as admin,
    ):
        rights = {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": label}]}, "rules": []}
        await apply(admin, [*_granted("sum", rights), *_granted("agent", {"rules": own})])
        await alive(hub, "runs")
        await made(hub, manifest_work("limits", "runs", [quota]))
        spoke = HttpCluster(load_kubeconfig(server.kubeconfig_path).acting_as("agent"))
        settings = AgentSettings("runs", hub_server="https://hub.example")
        running = asyncio.create_task(run_klusterlet(hub, spoke, KlusterletOptions(settings), stop))
        try:
            mend = first(await comes(hub, "work-not-applied", "runs"), "work-not-applied").mend
            places = {"HOME": str(tmp_path), "PATH": str(kubectl.parent)}
            env = {"KUBECONFIG": str(server.kubeconfig_path), **places}
            done = await asyncio.create_subprocess_exec("/bin/sh", "-c", mend, env=env)
            assert await done.wait() == 0, mend

            async def applied() -> bool:
                return is_true(await hub.get(WORKS, "runs", "limits"), "Applied")

            await eventually(applied, 90)
        finally:
            stop.set()
            await running
            await spoke.close()


def _granted(name: str, role: Object) -> list[Object]:
    """A role of the user agent."""
    group = "rbac.authorization.k8s.io"
    ref = {"apiGroup": group, "kind": "ClusterRole", "name": name}
    return [
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": name}, **role},
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": ref,
            "subjects": [{"apiGroup": group, "kind": "User", "name": "agent"}],
        },
    ]
