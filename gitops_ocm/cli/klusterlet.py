"""`gitops-ocm klusterlet`: the agent of one managed cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
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
    from gitops_ocm.decide.settings import AgentSettings
    from gitops_ocm.git.command import Credentials
    from gitops_ocm.klusterlet.registration import Beside, RegistrationOptions
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.live.runner import Runner

_FILE = click.Path(path_type=Path, dir_okay=False)
_STATUS = "status"
"""The group that commits the cluster's own account; `klusterlet.agent` names the others."""


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
    from gitops_ocm.decide.settings import AgentSettings

    gates, lifetime = options["feature_gates"], options["lifetime"]
    registration = registration_of(options, cluster_name=cluster_name, agent_name=agent_id, gates=gates)
    if (registration is None) == (hub_kubeconfig is None):
        raise click.UsageError("give either --bootstrap-kubeconfig, to register, or --hub-kubeconfig")
    if registration is None and not cluster_name:
        raise click.UsageError("--hub-kubeconfig needs --cluster-name: whom it speaks for")
    tuned = {**agent_settings(options), "certificate_lifetime": lifetime}
    groups = _chosen(agents, status_repo)
    credentials = credentials_of(options)
    account = _Account(status_repo, credentials, status_interval) if status_repo is not None else None
    wanted = _Wanted(
        spoke=spoke_kubeconfig,
        hub=hub_kubeconfig,
        registration=registration,
        settings=AgentSettings(cluster_name, agent_id=agent_id, **tuned),
        groups=groups,
        account=account if _STATUS in groups else None,
        beta=gates.get(BETA_GATE, False),
        leader_elect=leader_elect,
        health=health_listen,
        options=options,
    )
    run(wanted.run, level=log_level, form=log_format)


@dataclass(frozen=True)
class _Account:
    """Where the cluster's own account is committed, and how often at most."""

    url: str
    credentials: Credentials
    interval: float

    def keeping(self, cluster: str, stop: asyncio.Event) -> Callable[[Runner], Coroutine[Any, Any, None]]:
        """The task that commits it, beside the agents of that cluster."""

        async def work(runner: Runner) -> None:
            from gitops_ocm.klusterlet.account import keep_account

            await keep_account(
                runner,
                cluster,
                self.url,
                stop,
                cache_dir=cache_dir(),
                credentials=self.credentials,
                interval=self.interval,
            )

        return work


@dataclass(frozen=True)
class _Wanted:
    """What a command line came to: which agents run, for which cluster, and how they reach its hub."""

    spoke: Path | None
    hub: Path | None
    registration: RegistrationOptions | None
    settings: AgentSettings
    groups: frozenset[str]
    account: _Account | None
    beta: bool
    leader_elect: bool | None
    health: Place | None
    options: dict[str, Any]

    async def run(self, stop: asyncio.Event) -> None:
        """Run them until asked to stop, while this process leads."""
        async with AsyncExitStack() as stack:
            spoke = connect(self.spoke, rate=rate_of(self.options, "kube_api"))
            stack.push_async_callback(spoke.close)
            management = own_cluster() or spoke
            stack.push_async_callback(management.close)

            async def leading(stop: asyncio.Event) -> None:
                await self._lead(spoke, management, stack, stop)

            health = await stack.enter_async_context(observing(self.health, management))
            if await answering(management, stop):
                health.ready()
                await as_leader(self.leader_elect, management, self.groups, leading, stop)

    async def _lead(
        self, spoke: HttpCluster, management: HttpCluster, stack: AsyncExitStack, stop: asyncio.Event
    ) -> None:
        """Register where that is asked for; then, or at once with a hub's kubeconfig, do the agents' work."""
        from gitops_ocm.klusterlet.kubeconfig import address_of
        from gitops_ocm.klusterlet.process import Klusterlet

        klusterlet = Klusterlet(
            spoke,
            management,
            *places(self.options, management),
            self.settings,
            self.groups,
            beta=self.beta,
            beside=self._beside,
        )
        if self.registration is not None:
            if await answering(spoke, stop):
                await klusterlet.register(self.registration.trusting(spoke.connection.ca.read()), stop)
            return
        hub = connect(self.hub, rate=rate_of(self.options, "hub_kube_api"))
        stack.push_async_callback(hub.close)
        if await answering(hub, stop) and await answering(spoke, stop):
            await klusterlet.run(hub, address_of(hub.connection), stop)

    def _beside(self, name: str, leave: asyncio.Event) -> list[Beside]:
        return [self.account.keeping(name, leave)] if self.account is not None else []


def _chosen(agents: str | None, status_repo: str | None) -> frozenset[str]:
    """The groups to run; all of them where none were named."""
    from gitops_ocm.klusterlet.agent import agent_groups

    if agents is None:
        return frozenset(agent_groups())
    chosen = frozenset(part.strip() for part in agents.split(","))
    if _STATUS in chosen and status_repo is None:
        raise click.UsageError("--agents status needs --status-repo: the repository to commit to")
    return chosen
