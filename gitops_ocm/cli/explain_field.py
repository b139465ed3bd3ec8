"""`gitops-ocm explain field`: who owns a field on the hub."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitops_ocm.cli.commit_options import repo_options
from gitops_ocm.cli.options import connect, kubeconfig_options

if TYPE_CHECKING:
    from gitops_ocm.verbs.explain_field import Owned


@click.command()
@click.argument("kind")
@click.argument("name")
@click.argument("field")
@click.option("-n", "--namespace", default="default", show_default=True, help="Where the object is.")
@kubeconfig_options
@repo_options
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def field(
    kind: str,
    name: str,
    field: str,
    namespace: str,
    kubeconfig: Path | None,
    context: str | None,
    repo: Path,
    path: str,
    status_ref: str,
    output: str,
) -> None:
    """Say who owns a FIELD of an object on the hub, and where in Git it is written if a sync brought it.

    The line is told in a clone of the fleet's repository that has the commit. A FIELD is spec.replicas,
    metadata.labels[example.com/team], containers[0] or containers[NAME].
    """
    from gitops_ocm.verbs.explain_field import document, in_clone, text
    from gitops_ocm.verbs.fleet_at import Place

    found = asyncio.run(_explained(kubeconfig, context, kind, namespace, name, field))
    if found.where.path:
        found = in_clone(found, Place(repo, "", path, status_ref))
    if output == "json":
        click.echo(json.dumps(document(found), indent=2, ensure_ascii=False))
    else:
        click.echo(text(found), nl=False)


async def _explained(
    kubeconfig: Path | None, context: str | None, kind: str, namespace: str, name: str, field: str
) -> Owned:
    from gitops_ocm.verbs.explain_field import explain_field

    hub = connect(kubeconfig, context)
    try:
        return await explain_field(hub, kind, namespace, name, field)
    finally:
        await hub.close()
