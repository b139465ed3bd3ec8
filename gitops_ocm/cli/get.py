"""`gitops-ocm get`: what a hub has, and what is installed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gitops_ocm.cli.asking import ask, ask_hub, asking_options, shown
from gitops_ocm.cli.list_options import cluster_options, clusters_of
from gitops_ocm.cli.main import LazyGroup

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
@asking_options
@_output
@click.option("--clusterset", default="", metavar="NAME", help="Only the clusters of this set.")
def clusters(output: str, clusterset: str, **options: Any) -> None:
    """List managed clusters."""

    async def read(hub: HttpCluster) -> Listing:
        from gitops_ocm.verbs.listing import clusters

        return await clusters(hub, clusterset)

    _print(options, output, read)


@click.command()
@asking_options
@_output
def cluster_sets(output: str, **options: Any) -> None:
    """List cluster sets."""

    async def read(hub: HttpCluster) -> Listing:
        from gitops_ocm.verbs.listing import cluster_sets

        return await cluster_sets(hub)

    _print(options, output, read)


@click.command()
@asking_options
@_output
@cluster_options
@click.argument("names", nargs=-1)
def addons(output: str, names: tuple[str, ...], **options: Any) -> None:
    """List add-ons, all or those named."""
    on = clusters_of(options, required=False)

    async def read(hub: HttpCluster) -> Listing:
        from gitops_ocm.verbs.listing_work import addons

        return await addons(hub, names, on)

    _print(options, output, read)


@click.command()
@asking_options
@_output
@cluster_options
@click.argument("name", default="")
def works(output: str, name: str, **options: Any) -> None:
    """List the works of clusters, all or the one named."""
    on = clusters_of(options)

    async def read(hub: HttpCluster) -> Listing:
        from gitops_ocm.verbs.listing_work import works

        return await works(hub, on, name)

    _print(options, output, read)


@click.command()
@asking_options
@_output
@click.option("-n", "--namespace", default="", help="Only those of this namespace.")
@click.argument("name", default="")
def placements(output: str, namespace: str, name: str, **options: Any) -> None:
    """List placements, all or the one named."""

    async def read(hub: HttpCluster) -> Listing:
        from gitops_ocm.verbs.listing import placements

        return await placements(hub, namespace, name)

    _print(options, output, read)


@click.command()
@asking_options
def hub_info(**options: Any) -> None:
    """Show what is installed on a hub."""

    async def read(hub: HttpCluster) -> str:
        from gitops_ocm.verbs.installed import hub_info

        return await hub_info(hub)

    shown(ask_hub(options, read))


@click.command()
@asking_options
def klusterlet_info(**options: Any) -> None:
    """Show what is installed on a managed cluster."""

    async def read(spoke: HttpCluster) -> str:
        from gitops_ocm.verbs.installed import klusterlet_info
        from gitops_ocm.verbs.targets import require_managed

        await require_managed(spoke)
        return await klusterlet_info(spoke)

    shown(ask(options, read))


def _print(options: dict[str, Any], output: str, read: Callable[[HttpCluster], Awaitable[Listing]]) -> None:
    async def text(hub: HttpCluster) -> str:
        from gitops_ocm.verbs.output import Form

        return (await read(hub)).text(Form(output))

    shown(ask_hub(options, text))
