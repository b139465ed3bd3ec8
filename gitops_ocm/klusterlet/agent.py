"""The klusterlet: the agent rows of the controller table against a hub and one managed cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from gitops_ocm.decide.contract import Side
from gitops_ocm.decide.controllers import agent_controllers, in_groups
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.errors import GitopsError
from gitops_ocm.klusterlet.facts import measure
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.names import name_problems
from gitops_ocm.objects.ref import Object
from gitops_ocm.operator.crds import ensure_crds, spoke_crds
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.runtime.tasks import Tasks

STATUS = "status"
"""The group that is not in the controller table: the cluster's own account in Git."""


def agent_groups() -> tuple[str, ...]:
    """What `--agents` can pick: the table's groups, and `status`."""
    rows = agent_controllers(AgentSettings(cluster_name="any"))
    return (*dict.fromkeys(row.group for row in rows), STATUS)


@cache
def _definitions() -> tuple[Object, ...]:
    """The CRDs of a managed cluster: made once, however many agents this process has."""
    return tuple(spoke_crds())


@dataclass(frozen=True)
class KlusterletOptions:
    """What of the agent runs here, and as which cluster."""

    settings: AgentSettings
    groups: frozenset[str] = field(default_factory=lambda: frozenset(agent_groups()))


async def run_klusterlet(
    hub: Cluster,
    spoke: Cluster,
    options: KlusterletOptions,
    stop: asyncio.Event,
    *,
    beside: Sequence[Callable[[Runner], Coroutine[Any, Any, None]]] = (),
    ready: Callable[[], None] = lambda: None,
    clock: Clock | None = None,
) -> None:
    """Run until `stop`. `beside` are tasks that read the runner's view, such as committing status."""
    unknown = sorted(options.groups - set(agent_groups()))
    if unknown:
        raise GitopsError(
            f"there is no agent {unknown[0]!r}", hint=f"choose from {', '.join(agent_groups())}"
        )
    if problems := name_problems(options.settings.cluster_name):
        raise GitopsError(
            f"{options.settings.cluster_name!r} cannot be the name of a cluster: {problems[0]}",
            hint="give the name of its ManagedCluster on the hub",
        )
    clock = clock or SystemClock()
    await ensure_crds(spoke, _definitions(), clock=clock)
    rows = in_groups(agent_controllers(options.settings), options.groups)
    runner = Runner(rows, {Side.HUB: hub, Side.SPOKE: spoke}, clock=clock)
    async with Tasks(f"klusterlet {options.settings.cluster_name}") as tasks:
        period = options.settings.health_period
        facts = measure(spoke, runner.caches[Side.SPOKE], clock, stop, period=period)
        tasks.start("facts", facts)
        tasks.start("agents", runner.run(stop))
        for work in beside:
            tasks.start("beside", work(runner))
        await runner.synced()
        ready()
