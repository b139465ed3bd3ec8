"""Options about a commit of the fleet's repository that is looked at, not synced."""

from __future__ import annotations

from pathlib import Path

import click

from gitops_ocm.cli.options import together

clone_options = together(
    click.option(
        "--repo",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        help="A clone of the fleet's repository.  [default: the current folder]",
    ),
    click.option("--path", default=".", metavar="DIR", help="The fleet's folder in the repository."),
)
"""Which clone, and where in it the fleet is."""

repo_options = together(
    clone_options,
    click.option(
        "--status-ref",
        default="status",
        show_default=True,
        metavar="REF",
        help="Where the fleet's state is told.",
    ),
)
"""The same, and where its state is told."""

at_options = together(
    click.option("--at", "revision", default="", metavar="REV", help="As of this commit; no hub is asked."),
    click.option(
        "--repo",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        help="With --at, a clone of the fleet's repository.  [default: the current folder]",
    ),
    click.option(
        "--path", default=".", metavar="DIR", help="With --at, the fleet's folder in the repository."
    ),
    click.option(
        "--status-ref",
        default="status",
        show_default=True,
        metavar="REF",
        help="With --at, where the fleet's state is told.",
    ),
)
"""Which commit of which repository is asked in place of a hub."""
