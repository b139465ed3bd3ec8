"""`gitops-ocm replay`: what a commit of the past was to do, and whether it did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitops_ocm.cli.commit_options import repo_options

if TYPE_CHECKING:
    from gitops_ocm.verbs.replay import Replayed


@click.command()
@click.argument("revision", metavar="COMMIT")
@repo_options
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def replay(revision: str, repo: Path, path: str, status_ref: str, output: str) -> int:
    """Recompute what a past commit was to do to the fleet, and compare it with what came.

    COMMIT is one of desired state, or one of the status branch. Only Git is read: the same commit always
    gives the same output. Exits with 0 when it came as computed, 1 when something differs, 2 on trouble.
    """
    from gitops_ocm.cli.console import out
    from gitops_ocm.verbs.replay import replay as replayed

    found = replayed(repo, revision, path=path, status_ref=status_ref)
    if output == "json":
        click.echo(_json(found))
        return 1 if found.differences else 0
    pair, preview = found.pair, found.preview
    counts = f"{len(preview.effects)} objects, {len(preview.clusters)} of {preview.fleet} clusters"
    out().print(f"{pair.head[:12]} over {pair.base[:12]}, on the fleet as of {pair.state[:12]}: {counts}")
    for one in found.differences:
        out().print(f"  {one.what}: computed {one.said or 'nobody'}, came {one.came or 'nobody'}")
    verdict = "differs from" if found.differences else "is"
    out().print(f"what came by {pair.came[:12]} {verdict} what is computed")
    return 1 if found.differences else 0


def _json(found: Replayed) -> str:
    import json
    from dataclasses import asdict

    pair = {**asdict(found.pair), "at": found.pair.at.isoformat()}
    effects = [
        {"object": str(effect.ref), "act": effect.act.value, "origin": str(effect.origin)}
        for effect in found.preview.effects
    ]
    content = {
        "commits": pair,
        "effects": effects,
        "clusters": [one.name for one in found.preview.clusters],
        "differences": [asdict(one) for one in found.differences],
    }
    return json.dumps(content, indent=2, sort_keys=True)
