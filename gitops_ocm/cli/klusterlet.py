"""`gitops-ocm klusterlet`: the agent of one managed cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.agent_options import agent_options, agent_settings
from gitops_ocm.cli.git_options import credential_options, credentials_of
from gitops_ocm.cli.health import Place, health_option, observing
from gitops_ocm.cli.options import answering, cache_dir, connect, log_options, own_cluster
from gitops_ocm.cli.process import run
from gitops_ocm.cli.registration_options import (
    BETA_GATE,
    as_leader,
    places,
    rate_of,
    registration_of,
    registration_options,
)

if TYPE_CHECKING:
    from gitops_ocm.git.command import Credentials
    from gitops_ocm.klusterlet.registration import Beside
    from gitops_ocm.live.runner import Runner

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def klusterlet() -> None:
    """Run the agent of one managed cluster."""


@klusterlet.command("run")
@click.option(
    "--cluster-name",
    "--spoke-cluster-name",
    "cluster_name",
    default="",
    metavar="NAME",
    help="The ManagedCluster it speaks for.  [default with a bootstrap kubeconfig: made up, and kept]",
)
@click.option(
    "--hub-kubeconfig",
    type=_FILE,
    metavar="FILE",
    help="How it reaches a hub where it is registered already.",
)
@click.option(
    "--spoke-kubeconfig",
    type=_FILE,
    metavar="FILE",
    help="The managed cluster.  [default: $KUBECONFIG, ~/.kube/config, or the pod's service account]",
)
@click.option("--agents", metavar="GROUP,…", help="Run only these (registration, work, status).")
@click.option(
    "--agent-id",
    default="",
    help="Its name in its certificate, and marks what it has applied.  [default: made up; the hub's hash]",
)
@click.option(
    "--status-repo",
    metavar="URL",
    help="Commit this cluster's own account to the branch agents/<cluster> of this repository.",
)
@click.option(
    "--status-interval",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    help="Least seconds between two commits.",
)
@click.option(
    "--leader-elect/--no-leader-elect",
    default=None,
    help="Work only while no other process does so for this cluster.  [default: in a pod]",
)
@registration_options
@agent_options
@health_option
@credential_options
@log_options
def run_command(
    cluster_name: str,
    hub_kubeconfig: Path | None,
    spoke_kubeconfig: Path | None,
    agents: str | None,
    agent_id: str,
    status_repo: str | None,
    status_interval: float,
    leader_elect: bool | None,
    health_listen: Place | None,
    log_level: str,
    log_format: str,
    **options: Any,
) -> None:
    """Apply the hub's work to one managed cluster and report back."""
    gates, lifetime = options["feature_gates"], options["lifetime"]
    registration = registration_of(options, cluster_name=cluster_name, agent_name=agent_id, gates=gates)
    if (registration is None) == (hub_kubeconfig is None):
        raise click.UsageError("give either --bootstrap-kubeconfig, to register, or --hub-kubeconfig")
    if registration is None and not cluster_name:
        raise click.UsageError("--hub-kubeconfig needs --cluster-name: whom it speaks for")
    tuned = {**agent_settings(options), "certificate_lifetime": lifetime}
    credentials = credentials_of(options)
    chosen = _chosen(agents, status_repo)

    async def work(stop: asyncio.Event) -> None:
        from gitops_ocm.decide.settings import AgentSettings
        from gitops_ocm.klusterlet.agent import STATUS
        from gitops_ocm.klusterlet.kubeconfig import address_of
        from gitops_ocm.klusterlet.process import Klusterlet

        def beside(name: str, leave: asyncio.Event) -> list[Beside]:
            if status_repo is None or STATUS not in chosen:
                return []
            return [_committing(name, status_repo, credentials, status_interval, leave)]

        async with AsyncExitStack() as stack:
            spoke = connect(spoke_kubeconfig, rate=rate_of(options, "kube_api"))
            stack.push_async_callback(spoke.close)
            management = own_cluster() or spoke
            stack.push_async_callback(management.close)
            klusterlet = Klusterlet(
                spoke,
                management,
                *places(options, management),
                AgentSettings(cluster_name, agent_id=agent_id, **tuned),
                chosen,
                beta=gates.get(BETA_GATE, False),
                beside=beside,
            )

            async def leading(stop: asyncio.Event) -> None:
                if registration is not None:
                    if await answering(spoke, stop):
                        await klusterlet.register(registration, stop)
                    return
                hub = connect(hub_kubeconfig, rate=rate_of(options, "hub_kube_api"))
                stack.push_async_callback(hub.close)
                if await answering(hub, stop) and await answering(spoke, stop):
                    await klusterlet.run(hub, address_of(hub.connection), stop)

            health = await stack.enter_async_context(observing(health_listen, management))
            if await answering(management, stop):
                health.ready()
                await as_leader(leader_elect, management, chosen, leading, stop)

    run(work, level=log_level, form=log_format)


def _chosen(agents: str | None, status_repo: str | None) -> frozenset[str]:
    """The groups to run; all of them where none were named."""
    from gitops_ocm.klusterlet.agent import STATUS, agent_groups

    if agents is None:
        return frozenset(agent_groups())
    chosen = frozenset(part.strip() for part in agents.split(","))
    if STATUS in chosen and status_repo is None:
        raise click.UsageError("--agents status needs --status-repo: the repository to commit to")
    return chosen


def _committing(
    cluster: str, url: str, credentials: Credentials, interval: float, stop: asyncio.Event
) -> Callable[[Runner], Coroutine[Any, Any, None]]:
    async def work(runner: Runner) -> None:
        from gitops_ocm.klusterlet.account import keep_account

        await keep_account(
            runner, cluster, url, stop, cache_dir=cache_dir(), credentials=credentials, interval=interval
        )

    return work
