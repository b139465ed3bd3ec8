"""A whole fleet in memory: a hub with its controllers, clusters with their agents, a clock that waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from gitops_ocm.decide.admission import Webhooks
from gitops_ocm.decide.agent.facts import facts
from gitops_ocm.decide.contract import Controller, Create, Delete, MergePatch
from gitops_ocm.decide.controllers import agent_controllers, hub_controllers
from gitops_ocm.decide.settings import AgentSettings, HubSettings
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.ref import Object, Ref, ref_of, split_api_version
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.run import Simulation
from gitops_ocm.simulate.world import World

START = datetime(2026, 1, 1, tzinfo=UTC)
HUB_URL = "https://hub.example.com:6443"


class Fleet:
    """A `Simulation` with words for what people do; every word raises what the API refuses."""

    def __init__(
        self,
        clusters: Iterable[str] = (),
        *,
        namespaces: Iterable[str] = ("default", "fleet"),
        hub: HubSettings | None = None,
        agent: AgentSettings | None = None,
        step_limit: int = 10_000,
        webhooks: bool = True,
        rows: Sequence[Controller] = (),
    ) -> None:
        """`rows` are on every cluster beside its agent's: who else works there."""
        catalog = load_catalog()
        base = agent or AgentSettings("", HUB_URL)
        agents = {}
        for name in clusters:
            spoke = World(catalog, name=name, namespaces=["default"])
            spoke.put(facts(version="v1.35.4"))
            agents[name] = (spoke, (*agent_controllers(replace(base, cluster_name=name)), *rows))
        self.simulation = Simulation(
            World(catalog, namespaces=namespaces, admission=Webhooks(hub) if webhooks else None),
            hub_controllers(hub),
            agents=agents,
            now=START,
            step_limit=step_limit,
        )

    @property
    def hub(self) -> World:
        """The hub's objects."""
        return self.simulation.hub

    def spoke(self, cluster: str) -> World:
        """A cluster's objects."""
        return self.simulation.spokes[cluster]

    def create(self, *objects: Object, cluster: str = "") -> None:
        """Create objects on the hub or a cluster, and let everything settle."""
        self._act([Create(obj) for obj in objects], cluster)

    def patch(self, ref: Ref, body: Object, *, cluster: str = "") -> None:
        """Merge-patch an object."""
        self._act([MergePatch(ref, body)], cluster)

    def delete(self, *refs: Ref, cluster: str = "") -> None:
        """Delete objects."""
        self._act([Delete(ref) for ref in refs], cluster)

    def advance(self, **span: float) -> None:
        """Let time pass."""
        self.simulation.advance(**span)

    def get(self, ref: Ref, *, cluster: str = "") -> Object:
        """An object that has to be there."""
        found = (self.spoke(cluster) if cluster else self.hub).get(ref)
        if found is None:
            raise GitopsError(f"{ref} is not there")
        return found

    def condition(self, ref: Ref, type: str) -> tuple[str, str, str] | None:
        """Status, reason and message of a condition of an object on the hub."""
        found = find((self.get(ref).get("status") or {}).get("conditions"), type)
        return (found["status"], found["reason"], found["message"]) if found is not None else None

    def _act(self, writes: Iterable[Create | MergePatch | Delete], cluster: str) -> None:
        for result in self.simulation.act(*writes, cluster=cluster):
            if result.error is not None:
                raise result.error
        self.simulation.settle()


def ref(api_version: str, kind: str, name: str, namespace: str = "") -> Ref:
    """A `Ref` from the words of a manifest."""
    return Ref(split_api_version(api_version)[0], kind, namespace, name)


def names(objects: Iterable[Mapping[str, object]]) -> list[str]:
    """What objects are, for comparing: `ConfigMap default/a`."""
    return [str(ref_of(obj)) for obj in objects]
