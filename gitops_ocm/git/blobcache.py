"""Parsed files kept between runs: blob id to bytes, in one SQLite file.

Each row carries a checksum and the parser's version, so a damaged row or one of another version
counts as absent; a damaged file is thrown away and begun anew. Losing it costs time, never truth:
every failure here is silent, because the caller can always parse again.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gitops_ocm.desired.cache import BlobCache
from gitops_ocm.desired.documents import PARSER_VERSION

_CHECK = 16
_BATCH = 500
_MAX_ROWS = 200_000


class BlobCacheFile:
    """A `desired.cache.BlobStore` in a file. Usable from any thread, one at a time."""

    def __init__(self, path: Path, *, version: int = PARSER_VERSION) -> None:
        self._path = path
        self._version = version
        self._lock = threading.Lock()
        self._db = self._opened()

    def get_many(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        """The entries there are, each proven whole."""
        found: dict[str, bytes] = {}
        with self._lock, self._forgiving():
            for start in range(0, len(blobs), _BATCH):
                group = blobs[start : start + _BATCH]
                marks = ",".join("?" * len(group))
                query = f"SELECT blob, data FROM parsed WHERE version = ? AND blob IN ({marks})"  # noqa: S608
                for blob, data in self._db.execute(query, (self._version, *group)):
                    if _seal(blob, data[_CHECK:]) == data[:_CHECK]:
                        found[blob] = data[_CHECK:]
        return found

    def put_many(self, entries: Mapping[str, bytes]) -> None:
        """Keep these entries."""
        rows = [(blob, self._version, _seal(blob, data) + data) for blob, data in entries.items()]
        with self._lock, self._forgiving(), self._db:
            self._db.executemany("INSERT OR REPLACE INTO parsed VALUES (?, ?, ?)", rows)
            self._db.execute("DELETE FROM parsed WHERE version <> ?", (self._version,))
            self._db.execute(
                "DELETE FROM parsed WHERE rowid <= (SELECT max(rowid) FROM parsed) - ?", (_MAX_ROWS,)
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def _forgiving(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError:
            self._begin_anew()

    def _opened(self) -> sqlite3.Connection:
        try:
            return self._connected(str(self._path))
        except (sqlite3.DatabaseError, OSError):
            return self._begin_anew()

    def _begin_anew(self) -> sqlite3.Connection:
        """A new file in place of a damaged one; in memory where the disk does not take one."""
        with contextlib.suppress(AttributeError, sqlite3.Error):
            self._db.close()
        with contextlib.suppress(OSError):
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        try:
            self._db = self._connected(str(self._path))
        except (sqlite3.DatabaseError, OSError):
            self._db = self._connected(":memory:")
        return self._db

    def _connected(self, name: str) -> sqlite3.Connection:
        if name != ":memory:":
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        db = sqlite3.connect(name, check_same_thread=False, timeout=5)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = OFF")
            db.execute(
                "CREATE TABLE IF NOT EXISTS parsed (blob TEXT PRIMARY KEY, version INTEGER, data BLOB)"
            )
            db.commit()
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db


def _seal(blob: str, data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_CHECK, key=blob.encode()[:64]).digest()


def open_blob_cache(cache_dir: Path) -> BlobCache:
    """The memory of one sync, with its file `parsed.db` in the cache directory beneath it."""
    return BlobCache(BlobCacheFile(cache_dir / "parsed.db"))
