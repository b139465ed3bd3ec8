"""`gitops-ocm get token` and `gitops-ocm delete token`: what clusters join with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.flags import switch
from gitops_ocm.cli.init import OUTPUTS, print_fields
from gitops_ocm.cli.install_options import FILE, perform, verb_options, write_private

if TYPE_CHECKING:
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.kube.identity import Connection
    from gitops_ocm.verbs.tokens import JoinInfo
    from gitops_ocm.verbs.voice import Voice


@click.command(short_help="Print a token and the command to join with.")
@verb_options
@switch("--use-bootstrap-token", help="The stored token, not a new one of an hour.")
@click.option("--output-file", type=FILE, metavar="FILE", help="Write the command to join with into a file.")
@click.option(
    "-o", "--output", type=OUTPUTS, default="text", show_default=True, help="How to print the token."
)
def get_token(use_bootstrap_token: bool, output_file: Path | None, output: str, **options: Any) -> None:
    """Print a token to join the hub with, and the command to run on the cluster."""

    async def work(hub: HttpCluster, at: Connection, voice: Voice) -> JoinInfo:
        from gitops_ocm.verbs.targets import require_hub
        from gitops_ocm.verbs.tokens import join_info

        await require_hub(hub)
        return await join_info(hub, at.server, stored=use_bootstrap_token)

    join = perform(options, work)
    line = f"{join.command()} --cluster-name <cluster_name>"
    if output_file is not None:
        write_private(output_file, f"{line}\n".encode())
    if output != "text":
        print_fields(join, output)
        return
    click.echo(f"token={join.token}")
    click.echo(f"please log on spoke and run:\n{line}")


@click.command(short_help="Take away the tokens to join with.")
@verb_options
def delete_token(**options: Any) -> None:
    """Take away the tokens to join with, and the rights that they gave."""

    async def work(hub: HttpCluster, at: Connection, voice: Voice) -> None:
        from gitops_ocm.verbs.applying import DRY_RUN
        from gitops_ocm.verbs.tokens import delete_tokens

        if options["dry_run"]:
            voice.note(DRY_RUN)
        await delete_tokens(hub, voice, dry_run=options["dry_run"])

    perform(options, work)
