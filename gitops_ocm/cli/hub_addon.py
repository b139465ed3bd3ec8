"""`gitops-ocm install hub-addon` and `uninstall hub-addon`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gitops_ocm.cli.asking import ask_hub, asking_options
from gitops_ocm.cli.list_options import names_option

if TYPE_CHECKING:
    from gitops_ocm.kube.client import HttpCluster

F = TypeVar("F", bound=Callable[..., Any])


def _options(command: F) -> F:
    namespace = click.option("--namespace", default="open-cluster-management", show_default=True)
    return names_option("--names", metavar="NAME,…", help="The add-ons.")(namespace(command))


@click.group()
def install() -> None:
    """Install add-ons on the hub."""


@click.group()
def uninstall() -> None:
    """Remove add-ons from the hub."""


@install.command("hub-addon")
@asking_options
@_options
def install_addon(names: tuple[str, ...], namespace: str, **options: Any) -> None:
    """Say how to install an add-on that clusteradm has built in."""

    async def look(hub: HttpCluster) -> None:
        from gitops_ocm.verbs import hub_addons

        hub_addons.install(names, namespace)

    ask_hub(options, look)


@uninstall.command("hub-addon")
@asking_options
@_options
def uninstall_addon(names: tuple[str, ...], namespace: str, **options: Any) -> None:
    """Check that no cluster has it any more, and say how to remove it."""

    async def look(hub: HttpCluster) -> None:
        from gitops_ocm.verbs import hub_addons

        await hub_addons.uninstall(hub, names, namespace)

    ask_hub(options, look)
