"""`gitops-ocm version`: what this is, and which bundle it installs unless told otherwise: its own."""

from __future__ import annotations

import click

from gitops_ocm import __version__


@click.command()
def version() -> None:
    """Print the version, and that of the default bundle."""
    click.echo(f"gitops-ocm\tversion\t:{__version__}")
    click.echo(f"default bundle\tversion\t:{__version__}")
