"""The hub's process: its controllers and its syncs against one API, whoever serves that.

`run_hub` is what `gitops-ocm hub run` (on a Kubernetes) and `hub serve` (on the embedded server) share.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitops_ocm.decide.contract import Controller, Side
from gitops_ocm.decide.controllers import LOCKS, hub_controllers, in_groups
from gitops_ocm.decide.placement.phases import measured
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.errors import GitopsError
from gitops_ocm.hub.placement_metrics import measure
from gitops_ocm.hub.syncs import HubSyncs
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.live.election import ElectionSettings, lead
from gitops_ocm.live.runner import Runner
from gitops_ocm.operator.crds import ensure_crds, hub_crds
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.runtime.tasks import Tasks
from gitops_ocm.sync.service import SyncService

if TYPE_CHECKING:
    from gitops_ocm.hub.placement_debug import DebugOptions

SYNC = "sync"
"""The group that is not in the controller table: Git and back."""
PLACEMENT = "placement"


def hub_groups() -> tuple[str, ...]:
    """What `--controllers` can pick: the table's groups, and `sync`."""
    return (*dict.fromkeys(row.group for row in hub_controllers()), SYNC)


@dataclass(frozen=True)
class HubOptions:
    """What of the hub runs here. `make_sync` is needed for the group `sync`.

    `beside` are rows of other tables: the operator's, where this process is what a ClusterManager asks for.
    With `debug` the scheduler's debug endpoint is served, where the placements are decided.
    """

    groups: frozenset[str] = field(default_factory=lambda: frozenset(hub_groups()))
    settings: HubSettings = field(default_factory=HubSettings)
    make_sync: Callable[[str], SyncService] | None = None
    beside: tuple[Controller, ...] = ()
    debug: DebugOptions | None = None


def check_groups(groups: frozenset[str]) -> None:
    """Refuse groups that there are none of."""
    if unknown := sorted(groups - set(hub_groups())):
        raise GitopsError(
            f"there is no controller group {unknown[0]!r}", hint=f"choose from {', '.join(hub_groups())}"
        )


async def run_elected(
    cluster: Cluster,
    options: HubOptions,
    election: ElectionSettings | None,
    stop: asyncio.Event,
    *,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """`run_hub` for as long as this process leads in all of its groups; at once where nobody is elected."""
    check_groups(options.groups)

    async def work(stop: asyncio.Event) -> None:
        await run_hub(cluster, options, stop, ready=ready)

    if election is None:
        await work(stop)
    else:
        await lead(cluster, [LOCKS[group] for group in options.groups], election, stop, work)


async def run_hub(
    cluster: Cluster,
    options: HubOptions,
    stop: asyncio.Event,
    *,
    ready: Callable[[], None] = lambda: None,
    clock: Clock | None = None,
) -> None:
    """Install what is missing, then run until `stop`. `ready` is called when every controller has started."""
    check_groups(options.groups)
    clock = clock or SystemClock()
    await ensure_crds(cluster, hub_crds(cluster_profiles=options.settings.cluster_profiles), clock=clock)
    chosen = in_groups(hub_controllers(options.settings), options.groups)
    rows: tuple[Controller, ...] = (*chosen, *options.beside)
    async with Tasks("hub") as tasks:
        if rows:
            runner = Runner(rows, {Side.HUB: cluster}, clock=clock)
            with measured(measure):
                tasks.start("controllers", runner.run(stop))
            await runner.synced()
            if options.debug is not None and PLACEMENT in options.groups:
                from gitops_ocm.hub.placement_debug import serve_debugging

                tasks.start("placement debug", serve_debugging(options.debug, runner.view, clock, stop))
        if SYNC in options.groups and options.make_sync is not None:
            tasks.start("syncs", HubSyncs(cluster, options.make_sync, clock=clock).run(stop))
        ready()
