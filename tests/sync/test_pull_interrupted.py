"""A pull that is killed, loses its hub, or is not alone: nothing is lost, nothing is done twice."""

from __future__ import annotations

import asyncio

import pytest

from gitops_ocm.kube.cluster import PatchType, Unreachable
from gitops_ocm.objects.served import CONFIG_MAPS
from gitops_ocm.testing.gitops import SYNCS, Fleet, config_map
from gitops_ocm.testing.waiting import eventually
from tests.sync.test_pull import FILES, has

pytestmark = pytest.mark.slow

HISTORY: list[dict[str, str | None]] = [
    {**FILES},
    {"hub/a.yaml": config_map("a", "2"), "hub/b.yaml": None, "hub/d.yaml": config_map("d")},
]


async def _final(fleet: Fleet) -> None:
    """The end of `HISTORY`, reached by a sync that lives: nothing lost, nothing orphaned."""
    fleet.wire.down, fleet.wire.cut_before, fleet.wire.cut_after = False, 0, 0
    attempt = await fleet.loop().once()
    assert attempt.ok, attempt.verdict
    assert await fleet.names() == ["a", "c", "d"]
    assert (await fleet.wire.hub.get(CONFIG_MAPS, "shop", "a"))["data"] == {"v": "2"}
    assert await fleet.inventory() == {"Namespace": 1, "ConfigMap": 3}
    writes = fleet.wire.writes
    assert (await fleet.loop().once()).ok
    assert fleet.wire.writes == writes, "a converged hub is not written to"


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 13))
async def test_killed_at_any_write(fleet: Fleet, at: int, answered: bool) -> None:
    """The sync dies at its n-th write, carried out or not: its kinds are always in the inventory."""
    await fleet.sync_object(prune={"maxPercent": 60})
    if answered:
        fleet.wire.cut_after = at
    else:
        fleet.wire.cut_before = at
    for files in HISTORY:
        fleet.repo.commit(files)
        try:
            await fleet.loop().once()
        except Unreachable:
            assert fleet.wire.down
        assert not await fleet.names() or "ConfigMap" in await fleet.inventory()
        fleet.wire.down = False
    await _final(fleet)


async def test_a_hub_that_goes_away_mid_apply(fleet: Fleet) -> None:
    """A running sync keeps trying and picks up where it was when the hub is back."""
    await fleet.sync_object(prune={"maxPercent": 60})
    fleet.repo.commit(HISTORY[0])
    loop, stop = fleet.loop(concurrency=1), asyncio.Event()
    fleet.wire.cut_after = 3
    running = asyncio.create_task(loop.run(stop))
    await eventually(lambda: fleet.wire.down)
    fleet.wire.down = False
    await eventually(lambda: has(fleet, "c"))
    assert (await loop.sync_now()).ok
    fleet.repo.commit(HISTORY[1])
    assert (await loop.sync_now()).ok
    stop.set()
    await running
    await _final(fleet)


async def test_a_second_sync_on_the_same_hubsync_gives_way(fleet: Fleet) -> None:
    """Two processes with one HubSync converge: whoever writes second reads again first."""
    fleet.repo.commit(FILES)
    await fleet.sync_object()
    one, two = fleet.loop(), fleet.loop()
    stop = asyncio.Event()
    tasks = [asyncio.create_task(loop.run(stop)) for loop in (one, two)]
    await one.sync_now()
    await two.sync_now()
    fleet.repo.commit({"hub/d.yaml": config_map("d")})
    await asyncio.gather(one.sync_now(), two.sync_now())
    assert await fleet.names() == ["a", "b", "c", "d"]
    assert await fleet.inventory() == {"Namespace": 1, "ConfigMap": 4}
    stop.set()
    await asyncio.gather(*tasks)


async def test_a_request_for_a_sync_is_answered(fleet: Fleet) -> None:
    """The annotation asks for a pass; its value comes back in the status."""
    fleet.repo.commit(FILES)
    await fleet.sync_object()
    stop = asyncio.Event()
    running = asyncio.create_task(fleet.loop().run(stop))
    note = {"metadata": {"annotations": {"sync.gitops-ocm.io/requested-at": "now-1"}}}
    await fleet.wire.hub.patch(SYNCS, "", "fleet", note, type=PatchType.MERGE)

    async def handled() -> bool:
        return (await fleet.status()).get("lastHandledAt") == "now-1"

    await eventually(handled)
    stop.set()
    await running


async def test_who_asked_while_the_hub_was_away_is_answered(fleet: Fleet) -> None:
    """A pass that cannot reach the hub answers nobody; the one that can answers all who asked."""
    fleet.repo.commit(FILES)
    await fleet.sync_object()
    loop, stop = fleet.loop(), asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    assert (await loop.sync_now()).ok
    fleet.wire.down = True
    fleet.repo.commit({"hub/a.yaml": config_map("a", "2")})
    asked = asyncio.create_task(loop.sync_now())
    await eventually(lambda: any("connection refused" in event.message for event in fleet.events))
    assert not asked.done()
    fleet.wire.down = False
    attempt = await asyncio.wait_for(asked, 20)
    assert attempt.ok
    assert (await fleet.wire.hub.get(CONFIG_MAPS, "shop", "a"))["data"] == {"v": "2"}
    stop.set()
    await running
