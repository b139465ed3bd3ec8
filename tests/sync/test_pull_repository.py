"""A repository that changes its branch, goes away or never answers: what the hub keeps, and what is told."""

from __future__ import annotations

import asyncio
import socket

import pytest

from gitops_ocm.objects.served import CONFIG_MAPS
from gitops_ocm.testing.gitops import Fleet
from tests.sync.test_pull import FILES

pytestmark = pytest.mark.slow


async def test_a_deleted_branch_keeps_the_last_good_commit(fleet: Fleet) -> None:
    """The branch goes: nothing is pruned, drift is still put back, the condition says what happened."""
    fleet.repo.commit(FILES)
    await fleet.sync_object()
    await fleet.loop().once()
    fleet.repo.git("branch", "keep", "main")
    fleet.repo.git("update-ref", "-d", "refs/heads/main")
    await fleet.wire.hub.delete(CONFIG_MAPS, "shop", "a")
    await fleet.loop().once()
    assert await fleet.names() == ["a", "b", "c"]
    assert await fleet.condition() == ("False", "RefNotFound")


async def test_a_force_push_is_followed_and_told(fleet: Fleet) -> None:
    """A rewritten branch is accepted; an event names both commits."""
    fleet.repo.commit(FILES)
    await fleet.sync_object()
    loop, stop = fleet.loop(), asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    await loop.sync_now()
    tree = fleet.repo.git("rev-parse", "main^{tree}")
    other = fleet.repo.git(
        "-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", "-m", "Rewritten", tree
    )
    fleet.repo.git("update-ref", "refs/heads/main", other)
    attempt = await loop.sync_now()
    assert attempt.commit == other
    assert any("was rewritten" in event.message for event in fleet.events)
    stop.set()
    await running


async def test_an_unreachable_repository(fleet: Fleet) -> None:
    """A host that does not answer is named; time may heal it, so the sync goes on trying."""
    await fleet.sync_object(repository={"url": "https://127.0.0.1:1/fleet.git"})
    attempt = await fleet.loop().once()
    assert attempt.verdict.reason == "RepositoryUnreachable"
    assert attempt.retry
    assert "127.0.0.1" in attempt.verdict.message
    assert await fleet.condition("Reconciling") == ("True", "RepositoryUnreachable")


async def test_nobody_waits_for_a_repository_that_never_answers(fleet: Fleet) -> None:
    """A pass ends at its time limit and leaves no git behind; a daemon that is to stop stops."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/fleet.git"
        await fleet.sync_object(repository={"url": url}, timeout="1s")
        loop, stop = fleet.loop(), asyncio.Event()
        running = asyncio.create_task(loop.run(stop))
        assert (await loop.sync_now()).verdict.reason == "TimedOut"
        await fleet.configure(timeout="1h")
        silent.accept()[0].close()
        connection, _ = await asyncio.to_thread(silent.accept)  # the next pass asks
        with connection:
            stop.set()
            await asyncio.wait_for(running, 20)
    assert await fleet.condition() == ("False", "TimedOut")
    assert not [event for event in fleet.events if "about to stop" in event.message]
