"""`gitops-ocm render`: what a commit would have synced, as kubectl takes it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from gitops_ocm.cli.commit_options import repo_options


@click.command()
@click.argument("revision", default="", metavar="[REV]")
@click.option(
    "-c", "--cluster", default="", metavar="NAME", help="What this cluster is given, manifest by manifest."
)
@repo_options
@click.option(
    "-o", "--output", type=click.Choice(["yaml", "json", "name"]), default="yaml", show_default=True
)
@click.option("--mask", is_flag=True, help="Hide the values of Secrets.")
def render(
    revision: str, cluster: str, repo: Path, path: str, status_ref: str, output: str, mask: bool
) -> None:
    """Print what a sync of REV applies, in its order; without REV, of the files on disk.

    Each object is as Git has it, after a line with its file. With --cluster: the manifests of all works of
    that cluster, those of replica sets and add-ons filled in, once everything has been rolled out. No
    cluster is asked, and Secrets are printed as they are in Git unless --mask is given.

    \b
    gitops-ocm render | kubectl apply --dry-run=server -f -
    gitops-ocm render main -o name | xargs -L 1 kubectl get
    """
    from gitops_ocm.cli.console import print_diagnostics
    from gitops_ocm.verbs.fleet_at import Place, fleet_at
    from gitops_ocm.verbs.render import Form, on_cluster, text, wanted

    with fleet_at(Place(repo, revision, path, status_ref)) as fleet:
        print_diagnostics(fleet.desired.diagnostics)
        if cluster:
            found, doubts = on_cluster(fleet, cluster, datetime.now(UTC).replace(microsecond=0))
            print_diagnostics(doubts)
        else:
            found = wanted(fleet)
    click.echo(text(found, Form(output), mask=mask), nl=False)
