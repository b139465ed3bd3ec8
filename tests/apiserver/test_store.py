"""The store: versions, snapshots, history; and that the durable one loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.apiserver.store import Store, StoreFailed
from gitops_ocm.apiserver.store_memory import MemoryStorage
from gitops_ocm.apiserver.store_sqlite import SqliteStorage
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects.faults import ApiError

THINGS = ("", "things")


def key(name: str, namespace: str = "n") -> Key:
    """Where a thing is kept."""
    return Key(*THINGS, namespace, name)


def thing(name: str, value: Any = 0) -> dict[str, Any]:
    """An object."""
    return {"metadata": {"name": name}, "value": value}


def contents(store: Store, version: int = 0) -> list[tuple[Key, Any]]:
    """Every thing that readers see."""
    return [(where, stored.decode()) for where, stored in store.snapshot(THINGS, "", version).items]


OPS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("mn"), st.none() | st.integers(0, 9)), max_size=40
)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(batches=st.lists(OPS, max_size=4))
def test_a_durable_store_is_the_memory_store_reopened(
    tmp_path_factory: pytest.TempPathFactory, batches: list[Any]
) -> None:
    """Random histories leave the same objects and version in memory and, closed and reopened, on disk."""
    path = tmp_path_factory.mktemp("store") / "state.db"
    memory, durable = Store(MemoryStorage()), Store(SqliteStorage(path))
    for ops in batches:
        for store in (memory, durable):
            with store.batch():
                for name, namespace, value in ops:
                    where = key(name, namespace)
                    if value is not None:
                        store.write(where, thing(name, value))
                    elif store.get(where) is not None:
                        store.write(where, None)
        durable.close()
        durable = Store(SqliteStorage(path))
        assert durable.version == memory.version
        assert contents(durable) == contents(memory)
    durable.close()


@settings(derandomize=True, deadline=None)
@given(ops=OPS, back=st.integers(0, 40))
def test_a_snapshot_of_the_past_is_what_was_there(ops: Any, back: int) -> None:
    """A snapshot at an old version equals the one taken when that version was the newest."""
    store = Store(MemoryStorage())
    taken = {store.version: contents(store)}
    for name, namespace, value in ops:
        where = key(name, namespace)
        if value is not None or store.get(where) is not None:
            store.write(where, None if value is None else thing(name, value))
            taken[store.version] = contents(store)
    version = max(1, store.version - back)
    assert contents(store, version) == taken[version]


def test_history_is_a_window() -> None:
    """Versions that have left the window are Expired (410), for a watch and for a snapshot."""
    store = Store(MemoryStorage(), history=3)
    for at in range(6):
        store.write(key("a"), thing("a", at))
    assert store.history.floor == store.version - 3
    for read in (
        lambda: store.history.position_after(store.version - 4),
        lambda: store.snapshot(THINGS, "", store.version - 4),
    ):
        with pytest.raises(ApiError) as refused:
            read()
        assert (refused.value.reason, refused.value.http_code) == ("Expired", 410)


class Full(MemoryStorage):
    """A disk that fills up."""

    full = False

    def append(self, records: Any) -> None:
        """Refuse once full."""
        if self.full:
            raise StoreFailed("no space left on device")


def test_a_write_that_cannot_be_kept_has_not_happened() -> None:
    """When the storage refuses, objects and history are as before, for a whole batch."""
    storage = Full()
    store = Store(storage)
    store.write(key("a"), thing("a", 1))
    before, changes = contents(store), store.history.read(0)
    storage.full = True

    def write_three() -> None:
        with store.batch():
            store.write(key("a"), thing("a", 2))
            store.write(key("b"), thing("b", 1))
            store.write(key("a"), None)

    with pytest.raises(StoreFailed):
        write_three()
    assert contents(store) == before
    assert store.get(key("a")) == before[0][1]
    assert store.history.read(0) == changes


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    """Rubbish, a directory and a future format are errors for people."""
    rubbish = tmp_path / "rubbish.db"
    rubbish.write_bytes(b"not a database at all" * 100)
    for path in (rubbish, tmp_path, tmp_path / "no" / "such" / "place.db"):
        with pytest.raises(StoreFailed):
            SqliteStorage(path)


WRITER = """
import sys
from pathlib import Path
from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.store_sqlite import SqliteStorage
from gitops_ocm.apiserver.watch_history import Key
store = Store(SqliteStorage(Path(sys.argv[1])))
at = store.version
while True:
    at += 1
    name = f"t{at % 50}"
    with store.batch():
        for half in ("left", "right"):
            store.write(Key("", "things", half, name), {"metadata": {"name": name}, "value": at})
    print(at, name, flush=True)
"""


@pytest.mark.slow
def test_kill_at_any_instant_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """A writer killed with SIGKILL again and again: every write it had answered is there, none by half."""
    path = tmp_path / "state.db"
    acknowledged: dict[str, int] = {}
    for lines in (1, 40, 7, 120, 3, 60, 15, 200):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            for _ in range(lines):
                at, name = writer.stdout.readline().split()
                acknowledged[name] = int(at)
            os.kill(writer.pid, signal.SIGKILL)
            for line in writer.stdout:
                if line.endswith("\n"):
                    at, name = line.split()
                    acknowledged[name] = int(at)
        store = Store(SqliteStorage(path))
        found = {(k.namespace, k.name): obj["value"] for k, obj in contents(store)}
        store.close()
        for name, value in acknowledged.items():
            assert found["left", name] >= value
        assert {n: v for (half, n), v in found.items() if half == "left"} == {
            n: v for (half, n), v in found.items() if half == "right"
        }
