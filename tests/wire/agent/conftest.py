"""The ground the agents' cases stand on: both sides, kinds of our own, and agents that run as processes."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.served import NAMESPACES
from gitops_ocm.testing.clusters import apply, connected, install
from tests.wire.agent.cases import Outcomes, run_all
from tests.wire.agent.cases_narrow import NARROW, narrow_rights
from tests.wire.agent.kinds import definitions
from tests.wire.agent.scene import Scene
from tests.wire.conftest import Sides
from tests.wire.programs import Agent, other

AGENTS: dict[str, dict[str, str]] = {
    "plain": {},
    "raw": {"gates": "RawFeedbackJsonString=true"},
    "narrow": {},
}
"""The agents that cases may ask for, by what is special about them; the narrow one has few rights."""


@dataclass
class Ground:
    """Both sides, and the agents that were started so far."""

    sides: Sides
    hub: Cluster
    spoke: Cluster
    kinds: dict[Any, Any]
    namespace: str
    directory: Path
    run: str
    agents: dict[str, Agent] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def agent(self, name: str, **special: Any) -> Agent:
        """An agent that is not running yet, for a cluster of its own."""
        cluster = f"{name}-{self.run}"
        await self.hub.create(NAMESPACES, _namespace(cluster))
        return Agent(
            "work",
            self.directory,
            cluster,
            self.sides.hub,
            self.sides.spoke,
            agent_id=f"{name}-{self.run}",
            **special,
        )

    async def shared(self, name: str) -> Agent:
        """The running agent of that name."""
        if name not in self.agents:
            agent = await self.agent(name, **AGENTS[name])
            if name == "narrow":
                agent = replace(agent, spoke=await self._narrowed())
            agent.start()
            self.agents[name] = agent
        return self.agents[name]

    async def _narrowed(self) -> Path:
        """A kubeconfig for the managed cluster of somebody who may do little there."""
        await apply(self.spoke, narrow_rights())
        body = yaml.safe_load(await asyncio.to_thread(self.sides.spoke.read_text))
        for user in body["users"]:
            user["user"]["as"] = NARROW
        path = self.directory / "narrow-kubeconfig"
        await asyncio.to_thread(path.write_text, yaml.safe_dump(body))
        return path

    def scene(self, agent: Agent, label: str, *, hub: Path | None = None) -> Scene:
        """A corner for one case; `hub` is the agent's own way to the hub, if it has one."""
        me = f"w{next(self._numbers)}-{self.run}-{label}"
        known_as = load_kubeconfig(hub).server if hub is not None else self.hub.server
        return Scene(self.hub, self.spoke, self.kinds, agent.cluster, self.namespace, agent, known_as, me)


def _namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


@pytest.fixture(scope="session")
async def ground(sides: Sides, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    """What all cases of one pair of servers share."""
    from gitops_ocm.operator.crds import spoke_crds

    run = uuid.uuid4().hex[:4]
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(connected(sides.hub))
        spoke = await stack.enter_async_context(connected(sides.spoke))
        await install(spoke, [*spoke_crds(), *definitions()])
        namespace = f"wire-{run}"
        await spoke.create(NAMESPACES, _namespace(namespace))
        kinds = {(r.api_version, r.kind): r for r in await spoke.discover()}
        found = Ground(sides, hub, spoke, kinds, namespace, tmp_path_factory.mktemp("agents"), run)
        try:
            yield found
        finally:
            for agent in found.agents.values():
                agent.stop()


@pytest.fixture(autouse=True)
def nothing_left_running() -> None:
    """Agents are processes; what they ask of embedded servers in this process outlives a test."""


@pytest.fixture(scope="module")
async def outcomes(request: pytest.FixtureRequest, ground: Ground) -> Outcomes:
    """What became of the module's selected cases."""
    module = request.module
    selected = [
        item.callspec.params["case"]
        for item in request.session.items
        if getattr(item, "module", None) is module and hasattr(item, "callspec")
    ]
    cases = list({case.name: case for case in selected}.values())  # one for each pair of sides is selected
    agent = await ground.shared(getattr(module, "AGENT", "plain"))
    return await run_all(cases, lambda case: ground.scene(agent, case.label), other("work"))
