"""What a preview is made from, and what it assumes: the options, and what they come to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.commit_options import clone_options
from gitops_ocm.cli.options import kubeconfig_options, together

if TYPE_CHECKING:
    from gitops_ocm.git.clone import Clone
    from gitops_ocm.preview.run import Settings
    from gitops_ocm.preview.state import FleetState

WHOM = "CLUSTER|set=NAME|label=KEY=VALUE"
STATUS = "status"
_DAYS = re.compile(r"(\d+)d(.*)")

state_options = together(
    clone_options,
    click.option(
        "--status-ref", metavar="REF", help=f"Where the fleet's state is told.  [default: {STATUS}]"
    ),
    click.option(
        "--state",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The fleet's state from files on disk, as a status branch has them.",
    ),
    click.option("--live", is_flag=True, help="The fleet's state from the hub; it is only read."),
    kubeconfig_options,
)
"""Where both sides of a change, and the fleet's state, come from."""

assumption_options = together(
    click.option("--assume-fail", multiple=True, metavar=WHOM, help="Take what these are given to go bad."),
    click.option("--assume-down", multiple=True, metavar=WHOM, help="Take these clusters not to answer."),
    click.option(
        "--assume-label",
        multiple=True,
        metavar="CLUSTER|…:KEY=VALUE",
        help="Take clusters to have a label; `c1:env-`: not to have it.",
    ),
    click.option(
        "--assume-takes",
        metavar="DURATION",
        help="How long a cluster takes until what it is given is available.  "
        "[default: as gitops-ocm.yaml has it, or 0s]",
    ),
    click.option(
        "--at", metavar="DURATION", help="Look at the fleet after this time, not at the end: 90m, 2d."
    ),
)
"""What if?"""


def settings_of(options: Mapping[str, Any]) -> Settings:
    """The settings that `assumption_options` came to."""
    from gitops_ocm.preview.assumptions import Assumptions
    from gitops_ocm.preview.run import HORIZON, Settings

    given = options["assume_takes"]
    takes = _duration(given or "0s", "--assume-takes").total_seconds()
    until = None if options["at"] is None else _duration(options["at"], "--at")
    if until is not None and until > HORIZON:
        raise click.BadParameter(f"a rollout is followed for {HORIZON.days} days", param_hint="--at")
    assumed = Assumptions(options["assume_fail"], options["assume_down"], takes, options["assume_label"])
    return Settings(assumed=assumed, until=until, as_told=given is None)


def _duration(text: str, option: str) -> timedelta:
    from gitops_ocm.api.scalars import parse_duration

    days, rest = (found[1], found[2] or "0") if (found := _DAYS.fullmatch(text)) else ("0", text)
    try:
        span = timedelta(days=int(days)) + parse_duration(rest)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(
            f"{text!r}: write it like 90s, 5m, 1h30m or 2d", param_hint=option
        ) from error
    if span < timedelta(0):
        raise click.BadParameter(f"{text!r}: time does not go backwards", param_hint=option)
    return span


@dataclass(frozen=True)
class StateSource:
    """Where the fleet's state is read: `read` is asked each time, `note` tells of it (`""`: as usual)."""

    status_ref: str = STATUS
    read: Callable[[Clone], FleetState] | None = None
    note: str = ""


def state_source(options: Mapping[str, Any]) -> StateSource:
    """The source that `state_options` came to; only one may be named."""
    given = {"--status-ref": options["status_ref"], "--state": options["state"], "--live": options["live"]}
    named = [option for option, value in given.items() if value]
    if len(named) > 1:
        raise click.UsageError(f"the fleet's state comes from one place: {' or '.join(named)}")
    for option in ("kubeconfig", "context"):
        if options[option] and not options["live"]:
            raise click.UsageError(f"--{option} names a hub, which is asked with --live only")
    if options["live"]:
        return _live(options["kubeconfig"], options["context"])
    if folder := options["state"]:
        return _files(folder)
    if ref := options["status_ref"]:
        return _branch(ref)
    return StateSource()


def _branch(ref: str) -> StateSource:
    from gitops_ocm.verbs.fleet_state import state_on

    return StateSource(ref, lambda clone: state_on(clone, ref))


def _files(folder: Path) -> StateSource:
    from gitops_ocm.verbs.fleet_state import state_in

    return StateSource(
        read=lambda _: state_in(folder), note=f"the fleet's state is what files in {folder} tell"
    )


def _live(kubeconfig: Path | None, context: str | None) -> StateSource:
    import asyncio

    from gitops_ocm.cli.options import connect
    from gitops_ocm.verbs.fleet_state import state_of

    async def read() -> FleetState:
        hub = connect(kubeconfig, context)
        try:
            return await state_of(hub)
        finally:
            await hub.close()

    return StateSource(read=lambda _: asyncio.run(read()), note="the fleet's state is what the hub has now")
