"""`gitops-ocm explain placement`: why a placement chooses as it does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitops_ocm.cli.commit_options import at_options
from gitops_ocm.cli.options import connect, kubeconfig_options

if TYPE_CHECKING:
    from gitops_ocm.decide.placement.explanation import Explanation
    from gitops_ocm.verbs.explain import Question


@click.command()
@click.argument("name", metavar="[NAMESPACE/]NAME")
@click.option("-n", "--namespace", default="default", show_default=True, help="Where the placement is.")
@kubeconfig_options
@at_options
@click.option("-c", "--cluster", default="", metavar="NAME", help="Say everything of this cluster alone.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def placement(
    name: str,
    namespace: str,
    kubeconfig: Path | None,
    context: str | None,
    revision: str,
    repo: Path,
    path: str,
    status_ref: str,
    cluster: str,
    output: str,
) -> None:
    """Say why a placement chooses as it does: what each predicate, taint and score says of each cluster.

    Everything is decided anew, by what decides on the hub, from what the hub has now; with --at from what a
    commit wants and the status branch tells (which knows no scores of add-ons: where they would count, that
    is said). Nothing is written.
    """
    import json
    from datetime import UTC, datetime

    from gitops_ocm.decide.placement.explanation import document
    from gitops_ocm.report.placement_text import text, text_of_one
    from gitops_ocm.verbs.explain import Question

    before, slash, last = name.rpartition("/")
    question, now = Question(before if slash else namespace, last, cluster), datetime.now(UTC)
    if revision:
        from gitops_ocm.verbs.explain_at import explain_at
        from gitops_ocm.verbs.fleet_at import Place

        found = explain_at(Place(repo, revision, path, status_ref), question, now)
    else:
        found = asyncio.run(_explained(kubeconfig, context, question))
    if output == "json":
        click.echo(json.dumps(document(found), indent=2, ensure_ascii=False))
    else:
        click.echo((text_of_one if cluster else text)(found), nl=False)


async def _explained(kubeconfig: Path | None, context: str | None, question: Question) -> Explanation:
    from gitops_ocm.runtime.clock import SystemClock
    from gitops_ocm.verbs.explain import explain_on

    hub = connect(kubeconfig, context)
    try:
        return await explain_on(hub, question, SystemClock().now())
    finally:
        await hub.close()
