"""`--health-listen`: what long commands answer to probes and to Prometheus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import click

from gitops_ocm.cli.options import address_of

if TYPE_CHECKING:
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.runtime.observing import Health

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
OPTION = "--health-listen"

Place = tuple[str, int]


def _place(_ctx: click.Context, _param: click.Parameter, value: str) -> Place | None:
    return address_of(value, option=OPTION) if value else None


health_option = click.option(
    OPTION,
    default="",
    metavar="HOST:PORT",
    callback=_place,
    help="Answer /livez, /readyz and /metrics here, over HTTPS. Beyond loopback, /metrics asks for a token "
    "whose holder may get it on the cluster.",
)


@asynccontextmanager
async def observing(listen: Place | None, cluster: HttpCluster) -> AsyncIterator[Health]:
    """Serve health and metrics, if there is a place for them; `cluster` knows who may see metrics."""
    from gitops_ocm.kube.access import Callers
    from gitops_ocm.runtime.log import get_logger
    from gitops_ocm.runtime.observing import Health, observed

    health = Health("the API server to answer")
    if listen is None:
        yield health
        return
    host, port = listen
    admit = None if host in _LOOPBACK else Callers(cluster.connection)
    async with observed(host, port, health, admit=admit) as taken:
        get_logger("health").info("health and metrics are served", listen=f"{host}:{taken}")
        yield health
