"""`gitops-ocm history`: what commits did to the fleet, and what befell a cluster or an object."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.commit_options import repo_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitops_ocm.report.plan_text import Line
    from gitops_ocm.verbs.history_events import Event

_AGO = re.compile(r"(\d+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ENTRIES, _EVENTS = 10, 40


class Since(click.ParamType[datetime]):
    """How long ago (`2h`, `3d`), or a moment (`2026-11-22`, `2026-11-22T21:00`, `…Z`) in the local zone."""

    name = "since"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Take an argument apart."""
        if isinstance(value, datetime):
            return value
        if ago := _AGO.fullmatch(str(value)):
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        try:
            return datetime.fromisoformat(str(value)).astimezone(UTC)
        except ValueError:
            self.fail(f"{value!r} is neither a span like 2h or 3d nor a moment like 2026-11-22", param, ctx)


@click.command()
@repo_options
@click.option("--cluster", default="", metavar="NAME", help="What befell this cluster.")
@click.option("--object", "words", default="", metavar="KIND/NAMESPACE/NAME", help="What befell this object.")
@click.option(
    "--since", type=Since(), metavar="WHEN", help="Not before: 2h, 3d, 2026-11-22, 2026-11-22T21:00."
)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=1),
    help=f"At most so many.  [default: {_ENTRIES} commits, {_EVENTS} events]",
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def history(
    repo: Path,
    path: str,
    status_ref: str,
    cluster: str,
    words: str,
    since: datetime | None,
    limit: int | None,
    output: str,
) -> int:
    """Show which commits came in force when, by whom, and what they did to the fleet.

    Newest first: what each commit changed, on how many clusters, when they all had it; what was refused and
    why; which rules were overridden; what was rolled back. With --cluster or --object, what befell that one
    under which commit. Only the repository and its status branch are read. Times are local, in JSON UTC.
    """
    if cluster and words:
        raise click.UsageError("either --cluster or --object, not both")
    if cluster or words:
        return _events(repo, path, status_ref, cluster, words, since, limit or _EVENTS, output)
    from gitops_ocm.verbs.history import history as told
    from gitops_ocm.verbs.history_text import history_document, history_lines

    found = told(repo, path=path, status_ref=status_ref, limit=limit or _ENTRIES, since=since)
    if output == "json":
        _print_json(history_document(found))
    else:
        _print(history_lines(found, None))
    return 0


def _events(
    repo: Path,
    path: str,
    status_ref: str,
    cluster: str,
    words: str,
    since: datetime | None,
    limit: int,
    output: str,
) -> int:
    from gitops_ocm.git.clone import Clone
    from gitops_ocm.verbs.history import status_tip
    from gitops_ocm.verbs.history_events import cluster_events, object_events
    from gitops_ocm.verbs.history_text import event_lines, events_document

    clone = Clone.at(repo)
    try:
        tip = status_tip(clone, status_ref)
        told = cluster_events(clone, tip, cluster) if cluster else object_events(clone, tip, words, path)
        found = list(islice(_not_before(told, since), limit + 1))
        shown = found[:limit]
        if output == "json":
            _print_json(events_document(shown, len(found) > limit))
            return 0
        sources = {event.source for event in shown if event.source}
        commits = {source: next(iter(clone.authored(source, most=1)), None) for source in sorted(sources)}
    finally:
        clone.close()
    _print(event_lines(shown, commits, None))
    if len(found) > limit:
        click.echo("… older ones are not shown (-n, --since)")
    elif not shown:
        click.echo("nothing happened since then")
    return 0


def _not_before(events: Iterator[Event], since: datetime | None) -> Iterator[Event]:
    return (event for event in events if since is None or event.at >= since)


def _print(lines: Iterable[Line]) -> None:
    from rich.text import Text

    from gitops_ocm.cli.console import out
    from gitops_ocm.preview.formats.words import visible

    for line in lines:
        out().print(Text.assemble(*((visible(span.text), span.style) for span in line)))


def _print_json(document: dict[str, Any]) -> None:
    import orjson

    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
