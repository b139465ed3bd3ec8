"""`gitops-ocm proxy`: clusters that are reached through cluster-proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.asking import ask_hub, asking_options
from gitops_ocm.cli.change_options import voice
from gitops_ocm.cli.list_options import cluster_options, clusters_of

if TYPE_CHECKING:
    from gitops_ocm.kube.client import HttpCluster


@click.group()
def proxy() -> None:
    """Look after clusters that are reached through cluster-proxy."""


@proxy.command()
@asking_options
@cluster_options
def health(**options: Any) -> None:
    """Show where cluster-proxy is installed and available."""
    on = clusters_of(options, required=False)

    async def work(hub: HttpCluster) -> None:
        from gitops_ocm.verbs.proxy import health

        await health(hub, voice(), on)

    ask_hub(options, work)


@proxy.command(short_help="Check that a cluster can be reached so.")
@asking_options
@click.option("-c", "--cluster", required=True, metavar="NAME", help="The managed cluster.")
@click.option("--args", "arguments", default="", help="What kubectl is to be given.")
def kubectl(cluster: str, arguments: str, **options: Any) -> None:
    """Check that a cluster can be reached so; running kubectl there is left to clusteradm."""

    async def work(hub: HttpCluster) -> None:
        from gitops_ocm.verbs.proxy import kubectl

        await kubectl(hub, voice(), cluster, arguments)

    ask_hub(options, work)
