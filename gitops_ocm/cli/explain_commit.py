"""`gitops-ocm explain commit`: which commit set a field."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gitops_ocm.cli.commit_options import repo_options


@click.command()
@click.argument("kind")
@click.argument("name")
@click.argument("field", default="")
@click.option("-n", "--namespace", default="default", show_default=True, help="Where the object is.")
@click.option("--at", "revision", default="", metavar="REV", help="As of this commit.  [default: on disk]")
@repo_options
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def commit(
    kind: str,
    name: str,
    field: str,
    namespace: str,
    revision: str,
    repo: Path,
    path: str,
    status_ref: str,
    output: str,
) -> None:
    """Say which commit set an object of Git, or one FIELD of it, to what it is; who, when, and from what.

    Commits that only moved the object to another file or changed something else are passed over. A FIELD is
    spec.replicas, metadata.labels[example.com/team], manifests[0] or manifests[NAME].
    """
    from gitops_ocm.verbs.explain_commit import document, explain_commit, text
    from gitops_ocm.verbs.fleet_at import Place

    found = explain_commit(Place(repo, revision, path, status_ref), kind, namespace, name, field)
    if output == "json":
        click.echo(json.dumps(document(found), indent=2, ensure_ascii=False))
    else:
        click.echo(text(found), nl=False)
