"""The runner's end, and its API server's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from gitops_ocm.decide.contract import (
    Apply,
    Controller,
    Outcome,
    Side,
    View,
    Wake,
    Write,
)
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.live.reflector import WatchSettings
from gitops_ocm.live.runner import Runner, RunnerSettings
from gitops_ocm.objects.ref import Ref
from gitops_ocm.objects.served import SECRETS
from gitops_ocm.testing.faulty_api import FaultyApi
from tests.live.running import (
    CONFIG_MAP,
    COPIES,
    Eventually,
    obj,
    ref,
    running,
)


async def test_a_stop_lets_writes_finish(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """A reconcile that is half way when the stop comes makes the rest of its writes; no new one begins."""
    api.served.append(SECRETS)
    begun = asyncio.Event()

    def writes(view: View, key: Ref, _now: datetime) -> Outcome:
        begun.set()
        actions: tuple[Write, ...] = tuple(Apply(obj(f"{key.name}{n}", "Secret")) for n in range(20))
        return Outcome(actions)

    api.put(obj("c"))
    row = Controller("writes", "test", writes, (Wake(CONFIG_MAP),), workers=1)
    async with running(http, quick, row):
        await begun.wait()
    assert api.get("default", "c19", "secrets") is not None


def gave_up_once(logs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the runner has tried to reach its API, in vain."""
    return any(line["event"] == "API not reached yet" for line in logs)


@pytest.mark.parametrize("reachable", [True, False])
async def test_being_cancelled_leaves_nothing_behind(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually, reachable: bool
) -> None:
    """A runner whose task is cancelled, started or not, ends its watches and workers with it."""
    if not reachable:
        await api.stop()
    runner = Runner([COPIES], {Side.HUB: http}, settings=RunnerSettings(watch=quick))
    with capture_logs() as logs:
        task = asyncio.create_task(runner.run(asyncio.Event()))
        await (runner.synced() if reachable else eventually(lambda: gave_up_once(logs)))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await runner.synced() is reachable


async def test_a_stop_before_the_start(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """A runner told to stop while its API cannot be reached ends at once, and so does who waits for it."""
    await api.stop()
    with capture_logs() as logs:
        async with running(http, quick, COPIES) as runner:
            waiting = asyncio.create_task(runner.synced())
            await eventually(lambda: gave_up_once(logs))
    assert await waiting is False


async def test_survives_the_api_server_going_away(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """While the server is away writes fail and wait; when it is back everything is caught up with."""
    api.served.append(SECRETS)
    api.put(obj("a", x="1"))
    async with running(http, quick, COPIES) as runner:
        await eventually(lambda: api.get("default", "a", "secrets"))
        await api.stop()
        runner.wake("copies", ref("a"))
        for n in range(5):
            api.put(obj(f"b{n}", x="1"))
        api.remove("default", "a", "secrets")
        api.compact()
        await api.start()
        wanted = ("a", "b0", "b1", "b2", "b3", "b4")
        await eventually(lambda: all(api.get("default", n, "secrets") for n in wanted))
        await eventually(lambda: runner.status().idle)
