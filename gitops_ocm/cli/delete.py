"""`gitops-ocm delete`: cluster sets, works, tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gitops_ocm.cli.change_options import Destination, change_options
from gitops_ocm.cli.flags import GoCommand, switch
from gitops_ocm.cli.list_options import cluster_options, clusters_of
from gitops_ocm.cli.main import LazyGroup
from gitops_ocm.cli.options import kubeconfig_options

if TYPE_CHECKING:
    from gitops_ocm.verbs.targets import Target
    from gitops_ocm.verbs.voice import Voice

F = TypeVar("F", bound=Callable[..., Any])

_HERE = "gitops_ocm.cli.delete"


@click.group(
    cls=LazyGroup,
    lazy={
        "clusterset": (f"{_HERE}:clusterset", "A cluster set that is bound nowhere."),
        "work": (f"{_HERE}:work", "What clusters were to run."),
        "token": ("gitops_ocm.cli.tokens:delete_token", "What clusters join with."),
    },
)
def delete() -> None:
    """Delete cluster sets, works, tokens."""


def _timeout(seconds: int) -> Callable[[F], F]:
    return click.option(
        "--timeout",
        default=seconds,
        show_default=True,
        type=click.IntRange(min=1),
        help="Seconds to wait until it is gone.",
    )


@click.command(cls=GoCommand)
@kubeconfig_options
@click.argument("names", nargs=-1)
@_timeout(300)
@change_options
def clusterset(names: tuple[str, ...], timeout: int, **options: Any) -> int:
    """Delete a cluster set that is bound nowhere."""
    if len(names) != 1:
        which = (
            "only one clusterset can be deleted" if names else "the name of the clusterset must be specified"
        )
        raise click.UsageError(which)

    async def act(target: Target, voice: Voice) -> None:
        from gitops_ocm.verbs.clustersets import delete_set
        from gitops_ocm.verbs.waiting import Patience

        await delete_set(target, voice, names[0], Patience(timeout))

    return Destination.taken_from(options).run(act, f"Delete cluster set {names[0]}")


@click.command(cls=GoCommand)
@kubeconfig_options
@click.argument("name")
@cluster_options
@switch("--force", help="Without the agents' cleanup: what they applied stays there.")
@_timeout(10)
@change_options
def work(name: str, force: bool, timeout: int, **options: Any) -> int:
    """Delete the work of that name of each cluster."""
    clusters = clusters_of(options)

    async def act(target: Target, voice: Voice) -> None:
        from gitops_ocm.verbs.waiting import Patience
        from gitops_ocm.verbs.works import delete_works

        await delete_works(target, voice, name, clusters, Patience(timeout), force=force)

    return Destination.taken_from(options).run(act, f"Delete work {name} of {', '.join(clusters)}")
