"""An agent that dies, or loses one of its sides, at awkward moments; on the wire, with its own process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

import pytest

from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.testing.waiting import eventually
from tests.wire.agent.cases_apply import OWN_KINDS
from tests.wire.agent.conftest import Ground
from tests.wire.agent.expected import Entry
from tests.wire.agent.kinds import config_map, note, obj
from tests.wire.agent.moves import Change, End, Ended, Expect, Gone, Move, Work
from tests.wire.agent.scene import APPLIED_WORKS, WORKS, Scene
from tests.wire.programs import Agent, other
from tests.wire.proxy import Line, line_to

pytestmark = pytest.mark.slow

Side = Literal["hub", "spoke"]
A, B, C = config_map("$me-a"), config_map("$me-b"), config_map("$me-c")
MANY = [note(f"$me-{n}", spec={"n": n}) for n in range(30)]
ONLY_OURS = pytest.mark.skipif(
    bool(other("work")), reason="OCM's agent looks again after four to six minutes; ours watches"
)


async def play(scene: Scene, *moves: Move) -> None:
    """Make moves one after another."""
    for move in moves:
        await move.make(scene)


def entries(manifests: Sequence[dict[str, object]]) -> list[Entry]:
    """Each manifest in the normal case."""
    return [Entry(manifest) for manifest in manifests]


async def listed(scene: Scene) -> int:
    """How many objects the work's ledger has."""
    anchor = await scene.ledger()
    return len((anchor or {}).get("status", {}).get("appliedResources") or ())


@asynccontextmanager
async def on_a_line(ground: Ground, name: str, side: Side) -> AsyncIterator[tuple[Scene, Line]]:
    """A scene of an agent that reaches one of its sides over a line, and the line."""
    agent = await ground.agent(name)
    server = agent.hub if side == "hub" else agent.spoke
    async with line_to(server, ground.directory) as (line, kubeconfig):
        if side == "hub":
            agent.hub = kubeconfig
        else:
            agent.spoke = kubeconfig
        with agent:
            yield ground.scene(agent, name, hub=agent.hub), line


@pytest.mark.parametrize("after", [0, 1, 10, 29])
async def test_killed_while_applying(ground: Ground, after: int) -> None:
    """Killed in the midst of a work and started again, it finishes the work, and can take all of it away."""
    with await ground.agent(f"killed{after}") as agent:
        scene = ground.scene(agent, "killed")
        await play(scene, Work(MANY))

        async def begun() -> bool:
            agent.check()
            work = await ground.hub.get(WORKS, agent.cluster, scene.me)
            found = [await scene.find(scene.filled(m)) for m in (MANY[after],)]
            return bool(work["metadata"].get("finalizers")) and (after == 0 or found[0] is not None)

        await eventually(begun)
        agent.kill()
        agent.start()
        await play(scene, Expect(entries(MANY)), End(), Ended(gone=MANY))


async def test_what_happened_while_it_was_down(ground: Ground) -> None:
    """Works changed, made and deleted while no agent ran are as they should be once one does."""
    with await ground.agent("down") as agent:
        changed, deleted, made = (ground.scene(agent, name) for name in ("changed", "deleted", "made"))
        for scene in (changed, deleted):
            await play(scene, Work([A, B]), Expect(entries([A, B])))
        agent.kill()
        for scene in (changed, deleted):
            await play(scene, Gone(A), Change(B, {"data": {"key": "edited"}}))
        await deleted.end_work()
        await play(changed, Work([A, B, C]))
        await made.put_work(made.filled({"workload": {"manifests": [A]}}))
        agent.start()
        await play(changed, Expect(entries([A, B, C])))
        await play(deleted, Ended(gone=[A, B]))
        await play(made, Expect(entries([A])))


async def test_killed_while_deleting(ground: Ground) -> None:
    """Killed while a finalizer holds a deleted work up, it goes on where it was."""
    held = note(metadata={"finalizers": ["example.com/hold"]})
    with await ground.agent("deleting") as agent:
        scene = ground.scene(agent, "deleting")
        await play(scene, Work([held, A]), Expect(entries([held, A])), End())

        async def deleting() -> bool:
            live = await scene.find(scene.filled(held))
            return live is not None and "deletionTimestamp" in live["metadata"]

        await eventually(deleting)
        agent.kill()
        agent.start()
        await play(scene, Change(held, {"metadata": {"finalizers": None}}), Ended(gone=[held, A]))


async def test_hub_away_and_back(ground: Ground) -> None:
    """While the hub cannot be reached nothing is lost; what changed there meanwhile arrives afterwards."""
    async with on_a_line(ground, "hubless", "hub") as (scene, line):
        await play(scene, Work([A, B]), Expect(entries([A, B])))
        line.cut()
        await play(scene, Work([B, C]))
        assert await scene.find(scene.filled(A)) is not None
        line.mend()
        await play(scene, Expect(entries([B, C]), gone=[A]), End(), Ended(gone=[B, C]))


@ONLY_OURS
async def test_drift_without_a_hub(ground: Ground) -> None:
    """What is known of the works is kept on the cluster while the hub is away."""
    async with on_a_line(ground, "alone", "hub") as (scene, line):
        await play(scene, Work([A, B]), Expect(entries([A, B])))
        line.cut()
        await play(scene, Gone(A), Change(B, {"data": {"key": "edited"}}))

        async def put_back() -> bool:
            a, b = await scene.find(scene.filled(A)), await scene.find(scene.filled(B))
            return a is not None and b is not None and b["data"] == {"key": "value"}

        await eventually(put_back)
        line.mend()
        await play(scene, Expect(entries([A, B])))


async def test_cluster_away_and_back(ground: Ground) -> None:
    """While the managed cluster cannot be reached the agent lives on, and catches up afterwards."""
    async with on_a_line(ground, "spokeless", "spoke") as (scene, line):
        await play(scene, Work([A, B]), Expect(entries([A, B])))
        line.cut()
        await play(scene, Work([B, C]))
        line.mend()
        await play(scene, Expect(entries([B, C]), gone=[A]), End(), Ended(gone=[B, C]))


async def _stripped(scene: Scene) -> None:
    """Delete the work and take its finalizer off by hand: it vanishes without its agent's doing."""
    work = await scene.work()
    body = {"metadata": {"finalizers": None}}
    await scene.hub.delete(WORKS, scene.cluster, work["metadata"]["name"])
    await scene.hub.patch(WORKS, scene.cluster, work["metadata"]["name"], body, type=PatchType.MERGE)


async def _marked(scene: Scene) -> bool:
    """Whether the time of the eviction has begun to run."""
    anchor = await scene.ledger()
    return anchor is not None and "evictionStartTime" in anchor.get("status", {})


async def test_eviction(ground: Ground) -> None:
    """What a work applied that vanished from the hub is marked, and removed when its grace is over."""
    agent = await ground.agent("evicting", grace="3s")
    with agent:
        scene = ground.scene(agent, "evicted")
        await play(scene, Work([A]), Expect(entries([A])))
        agent.kill()
        await _stripped(scene)
        agent.start()
        await eventually(lambda: _marked(scene))
        assert await scene.find(scene.filled(A)) is not None

        async def evicted() -> bool:
            return await scene.ledger() is None and await scene.find(scene.filled(A)) is None

        await eventually(evicted)


async def test_rescue_from_eviction(ground: Ground) -> None:
    """A work that is back in time keeps what it had applied, object for object, and the mark goes."""
    with await ground.agent("rescuing") as agent:
        scene = ground.scene(agent, "rescued")
        await play(scene, Work([A]), Expect(entries([A])))
        before = await scene.find(scene.filled(A))
        agent.kill()
        await _stripped(scene)
        agent.start()
        await eventually(lambda: _marked(scene))
        await play(scene, Work([A]), Expect(entries([A])))

        async def cleared() -> bool:
            return not await _marked(scene)

        await eventually(cleared)
        after = await scene.find(scene.filled(A))
        assert before is not None
        assert after is not None
        assert after["metadata"]["uid"] == before["metadata"]["uid"]


async def test_others_ledgers_are_left_alone(ground: Ground) -> None:
    """A ledger of another agent is neither marked nor removed, though no work of ours is for it."""
    agent = await ground.shared("plain")
    scene = ground.scene(agent, "foreign")
    name = scene.anchor()
    spec = {"hubHash": scene.hub_hash, "manifestWorkName": scene.me, "agentID": "another"}
    meta = {"name": name}
    foreign = {
        "apiVersion": APPLIED_WORKS.api_version,
        "kind": APPLIED_WORKS.kind,
        "metadata": meta,
        "spec": spec,
    }
    made = await ground.spoke.create(APPLIED_WORKS, foreign)
    own = ground.scene(agent, "own")
    await play(own, Work([A]), Expect(entries([A])), End(), Ended(gone=[A]))
    left = await ground.spoke.get(APPLIED_WORKS, "", name)
    assert left["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_order(ground: Ground) -> None:
    """Whatever order a work has, its kinds are made in theirs."""
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    manifests = [
        note(spec={}),
        obj("v1", "Service", spec={"ports": [{"port": 80}]}),
        obj("v1", "ConfigMap", data={"a": "b"}),
        obj("v1", "ServiceAccount"),
        obj("rbac.authorization.k8s.io/v1", "Role", rules=rules),
        obj("scheduling.k8s.io/v1", "PriorityClass", "$me", None, value=1),
    ]
    scene = ground.scene(await ground.shared("plain"), "order")
    await play(scene, Work(manifests), Expect(entries(manifests)))
    found = [await scene.find(scene.filled(m)) for m in manifests]
    versions = [int(live["metadata"]["resourceVersion"]) for live in found if live is not None]
    assert len(versions) == len(manifests)
    assert versions == sorted(versions, reverse=True)


@pytest.mark.parametrize("number", [0, 1], ids=["definition-first", "definition-last"])
async def test_definition_and_object_in_one_work(ground: Ground, number: int) -> None:
    """A kind and its first object come with one work, and go with it."""
    definition, thing = OWN_KINDS[number]
    scene = ground.scene(await ground.shared("plain"), "own-kind")
    kind = (thing["apiVersion"], thing["kind"])
    manifests = [definition, thing][:: -1 if number else 1]
    await play(scene, Work(manifests))

    async def served() -> bool:
        scene.kinds.update({(r.api_version, r.kind): r for r in await ground.spoke.discover()})
        return kind in scene.kinds

    await eventually(served)
    await play(scene, Expect(entries(manifests)), End(), Ended(gone=[definition]))
    del scene.kinds[kind]


async def test_stops_in_good_order(ground: Ground) -> None:
    """Asked to end, it ends; what it applied stays."""
    agent: Agent = await ground.agent("stopping")
    with agent:
        scene = ground.scene(agent, "stopping")
        await play(scene, Work([A]), Expect(entries([A])))
    assert await scene.find(scene.filled(A)) is not None
