"""How a preview is put out: in which formats, where to, and what the command ends with.

What the formats are is `preview.formats`; this writes and prints them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from errno import ENOSPC
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from gitops_ocm.objects.catalog import Catalog
    from gitops_ocm.preview.model import Preview
    from gitops_ocm.report.plan_text import Line
    from gitops_ocm.verbs.preview import Reviewed

Command = TypeVar("Command", bound=Callable[..., Any])
FORMATS = ("text", "json", "markdown", "html", "junit", "sarif")
Output = tuple[str, Path | None]
"""A format, and the file to write (None: standard output)."""


class OutputType(click.ParamType[Output]):
    """`FORMAT`, or `FORMAT=FILE`."""

    name = "output"

    def __init__(self, formats: Sequence[str] = FORMATS) -> None:
        self._formats = formats

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Output:
        """Take an argument apart."""
        if isinstance(value, tuple):
            return value
        word, between, file = str(value).partition("=")
        if word not in self._formats:
            self.fail(f"{word!r} is none of {', '.join(self._formats)}", param, ctx)
        if between and not file:
            self.fail(f"{value!r} names no file", param, ctx)
        return word, Path(file) if file else None


def output_options(command: Command) -> Command:
    """`-o`, `--full`, `--artifact` and `--schema`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _print_schema(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        schema = files("gitops_ocm.preview.formats") / "preview.schema.json"
        click.echo(schema.read_text(encoding="utf-8"), nl=False)
        ctx.exit(0)


def _one_is_printed(
    ctx: click.Context, param: click.Parameter, outputs: tuple[Output, ...]
) -> tuple[Output, ...]:
    """Two formats one behind the other are neither for a program nor for a person."""
    printed = [word for word, file in outputs if file is None]
    if len(printed) > 1:
        raise click.UsageError(
            f"standard output takes one format, not {' and '.join(printed)}: -o {printed[0]}=FILE"
        )
    return outputs


_OPTIONS = (
    click.option(
        "-o",
        "--output",
        "outputs",
        type=OutputType(),
        callback=_one_is_printed,
        multiple=True,
        metavar="FORMAT[=FILE]",
        help=f"One of {', '.join(FORMATS)}; may be repeated.  [default: text]",
    ),
    click.option("--full", is_flag=True, help="In text, show every object, cluster and field."),
    click.option(
        "--artifact",
        default="",
        metavar="WHERE",
        help="In Markdown, where all of it is found: a URL, or a few words.",
    ),
    click.option(
        "--schema",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_print_schema,
        help="Print the JSON Schema of -o json, and exit.",
    ),
)


def show(found: Preview, outputs: Sequence[Output], *, full: bool = False, artifact: str = "") -> int:
    """Put a preview out in all formats that were asked for; the exit status it comes to."""
    from gitops_ocm.preview.formats import Format, render
    from gitops_ocm.preview.formats.words import exit_status

    for word, file in outputs or (("text", None),):
        wanted = Format(word)
        if file is not None:
            write(file, render(found, wanted, whole=full, artifact=artifact))
        elif wanted is Format.TEXT:
            _print_text(found, full)
        else:
            _print_document(render(found, wanted, artifact=artifact))
    return exit_status(found)


def show_cluster(
    found: Reviewed, cluster: str, catalog: Catalog, outputs: Sequence[Output], *, full: bool = False
) -> int:
    """Put out what a change that was tried does on one cluster, as text or JSON; the exit status."""
    from gitops_ocm.preview.formats.one_cluster import one_cluster_document, one_cluster_lines
    from gitops_ocm.preview.one_cluster import on_cluster
    from gitops_ocm.report.plan_text import plain

    if other := [word for word, _ in outputs if word not in ("text", "json")]:
        raise click.UsageError(f"with --cluster the output is text or json, not {other[0]}")
    assert found.tried is not None
    wanted = (*found.inputs.base.objects, *found.inputs.head.objects)
    one = on_cluster(found.preview, found.tried, wanted, cluster=cluster, catalog=catalog)
    for word, file in outputs or (("text", None),):
        lines = one_cluster_lines(one, whole=full)
        if word == "text" and file is None:
            _print_lines(lines)
            continue
        text = plain(lines) if word == "text" else one_cluster_document(one)
        _print_document(text) if file is None else write(file, text)
    return one.exit_status


def _print_text(found: Preview, full: bool) -> None:
    from gitops_ocm.cli.console import out
    from gitops_ocm.preview.formats.folding import folded
    from gitops_ocm.preview.formats.text import preview_lines

    console = out()
    _print_lines(folded(preview_lines(found, whole=full), console.width if console.is_terminal else 0))


def _print_document(text: str) -> None:
    """Documents are UTF-8, whatever the terminal speaks."""
    click.echo(text.encode(), nl=False)


def _print_lines(lines: Iterable[Line]) -> None:
    from rich.text import Text

    from gitops_ocm.cli.console import out

    for line in lines:
        out().print(Text.assemble(*((span.text, span.style) for span in line)))


def write(file: Path, text: str) -> None:
    """Write what was asked for into a file."""
    from gitops_ocm.errors import GitopsError

    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise GitopsError(
            f"{file} cannot be written: {error.strerror or error}",
            hint="free some space on that disk: what is there now is cut off"
            if error.errno == ENOSPC
            else "name a file in a folder that is there",
        ) from error
