"""What commands share that only look: their options, and how they reach the API they ask."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gitops_ocm.cli.flags import limit_option, switch, verbosity_option
from gitops_ocm.cli.install_options import failing, within
from gitops_ocm.cli.options import connect, kubeconfig_options, together

if TYPE_CHECKING:
    from gitops_ocm.kube.client import HttpCluster

T = TypeVar("T")

asking_options = together(
    kubeconfig_options,
    limit_option,
    verbosity_option,
    # Scripts give it to every verb. Whoever only looks writes nothing anyhow.
    switch("--dry-run", hidden=True, expose_value=False, help="Nothing is written."),
)
"""`--kubeconfig`, `--context`, `--timeout`, and what scripts give every verb of clusteradm."""


def ask(options: dict[str, Any], look: Callable[[HttpCluster], Awaitable[T]]) -> T:
    """What a look at the cluster that the options name comes to; an error ends the command with 1."""

    async def work() -> T:
        cluster = connect(options["kubeconfig"], options["context"])
        try:
            return await look(cluster)
        finally:
            await cluster.close()

    with failing():
        return asyncio.run(within(options["limit"], work()))


def ask_hub(options: dict[str, Any], look: Callable[[HttpCluster], Awaitable[T]]) -> T:
    """The same of what has to be a hub."""

    async def checked(hub: HttpCluster) -> T:
        from gitops_ocm.verbs.targets import require_hub

        await require_hub(hub)
        return await look(hub)

    return ask(options, checked)


def shown(text: str) -> None:
    """Print a whole answer, whose last line has its end."""
    click.echo(text, nl=False)
