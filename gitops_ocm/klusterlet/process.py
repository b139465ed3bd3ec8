"""One klusterlet as a process puts it together: registered or not, with the add-ons' credentials beside.

`registration` says who it is, `agent` runs the rows of the controller table, `addons` serves add-ons.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from gitops_ocm.decide.agent.bootstrap import HubAddress
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.klusterlet.addons import AddonRegistrations
from gitops_ocm.klusterlet.agent import KlusterletOptions, agent_groups, run_klusterlet
from gitops_ocm.klusterlet.kept import Kept
from gitops_ocm.klusterlet.registration import Beside, Registered, Registration, RegistrationOptions
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.runtime.clock import Clock, SystemClock

REGISTRATION = "registration"


def _nothing(cluster: str, stop: asyncio.Event) -> Sequence[Beside]:
    return ()


@dataclass(frozen=True)
class Klusterlet:
    """The agents of one managed cluster (`spoke`); `settings` lack what only a registration tells.

    `kept` is where the hub kubeconfig is, `notes` what the agent needs to remember. Hosted add-ons have
    their Secrets on `management`, where the agent runs. `beside` are further tasks of each run.
    """

    spoke: Cluster
    management: Cluster
    kept: Kept
    notes: Kept
    settings: AgentSettings
    groups: frozenset[str] = field(default_factory=lambda: frozenset(agent_groups()))
    beta: bool = False
    beside: Callable[[str, asyncio.Event], Sequence[Beside]] = _nothing
    clock: Clock = field(default_factory=SystemClock)

    async def register(self, options: RegistrationOptions, stop: asyncio.Event) -> None:
        """Register with a hub, and run as who that makes it, until `stop`."""

        async def agent(
            hub: Cluster, who: Registered, leave: asyncio.Event, beside: Sequence[Beside]
        ) -> None:
            await self.run(hub, who.address, leave, cluster_name=who.cluster_name, beside=beside)

        await Registration(options, self.kept, self.notes, clock=self.clock).run(agent, stop)

    async def run(
        self,
        hub: Cluster,
        address: HubAddress,
        stop: asyncio.Event,
        *,
        cluster_name: str = "",
        beside: Sequence[Beside] = (),
    ) -> None:
        """Run with a hub that knows us, until `stop`."""
        name = cluster_name or self.settings.cluster_name
        settings = replace(self.settings, cluster_name=name, hub_server=hub.server)
        tasks = [*beside, *self.beside(name, stop)]
        if settings.addon_management and REGISTRATION in self.groups:
            addons = AddonRegistrations(
                hub, self.spoke, self.management, address, settings, self.notes, self.clock, self.beta
            )
            tasks.append(lambda runner: addons.run(runner, stop))
        options = KlusterletOptions(settings, self.groups)
        await run_klusterlet(hub, self.spoke, options, stop, beside=tasks, clock=self.clock)
