"""`gitops-ocm install hub-addon` and `uninstall hub-addon`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gitops_ocm.cli.install_options import failing
from gitops_ocm.cli.list_options import names_option
from gitops_ocm.cli.options import connect, kubeconfig_options

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
@kubeconfig_options
@_options
def install_addon(
    kubeconfig: Path | None, context: str | None, names: tuple[str, ...], namespace: str
) -> None:
    """Say how to install an add-on that clusteradm has built in."""
    _run(kubeconfig, context, names, namespace, removing=False)


@uninstall.command("hub-addon")
@kubeconfig_options
@_options
def uninstall_addon(
    kubeconfig: Path | None, context: str | None, names: tuple[str, ...], namespace: str
) -> None:
    """Check that no cluster has it any more, and say how to remove it."""
    _run(kubeconfig, context, names, namespace, removing=True)


def _run(
    kubeconfig: Path | None, context: str | None, names: tuple[str, ...], namespace: str, *, removing: bool
) -> None:
    async def work() -> None:
        from gitops_ocm.verbs import hub_addons
        from gitops_ocm.verbs.targets import require_hub

        cluster = connect(kubeconfig, context)
        try:
            await require_hub(cluster)
            if removing:
                await hub_addons.uninstall(cluster, names, namespace)
            else:
                hub_addons.install(names, namespace)
        finally:
            await cluster.close()

    with failing():
        asyncio.run(work())
