"""The parsed files on disk: kept, proven, and never missed."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.git.blobcache import BlobCacheFile, open_blob_cache
from gitops_ocm.runtime.catalog import load_catalog

ENTRIES = {f"{n:040x}": f"content {n}".encode() for n in range(1200)}


def test_entries_outlive_the_process(tmp_path: Path) -> None:
    """What was put is there after reopening, many at once; what was not is absent."""
    first = BlobCacheFile(tmp_path / "a" / "c.db")
    first.put_many(ENTRIES)
    first.close()
    second = BlobCacheFile(tmp_path / "a" / "c.db")
    assert second.get_many([*ENTRIES, "f" * 40]) == ENTRIES
    second.close()


def test_another_parser_version_forgets(tmp_path: Path) -> None:
    """Entries of another version of the parser are absent, and gone once the new one writes."""
    first = BlobCacheFile(tmp_path / "c.db", version=1)
    first.put_many(ENTRIES)
    first.close()
    second = BlobCacheFile(tmp_path / "c.db", version=2)
    assert second.get_many(list(ENTRIES)) == {}
    second.put_many({"a": b"b"})
    second.close()
    with sqlite3.connect(tmp_path / "c.db") as db:
        assert db.execute("SELECT count(*) FROM parsed").fetchone() == (1,)
    db.close()


def swap_rows(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE parsed SET data = (SELECT data FROM parsed WHERE blob = ?)", ("1".zfill(40),))
    db.close()


def cut_rows(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE parsed SET data = substr(data, 1, 12)")
    db.close()


def overwrite(path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize("harm", [swap_rows, cut_rows, overwrite, truncate])
def test_damage_is_absence(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    """A damaged row or file gives no wrong entry and no error, and the cache works on."""
    path = tmp_path / "c.db"
    first = BlobCacheFile(path)
    first.put_many(ENTRIES)
    first.close()
    harm(path)
    second = BlobCacheFile(path)
    assert second.get_many(list(ENTRIES)).items() <= ENTRIES.items()
    second.put_many(ENTRIES)
    assert second.get_many(list(ENTRIES)).items() <= ENTRIES.items()
    second.put_many(ENTRIES)
    assert second.get_many(list(ENTRIES)) == ENTRIES
    second.close()


def test_no_place_is_no_error(tmp_path: Path) -> None:
    """Where the file cannot be made the cache works in memory."""
    (tmp_path / "c.db").mkdir()
    cache = BlobCacheFile(tmp_path / "c.db")
    cache.put_many(ENTRIES)
    assert cache.get_many(list(ENTRIES)) == ENTRIES
    cache.close()


def test_threads_share_it(tmp_path: Path) -> None:
    """Several threads may use one cache."""
    cache = BlobCacheFile(tmp_path / "c.db")
    threads = [threading.Thread(target=cache.put_many, args=({f"{n}": b"x"},)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache.get_many([str(n) for n in range(8)])) == 8
    cache.close()


def test_a_second_run_parses_nothing(tmp_path: Path) -> None:
    """A commit compiled by one process is understood by the next from the cache alone."""
    tree = memory_tree({"hub/a.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"})
    expected = compile_tree(tree, load_catalog(), cache=open_blob_cache(tmp_path))
    unreadable = type(tree)(tree.commit, tree.entries, memory_tree({}).reader)
    assert compile_tree(unreadable, load_catalog(), cache=open_blob_cache(tmp_path)) == expected
