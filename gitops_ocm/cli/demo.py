"""`gitops-ocm demo`: a hub, three clusters and a repository on this machine, and what they do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import click

from gitops_ocm.cli.options import data_dir
from gitops_ocm.cli.process import run

if TYPE_CHECKING:
    from gitops_ocm.demo.stage import Stage
    from gitops_ocm.demo.story import Story


@click.command()
@click.option("--once", is_flag=True, help="End when the story is told; exit 0 only if all was verified.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where it is set up; emptied if an earlier demo is there.  [default: a folder of the user's data;"
    " with --once a temporary one]",
)
@click.option(
    "--clusters", type=click.IntRange(1, 50), default=3, show_default=True, help="Managed clusters."
)
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="error")
def demo(once: bool, directory: Path | None, clusters: int, log_level: str) -> None:
    """Push commits, see them run: a whole fleet on this machine.

    Starts an embedded hub with managed clusters, the sync and the agents; pushes commits to a new
    repository and verifies that each one arrives. Without --once it stays up for you to go on.
    """
    started = time.monotonic()
    temporary = once and directory is None
    default = Path(mkdtemp(prefix="gitops-ocm-demo-")) if temporary else data_dir("demo")
    place = (directory or default).resolve()

    async def work(stop: asyncio.Event) -> None:
        from gitops_ocm.demo.stage import claim, stage
        from gitops_ocm.demo.story import Story

        teller = _Teller()
        claim(place)
        teller.begin(place, clusters)
        async with stage(place, clusters=clusters) as on:
            story = Story(on, teller)
            await story.play()
            _summary(story, time.monotonic() - started)
            if not once:
                _what_next(on)
                await stop.wait()

    with ExitStack() as stack:
        if temporary:
            stack.callback(_remove, place)
        run(work, level=log_level)


def _remove(place: Path) -> None:
    import shutil

    shutil.rmtree(place, ignore_errors=True)


class _Teller:
    """The story on a terminal."""

    def begin(self, place: Path, clusters: int) -> None:
        """Say what is being set up."""
        from gitops_ocm.cli.console import out

        members = "1 cluster" if clusters == 1 else f"{clusters} clusters"
        out().print(f"[bold]A hub and {members}[/] in {place}")

    def chapter(self, number: int, title: str) -> None:
        """A chapter begins."""
        from gitops_ocm.cli.console import out

        out().print(f"\n[bold cyan]{number}. {title}[/]")

    def pushed(self, subject: str, remote: Sequence[str]) -> None:
        """A commit was pushed."""
        from rich.text import Text

        from gitops_ocm.cli.console import out

        out().print(Text("   $ git push   ", style="bold").append(subject, style="yellow"))
        for line in remote:
            out().print(Text(f"     remote: {line}", style="dim"))

    def verified(self, what: str, seconds: float) -> None:
        """Something promised was seen."""
        from rich.text import Text

        from gitops_ocm.cli.console import out

        out().print(
            Text("   ✓ ", style="green").append(what, style="default").append(f"  {seconds:.2f} s", "dim")
        )


def _summary(story: Story, seconds: float) -> None:
    from gitops_ocm.cli.console import out

    count = len(story.verified)
    out().print(f"\n[bold green]{count} of {count} verified[/] in {seconds:.1f} s")


def _what_next(on: Stage) -> None:
    from gitops_ocm.cli.console import out

    out().print("\n[bold]It stays up until Ctrl-C. Try:[/]")
    for line in (
        f"cd {on.copy.path}            # edit, commit, `git push`, and watch",
        f"git -C {on.bare} log --stat status",
        f"kubectl --kubeconfig {on.server.kubeconfig_path} get managedclusters,placements,manifestworks -A",
        *(f"kubectl --kubeconfig {m.kubeconfig_path} get pods -A" for m in on.members.values()),
    ):
        out().print(f"  {line}")
