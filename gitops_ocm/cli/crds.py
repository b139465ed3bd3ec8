"""`gitops-ocm crds`: print the CustomResourceDefinitions of every kind."""

from __future__ import annotations

import click


@click.command()
def crds() -> None:
    """Print the CustomResourceDefinitions of every kind, as YAML.

    Apply them with `gitops-ocm crds | kubectl apply --server-side -f -`.
    """
    from gitops_ocm.api.crd import crds_yaml

    click.echo(crds_yaml(), nl=False)
