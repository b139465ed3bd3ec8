"""`gitops-ocm explain rollout`: where a rollout stands, what holds it, and what comes next."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitops_ocm.cli.options import connect, kubeconfig_options

if TYPE_CHECKING:
    from gitops_ocm.decide.rollout.explanation import Explanation
    from gitops_ocm.verbs.explain_rollout import RolloutQuestion


@click.command()
@click.argument("name", metavar="mwrs/NAME")
@click.option("-n", "--namespace", default="default", show_default=True, help="Where the set is.")
@kubeconfig_options
@click.option("--failing", default="", metavar="CLUSTER,…", help="Assume that these fail from now on.")
@click.option("--rollout-compat", type=click.Choice(["ocm"]), help="As of a hub that has this option.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def rollout(
    name: str,
    namespace: str,
    kubeconfig: Path | None,
    context: str | None,
    failing: str,
    rollout_compat: str | None,
    output: str,
) -> None:
    """Say where the rollouts of a ManifestWorkReplicaSet stand: which clusters are done, which are under way,
    which are held and why, and which waves come next, at the earliest. Nothing is written.
    """
    import json

    from gitops_ocm.decide.rollout.explanation import document
    from gitops_ocm.report.rollout_text import text
    from gitops_ocm.verbs.explain_rollout import RolloutQuestion, named

    assumed = tuple(filter(None, (part.strip() for part in failing.split(","))))
    question = RolloutQuestion(namespace, named(name), assumed, compat=rollout_compat == "ocm")
    found = asyncio.run(_explained(kubeconfig, context, question))
    if output == "json":
        told = {"namespace": namespace, "name": question.name, "rollouts": [document(e) for e in found]}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(text(e) for e in found), nl=False)


async def _explained(
    kubeconfig: Path | None, context: str | None, question: RolloutQuestion
) -> list[Explanation]:
    from gitops_ocm.runtime.clock import SystemClock
    from gitops_ocm.verbs.explain_rollout import explain_rollout_on

    hub = connect(kubeconfig, context)
    try:
        return await explain_rollout_on(hub, question, SystemClock().now())
    finally:
        await hub.close()
