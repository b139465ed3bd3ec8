"""Many objects are written without watching; what happens meanwhile is noticed afterwards."""

from __future__ import annotations

import asyncio

import pytest

from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.objects.ref import Kind, Ref
from gitops_ocm.objects.served import CONFIG_MAPS
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.runtime.clock import SystemClock
from gitops_ocm.sync.observed import Observed
from gitops_ocm.sync.pull import MANY
from gitops_ocm.sync.watching import Watching
from gitops_ocm.testing.gitops import NAMESPACE, Fleet, config_map

MAP = Kind("", "ConfigMap")
FILES = {"hub/ns.yaml": NAMESPACE, "hub/a.yaml": config_map("a"), "hub/b.yaml": config_map("b")}
EDITED, GONE = Ref("", "ConfigMap", "shop", "a"), Ref("", "ConfigMap", "shop", "b")


@pytest.fixture
async def synced(fleet: Fleet) -> Fleet:
    """A namespace and two ConfigMaps from Git, on the hub."""
    fleet.repo.commit(FILES)
    await fleet.sync_object()
    assert (await fleet.loop().once()).ok
    return fleet


async def test_an_edit_and_a_deletion_while_nobody_watched(synced: Fleet) -> None:
    """Both are known once the watches have caught up."""
    hub, woken = synced.wire.hub, asyncio.Event()
    observed = Observed("fleet", woken.set)
    watching = Watching(
        hub, Mapper(hub, clock=SystemClock()), observed, woken, name="fleet", clock=SystemClock()
    )
    loop = synced.loop()
    async with watching:
        state = compile_tree(memory_tree(FILES), load_catalog())
        observed.expect({item.ref: item for item in state.objects})
        await watching.follow([(MAP, "v1")])
        assert observed.off == frozenset()
        with watching.quiet():
            body = {"data": {"v": "by hand"}}
            await hub.patch(CONFIG_MAPS, "shop", "a", body, type=PatchType.MERGE, field_manager="somebody")
            await hub.delete(CONFIG_MAPS, "shop", "b")
        await watching.follow([(MAP, "v1")])
        assert observed.off == {EDITED, GONE}
        assert woken.is_set()
    assert (await loop.once()).ok
    assert await synced.names() == ["a", "b"]


async def test_a_large_commit_arrives_and_drift_from_it_is_put_back(fleet: Fleet) -> None:
    """A commit large enough to be written quietly is watched afterwards like any other."""
    names = [f"m{number:04}" for number in range(MANY + 10)]
    fleet.repo.commit({"hub/ns.yaml": NAMESPACE, **{f"hub/{n}.yaml": config_map(n) for n in names}})
    await fleet.sync_object()
    loop = fleet.loop()
    stop = asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    try:
        assert (await loop.sync_now()).ok
        assert await fleet.names() == names
        await fleet.wire.hub.delete(CONFIG_MAPS, "shop", names[3])
        assert (await loop.sync_now()).ok
        assert await fleet.names() == names
    finally:
        stop.set()
        await running
