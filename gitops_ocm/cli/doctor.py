"""`gitops-ocm doctor`: what is wrong with a fleet, why, and the command that mends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitops_ocm.cli.options import connect, kubeconfig_options

if TYPE_CHECKING:
    from gitops_ocm.verbs.doctor import DoctorOptions, Examination

    Look = Callable[[], Awaitable[Examination]]

Place = tuple[Path | None, str | None]
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("clusters", nargs=-1, metavar="[CLUSTER]...")
@click.option(
    "--all", "everything", is_flag=True, help="The whole fleet; so it is where no cluster is named."
)
@kubeconfig_options
@click.option("--spoke-kubeconfig", type=_FILE, metavar="FILE", help="Look at this managed cluster, too.")
@click.option("--spoke-context", metavar="NAME", help="The context of that kubeconfig to use.")
@click.option(
    "--bootstrap-kubeconfig",
    "bootstrap",
    type=_FILE,
    metavar="FILE",
    help="What the agent registers with.  [default: its Secret on the managed cluster]",
)
@click.option(
    "--hub-kubeconfig-dir",
    "hub_folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where the agent keeps its hub kubeconfig.  [default: its Secret on the managed cluster]",
)
@click.option("--sync", default="", metavar="NAME", help="Look at this HubSync alone.  [default: all]")
@click.option(
    "--settle",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long something may be under way before it counts as stuck.",
)
@click.option("-w", "--watch", "watching", is_flag=True, help="Look again, and tell what has changed.")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    default=5,
    show_default=True,
    metavar="SECONDS",
    help="With --watch: how long to wait before looking again.",
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def doctor(
    ctx: click.Context,
    clusters: tuple[str, ...],
    everything: bool,
    kubeconfig: Path | None,
    context: str | None,
    spoke_kubeconfig: Path | None,
    spoke_context: str | None,
    bootstrap: Path | None,
    hub_folder: Path | None,
    sync: str,
    settle: float,
    watching: bool,
    interval: float,
    output: str,
) -> None:
    """Say what is wrong with clusters, why, and which command mends it.

    Looks at the hub, and with --spoke-kubeconfig at one managed cluster as well. What follows from something
    else is shown under it. Nothing is ever written: what a server would refuse it is asked to rehearse.

    Exit status: 0 nothing is wrong; 1 something is; 2 nothing was found, but not everything could be looked
    at. With --watch it is that of the last look before Ctrl-C.
    """
    from gitops_ocm.cli.process import run
    from gitops_ocm.runtime.log import configure
    from gitops_ocm.verbs.doctor import DoctorOptions
    from gitops_ocm.verbs.doctor_spoke import SpokeOptions

    if everything and clusters:
        raise click.UsageError("--all and the names of clusters exclude each other")
    of_one = (spoke_kubeconfig, bootstrap, hub_folder)
    if len(clusters) > 1 and any(of_one):
        raise click.UsageError("--spoke-kubeconfig and what its agents keep is of one cluster: name one")
    one = clusters[0] if len(clusters) == 1 else ""
    options = DoctorOptions(
        tuple(sorted(set(clusters))), sync, settle, SpokeOptions(one, bootstrap, hub_folder)
    )
    at = (kubeconfig, context), (spoke_kubeconfig, spoke_context)
    if watching:
        found = run(lambda stop: _watched(*at, options, output, stop, interval), level="error")
    else:
        configure(level="error", json=False)
        found = asyncio.run(_examined(*at, options, output))
    ctx.exit(2 if found is None else _status(found))


def _status(found: Examination) -> int:
    diagnosis = found.diagnosis
    return (2 if diagnosis.unseen else 0) if diagnosis.healthy else 1


@asynccontextmanager
async def _looking(hub: Place, spoke: Place, options: DoctorOptions) -> AsyncIterator[Look]:
    from gitops_ocm.verbs.doctor import examine

    at_hub = connect(*hub)
    at_spoke = connect(*spoke) if spoke[0] is not None else None
    try:
        yield partial(examine, at_hub, at_spoke, options)
    finally:
        await at_hub.close()
        if at_spoke is not None:
            await at_spoke.close()


async def _examined(hub: Place, spoke: Place, options: DoctorOptions, output: str) -> Examination:
    async with _looking(hub, spoke, options) as look:
        found = await look()
    _tell(found, output)
    return found


async def _watched(
    hub: Place, spoke: Place, options: DoctorOptions, output: str, stop: asyncio.Event, every: float
) -> Examination | None:
    from gitops_ocm.cli.console import print_error
    from gitops_ocm.verbs.doctor_watch import heading, watched

    def tell(found: Examination) -> None:
        if output == "text":
            click.echo(heading(found.at))
        _tell(found, output)

    async with _looking(hub, spoke, options) as look:
        return await watched(look, tell, print_error, stop, every=every)


def _tell(found: Examination, output: str) -> None:
    from gitops_ocm.verbs.doctor_text import text, to_json

    click.echo(to_json(found) if output == "json" else text(found), nl=False)
