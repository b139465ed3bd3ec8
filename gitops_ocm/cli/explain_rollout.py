"""`gitops-ocm explain rollout`: where a rollout stands, what holds it, and what comes next."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitops_ocm.cli.commit_options import at_options
from gitops_ocm.cli.options import connect, kubeconfig_options

if TYPE_CHECKING:
    from gitops_ocm.decide.rollout.explanation import Explanation
    from gitops_ocm.verbs.explain_addon import AddonQuestion
    from gitops_ocm.verbs.explain_rollout import RolloutQuestion


@click.command()
@click.argument("name", metavar="mwrs/NAME|addon/NAME")
@click.option("-n", "--namespace", default="default", show_default=True, help="Where a set is.")
@kubeconfig_options
@at_options
@click.option("--failing", default="", metavar="CLUSTER,…", help="Assume that these fail from now on.")
@click.option("--rollout-compat", type=click.Choice(["ocm"]), help="As of a hub that has this option.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def rollout(
    name: str,
    namespace: str,
    kubeconfig: Path | None,
    context: str | None,
    revision: str,
    repo: Path,
    path: str,
    status_ref: str,
    failing: str,
    rollout_compat: str | None,
    output: str,
) -> None:
    """Say where the rollouts of a ManifestWorkReplicaSet, or of an add-on's configuration, stand: which
    clusters are done, which are under way, which are held and why, and which waves come next, at the
    earliest; on the hub, or with --at by a commit and what the status branch tells. Nothing is written.
    """
    import json

    from gitops_ocm.decide.rollout.explanation import document
    from gitops_ocm.report.rollout_text import text
    from gitops_ocm.verbs.explain_addon import ADDON_KINDS, AddonQuestion
    from gitops_ocm.verbs.explain_rollout import RolloutQuestion, named

    assumed = tuple(filter(None, (part.strip() for part in failing.split(","))))
    kind, _, addon = name.rpartition("/")
    compat = rollout_compat == "ocm"
    question: AddonQuestion | RolloutQuestion
    if kind.lower() in ADDON_KINDS:
        question, where = AddonQuestion(addon, assumed, compat), {}
    else:
        question = RolloutQuestion(namespace, named(name), assumed, compat)
        where = {"namespace": namespace}
    if revision:
        from gitops_ocm.verbs.explain_at import explain_rollout_at
        from gitops_ocm.verbs.fleet_at import Place

        found = explain_rollout_at(Place(repo, revision, path, status_ref), question, datetime.now(UTC))
    else:
        found = asyncio.run(_explained(kubeconfig, context, question))
    if output == "json":
        told = {**where, "name": question.name, "rollouts": [document(e) for e in found]}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(text(e) for e in found), nl=False)


async def _explained(
    kubeconfig: Path | None, context: str | None, question: AddonQuestion | RolloutQuestion
) -> list[Explanation]:
    from gitops_ocm.runtime.clock import SystemClock
    from gitops_ocm.verbs.explain_addon import AddonQuestion, explain_addon_on
    from gitops_ocm.verbs.explain_rollout import explain_rollout_on

    hub, now = connect(kubeconfig, context), SystemClock().now()
    try:
        if isinstance(question, AddonQuestion):
            return await explain_addon_on(hub, question, now)
        return await explain_rollout_on(hub, question, now)
    finally:
        await hub.close()
