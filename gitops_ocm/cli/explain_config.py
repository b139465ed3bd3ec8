"""`gitops-ocm explain config`: where the values of an add-on's configuration come from."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitops_ocm.cli.commit_options import at_options
from gitops_ocm.cli.options import connect, kubeconfig_options

if TYPE_CHECKING:
    from gitops_ocm.verbs.explain_config import ConfigQuestion, Setting


@click.command()
@click.argument("addon")
@click.argument("field", default="")
@click.option("-c", "--cluster", required=True, metavar="NAME", help="On which cluster.")
@kubeconfig_options
@at_options
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def config(
    addon: str,
    field: str,
    cluster: str,
    kubeconfig: Path | None,
    context: str | None,
    revision: str,
    repo: Path,
    path: str,
    status_ref: str,
    output: str,
) -> None:
    """Say what an add-on is configured with on a cluster, and where each value comes from: the default, a
    placement or the cluster's own add-on chose the object, and a file has it. A FIELD is
    customizedVariables[NAME], nodePlacement, registries, ….
    """
    from gitops_ocm.verbs.explain_config import ConfigQuestion, document, explain_config_at, text
    from gitops_ocm.verbs.fleet_at import Place

    question = ConfigQuestion(addon, cluster, field)
    if revision:
        place = Place(repo, revision, path, status_ref)
        found = explain_config_at(place, question, datetime.now(UTC).replace(microsecond=0))
    else:
        found = asyncio.run(_explained(kubeconfig, context, question))
    if output == "json":
        click.echo(json.dumps(document(found), indent=2, ensure_ascii=False))
    else:
        click.echo(text(found), nl=False)


async def _explained(kubeconfig: Path | None, context: str | None, question: ConfigQuestion) -> list[Setting]:
    from gitops_ocm.runtime.clock import SystemClock
    from gitops_ocm.verbs.explain_config import explain_config_on

    hub = connect(kubeconfig, context)
    try:
        return await explain_config_on(hub, question, SystemClock().now())
    finally:
        await hub.close()
