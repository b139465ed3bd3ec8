"""kill -9 of the embedded server at random moments under load: nothing acknowledged is lost or told twice.

GITOPS_OCM_TEST_CRASHES says how often (`make crash`: 200 times).
"""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import PatchType, Unreachable
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CONFIG_MAPS
from gitops_ocm.testing.waiting import eventually, turns
from tests.e2e.served import start

CRASHES = int(os.environ.get("GITOPS_OCM_TEST_CRASHES", "40"))
WRITERS = 6
NAMES = 5
MARKER = "marker"

Value = str | None
"""What an object says; None where it does not exist."""


@dataclass
class Moment:
    """The one at which the server dies: when so many requests have been sent."""

    requests: int
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self) -> None:
        """One more is about to be sent."""
        self.requests -= 1
        if self.requests <= 0:
            self.came.set()


@dataclass
class Writer:
    """Creates, changes and deletes its own few objects, and remembers what it was told."""

    prefix: str
    randomly: random.Random
    known: dict[str, Value] = field(default_factory=dict)
    asked: tuple[str, Value] | None = None
    versions: list[int] = field(default_factory=list)
    writes: int = 0

    async def run(self, cluster: HttpCluster, moment: Moment) -> None:
        """Write until the server is gone."""
        with suppress(Unreachable):
            while True:
                moment.count()
                await self.write(cluster)

    async def write(self, cluster: HttpCluster) -> None:
        """One write."""
        name = f"{self.prefix}-{self.randomly.randrange(NAMES)}"
        self.writes += 1
        value = f"{self.writes}"
        if self.known.get(name) is None:
            self.asked = (name, value)
            answer = await cluster.create(CONFIG_MAPS, _config_map(name, value))
        elif self.randomly.random() < 0.3:
            self.asked = (name, None)
            await cluster.delete(CONFIG_MAPS, "default", name)
            answer = None
        else:
            self.asked = (name, value)
            patch = {"data": {"v": value}}
            answer = await cluster.patch(CONFIG_MAPS, "default", name, patch, type=PatchType.MERGE)
        self.known[name], self.asked = self.asked[1], None
        if answer is not None:
            self.versions.append(int(answer["metadata"]["resourceVersion"]))

    def check(self, found: dict[str, Value]) -> None:
        """What was acknowledged is there; what was only asked for may be, and is known from now on."""
        for name in {*self.known, *([self.asked[0]] if self.asked else [])}:
            allowed = {self.known.get(name)}
            if self.asked and self.asked[0] == name:
                allowed.add(self.asked[1])
            assert found.get(name) in allowed, name
            self.known[name] = found.get(name)
        self.asked = None


@dataclass
class Watcher:
    """A client that lists once and then only resumes, from the last event it saw."""

    version: str
    state: dict[str, Value]
    told: list[int] = field(default_factory=list)
    up: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, cluster: HttpCluster) -> None:
        """Follow; a server that is gone is waited for."""
        while True:
            await self.up.wait()
            with suppress(Unreachable):
                async for event in cluster.watch(CONFIG_MAPS, "default", resource_version=self.version):
                    meta = event.object["metadata"]
                    self.version = meta["resourceVersion"]
                    if event.type == "BOOKMARK":
                        continue
                    self.told.append(int(self.version))
                    is_there = self.state.get(meta["name"]) is not None
                    assert is_there is (event.type != "ADDED"), (event.type, meta["name"])
                    gone = event.type == "DELETED"
                    self.state[meta["name"]] = None if gone else event.object["data"]["v"]

    def has_seen(self, marker: str) -> bool:
        """Whether it has been told of that marker, and so of all that came before."""
        return self.state.get(MARKER) == marker


def _config_map(name: str, value: str) -> Object:
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"v": value}}


async def _contents(cluster: HttpCluster) -> tuple[dict[str, Value], int]:
    """What the writers have left, and the version of that."""
    found = await cluster.list(CONFIG_MAPS, "default")
    values = {o["metadata"]["name"]: o["data"]["v"] for o in found.items if "v" in o["data"]}
    values.pop(MARKER, None)
    return values, int(found.resource_version)


async def _marked(cluster: HttpCluster, number: int) -> str:
    """Write something that a watch is told after all that came before; what it says."""
    obj = _config_map(MARKER, f"{number}")
    await cluster.patch(CONFIG_MAPS, "default", MARKER, obj, type=PatchType.APPLY, field_manager="test")
    return f"{number}"


@pytest.mark.slow
@pytest.mark.timeout(30 + 5 * CRASHES)
async def test_kill_at_any_moment_under_load(tmp_path: Path) -> None:
    """Every acknowledged write is there, versions never go back, a resumed watch sees each change once."""
    randomly = random.Random(20261122)
    writers = [Writer(f"w{n}", random.Random(n)) for n in range(WRITERS)]
    server = start(tmp_path)
    cluster = HttpCluster(load_kubeconfig(tmp_path / "kubeconfig"))
    _, version = await _contents(cluster)
    watcher = Watcher(str(version), {})
    watcher.up.set()
    watching = asyncio.create_task(watcher.run(cluster))
    try:
        for number in range(CRASHES):
            await asyncio.gather(*(writer.write(cluster) for writer in writers))  # all are connected
            moment = Moment(randomly.randint(1, 80))
            running = [asyncio.create_task(writer.run(cluster, moment)) for writer in writers]
            await moment.came.wait()
            await turns(randomly.randrange(8))
            server.kill()
            watcher.up.clear()
            server.join()
            await asyncio.gather(*running)
            server = start(tmp_path)
            watcher.up.set()
            found, again = await _contents(cluster)
            assert again >= max((version, *(v for w in writers for v in w.versions)))
            version = again
            for writer in writers:
                writer.check(found)
            marker = await _marked(cluster, number)
            await eventually(partial(watcher.has_seen, marker), describe="the watch caught up")
            assert {k: v for k, v in watcher.state.items() if v is not None and k != MARKER} == found
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await cluster.close()
        server.kill()
    assert watcher.told == sorted(set(watcher.told))
    assert {v for w in writers for v in w.versions} <= set(watcher.told)
    assert sum(w.writes for w in writers) > CRASHES
