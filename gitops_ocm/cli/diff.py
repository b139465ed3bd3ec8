"""`gitops-ocm diff`: a live hub against Git. Exit status as `kubectl diff`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.git_options import (
    credential_options,
    credentials_of,
    hubsync,
    repository_options,
    service_settings,
)
from gitops_ocm.cli.options import connect, kubeconfig_options
from gitops_ocm.cli.process import run

if TYPE_CHECKING:
    from gitops_ocm.sync.compare import Comparison


@click.command()
@kubeconfig_options
@repository_options
@credential_options
@click.option("--commit", default="", metavar="REV", help="Compare with this commit or branch instead.")
def diff(kubeconfig: Path | None, context: str | None, commit: str, **options: Any) -> int:
    """Compare a live hub with what Git wants, field by field; nothing is written.

    The hub itself tells, by a dry run, what an apply would change. Exits with 0 when nothing would,
    1 when something would, 2 on trouble.
    """
    credentials = credentials_of(options)

    async def work(stop: asyncio.Event) -> Comparison:
        from gitops_ocm.runtime.catalog import load_catalog
        from gitops_ocm.sync.compare import compare
        from gitops_ocm.sync.record import check_expected

        cluster = connect(kubeconfig, context)
        create = hubsync(**options)
        try:
            if create is not None:
                await check_expected(cluster, create)
            return await compare(
                cluster,
                options["name"],
                settings=service_settings(credentials).sync,
                catalog=load_catalog(),
                create=create,
                commit=commit,
                stop=stop,
            )
        finally:
            await cluster.close()

    comparison = run(work, level="warning")
    _show(comparison)
    return comparison.result.exit_status


def _show(comparison: Comparison) -> None:
    from rich.text import Text

    from gitops_ocm.cli.console import out, print_diagnostics
    from gitops_ocm.report.plan_text import change_line, field_lines

    print_diagnostics((*comparison.warnings, *comparison.result.problems))
    for one in comparison.result.objects:
        for line in (change_line(one.change), *field_lines(one.fields)):
            out().print(Text.assemble(*((span.text, span.style) for span in line)))
