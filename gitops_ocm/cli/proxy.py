"""`gitops-ocm proxy`: clusters that are reached through cluster-proxy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.change_options import voice
from gitops_ocm.cli.install_options import failing
from gitops_ocm.cli.list_options import cluster_options, clusters_of
from gitops_ocm.cli.options import connect, kubeconfig_options

if TYPE_CHECKING:
    from gitops_ocm.kube.client import HttpCluster


@click.group()
def proxy() -> None:
    """Look after clusters that are reached through cluster-proxy."""


@proxy.command()
@kubeconfig_options
@cluster_options
def health(kubeconfig: Path | None, context: str | None, **options: Any) -> None:
    """Show where cluster-proxy is installed and available."""
    on = clusters_of(options, required=False)

    async def work(hub: HttpCluster) -> None:
        from gitops_ocm.verbs.proxy import health

        await health(hub, voice(), on)

    _run(kubeconfig, context, work)


@proxy.command(short_help="Check that a cluster can be reached so.")
@kubeconfig_options
@click.option("--cluster", required=True, metavar="NAME", help="The managed cluster.")
@click.option("--args", "arguments", default="", help="What kubectl is to be given.")
def kubectl(kubeconfig: Path | None, context: str | None, cluster: str, arguments: str) -> None:
    """Check that a cluster can be reached so; running kubectl there is left to clusteradm."""

    async def work(hub: HttpCluster) -> None:
        from gitops_ocm.verbs.proxy import kubectl

        await kubectl(hub, voice(), cluster, arguments)

    _run(kubeconfig, context, work)


def _run(
    kubeconfig: Path | None, context: str | None, work: Callable[[HttpCluster], Awaitable[None]]
) -> None:
    async def run() -> None:
        from gitops_ocm.verbs.targets import require_hub

        cluster = connect(kubeconfig, context)
        try:
            await require_hub(cluster)
            await work(cluster)
        finally:
            await cluster.close()

    with failing():
        asyncio.run(run())
