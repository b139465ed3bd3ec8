"""`gitops-ocm get`: what a hub has, and what is installed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gitops_ocm.cli.install_options import failing
from gitops_ocm.cli.list_options import cluster_options, clusters_of
from gitops_ocm.cli.main import LazyGroup
from gitops_ocm.cli.options import connect, kubeconfig_options

if TYPE_CHECKING:
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.verbs.output import Listing

F = TypeVar("F", bound=Callable[..., Any])

_HERE = "gitops_ocm.cli.get"


@click.group(
    cls=LazyGroup,
    lazy={
        "clusters": (f"{_HERE}:clusters", "Managed clusters."),
        "clustersets": (f"{_HERE}:cluster_sets", "Cluster sets, where they are bound, who is in them."),
        "addon": (f"{_HERE}:addons", "Add-ons and how they stand on the clusters."),
        "works": (f"{_HERE}:works", "What clusters are to run, and whether they do."),
        "placements": (f"{_HERE}:placements", "Placements and the clusters they selected."),
        "token": ("gitops_ocm.cli.tokens:get_token", "A token to join with, and the command."),
        "hub-info": (f"{_HERE}:hub_info", "What is installed on a hub."),
        "klusterlet-info": (f"{_HERE}:klusterlet_info", "What is installed on a managed cluster."),
    },
    aliases={"addons": "addon", "cluster": "clusters", "clusterset": "clustersets", "work": "works"},
)
def get() -> None:
    """Show what a hub has, and what is installed."""


def _output(command: F) -> F:
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["tree", "table", "yaml", "json"]),
        default="tree",
        show_default=True,
    )(command)


@click.command()
@kubeconfig_options
@_output
@click.option("--clusterset", default="", metavar="NAME", help="Only the clusters of this set.")
def clusters(kubeconfig: Path | None, context: str | None, output: str, clusterset: str) -> None:
    """List managed clusters."""

    async def read(hub: HttpCluster) -> Listing:
        from gitops_ocm.verbs.listing import clusters

        return await clusters(hub, clusterset)

    _print(kubeconfig, context, output, read)


@click.command()
@kubeconfig_options
@_output
def cluster_sets(kubeconfig: Path | None, context: str | None, output: str) -> None:
    """List cluster sets."""

    async def read(hub: HttpCluster) -> Listing:
        from gitops_ocm.verbs.listing import cluster_sets

        return await cluster_sets(hub)

    _print(kubeconfig, context, output, read)


@click.command()
@kubeconfig_options
@_output
@cluster_options
@click.argument("names", nargs=-1)
def addons(
    kubeconfig: Path | None, context: str | None, output: str, names: tuple[str, ...], **options: Any
) -> None:
    """List add-ons, all or those named."""
    on = clusters_of(options, required=False)

    async def read(hub: HttpCluster) -> Listing:
        from gitops_ocm.verbs.listing_work import addons

        return await addons(hub, names, on)

    _print(kubeconfig, context, output, read)


@click.command()
@kubeconfig_options
@_output
@cluster_options
@click.argument("name", default="")
def works(kubeconfig: Path | None, context: str | None, output: str, name: str, **options: Any) -> None:
    """List the works of clusters, all or the one named."""
    on = clusters_of(options)

    async def read(hub: HttpCluster) -> Listing:
        from gitops_ocm.verbs.listing_work import works

        return await works(hub, on, name)

    _print(kubeconfig, context, output, read)


@click.command()
@kubeconfig_options
@_output
@click.option("-n", "--namespace", default="", help="Only those of this namespace.")
@click.argument("name", default="")
def placements(kubeconfig: Path | None, context: str | None, output: str, namespace: str, name: str) -> None:
    """List placements, all or the one named."""

    async def read(hub: HttpCluster) -> Listing:
        from gitops_ocm.verbs.listing import placements

        return await placements(hub, namespace, name)

    _print(kubeconfig, context, output, read)


@click.command()
@kubeconfig_options
def hub_info(kubeconfig: Path | None, context: str | None) -> None:
    """Show what is installed on a hub."""

    async def read(hub: HttpCluster) -> str:
        from gitops_ocm.verbs.installed import hub_info
        from gitops_ocm.verbs.targets import require_hub

        await require_hub(hub)
        return await hub_info(hub)

    click.echo(_read(kubeconfig, context, read), nl=False)


@click.command()
@kubeconfig_options
def klusterlet_info(kubeconfig: Path | None, context: str | None) -> None:
    """Show what is installed on a managed cluster."""

    async def read(spoke: HttpCluster) -> str:
        from gitops_ocm.verbs.installed import klusterlet_info
        from gitops_ocm.verbs.targets import require_managed

        await require_managed(spoke)
        return await klusterlet_info(spoke)

    click.echo(_read(kubeconfig, context, read), nl=False)


def _print(
    kubeconfig: Path | None,
    context: str | None,
    output: str,
    read: Callable[[HttpCluster], Awaitable[Listing]],
) -> None:
    async def text(hub: HttpCluster) -> str:
        from gitops_ocm.verbs.output import Form
        from gitops_ocm.verbs.targets import require_hub

        await require_hub(hub)
        return (await read(hub)).text(Form(output))

    click.echo(_read(kubeconfig, context, text), nl=False)


def _read(kubeconfig: Path | None, context: str | None, read: Callable[[HttpCluster], Awaitable[str]]) -> str:
    async def work() -> str:
        cluster = connect(kubeconfig, context)
        try:
            return await read(cluster)
        finally:
            await cluster.close()

    with failing():
        return asyncio.run(work())
