"""`gitops-ocm replay`: what a commit of the past was to do, and whether it did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitops_ocm.cli.commit_options import repo_options

if TYPE_CHECKING:
    from gitops_ocm.verbs.replay import Replayed
    from gitops_ocm.verbs.replay_policy import Judged


@click.command()
@click.argument("revision", metavar="COMMIT")
@repo_options
@click.option(
    "--against",
    default="",
    metavar="REV",
    help="Ask the policy of this commit about it, too; `.`: the policy as it is on disk.",
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def replay(revision: str, repo: Path, path: str, status_ref: str, against: str, output: str) -> int:
    """Recompute what a past commit was to do to the fleet, and compare it with what came.

    COMMIT is one of desired state, or one of the status branch. Only Git is read: the same commit always
    gives the same output. With --against it is also said what another policy would have decided. Exits with 0
    when it came as computed, 1 when something differs, 2 on trouble.
    """
    from gitops_ocm.verbs.replay import replay as replayed

    found = replayed(repo, revision, path=path, status_ref=status_ref, against=against)
    if output == "json":
        click.echo(_json(found))
    else:
        _show(found)
    return 1 if found.differs else 0


def _show(found: Replayed) -> None:
    from gitops_ocm.cli.console import out

    pair, preview = found.pair, found.preview
    number = len(preview.effects)
    counts = f"{number} object{'' if number == 1 else 's'}, "
    counts += f"{len(preview.clusters)} of {preview.fleet} clusters"
    head = f"{pair.head[:12]} over {pair.base[:12]}, on the fleet as of {pair.state[:12]}: {counts}"
    each = (
        f"  {d.what}: computed {d.said or 'nobody'}, came {d.came or 'nobody'}" for d in found.differences
    )
    verdict = "differs from" if found.differences else "is"
    lines = [head, *each, f"what came by {pair.came[:12]} {verdict} what is computed"]
    if found.judged is not None:
        lines += _of_policy(found.judged)
    for line in lines:
        out().print(line, markup=False, highlight=False, soft_wrap=True)


def _of_policy(judged: Judged) -> Iterator[str]:
    by = judged.commit[:12] or "what is on disk"
    for one in judged.differences:
        yield f"  rule {one.rule}: {one.then or 'not asked'} then, {one.now or 'not asked'} by {by}"
        yield f"    {one.where}: {one.why}"
    yield f"the policy of {by} decides {'otherwise' if judged.differences else 'the same'}"


def _json(found: Replayed) -> str:
    import json
    from dataclasses import asdict

    pair = {**asdict(found.pair), "at": found.pair.at.isoformat()}
    effects = [
        {"object": str(effect.ref), "act": effect.act.value, "origin": str(effect.origin)}
        for effect in found.preview.effects
    ]
    content: dict[str, object] = {
        "commits": pair,
        "effects": effects,
        "clusters": [one.name for one in found.preview.clusters],
        "differences": [asdict(one) for one in found.differences],
    }
    if found.judged is not None:
        content["against"] = {
            "commit": found.judged.commit,
            "differences": [{**asdict(one), "where": str(one.where)} for one in found.judged.differences],
        }
    return json.dumps(content, indent=2, sort_keys=True)
