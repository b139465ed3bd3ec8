"""The RBAC manifests: held to the controller table, and tried out with nothing else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from structlog.testing import capture_logs

from gitops_ocm.apiserver.rbac import Attributes, Policy, User, covers
from gitops_ocm.apiserver.serve import serve
from gitops_ocm.decide import access
from gitops_ocm.decide.contract import Side
from gitops_ocm.decide.controllers import agent_controllers
from gitops_ocm.decide.kinds import RBAC_GROUP
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.hub.daemon import HubOptions
from gitops_ocm.hub.template import template_files
from gitops_ocm.klusterlet.agent import KlusterletOptions, run_klusterlet
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.operator.rbac import HUB, KLUSTERLET, NAMESPACE, table_rights
from gitops_ocm.operator.rbac_files import rbac_files
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.sync.loop import SyncSettings
from gitops_ocm.sync.service import ServiceSettings, SyncService
from gitops_ocm.testing.clusters import apply
from gitops_ocm.testing.controlplane import control_plane
from gitops_ocm.testing.gitops import SYNCS, WORKS, Repo
from gitops_ocm.testing.hub import controllers_on
from gitops_ocm.testing.programs import ensure
from gitops_ocm.testing.witness import Witness

DEPLOY = Path(__file__).parents[2] / "deploy" / "rbac"
GO_MODULE = Path(__file__).parents[1] / "controlplane"
CLUSTER_ROLES = Resource(RBAC_GROUP, "v1", "ClusterRole", "clusterroles", namespaced=False)
Eventually = Callable[..., Awaitable[object]]


def objects_of(name: str) -> list[Object]:
    """The objects of a checked-in file."""
    return list(YAML(typ="safe", pure=True).load_all((DEPLOY / name).read_text()))


def test_checked_in_files() -> None:
    """deploy/rbac is what tools/write_rbac.py would write now."""
    found = {path.name: path.read_text() for path in DEPLOY.glob("*.yaml")}
    assert found == rbac_files(), "run: python tools/write_rbac.py"


@pytest.mark.parametrize("name", ["hub.yaml", "klusterlet.yaml"])
def test_nothing_that_grants_everything(name: str) -> None:
    """No wildcard, and nobody who may grant what they do not hold, read Secrets, or act as others."""
    rules = [rule for obj in objects_of(name) for rule in obj.get("rules") or ()]
    assert rules
    for rule in rules:
        assert "*" not in (*rule["apiGroups"], *rule["resources"], *rule["verbs"])
        assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"])
        assert "secrets" not in rule["resources"]


def test_an_agent_asks_no_more_than_acceptance_gives() -> None:
    """All that the agent's rows read and write on the hub is in the rights that OCM gives its identity."""
    roles = [access.cluster_role("c1", accepted=True, labels={}), *access.shared_roles(labels={})]
    policy = Policy(
        (), roles, access.role_bindings("c1", labels={}), [access.cluster_role_binding("c1", labels={})]
    )
    agent = User(*access.agent_identity("c1", "agent"))
    rows = agent_controllers(AgentSettings("c1"))
    catalog = load_catalog()
    asked = 0
    for (group, resource, names), verbs in table_rights(rows, Side.HUB, catalog).verbs.items():
        plural, _, subresource = resource.partition("/")
        namespace = "" if plural == "managedclusters" else "c1"
        for verb in verbs:
            name = next(iter(names), "c1")
            assert policy.allows(agent, Attributes(verb, group, plural, subresource, namespace, name))
            asked += 1
    assert asked > 12


def test_the_hub_may_grant_what_it_has_to() -> None:
    """The hub's role holds every rule of the roles it makes for agents: RBAC refuses those who do not."""
    held = next(
        o for o in objects_of("hub.yaml") if o["kind"] == "ClusterRole" and o["metadata"]["name"] == HUB
    )
    roles = [access.cluster_role("c1", accepted=True, labels={}), *access.shared_roles(labels={})]
    for rule in (rule for role in roles for rule in role["rules"]):
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                plural, _, subresource = resource.partition("/")
                for verb in rule["verbs"]:
                    wanted = Attributes(verb, group, plural, subresource)
                    assert any(covers(have, wanted) for have in held["rules"]), wanted


@contextmanager
def kubernetes(tmp_path: Path) -> Any:
    """A new real control plane without any of our kinds; its kubeconfig."""
    with control_plane(ensure(os.environ, GO_MODULE), tmp_path / "plane") as plane:
        yield plane.kubeconfig


@asynccontextmanager
async def started(server: str, tmp_path: Path) -> AsyncIterator[Path]:
    """A new API server of either sort; its kubeconfig."""
    if server == "embedded":
        async with serve(tmp_path / server) as embedded:
            yield embedded.kubeconfig_path
    else:
        with kubernetes(tmp_path) as kubeconfig:
            yield kubeconfig


def account(kubeconfig: Path, name: str) -> Any:
    """The server as the service account of our manifests sees it."""
    user = f"system:serviceaccount:{NAMESPACE}:{name}"
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}")
    return Witness(HttpCluster(load_kubeconfig(kubeconfig).acting_as(user, groups)))


@pytest.mark.slow
@pytest.mark.parametrize("server", ["embedded", pytest.param("kubernetes", marks=pytest.mark.controlplane)])
async def test_a_fleet_runs_on_these_rights(server: str, tmp_path: Path, eventually: Eventually) -> None:
    """From an empty hub and cluster to the template's works and their status: nobody is refused anything."""
    repo = Repo(tmp_path / "fleet.git")
    files = {str(path): text for path, text in template_files(["cluster1"]).items()}
    repo.commit({path: text for path, text in files.items() if not path.startswith(".")})
    stop = asyncio.Event()
    catalog = load_catalog()
    async with AsyncExitStack() as stack:
        kubeconfig = await stack.enter_async_context(started(server, tmp_path))
        # A real hub manages itself here, so that a klusterlet's rights meet the real RBAC too.
        spoke_kubeconfig = kubeconfig
        if server == "embedded":
            spoke_kubeconfig = await stack.enter_async_context(started(server, tmp_path / "spoke"))
        admin, spoke_admin = (HttpCluster(load_kubeconfig(k)) for k in (kubeconfig, spoke_kubeconfig))
        await apply(admin, objects_of("hub.yaml"))
        await apply(spoke_admin, objects_of("klusterlet.yaml"))
        if server == "kubernetes":  # which collects the rules of an aggregated role some time later
            for role in ("gitops-ocm-sync", "gitops-ocm-work"):
                await eventually(lambda role=role: _rules(admin, role))
        hub, spoke = account(kubeconfig, HUB), account(spoke_kubeconfig, KLUSTERLET)
        identity = access.agent_identity("cluster1", "agent")
        agent: Any = Witness(HttpCluster(load_kubeconfig(kubeconfig).acting_as(*identity)))
        for cluster in (admin, spoke_admin, hub, spoke, agent):
            stack.push_async_callback(cluster.close)
        settings = ServiceSettings(SyncSettings(tmp_path / "cache"), status_interval=0.2)

        def make_sync(name: str) -> SyncService:
            return SyncService(hub, name, settings=settings, catalog=catalog)

        logs = stack.enter_context(capture_logs())
        await stack.enter_async_context(controllers_on(hub, HubOptions(make_sync=make_sync)))
        running = asyncio.create_task(_agent(agent, spoke, stop))
        try:
            await admin.create(SYNCS, _sync(repo))
            await eventually(lambda: _is(admin, SYNCS, "", "fleet", "Ready"), 60)
            await eventually(lambda: _is(admin, WORKS, "cluster1", "mw-01", "Applied"), 60)
            await eventually(lambda: "cluster1/works/mw-01" in _status_files(repo))
            agent.refused.clear()
            repo.commit({"works/mw-01.yaml": None})
            await eventually(lambda: _gone(admin, "cluster1", "mw-01"), 60)
            assert (hub.refused, spoke.refused, agent.refused) == ([], [], [])
        finally:
            stop.set()
            await running
    trouble = [line for line in logs if line["log_level"] in ("error", "critical")]
    assert trouble == []


async def _agent(agent: Any, spoke: Any, stop: asyncio.Event) -> None:
    options = KlusterletOptions(AgentSettings("cluster1", hub_server=agent.server))
    await run_klusterlet(agent, spoke, options, stop)


def _sync(repo: Repo) -> Object:
    return {
        "apiVersion": "sync.gitops-ocm.io/v1alpha1",
        "kind": "HubSync",
        "metadata": {"name": "fleet"},
        "spec": {"repository": {"url": str(repo.path)}, "interval": "1s"},
    }


def _status_files(repo: Repo) -> str:
    there = repo.git("branch", "--list", "status")
    return repo.git("ls-tree", "-r", "--name-only", "status") if there else ""


async def _rules(cluster: Cluster, name: str) -> Any:
    return (await cluster.get(CLUSTER_ROLES, "", name)).get("rules")


async def _is(cluster: Cluster, resource: Resource, namespace: str, name: str, condition: str) -> bool:
    return is_true(await cluster.get(resource, namespace, name), condition)


async def _gone(cluster: Cluster, namespace: str, name: str) -> bool:
    works = await cluster.list(WORKS, namespace)
    return name not in [obj["metadata"]["name"] for obj in works.items]
