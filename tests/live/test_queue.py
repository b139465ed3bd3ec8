"""The work queue's laws, on a made-up clock, and that workers are woken."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.live.queue import Backlog, RateLimit, WorkQueue
from gitops_ocm.runtime.clock import SystemClock

KEYS = st.sampled_from("abc")
STEPS = st.one_of(
    st.tuples(st.just("add"), KEYS),
    st.tuples(st.just("later"), KEYS, st.floats(0, 20)),
    st.tuples(st.just("retry"), KEYS),
    st.tuples(st.just("hold"), KEYS, st.floats(0, 20)),
    st.tuples(st.just("release"), KEYS),
    st.tuples(st.just("take"), st.none()),
    st.tuples(st.just("done"), KEYS),
    st.tuples(st.just("wait"), st.floats(0, 30)),
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(STEPS, max_size=40))
def test_nothing_is_lost_and_nothing_runs_twice_at_once(steps: list[tuple[Any, ...]]) -> None:
    """No key is busy twice, none is handed out while held, and every key added is handed out."""
    backlog: Backlog[str] = Backlog()
    now = 0.0
    busy: set[str] = set()
    held: dict[str, float] = {}
    owed: set[str] = set()  # added since it was last taken

    def take() -> str | None:
        key = backlog.take()
        if key is not None:
            assert key not in busy
            assert key not in held
            busy.add(key)
            owed.discard(key)
        return key

    for step in steps:
        match step:
            case ("add", key):
                backlog.add(key)
                owed.add(key)
            case ("later", key, seconds):
                backlog.add_at(key, now + seconds)
                owed.add(key)
            case ("retry", key):
                backlog.retry(key, now)
                owed.add(key)
            case ("hold", key, seconds):
                backlog.hold(key, now + seconds)
                held[key] = now + seconds
            case ("release", key):
                backlog.release(key)
                held.pop(key, None)
            case ("take", _):
                take()
            case ("done", key) if key in busy:
                backlog.done(key)
                busy.discard(key)
            case ("wait", seconds):
                now += seconds
                backlog.advance(now)
                held = {k: until for k, until in held.items() if until > now}
    for key in tuple(busy):
        backlog.done(key)
        busy.discard(key)
    for _ in range(100):
        while (taken := take()) is not None:
            backlog.done(taken)
            busy.discard(taken)
        due = backlog.next_due()
        if due is None:
            break
        now = max(now, due)
        backlog.advance(now)
        held = {k: until for k, until in held.items() if until > now}
    assert not owed
    assert backlog.ready == backlog.busy == backlog.waiting == 0


@pytest.mark.parametrize(
    ("failures", "expected"),
    [(0, 0.005), (1, 0.01), (2, 0.02), (10, 5.12), (17, 655.36), (18, 1000), (99, 1000)],
)
def test_backoff_of_a_key_doubles_up_to_a_limit(failures: int, expected: float) -> None:
    """5 ms, doubling, at most 1000 s."""
    assert RateLimit().delay(failures, now=0.0) == pytest.approx(expected)


def test_all_retries_share_a_bucket() -> None:
    """After a burst of 100, ten a second; and the bucket alone makes nobody wait more than a minute."""
    limit = RateLimit()
    waits = [limit.delay(0, now=1.0) for _ in range(2000)]
    assert waits[:100] == [pytest.approx(0.005)] * 100
    assert waits[100] == pytest.approx(0.1)
    assert waits[199] == pytest.approx(10.0)
    assert max(waits) == pytest.approx(60.0)
    assert limit.delay(0, now=1000.0) == pytest.approx(0.005)


def test_forget_starts_the_backoff_anew() -> None:
    """A key that went well once is retried quickly again."""
    backlog: Backlog[str] = Backlog()
    waits = [backlog.retry("a", 0.0) for _ in range(3)]
    backlog.forget("a")
    assert [*waits, backlog.retry("a", 0.0)] == pytest.approx([0.005, 0.01, 0.02, 0.005])


def test_keys_come_in_the_order_they_were_added() -> None:
    """First in, first out; adding a waiting key again does not move it."""
    backlog: Backlog[str] = Backlog()
    for key in "cabc":
        backlog.add(key)
    assert [backlog.take() for _ in range(4)] == ["c", "a", "b", None]


def test_taking_a_key_calls_off_its_timer() -> None:
    """Working on a key decides anew when it is looked at again."""
    backlog: Backlog[str] = Backlog()
    backlog.add_at("a", 50.0)
    backlog.add("a")
    assert backlog.take() == "a"
    backlog.done("a")
    backlog.advance(100.0)
    assert backlog.take() is None


async def test_workers_are_woken_by_adds_timers_and_releases() -> None:
    """Each way a key becomes ready wakes a waiting worker; shutting down wakes them all."""
    queue: WorkQueue[str] = WorkQueue("test", SystemClock())
    got: list[str] = []

    async def worker() -> None:
        while (key := await queue.get()) is not None:
            got.append(key)
            queue.done(key)

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(worker())
        queue.hold("held", 60)
        queue.add("held")
        queue.add_after("late", 0.02)
        queue.add("now")
        while got != ["now", "late"]:
            await asyncio.sleep(0)
        queue.release("held")
        while "held" not in got:
            await asyncio.sleep(0)
        queue.shut_down()


async def test_a_cancelled_worker_passes_its_turn_on() -> None:
    """A worker that is cancelled just as it is woken does not take the key's chance with it."""
    queue: WorkQueue[str] = WorkQueue("test", SystemClock())
    first, second = asyncio.ensure_future(queue.get()), asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    queue.add("a")
    first.cancel()
    assert await asyncio.wait_for(second, 30) == "a"
    queue.shut_down()
