"""The manager of authors' add-ons: rows of the controller table, run by the same runner as the hub's.

What it needs beside the hub's own add-on manager is little: it deploys and registers agents, judges their
health, and says what the configurations of its add-ons hash to. `rights` is all it has to be allowed.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gitops_ocm.addon.agent import AuthorAgents
from gitops_ocm.addon.definition import Addon
from gitops_ocm.api.registration import CERTIFICATES_GROUP, CLIENT_SIGNER
from gitops_ocm.decide.addons.agent_table import agent_rows
from gitops_ocm.decide.addons.author_configs import config_rows
from gitops_ocm.decide.contract import Controller, Side
from gitops_ocm.decide.kinds import DEPLOYMENT_CONFIG, RBAC_GROUP
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.ref import Object
from gitops_ocm.operator.rbac import table_rights
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.runtime.tasks import Tasks

_CONFIGS = {DEPLOYMENT_CONFIG: "addondeploymentconfigs"}


def rows(*addons: Addon[Any]) -> tuple[Controller, ...]:
    """The controller table of a manager of these add-ons."""
    named = {addon.name: addon for addon in addons}
    if not addons or len(named) != len(addons):
        raise GitopsError("a manager has add-ons of different names", hint="give each add-on once")
    prefix = f"addon-{'-'.join(sorted(named))}"[:63]
    made = agent_rows(AuthorAgents(named), _CONFIGS, group=prefix, prefix=prefix)
    return (*made, *config_rows(frozenset(named), group=prefix, prefix=prefix))


def rights(*addons: Addon[Any], account: str = "", namespace: str = "default") -> list[Object]:
    """A ClusterRole with what a manager of these add-ons may do, and its binding to a ServiceAccount.

    It holds what it grants its agents, for nobody may grant what they do not hold; and of Secrets it may read
    those it signs with.
    """
    allowed = table_rights(rows(*addons), Side.HUB, load_catalog())
    if any(addon.hub_access is not None for addon in addons):
        allowed.allow(CERTIFICATES_GROUP, "signers", ("approve",), [CLIENT_SIGNER])
    for addon in addons:
        for rule in addon.hub_access.rules if addon.hub_access is not None else ():
            allowed.allow(RBAC_GROUP, "roles", ("get", "list", "watch", "create", "patch", "delete"))
            for resource in rule.resources:
                allowed.allow(rule.group, resource, rule.verbs, rule.names)
        for signer in addon.signers:
            allowed.allow(CERTIFICATES_GROUP, "signers", ("approve", "sign"), [signer.name])
            allowed.allow("", "secrets", ("get", "list", "watch"), [signer.ca_secret])
    name = account or f"{addons[0].name}-addon-manager"
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    version, ref = f"{RBAC_GROUP}/v1", {"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": name}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}},
        {"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": name}, "rules": allowed.rules()},
        {
            "apiVersion": version,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": ref,
            "subjects": [subject],
        },
    ]


@asynccontextmanager
async def manage(*addons: Addon[Any], hub: Cluster | Path | str) -> AsyncIterator[Runner]:
    """A manager at work on a hub (or the one of a kubeconfig) as long as the block lasts."""
    table = rows(*addons)
    if isinstance(hub, Path | str):
        cluster = HttpCluster(load_kubeconfig(Path(hub)))
        try:
            async with _managed(table, cluster) as runner:
                yield runner
        finally:
            await cluster.close()
    else:
        async with _managed(table, hub) as runner:
            yield runner


@asynccontextmanager
async def _managed(table: Sequence[Controller], hub: Cluster) -> AsyncIterator[Runner]:
    stop, runner = asyncio.Event(), Runner(table, {Side.HUB: hub})
    async with Tasks("add-on manager") as tasks:
        tasks.start("rows", runner.run(stop))
        try:
            await runner.synced()
            yield runner
        finally:
            stop.set()


def run(*addons: Addon[Any], kubeconfig: Path | str) -> None:
    """Manage these add-ons on the hub of a kubeconfig until SIGINT or SIGTERM."""
    asyncio.run(_until_stopped(addons, Path(kubeconfig)))


async def _until_stopped(addons: tuple[Addon[Any], ...], kubeconfig: Path) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with manage(*addons, hub=kubeconfig):
        await stop.wait()
