"""Supervised tasks: one crash ends the group with an error that says which."""

from __future__ import annotations

import asyncio

import pytest

from gitops_ocm.errors import GitopsError
from gitops_ocm.runtime.tasks import TaskCrashed, Tasks, first_of


async def forever() -> None:
    await asyncio.Event().wait()


async def crash(error: Exception) -> None:
    await asyncio.sleep(0)
    raise error


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyError("spec"), "hub: watch stopped: KeyError: 'spec'"),
        (GitopsError("the disk is full", hint="Make room."), "hub: watch: the disk is full"),
    ],
)
async def test_a_crash_ends_the_group_and_names_the_task(error: Exception, message: str) -> None:
    """The others are cancelled; the error says which task and why, and what to do."""
    others: list[asyncio.Task[None]] = []

    async def hub() -> None:
        async with Tasks("hub") as tasks:
            others.append(tasks.start("other", forever()))
            tasks.start("watch", crash(error))
            await forever()

    with pytest.raises(TaskCrashed) as raised:
        await hub()
    assert raised.value.message == message
    assert raised.value.hint
    assert raised.value.__cause__ is error
    assert others[0].cancelled()


async def test_stop_is_a_clean_end() -> None:
    """Stopping cancels what runs and raises nothing; leaving the block waits for what does not."""
    async with Tasks("hub") as tasks:
        running = tasks.start("a", forever())
        short = tasks.start("b", asyncio.sleep(0))
        await asyncio.sleep(0)
        tasks.stop()
    assert running.cancelled()
    assert short.done()


async def test_one_task_may_be_cancelled_alone() -> None:
    """Cancelling a single task does not touch the others."""
    released = asyncio.Event()
    async with Tasks("hub") as tasks:
        one, two = tasks.start("a", forever()), tasks.start("b", released.wait())
        one.cancel()
        one.add_done_callback(lambda _: released.set())
    assert one.cancelled()
    assert two.done()
    assert not two.cancelled()


async def test_the_bodys_own_error_comes_through() -> None:
    """An error of the block itself is raised as it is, after the tasks have ended."""
    others: list[asyncio.Task[None]] = []

    async def hub() -> None:
        async with Tasks("hub") as tasks:
            others.append(tasks.start("a", forever()))
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await hub()
    assert others[0].cancelled()


async def test_being_cancelled_cancels_the_tasks() -> None:
    """Cancelling the task that holds the group ends the group as cancelled."""
    inner: list[asyncio.Task[None]] = []

    async def outer() -> None:
        async with Tasks("hub") as tasks:
            inner.append(tasks.start("a", forever()))
            await forever()

    task = asyncio.create_task(outer())
    while not inner:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert inner[0].cancelled()


async def test_first_of() -> None:
    """The first to be over ends the wait, its error is raised, and a time limit is told apart."""
    assert await first_of(forever(), asyncio.sleep(0))
    assert not await first_of(forever(), within=0.01)
    with pytest.raises(KeyError):
        await first_of(forever(), crash(KeyError("x")))
