"""`gitops-ocm accept`: let clusters in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.change_options import Destination, change_options
from gitops_ocm.cli.flags import GoCommand, switch
from gitops_ocm.cli.install_options import failing, flat, names_option, patience_of, timeout_option
from gitops_ocm.cli.options import kubeconfig_options

if TYPE_CHECKING:
    from gitops_ocm.verbs.targets import Target
    from gitops_ocm.verbs.voice import Voice


@click.command(cls=GoCommand)
@kubeconfig_options
@names_option("-c", "--cluster", "--clusters", "clusters", metavar="NAME,…", help="Which clusters to let in.")
@names_option("--requesters", metavar="NAME,…", help="The agents meant, by the names they ask for.")
@switch("--skip-approve-check", help="Approve whatever was asked for, by whomever.")
@switch("--wait", help="Wait for cluster and request.")
@timeout_option
@change_options
def accept(
    clusters: tuple[tuple[str, ...], ...],
    requesters: tuple[tuple[str, ...], ...],
    skip_approve_check: bool,
    wait: bool,
    timeout: float,
    **options: Any,
) -> None:
    """Let clusters in: approve their certificate requests and set hubAcceptsClient."""
    names = flat(clusters)
    if not names:
        raise click.UsageError("give --clusters: which to let in")

    async def work(target: Target, voice: Voice) -> int:
        from gitops_ocm.cli.console import print_error
        from gitops_ocm.verbs.accept import AcceptOptions, accept_all

        chosen = AcceptOptions(
            skip_check=skip_approve_check,
            requesters=flat(requesters),
            wait=wait,
            dry_run=destination.dry_run,
            patience=patience_of({"timeout": timeout}),
        )
        failed = await accept_all(target, getattr(target, "cluster", None), names, chosen, voice)
        for error in failed:
            print_error(error)
        return 1 if failed else 0

    destination = Destination.taken_from(options)
    subject = f"Accept {names[0]}" if len(names) == 1 else f"Accept {len(names)} clusters"
    with failing():
        raise click.exceptions.Exit(destination.run(work, subject))
