"""`gitops-ocm clusterset`: who is in a cluster set, and where it is bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.change_options import Destination, change_options
from gitops_ocm.cli.flags import GoCommand, limit_option
from gitops_ocm.cli.list_options import names_option
from gitops_ocm.cli.options import kubeconfig_options

if TYPE_CHECKING:
    from gitops_ocm.verbs.targets import Target
    from gitops_ocm.verbs.voice import Voice

_NAMESPACE = click.option("--namespace", default="default", show_default=True, help="The namespace.")


@click.group()
def clusterset() -> None:
    """Bind cluster sets to namespaces, and put clusters into them."""


@clusterset.command(cls=GoCommand)
@kubeconfig_options
@click.argument("name")
@_NAMESPACE
@limit_option
@change_options
def bind(name: str, namespace: str, **options: Any) -> int:
    """Make a set available to the placements of a namespace."""
    _check_namespace(namespace)

    async def work(target: Target, voice: Voice) -> None:
        from gitops_ocm.verbs.clustersets import bind

        await bind(target, voice, name, namespace)

    return Destination.taken_from(options).run(work, f"Bind cluster set {name} to {namespace}")


@clusterset.command(cls=GoCommand)
@kubeconfig_options
@click.argument("name")
@_NAMESPACE
@limit_option
@change_options
def unbind(name: str, namespace: str, **options: Any) -> int:
    """Take a set away from a namespace."""
    _check_namespace(namespace)

    async def work(target: Target, voice: Voice) -> None:
        from gitops_ocm.verbs.clustersets import unbind

        await unbind(target, voice, name, namespace)

    return Destination.taken_from(options).run(work, f"Unbind cluster set {name} from {namespace}")


@clusterset.command("set", cls=GoCommand)
@kubeconfig_options
@click.argument("name")
@names_option("--clusters", metavar="NAME,…", help="Clusters to put into the set.")
@names_option("--namespaces", metavar="NAME,…", help="Namespaces that the set's clusters are to have.")
@limit_option
@change_options
def set_(name: str, clusters: tuple[str, ...], namespaces: tuple[str, ...], **options: Any) -> int:
    """Put clusters into a set, and give the set managed namespaces."""

    async def work(target: Target, voice: Voice) -> None:
        from gitops_ocm.verbs.clustersets import set_members

        await set_members(target, voice, name, clusters, namespaces)

    what = ", ".join([*clusters, *(f"namespace {n}" for n in namespaces)])
    return Destination.taken_from(options).run(work, f"Put {what} into cluster set {name}")


def _check_namespace(namespace: str) -> None:
    if not namespace:
        raise click.UsageError("namespace name must be specified in --namespace")
