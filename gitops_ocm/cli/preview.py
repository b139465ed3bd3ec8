"""`gitops-ocm preview`: what a change of the repository does to the fleet, before it is merged."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from gitops_ocm.cli.preview_output import Output, output_options, show


@click.command()
@click.argument("revisions", default="", metavar="[BASE..HEAD]")
@click.option(
    "--repo",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="A clone of the fleet's repository.  [default: the current folder]",
)
@click.option("--path", default=".", metavar="DIR", help="The fleet's folder in the repository.")
@click.option(
    "--status-ref",
    default="status",
    show_default=True,
    metavar="REF",
    help="Where the fleet's state is told.",
)
@click.option(
    "--assume-fail",
    multiple=True,
    metavar="CLUSTER|set=NAME|label=KEY=VALUE",
    help="Take what these clusters are given to go bad.",
)
@click.option(
    "--assume-down",
    multiple=True,
    metavar="CLUSTER|set=NAME|label=KEY=VALUE",
    help="Take these clusters not to answer.",
)
@click.option(
    "--assume-takes",
    default="0s",
    metavar="DURATION",
    show_default=True,
    help="How long a cluster takes until what it is given is available.",
)
@output_options
def preview(
    revisions: str,
    repo: Path,
    path: str,
    status_ref: str,
    assume_fail: tuple[str, ...],
    assume_down: tuple[str, ...],
    assume_takes: str,
    outputs: tuple[Output, ...],
    full: bool,
    artifact: str,
) -> int:
    """Show what a merge would do to the fleet: objects, placements, rollouts, clusters.

    Without an argument: the files on disk against where the branch left main. No cluster is asked; the
    fleet's state is what its status branch tells. Exits with 0 when nothing would change, 1 when
    something would, 2 on trouble, 3 when the sync would refuse it.
    """
    from gitops_ocm.preview.assumptions import Assumptions
    from gitops_ocm.preview.run import Settings
    from gitops_ocm.verbs.preview import review

    assumed = Assumptions(assume_fail, assume_down, _seconds(assume_takes))
    found = review(
        repo,
        revisions,
        now=datetime.now(UTC),
        path=path,
        status_ref=status_ref,
        settings=Settings(assumed=assumed),
    )
    return show(found, outputs, full=full, artifact=artifact)


def _seconds(text: str) -> float:
    from gitops_ocm.api.scalars import parse_duration

    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: {error}", param_hint="--assume-takes") from error
