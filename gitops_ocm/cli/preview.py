"""`gitops-ocm preview`: what a change of the repository does to the fleet, before it is merged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.leaving import hold
from gitops_ocm.cli.options import preview_cache
from gitops_ocm.cli.preview_options import (
    assumption_options,
    settings_of,
    state_options,
    state_source,
)
from gitops_ocm.cli.preview_output import Output, output_options, show, show_cluster

if TYPE_CHECKING:
    from gitops_ocm.verbs.preview import Reviewer


@click.command()
@click.argument("revisions", default="", metavar="[BASE..HEAD]")
@state_options
@assumption_options
@click.option(
    "-c", "--cluster", default="", metavar="NAME", help="Show this cluster's manifests as a diff against now."
)
@click.option("--watch", is_flag=True, help="Show it again whenever a file is saved or a branch moves.")
@output_options
def preview(
    revisions: str,
    repo: Path,
    path: str,
    cluster: str,
    watch: bool,
    outputs: tuple[Output, ...],
    full: bool,
    artifact: str,
    **options: Any,
) -> int:
    """Show what a merge would do to the fleet: objects, placements, rollouts, clusters.

    BASE...HEAD counts from where HEAD left BASE. HEAD alone is compared with where it left the main branch;
    without an argument the files on disk are. No cluster is asked; the fleet's state is what its status
    branch tells. Exits with 0 when nothing would change, 1 when something would, 2 on trouble, 3 when the
    sync or the repository's policy would refuse it.

    \b
    gitops-ocm preview                                        the files on disk
    gitops-ocm preview main...topic --assume-fail set=canary  where would it stop?
    gitops-ocm preview --at 2h                                how far is it after two hours?
    gitops-ocm preview --cluster east --watch                 what would be on east, as you type
    """
    from contextlib import nullcontext
    from dataclasses import replace

    from gitops_ocm.runtime.memory import uncollected
    from gitops_ocm.verbs.revisions import Reading

    def once(reviewer: Reviewer) -> int:
        found = reviewer.reviewed(revisions, now=datetime.now(UTC), settings=settings)
        if source.note:
            notes = (source.note, *found.preview.notes)
            found = replace(found, preview=replace(found.preview, notes=notes))
        if cluster and found.tried is not None:
            return show_cluster(found, cluster, reviewer.catalog, outputs, full=full)
        return show(found.preview, outputs, full=full, artifact=artifact)

    # Who watches reads when the watch has begun: what is saved before is not to be missed.
    with nullcontext() if watch else Reading(repo, revisions) as reading:
        with uncollected(lasting=True):
            from gitops_ocm.verbs.preview import Reviewer

        settings, source = settings_of(options), state_source(options)
        ref, read, kept = source.status_ref, source.read, preview_cache()
        with Reviewer(repo, path=path, status_ref=ref, state=read, cache=kept, reading=reading) as reviewer:
            if watch:
                return _again_and_again(reviewer, once, [file for _, file in outputs if file])
            hold(reviewer)
            with uncollected(lasting=True):
                return once(reviewer)


def _again_and_again(reviewer: Reviewer, once: Callable[[Reviewer], int], besides: list[Path]) -> int:
    """Preview now and after each change, until Ctrl-C; what is wrong meanwhile is shown, and it goes on."""
    from gitops_ocm.cli.console import err, out, print_error
    from gitops_ocm.errors import GitopsError
    from gitops_ocm.git.watching import Watched

    status = 0
    try:
        with Watched(reviewer.clone.root, besides=besides) as changes:
            while True:
                if out().is_terminal:
                    out().clear()
                try:
                    status = once(reviewer)
                except GitopsError as error:
                    status = 2
                    print_error(error)
                err().print(f"watching {reviewer.clone.root}; Ctrl-C ends", style="dim")
                changes.wait()
    except KeyboardInterrupt:
        return status
