"""Group commit: what is acknowledged is kept, what is not is not seen, and the past outlives a restart."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.apiserver.group_commit import group_commit
from gitops_ocm.apiserver.store import Record, Store, StoreFailed
from gitops_ocm.apiserver.store_memory import MemoryStorage
from gitops_ocm.apiserver.store_sqlite import SqliteStorage
from gitops_ocm.apiserver.values import Place
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.apiserver.workers import Workers
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.testing.waiting import eventually

THINGS = ("", "things")


def key(name: str) -> Key:
    """Where a thing is kept."""
    return Key(*THINGS, "n", name)


def thing(name: str, value: Any = 0) -> dict[str, Any]:
    """An object."""
    return {"metadata": {"name": name}, "value": value}


class Slow(MemoryStorage):
    """A disk that finishes a write when it is let; it may fail."""

    def __init__(self) -> None:
        self.appended: list[list[int]] = []
        self.let = threading.Semaphore(0)
        self.broken = False
        self.begun = 0

    def append(self, records: Iterable[Record]) -> None:
        """Wait, then keep or fail."""
        versions = [record.version for record in records]
        self.begun += 1
        self.let.acquire()
        if self.broken:
            raise StoreFailed("no space left on device")
        self.appended.append(versions)


async def test_readers_see_a_write_when_it_is_kept_and_writers_at_once() -> None:
    """While a commit is under way, reads and watches show what was before; the next write what comes."""
    storage = Slow()
    store = Store(storage)
    before = store.version
    feed = store.history.follow(THINGS, "", before)
    async with group_commit(store, lambda: None):
        store.write(key("a"), thing("a"))
        written = asyncio.ensure_future(store.settled())
        await eventually(lambda: storage.begun == 1)
        assert store.get(key("a")) is not None
        assert store.keys(THINGS) == [key("a")]
        assert store.committed(key("a")) is None
        assert (store.version, store.snapshot(THINGS, "").items, feed.take()) == (before, [], [])
        storage.let.release()
        await written
        assert store.committed(key("a")) is not None
        assert [change.key for change in feed.take()] == [key("a")]


async def test_writers_share_a_commit() -> None:
    """What is written while a commit is under way goes with the next one, all at once and in order."""
    storage = Slow()
    store = Store(storage)
    async with group_commit(store, lambda: None):
        store.write(key("first"), thing("first"))
        await eventually(lambda: storage.begun == 1)
        settled = []
        for number in range(50):
            store.write(key(f"t{number}"), thing(f"t{number}"))
            settled.append(asyncio.ensure_future(store.settled()))
        for _ in range(2):
            storage.let.release()
        await asyncio.gather(*settled)
    assert [len(versions) for versions in storage.appended] == [1, 50]
    assert storage.appended[1] == list(range(store.version - 49, store.version + 1))


async def test_a_commit_that_fails_takes_along_what_followed_from_it() -> None:
    """Nothing that waited has happened, every waiter is told, and the store goes on."""
    storage, lost = Slow(), []
    store = Store(storage)
    async with group_commit(store, lambda: lost.append(True)):
        storage.broken = True
        store.write(key("a"), thing("a"))
        first = asyncio.ensure_future(store.settled())
        await eventually(lambda: storage.begun == 1)
        store.write(key("b"), thing("b"))
        second = asyncio.ensure_future(store.settled())
        storage.let.release()
        results = await asyncio.gather(first, second, return_exceptions=True)
        assert all(isinstance(result, StoreFailed) for result in results)
        assert (store.get(key("a")), store.get(key("b")), lost) == (None, None, [True])
        storage.broken = False
        store.write(key("c"), thing("c"))
        storage.let.release()
        await store.settled()
        assert store.keys(THINGS) == [key("c")]


async def test_a_watch_resumes_after_a_restart(tmp_path: Path) -> None:
    """The changes after a version are the same before and after the file was closed and opened again."""
    store = Store(SqliteStorage(tmp_path / "state.db"))
    versions = []
    for number in range(20):
        name = f"t{number % 3}"
        there = store.get(key(name)) is not None and number % 4 == 3
        store.write(key(name), None if there else thing(name, number))
        versions.append(store.version)
    told = [(c.version, c.key, c.old and c.old.body, c.new and c.new.body) for c in store.history.read(0)]
    store.close()
    again = Store(SqliteStorage(tmp_path / "state.db"))
    for at, version in enumerate(versions):
        feed = again.history.follow(THINGS, "n", version)
        resumed = [(c.version, c.key, c.old and c.old.body, c.new and c.new.body) for c in feed.take()]
        assert resumed == told[at + 1 :]
    again.close()


async def test_compaction_forgets_the_past_in_memory_and_in_the_file(tmp_path: Path) -> None:
    """After it an old version is Expired, also after a restart; what exists is as it was; rows are gone."""
    now = 1_000_000.0
    store = Store(SqliteStorage(tmp_path / "state.db"), clock=lambda: now)
    async with group_commit(store, lambda: None) as commits:
        for number in range(300):
            store.write(key(f"t{number % 10}"), thing(f"t{number % 10}", number))
        store.write(key("gone"), thing("gone"))
        store.write(key("gone"), None)
        await store.settled()
        now += 3601
        store.write(key("t0"), thing("t0", "new"))
        await store.settled()
        contents = [(k, s.body) for k, s in store.snapshot(THINGS, "").items]
        await commits.compact()
    floor, newest = store.history.floor, store.version
    assert floor == newest - 1
    store.close()
    storage = SqliteStorage(tmp_path / "state.db")
    assert sum(1 for _ in storage.load()) == 11  # ten things, and what the last change superseded
    again = Store(storage, clock=lambda: now)
    assert [(k, s.body) for k, s in again.snapshot(THINGS, "").items] == contents
    assert (again.history.floor, again.version) == (floor, newest)
    again.history.follow(THINGS, "", floor)
    with pytest.raises(ApiError) as refused:
        again.history.follow(THINGS, "", floor - 1)
    assert refused.value.http_code == 410
    again.close()


def test_the_window_is_bounded_by_what_it_holds() -> None:
    """Large objects leave the window earlier than small ones."""
    store = Store(MemoryStorage(), history=1000, history_bytes=100_000)
    for number in range(100):
        store.write(key("large"), thing("large", f"{number}" * 5000))
    assert store.version - store.history.floor < 20


async def test_a_watch_that_lags_behind_the_window_is_told() -> None:
    """It hears 410 instead of changes with a gap; one of another namespace misses nothing."""
    store = Store(MemoryStorage(), history=10)
    slow, other = (store.history.follow(THINGS, namespace, store.version) for namespace in ("n", "quiet"))
    for number in range(30):
        store.write(key("a"), thing("a", number))
    with pytest.raises(ApiError) as refused:
        slow.take()
    assert refused.value.http_code == 410
    store.write(Key(*THINGS, "quiet", "a"), thing("a"))
    assert [change.key.namespace for change in other.take()] == ["quiet"]


async def test_a_write_from_a_thread_shares_the_fate_of_its_commit() -> None:
    """What was worked out in a thread is not told as written when the commit it went with has failed."""
    storage = Slow()
    store = Store(storage)
    storage.broken = True
    storage.let.release()

    def work(place: Place) -> Any:
        return place(lambda: store.write(key("a"), thing("a")))

    async with group_commit(store, lambda: None):
        workers = Workers(store.settled)
        with pytest.raises(StoreFailed):
            await workers.write(work)
        workers.close()
    assert store.get(key("a")) is None
