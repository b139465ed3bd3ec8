"""How a preview is put out: in which formats, where to, and what the command ends with.

What the formats are is `preview.formats`; this writes and prints them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from gitops_ocm.preview.model import Preview

Command = TypeVar("Command", bound=Callable[..., Any])
FORMATS = ("text", "json", "markdown", "html", "junit", "sarif")
Output = tuple[str, Path | None]
"""A format, and the file to write (None: standard output)."""


class OutputType(click.ParamType[Output]):
    """`FORMAT`, or `FORMAT=FILE`."""

    name = "output"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Output:
        """Take an argument apart."""
        if isinstance(value, tuple):
            return value
        word, between, file = str(value).partition("=")
        if word not in FORMATS:
            self.fail(f"{word!r} is none of {', '.join(FORMATS)}", param, ctx)
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


_OPTIONS = (
    click.option(
        "-o",
        "--output",
        "outputs",
        type=OutputType(),
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
            _write(file, render(found, wanted, whole=full, artifact=artifact))
        elif wanted is Format.TEXT:
            _print_text(found, full)
        else:
            click.echo(render(found, wanted, artifact=artifact), nl=False)
    return exit_status(found)


def _print_text(found: Preview, full: bool) -> None:
    from rich.text import Text

    from gitops_ocm.cli.console import out
    from gitops_ocm.preview.formats.folding import folded
    from gitops_ocm.preview.formats.text import preview_lines

    console = out()
    for line in folded(preview_lines(found, whole=full), console.width if console.is_terminal else 0):
        console.print(Text.assemble(*((span.text, span.style) for span in line)))


def _write(file: Path, text: str) -> None:
    from gitops_ocm.errors import GitopsError

    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise GitopsError(
            f"{file} cannot be written: {error.strerror or error}",
            hint="name a file in a folder that is there",
        ) from error
