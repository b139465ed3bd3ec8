"""`gitops-ocm klusterlet`: the agent of one managed cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.agent_options import agent_options, agent_settings
from gitops_ocm.cli.git_options import credential_options, credentials_of
from gitops_ocm.cli.options import answering, cache_dir, connect, log_options
from gitops_ocm.cli.process import run
from gitops_ocm.cli.registration_options import places, registration_of, registration_options

if TYPE_CHECKING:
    from gitops_ocm.git.command import Credentials
    from gitops_ocm.klusterlet.kept import Kept
    from gitops_ocm.klusterlet.registration import Beside, Registered, RegistrationOptions
    from gitops_ocm.kube.cluster import Cluster
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
@registration_options
@agent_options
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
    log_level: str,
    log_format: str,
    **options: Any,
) -> None:
    """Apply the hub's work to one managed cluster and report back."""
    gates = options["feature_gates"]
    registration = registration_of(options, cluster_name=cluster_name, agent_name=agent_id, gates=gates)
    if (registration is None) == (hub_kubeconfig is None):
        raise click.UsageError(
            "give --bootstrap-kubeconfig to register, or the --hub-kubeconfig of one registered"
        )
    if registration is None and not cluster_name:
        raise click.UsageError("--hub-kubeconfig needs --cluster-name: whom it speaks for")
    tuned = agent_settings(options)
    credentials = credentials_of(options)
    if agents is not None and "status" in agents.split(",") and status_repo is None:
        raise click.UsageError("--agents status needs --status-repo: the repository to commit to")

    async def agent(
        hub: Cluster, spoke: Cluster, name: str, stop: asyncio.Event, beside: Sequence[Beside] = ()
    ) -> None:
        from gitops_ocm.decide.settings import AgentSettings
        from gitops_ocm.klusterlet.agent import STATUS, KlusterletOptions, agent_groups, run_klusterlet

        groups = (
            frozenset(part.strip() for part in agents.split(",")) if agents else frozenset(agent_groups())
        )
        settings = AgentSettings(name, hub_server=hub.server, agent_id=agent_id, **tuned)
        tasks = list(beside)
        if status_repo is not None and STATUS in groups:
            tasks.append(_committing(name, status_repo, credentials, status_interval, stop))
        await run_klusterlet(hub, spoke, KlusterletOptions(settings, groups), stop, beside=tasks)

    async def work(stop: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            spoke = connect(spoke_kubeconfig)
            stack.push_async_callback(spoke.close)
            if registration is not None:
                if await answering(spoke, stop):
                    await _registering(
                        registration, places(options, spoke), partial(agent, spoke=spoke), stop
                    )
                return
            hub = connect(hub_kubeconfig)
            stack.push_async_callback(hub.close)
            if await answering(hub, stop) and await answering(spoke, stop):
                await agent(hub, spoke, cluster_name, stop)

    run(work, level=log_level, form=log_format)


async def _registering(
    options: RegistrationOptions,
    places: tuple[Kept, Kept],
    agent: Callable[..., Coroutine[Any, Any, None]],
    stop: asyncio.Event,
) -> None:
    """Register, and run the agent as who that makes it."""
    from gitops_ocm.klusterlet.registration import Registration

    async def as_registered(
        hub: Cluster, who: Registered, leave: asyncio.Event, beside: Sequence[Beside]
    ) -> None:
        await agent(hub, name=who.cluster_name, stop=leave, beside=beside)

    await Registration(options, *places).run(as_registered, stop)


def _committing(
    cluster: str, url: str, credentials: Credentials, interval: float, stop: asyncio.Event
) -> Callable[[Runner], Coroutine[Any, Any, None]]:
    async def work(runner: Runner) -> None:
        from gitops_ocm.klusterlet.account import keep_account

        await keep_account(
            runner, cluster, url, stop, cache_dir=cache_dir(), credentials=credentials, interval=interval
        )

    return work
