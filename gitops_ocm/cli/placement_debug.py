"""`--placement-debug-listen`: where a hub serves the debug endpoint of OCM's scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitops_ocm.cli.health import Place
from gitops_ocm.cli.options import address_of

if TYPE_CHECKING:
    from gitops_ocm.hub.placement_debug import DebugOptions
    from gitops_ocm.kube.identity import Connection

OPTION = "--placement-debug-listen"


def _place(_ctx: click.Context, _param: click.Parameter, value: str) -> Place | None:
    return address_of(value, option=OPTION) if value else None


debug_option = click.option(
    OPTION,
    "debug_listen",
    default="",
    metavar="HOST:PORT",
    callback=_place,
    help="Answer /debug/placements/NAMESPACE/NAME here, over HTTPS, to whose token may get that placement.",
)


def debug_options(listen: Place | None, connection: Connection) -> DebugOptions | None:
    """What the option came to; the hub at `connection` knows who may look."""
    if listen is None:
        return None
    from gitops_ocm.hub.placement_debug import DebugOptions
    from gitops_ocm.kube.access import Callers
    from gitops_ocm.runtime.log import get_logger

    host, port = listen

    def listens(taken: int) -> None:
        get_logger("placement").info("placements are explained", listen=f"{host}:{taken}")

    return DebugOptions(host, port, Callers(connection).to, listens)
