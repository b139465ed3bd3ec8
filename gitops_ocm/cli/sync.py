"""`gitops-ocm sync`: reconcile a Git repository onto a hub, once or as a daemon."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.git_options import (
    credential_options,
    credentials_of,
    hubsync,
    repository_options,
    service_settings,
)
from gitops_ocm.cli.health import Place, health_option, observing
from gitops_ocm.cli.options import answering, connect, kubeconfig_options, log_options
from gitops_ocm.cli.process import run

if TYPE_CHECKING:
    from gitops_ocm.objects.ref import Object
    from gitops_ocm.sync.events import Listener
    from gitops_ocm.sync.service import ServiceSettings


@click.command()
@kubeconfig_options
@repository_options
@credential_options
@click.option("--once", is_flag=True, help="Make one pass and exit: 0 in sync, 1 not, 2 trouble.")
@click.option(
    "--hook-socket",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Answer pushes into a local repository at this socket; installs its post-receive hook.",
)
@click.option(
    "--status-interval",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    help="Least seconds between two commits on the status branch.",
)
@click.option("--quiet", "-q", is_flag=True, help="Do not list single objects.")
@health_option
@log_options
def sync(
    kubeconfig: Path | None,
    context: str | None,
    once: bool,
    hook_socket: Path | None,
    status_interval: float,
    quiet: bool,
    health_listen: Place | None,
    log_level: str,
    log_format: str,
    **options: Any,
) -> int:
    """Reconcile a Git repository onto a hub, and the hub's state back into Git.

    What is synced is written in a HubSync on the hub. With --repo one is made where there is none:

    \b
      gitops-ocm sync --repo https://git.example.com/fleet.git --kubeconfig hub.kubeconfig
    """
    from gitops_ocm.cli.progress import ProgressLines

    credentials = credentials_of(options)
    if hook_socket is not None:
        _install_hook(options["repo"], hook_socket)
    settings = service_settings(credentials, status_interval=status_interval, hook_socket=hook_socket)
    listener = ProgressLines(quiet=quiet)

    async def work(stop: asyncio.Event) -> int:
        cluster = connect(kubeconfig, context)
        try:
            async with observing(health_listen, cluster) as health:
                if not once and not await answering(cluster, stop):
                    return 0
                health.ready()
                return await _sync(cluster, options, settings, listener, stop, once=once)
        finally:
            await cluster.close()

    return run(work, level="warning" if once and log_level == "info" else log_level, form=log_format)


async def _sync(
    cluster: Any,
    options: dict[str, Any],
    settings: ServiceSettings,
    listener: Listener,
    stop: asyncio.Event,
    *,
    once: bool,
) -> int:
    from gitops_ocm.operator.crds import ensure_crds, sync_crds
    from gitops_ocm.runtime.catalog import committed_kinds
    from gitops_ocm.sync.service import SyncService

    name, create = options["name"], hubsync(**options)
    if create is not None:
        await ensure_crds(cluster, sync_crds())
        await _expect(cluster, create, listener, once=once)
    service = SyncService(
        cluster, name, settings=settings, catalog=committed_kinds(), create=create, listener=listener
    )
    if not once:
        await service.run(stop)
        return 0
    attempt = await service.loop.once(stop)
    return 0 if attempt.ok else 1


async def _expect(cluster: Any, create: Object, listener: Listener, *, once: bool) -> None:
    """A HubSync that follows something else ends a single pass; a daemon says so and serves it."""
    from gitops_ocm.sync.events import Level, Phase, SyncEvent
    from gitops_ocm.sync.record import OtherRepository, check_expected

    try:
        await check_expected(cluster, create)
    except OtherRepository as error:
        if once:
            raise
        listener(SyncEvent(Phase.FETCH, error.message, Level.WARNING, hint=error.hint))


def _install_hook(repo: str | None, socket: Path) -> None:
    from gitops_ocm.git.hook import install_hook
    from gitops_ocm.git.source import open_repository

    if repo is None or not Path(repo).is_dir():
        raise click.UsageError("--hook-socket needs --repo with a repository on this machine")
    repository = open_repository(repo, socket.parent)
    assert repository.git.git_dir is not None
    install_hook(repository.git.git_dir, socket.resolve())
