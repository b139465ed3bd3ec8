"""`gitops-ocm klusterlet`: the agent of one managed cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.agent_options import agent_options, agent_settings
from gitops_ocm.cli.git_options import credential_options, credentials_of
from gitops_ocm.cli.options import answering, cache_dir, connect, log_options
from gitops_ocm.cli.process import run

if TYPE_CHECKING:
    from gitops_ocm.git.command import Credentials
    from gitops_ocm.live.runner import Runner

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def klusterlet() -> None:
    """Run the agent of one managed cluster."""


@klusterlet.command("run")
@click.option("--cluster-name", required=True, metavar="NAME", help="The ManagedCluster it speaks for.")
@click.option("--hub-kubeconfig", type=_FILE, required=True, metavar="FILE", help="How it reaches the hub.")
@click.option(
    "--spoke-kubeconfig",
    type=_FILE,
    metavar="FILE",
    help="The managed cluster.  [default: $KUBECONFIG, ~/.kube/config, or the pod's service account]",
)
@click.option("--agents", metavar="GROUP,…", help="Run only these (registration, work, status).")
@click.option("--agent-id", default="", help="Marks what this agent has applied.  [default: the hub's hash]")
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
@agent_options
@credential_options
@log_options
def run_command(
    cluster_name: str,
    hub_kubeconfig: Path,
    spoke_kubeconfig: Path | None,
    agents: str | None,
    agent_id: str,
    status_repo: str | None,
    status_interval: float,
    log_level: str,
    log_format: str,
    **options: Any,
) -> None:
    """Apply the hub's work to one managed cluster and report back."""
    tuned = agent_settings(options)
    credentials = credentials_of(options)
    if agents is not None and "status" in agents.split(",") and status_repo is None:
        raise click.UsageError("--agents status needs --status-repo: the repository to commit to")

    async def work(stop: asyncio.Event) -> None:
        from gitops_ocm.decide.settings import AgentSettings
        from gitops_ocm.klusterlet.agent import STATUS, KlusterletOptions, agent_groups, run_klusterlet

        hub, spoke = connect(hub_kubeconfig), connect(spoke_kubeconfig)
        groups = (
            frozenset(part.strip() for part in agents.split(",")) if agents else frozenset(agent_groups())
        )
        settings = AgentSettings(cluster_name, hub_server=hub.server, agent_id=agent_id, **tuned)
        beside = []
        if status_repo is not None and STATUS in groups:
            beside.append(_committing(cluster_name, status_repo, credentials, status_interval, stop))
        try:
            if not (await answering(hub, stop) and await answering(spoke, stop)):
                return
            await run_klusterlet(hub, spoke, KlusterletOptions(settings, groups), stop, beside=beside)
        finally:
            await hub.close()
            await spoke.close()

    run(work, level=log_level, form=log_format)


def _committing(
    cluster: str, url: str, credentials: Credentials, interval: float, stop: asyncio.Event
) -> Callable[[Runner], Coroutine[Any, Any, None]]:
    async def work(runner: Runner) -> None:
        from gitops_ocm.klusterlet.account import keep_account

        await keep_account(
            runner, cluster, url, stop, cache_dir=cache_dir(), credentials=credentials, interval=interval
        )

    return work
