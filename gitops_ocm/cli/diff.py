"""`gitops-ocm diff`: a live hub against Git. Exit status as `kubectl diff`."""

from __future__ import annotations

import asyncio
import json
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
    from gitops_ocm.errors import Diagnostic
    from gitops_ocm.sync.compare import Comparison
    from gitops_ocm.sync.diff import ObjectDiff


@click.command()
@kubeconfig_options
@repository_options
@credential_options
@click.option("--commit", default="", metavar="REV", help="Compare with this commit or branch instead.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def diff(kubeconfig: Path | None, context: str | None, commit: str, output: str, **options: Any) -> int:
    """Compare a live hub with what Git wants, field by field; nothing is written.

    The hub itself tells, by a dry run, what an apply would change. Exits with 0 when nothing would,
    1 when something would, 2 on trouble.
    """
    credentials = credentials_of(options)

    async def work(stop: asyncio.Event) -> Comparison:
        from gitops_ocm.runtime.catalog import committed_kinds
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
                catalog=committed_kinds(),
                create=create,
                commit=commit,
                stop=stop,
            )
        finally:
            await cluster.close()

    comparison = run(work, level="warning")
    if output == "json":
        click.echo(json.dumps(document(comparison), indent=2, ensure_ascii=False))
    else:
        _show(comparison)
    return comparison.result.exit_status


def document(comparison: Comparison) -> dict[str, Any]:
    """The comparison for programs; the side of a field on which there is nothing is left out.

    Something may be added under the same version; what goes, or means something else, needs the next.
    """
    from gitops_ocm.objects.diff import ABSENT

    def told(found: Diagnostic) -> dict[str, str]:
        parts = {
            "severity": found.severity.value,
            "code": found.code,
            "message": found.message,
            "where": str(found.where),
            "subject": found.subject,
            "hint": found.hint,
        }
        return {key: text for key, text in parts.items() if text}

    def shown(one: ObjectDiff) -> dict[str, Any]:
        fields = [{"path": f.path, "before": f.before, "after": f.after} for f in one.fields]
        return {
            "action": one.change.action.value,
            "reason": one.change.reason.value,
            "object": {key: text for key, text in one.change.ref._asdict().items() if text},
            **({"origin": str(one.change.wanted.origin)} if one.change.wanted else {}),
            "fields": [{k: v for k, v in field.items() if v is not ABSENT} for field in fields],
        }

    return {
        "apiVersion": "diff.gitops-ocm.io/v1alpha1",
        "kind": "HubDiff",
        "commit": comparison.result.commit,
        "exitStatus": comparison.result.exit_status,
        "objects": [shown(one) for one in comparison.result.objects],
        "problems": [told(p) for p in (*comparison.warnings, *comparison.result.problems)],
    }


def _show(comparison: Comparison) -> None:
    from rich.text import Text

    from gitops_ocm.cli.console import out, print_diagnostics
    from gitops_ocm.report.plan_text import change_line, field_lines

    print_diagnostics((*comparison.warnings, *comparison.result.problems))
    for one in comparison.result.objects:
        for line in (change_line(one.change), *field_lines(one.fields)):
            out().print(Text.assemble(*((span.text, span.style) for span in line)))
