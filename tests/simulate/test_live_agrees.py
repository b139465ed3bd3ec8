"""The same history, simulated and live: both interpreters of the table come to the same state.

Live means the real runner, with its caches, queues and holds, on embedded stores in this process. After
each step of a random history the two states are compared, all but versions, uids and times.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.agent.facts import facts
from gitops_ocm.decide.contract import Create, Delete, MergePatch, Side, Write
from gitops_ocm.decide.controllers import agent_controllers, hub_controllers
from gitops_ocm.decide.kinds import (
    APPLIED_WORK,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    CLUSTER_SET,
    CLUSTER_SET_BINDING,
    MANAGED_CLUSTER,
    MANIFEST_WORK,
    PLACEMENT,
    PLACEMENT_DECISION,
    REPLICA_SET,
    ROLE_BINDING,
    cluster_ref,
)
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.live.commit import Committer
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.ref import Kind, Object, Ref
from gitops_ocm.simulate.compare import compare, end_state
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.clusters import memory
from gitops_ocm.testing.simulated import HUB_URL, Fleet
from gitops_ocm.testing.waiting import eventually

CLUSTERS = ("c1", "c2")
HUB_KINDS = (
    *(MANAGED_CLUSTER, CLUSTER_SET, CLUSTER_SET_BINDING, PLACEMENT, PLACEMENT_DECISION),
    *(MANIFEST_WORK, REPLICA_SET, CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE_BINDING),
)
SPOKE_KINDS = (APPLIED_WORK, Kind("", "ConfigMap"), Kind("apps", "Deployment"))


@dataclass(frozen=True)
class Act:
    """One thing somebody does, on the hub or on a cluster."""

    write: Write
    cluster: str = ""


def _config(value: str) -> Object:
    return make.config_map("a", data={"value": value})


def _work(name: str, cluster: str, value: str) -> Object:
    return make.manifest_work(name, cluster, [_config(value), make.deployment(name)])


SETUP = [
    *(Act(Create(make.managed_cluster(name))) for name in CLUSTERS),
    Act(Create(make.binding("default", "default"))),
    Act(Create(make.placement("p", "default"))),
]
CONFIG = Ref("", "ConfigMap", "default", "a")


def _rolling() -> Object:
    """A replica set that reaches one cluster after the other, each once the one before is done."""
    rolling = make.replica_set("rolling-set", "default", ["p"], [make.config_map("rolling")])
    strategy = {"type": "Progressive", "progressive": {"maxConcurrency": 1}}
    rolling["spec"]["placementRefs"][0]["rolloutStrategy"] = strategy
    return rolling


HISTORY = [
    Act(Create(_work("web", "c1", "1"))),
    Act(MergePatch(Ref(*MANIFEST_WORK, "c1", "web"), {"spec": {"workload": {"manifests": [_config("2")]}}})),
    Act(Delete(Ref(*MANIFEST_WORK, "c1", "web"))),
    Act(Create(make.replica_set("set", "default", ["p"], [_config("3")]))),
    Act(Delete(Ref(*REPLICA_SET, "default", "set"))),
    Act(Create(_rolling())),
    Act(
        MergePatch(
            Ref(*REPLICA_SET, "default", "rolling-set"),
            {
                "spec": {
                    "manifestWorkTemplate": {
                        "workload": {"manifests": [make.config_map("rolling", data={"n": "2"})]}
                    }
                }
            },
        )
    ),
    Act(MergePatch(CONFIG, {"data": {"value": "drift"}}), "c1"),
    Act(Delete(CONFIG), "c2"),
    Act(MergePatch(Ref(*PLACEMENT, "default", "p"), {"spec": {"numberOfClusters": 1}})),
    Act(MergePatch(Ref(*PLACEMENT, "default", "p"), {"spec": {"numberOfClusters": None}})),
    Act(
        MergePatch(
            cluster_ref("c1"),
            {"metadata": {"labels": {"cluster.open-cluster-management.io/clusterset": "other"}}},
        )
    ),
    Act(MergePatch(cluster_ref("c2"), {"spec": {"hubAcceptsClient": False}})),
    Act(MergePatch(cluster_ref("c2"), {"spec": {"hubAcceptsClient": True}})),
]


def stripped(objects: Iterable[Object]) -> Mapping[Ref, Object]:
    """States to compare; a work's name ends in a hash of its set's uid."""
    text = json.dumps([list(pair) for pair in sorted(end_state(objects).items())])
    found = json.loads(re.sub(r"\bset-[0-9a-f]{10}\b", "set-hash", text))
    kept = {Ref(*ref): obj for ref, obj in found}
    return {ref: obj for ref, obj in kept.items() if "system:" not in ref.name}


def simulated(history: Sequence[Act]) -> list[dict[str, Mapping[Ref, Object]]]:
    """The states after each step, by cluster (`""`: the hub)."""
    fleet = Fleet(CLUSTERS)
    states = []
    for act in history:
        fleet.simulation.act(act.write, cluster=act.cluster)
        fleet.simulation.settle()
        assert fleet.simulation.unsettled() == []
        worlds = {"": (fleet.hub, HUB_KINDS), **{c: (fleet.spoke(c), SPOKE_KINDS) for c in CLUSTERS}}
        states.append(
            {
                name: stripped(o for k in kinds for o in world.list(k))
                for name, (world, kinds) in worlds.items()
            }
        )
    return states


@asynccontextmanager
async def running(clusters: Mapping[str, Cluster]) -> AsyncIterator[Mapping[str, Runner]]:
    """The hub's controllers and the agents, at work on these clusters."""
    hub, stop = clusters[""], asyncio.Event()
    runners = {"": Runner(hub_controllers(), {Side.HUB: hub})}
    for name in CLUSTERS:
        rows = agent_controllers(AgentSettings(name, HUB_URL))
        runners[name] = Runner(rows, {Side.HUB: hub, Side.SPOKE: clusters[name]})
        runners[name].caches[Side.SPOKE].put_local(facts(version="v1.35.4"))
    tasks = [asyncio.ensure_future(runner.run(stop)) for runner in runners.values()]
    try:
        for runner in runners.values():
            await runner.synced()
        yield runners
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def seen(cluster: Cluster, runner: Runner, side: Side, kinds: Iterable[Kind]) -> Mapping[Ref, Object]:
    """What is on a cluster now."""
    found: list[Object] = []
    for kind in kinds:
        resource = await runner.mappers[side].resource_of(kind)
        assert resource is not None
        found += (await cluster.list(resource)).items
    return stripped(found)


async def same(cluster: Cluster, runner: Runner, side: Side, state: Mapping[Ref, Object]) -> bool:
    """Whether a cluster is in that state; an assertion that says what differs if not."""
    live = await seen(cluster, runner, side, HUB_KINDS if side is Side.HUB else SPOKE_KINDS)
    left = [f"{c.ref}: {c.differences[:3]}" for c in compare(state, live)]
    assert not left, "\n".join(left)
    return True


async def agree(history: Sequence[Act]) -> None:
    """Run a history live and hold every state against the simulated one."""
    expected = simulated(history)
    async with memory() as hub, memory() as c1, memory() as c2:
        clusters = {"": hub, "c1": c1, "c2": c2}
        async with running(clusters) as runners:
            for act, states in zip(history, expected, strict=True):
                side = Side.SPOKE if act.cluster else Side.HUB
                mappers = {Side.HUB: runners[act.cluster].mappers[side]}
                committer = Committer({Side.HUB: clusters[act.cluster]}, mappers, field_manager="test")
                await committer.write(act.write)
                for name, cluster in clusters.items():
                    where = Side.SPOKE if name else Side.HUB
                    await eventually(
                        partial(same, cluster, runners[name], where, states[name]),
                        20,
                        describe=f"after {act}: {name or 'the hub'}",
                    )


@pytest.mark.slow
async def test_the_whole_history_in_order_agrees() -> None:
    """Everything the histories are drawn from, once after the other."""
    await agree([*SETUP, *HISTORY])


@pytest.mark.slow
@given(st.lists(st.sampled_from(HISTORY), max_size=8))
@settings(derandomize=True, deadline=None, max_examples=12, suppress_health_check=list(HealthCheck))
def test_random_histories_agree(history: list[Act]) -> None:
    """Whatever order things are done in, possible or not, live and simulated hubs agree after each."""
    asyncio.run(agree([*SETUP, *history]))
