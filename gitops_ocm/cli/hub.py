"""`gitops-ocm hub`: the hub's controllers on a Kubernetes, or a whole embedded hub."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.git_options import credential_options, credentials_of, service_settings
from gitops_ocm.cli.health import Place, health_option, observing
from gitops_ocm.cli.hub_options import election_options, election_settings, hub_options, hub_settings
from gitops_ocm.cli.hub_webhook import certificate_options, place_of, webhook_command, webhooks
from gitops_ocm.cli.options import (
    address_of,
    answering,
    connect,
    connection_of,
    kubeconfig_options,
    log_options,
)
from gitops_ocm.cli.options import data_dir as default_data_dir
from gitops_ocm.cli.placement_debug import debug_option, debug_options
from gitops_ocm.cli.process import run

if TYPE_CHECKING:
    from gitops_ocm.decide.settings import HubSettings
    from gitops_ocm.hub.daemon import HubOptions
    from gitops_ocm.kube.cluster import Cluster
    from gitops_ocm.sync.service import ServiceSettings


@click.group()
def hub() -> None:
    """Run the hub: its controllers on a Kubernetes, or a whole embedded hub."""


hub.add_command(webhook_command)


def _controllers_option(command: Any) -> Any:
    return click.option(
        "--controllers",
        metavar="GROUP,…",
        help="Run only these groups of controllers (registration, placement, work, addon, sync).",
    )(command)


@hub.command("run", short_help="Run the controllers and the syncs of a hub on a Kubernetes.")
@kubeconfig_options
@_controllers_option
@hub_options
@election_options
@debug_option
@click.option("--webhook-listen", default="", metavar="HOST:PORT", help="Serve OCM's webhooks here, too.")
@certificate_options
@health_option
@credential_options
@log_options
def run_command(
    kubeconfig: Path | None,
    context: str | None,
    controllers: str | None,
    webhook_listen: str,
    health_listen: Place | None,
    debug_listen: Place | None,
    log_level: str,
    log_format: str,
    **options: Any,
) -> None:
    """Run the hub's controllers, and the sync of every HubSync, against a Kubernetes."""
    settings, election = hub_settings(options), election_settings(options)
    groups, place = _groups(controllers), place_of(webhook_listen, options)
    sync = service_settings(credentials_of(options))

    async def work(stop: asyncio.Event) -> None:
        from gitops_ocm.hub.daemon import run_elected

        cluster = connect(kubeconfig, context)
        try:
            async with observing(health_listen, cluster) as health:
                if not await answering(cluster, stop):
                    return
                health.ready()
                chosen = replace(
                    _options(cluster, groups, settings, sync),
                    debug=debug_options(debug_listen, cluster.connection),
                )
                async with webhooks(cluster, settings, place):
                    await run_elected(cluster, chosen, election, stop, ready=_say_ready(cluster.server))
        finally:
            await cluster.close()

    run(work, level=log_level, form=log_format)


def _data_dir_option(command: Any) -> Any:
    return click.option(
        "--data-dir",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where its state, keys and kubeconfigs are kept.  [default: a folder of the user's data]",
    )(command)


@hub.command(short_help="Serve an embedded hub.")
@_data_dir_option
@click.option(
    "--listen", default="127.0.0.1:0", show_default=True, metavar="HOST:PORT", help="Port 0 takes a free one."
)
@click.option(
    "--clusters",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Serve N managed clusters beside it, cluster1 to clusterN.",
)
@click.option(
    "--simulate-workloads/--no-simulate-workloads",
    default=True,
    show_default=True,
    help="Have pods on these clusters come to run; nothing is executed.",
)
@click.option(
    "--workload-delay",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a simulated pod takes to run.",
)
@click.option(
    "--beta-certificates",
    is_flag=True,
    help="Serve requests for certificates at certificates.k8s.io/v1beta1 only, as Kubernetes 1.16 to 1.18.",
)
@click.option(
    "--accept-clock",
    is_flag=True,
    help="Start although the clock is behind the time at which the state was last written.",
)
@click.option(
    "--descriptions",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="What kubectl explain says of built-in fields, as tools/builtin_schemas.py wrote it.",
)
@_controllers_option
@hub_options
@debug_option
@credential_options
@log_options
def serve(
    data_dir: Path | None,
    listen: str,
    clusters: int,
    simulate_workloads: bool,
    workload_delay: float,
    beta_certificates: bool,
    accept_clock: bool,
    descriptions: Path | None,
    controllers: str | None,
    debug_listen: Place | None,
    log_level: str,
    log_format: str,
    **options: Any,
) -> None:
    """Serve an embedded hub: an API server with every OCM kind, and all hub controllers."""
    directory = data_dir or default_data_dir("hub")
    host, port = address_of(listen)
    settings, groups = hub_settings(options), _groups(controllers)
    sync = service_settings(credentials_of(options))

    async def work(stop: asyncio.Event) -> None:
        from gitops_ocm.apiserver.serve import serve_fleet
        from gitops_ocm.apiserver.workloads_pods import Pace
        from gitops_ocm.decide.admission import Webhooks
        from gitops_ocm.decide.operators.table import in_process_rows
        from gitops_ocm.hub.daemon import run_hub
        from gitops_ocm.hub.simulated import simulated_workloads, stand_ins
        from gitops_ocm.operator.install import default_image

        fleet = serve_fleet(
            directory,
            clusters=clusters,
            host=host,
            port=port,
            beta_certificates=beta_certificates,
            accept_clock=accept_clock,
            descriptions=descriptions,
            admission=Webhooks(settings),
        )
        async with AsyncExitStack() as stack:
            server, members = await stack.enter_async_context(fleet)
            if simulate_workloads:
                delay = timedelta(seconds=workload_delay)
                apis = {name: member.api for name, member in members.items()}
                pace = Pace(running=delay, finished=delay * 3)
                simulated = simulated_workloads(apis, stop, pace=pace, operator=default_image())
                await stack.enter_async_context(simulated)
            for one in (server, *members.values()):
                click.echo(f"{one.name}: {one.url}  kubeconfig: {one.kubeconfig_path}")
            cluster = server.local()
            rows = (*in_process_rows(default_image()), *stand_ins())
            debug = debug_options(debug_listen, connection_of(server.kubeconfig_path))
            chosen = replace(_options(cluster, groups, settings, sync), beside=rows, debug=debug)
            await run_hub(cluster, chosen, stop, ready=_say_ready(server.url))

    run(work, level=log_level, form=log_format)


@hub.command(short_help="Copy an embedded hub to a file.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_data_dir_option
def backup(file: Path, data_dir: Path | None) -> None:
    """Copy an embedded hub, running or not, to FILE: its state, its keys, and the clusters beside it."""
    from gitops_ocm.apiserver.backup import back_up
    from gitops_ocm.cli.console import out

    size = back_up(data_dir or default_data_dir("hub"), file)
    out().print(f"{file}: {size / 2**20:.1f} MiB. Keep it safe: the hub's private keys are in it.")


@hub.command(short_help="Make a data directory of a backup.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@_data_dir_option
def restore(file: Path, data_dir: Path | None) -> None:
    """Make a new data directory of a backup. Clients that were ahead of the backup read everything anew."""
    from gitops_ocm.apiserver.backup import restore as put_back
    from gitops_ocm.cli.console import out

    directory = data_dir or default_data_dir("hub")
    put_back(file, directory)
    out().print(f"{directory} is ready for `gitops-ocm hub serve`")


def _groups(controllers: str | None) -> frozenset[str]:
    """The groups of `--controllers`; without it all of them."""
    from gitops_ocm.hub.daemon import check_groups, hub_groups

    if controllers is None:
        return frozenset(hub_groups())
    groups = frozenset(part.strip() for part in controllers.split(",") if part.strip())
    check_groups(groups)
    return groups


def _options(
    cluster: Cluster, groups: frozenset[str], settings: HubSettings, sync: ServiceSettings
) -> HubOptions:
    from gitops_ocm.hub.daemon import HubOptions
    from gitops_ocm.runtime.catalog import committed_kinds
    from gitops_ocm.sync.logged import logged
    from gitops_ocm.sync.service import SyncService

    catalog = committed_kinds()

    def make_sync(name: str) -> SyncService:
        return SyncService(cluster, name, settings=sync, catalog=catalog, listener=logged(sync=name))

    return HubOptions(groups, settings, make_sync)


def _say_ready(server: str) -> Callable[[], None]:
    started = time.monotonic()

    def ready() -> None:
        from gitops_ocm.runtime.log import get_logger

        seconds = round(time.monotonic() - started, 2)
        get_logger("hub").info("controllers run", server=server, seconds=seconds)

    return ready
