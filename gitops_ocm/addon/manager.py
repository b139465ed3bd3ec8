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
from gitops_ocm.live.election import ElectionSettings, lead
from gitops_ocm.live.leader import pod_namespace
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import LEASES
from gitops_ocm.operator.rbac import table_rights
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.runtime.tasks import Tasks

HOME = "default"
"""Where a manager's leases are, unless it runs in a pod or is told another namespace."""
_CONFIGS = {DEPLOYMENT_CONFIG: "addondeploymentconfigs"}


def rows(*addons: Addon[Any]) -> tuple[Controller, ...]:
    """The controller table of a manager of these add-ons."""
    named = {addon.name: addon for addon in addons}
    if not addons or len(named) != len(addons):
        raise GitopsError("a manager has add-ons of different names", hint="give each add-on once")
    prefix = f"addon-{'-'.join(sorted(named))}"[:63]
    made = agent_rows(AuthorAgents(named), _CONFIGS, group=prefix, prefix=prefix)
    return (*made, *config_rows(frozenset(named), group=prefix, prefix=prefix))


def locks(*addons: Addon[Any]) -> list[str]:
    """The leases that a manager has to hold: one an add-on, so no two processes manage the same."""
    return [f"{addon.name}-addon-manager" for addon in addons]


def rights(*addons: Addon[Any], account: str = "", namespace: str = "default") -> list[Object]:
    """What a manager of these add-ons may do, given to a ServiceAccount: on the whole hub, and of leases.

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
    account_made = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": namespace},
    }
    return [
        account_made,
        *_bound("Cluster", name, namespace, allowed.rules()),
        *_bound("", name, namespace, _on_leases(locks(*addons))),
    ]


def _on_leases(names: Sequence[str]) -> list[Object]:
    """What leader election needs; who makes a lease cannot be held to its name."""
    own = {"resourceNames": sorted(names), "verbs": ["get", "update", "watch"]}
    leases = {"apiGroups": [LEASES.group], "resources": [LEASES.plural]}
    return [{**leases, **own}, {**leases, "verbs": ["create"]}]


def _bound(scope: str, name: str, namespace: str, rules: Sequence[Object]) -> list[Object]:
    """A role of the cluster or of the namespace, given to the account of that name."""
    version, meta = f"{RBAC_GROUP}/v1", {"name": name, **({} if scope else {"namespace": namespace})}
    ref = {"apiGroup": RBAC_GROUP, "kind": f"{scope}Role", "name": name}
    subjects = [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]
    return [
        {"apiVersion": version, "kind": f"{scope}Role", "metadata": meta, "rules": list(rules)},
        {
            "apiVersion": version,
            "kind": f"{scope}RoleBinding",
            "metadata": meta,
            "roleRef": ref,
            "subjects": subjects,
        },
    ]


@asynccontextmanager
async def manage(*addons: Addon[Any], hub: Cluster | Path | str) -> AsyncIterator[Runner]:
    """A manager at work on a hub (or the one of a kubeconfig) as long as the block lasts.

    It asks nobody whether another one is at work: that is `managing`.
    """
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


async def managing(
    *addons: Addon[Any], hub: Cluster, stop: asyncio.Event, election: ElectionSettings | None
) -> None:
    """Manage on a hub until `stop`, while no other process manages any of these add-ons; at once without
    `election`. Raises `LeadershipLost` where another one has taken over.
    """
    table = rows(*addons)

    async def work(ending: asyncio.Event) -> None:
        async with _managed(table, hub):
            await ending.wait()

    if election is None:
        await work(stop)
    else:
        await lead(hub, locks(*addons), election, stop, work)


def run(*addons: Addon[Any], kubeconfig: Path | str, namespace: str = "") -> None:
    """Manage these add-ons on the hub of a kubeconfig until SIGINT or SIGTERM, while no other process does.

    The leases that say so are in `namespace` (the pod's own, or `default`).
    """
    election = ElectionSettings(namespace or pod_namespace() or HOME)
    asyncio.run(_until_stopped(addons, Path(kubeconfig), election))


async def _until_stopped(
    addons: tuple[Addon[Any], ...], kubeconfig: Path, election: ElectionSettings
) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    hub = HttpCluster(load_kubeconfig(kubeconfig))
    try:
        await managing(*addons, hub=hub, stop=stop, election=election)
    finally:
        await hub.close()
