"""Storage in one SQLite file: what `append` returned from survives kill -9 and loss of power.

The file holds a log: a row for each change, by version. An object is the newest row of its key, and what
a change superseded is the row before. So a write is one row appended, the past is there after a restart,
and compaction is the removal of rows. The journal is a write-ahead log; each append is one transaction
whose commit waits until the disk has it (`synchronous=FULL`: one fsync of the journal).

Each row has a checksum of its own, because SQLite's pages have none: a bit that flipped is found when the
file is read, and never served. The schema's number is the file's `user_version`; an older one is brought
up to date, a newer one is refused. One process at a time writes: who may is settled by `data_dir`, so
that `backup` can read beside it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from sys import intern
from typing import TypeVar
from zlib import crc32

from gitops_ocm.apiserver.data_dir import DAMAGED
from gitops_ocm.apiserver.store import Record, StoreFailed
from gitops_ocm.apiserver.watch_history import Key

T = TypeVar("T")
Row = tuple[object, ...]
FORMAT = 2
_SIGNS_OF_DAMAGE = ("not a database", "malformed", "encrypted", "no such table", "no such column")
_HINTS = {
    "locked": "another process has it open: stop that one, or name another directory",
    "full": "free space on that disk; nothing was half written",
    "disk I/O": "free space on that disk and check its health; nothing was half written",
}
_SCHEMA = """
CREATE TABLE log (
    version INTEGER PRIMARY KEY, at INTEGER NOT NULL, key TEXT NOT NULL, body BLOB, checksum INTEGER NOT NULL
);
CREATE TABLE compacted (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL);
INSERT INTO compacted VALUES (1, 0);
"""
_INSERT = "INSERT INTO log VALUES "
_ROWS = 200
"""Rows of one INSERT: each statement gives the interpreter to other threads once."""
_JOURNAL_PAGES = 4000
"""The journal is folded into the file when it has grown by so many pages (16 MiB)."""
_VACUUM_PAGES = 2000
"""Free pages given back to the system with one compaction."""


class SqliteStorage:
    """A `Storage` in the file at `path`, which is made where it does not exist."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.touch(mode=0o600, exist_ok=True)
            # Opened here, used by one thread at a time: that of `group_commit` while it runs.
            self._db = sqlite3.connect(path, isolation_level=None, timeout=5, check_same_thread=False)
            self._db.execute("PRAGMA auto_vacuum=INCREMENTAL")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute(f"PRAGMA wal_autocheckpoint={_JOURNAL_PAGES}")
            self._open()
        except (sqlite3.Error, OSError, ValueError) as error:
            raise self._failed("open", error) from error

    def _open(self) -> None:
        found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found > FORMAT:
            raise StoreFailed(
                f"{self._path} has format {found}, this version reads {FORMAT}",
                hint="use the version of gitops-ocm that wrote it, or a newer one",
            )
        # The structure of the file; the content of rows is checked as they are read.
        sound = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if sound != "ok":
            raise self._damaged(" ".join(str(sound).split()))
        if found < FORMAT:
            _upgrade(self._db, found)

    def load(self) -> Iterator[Record]:
        """Every row, oldest first."""
        try:
            for version, at, key, body, checksum in self._db.execute(
                "SELECT version, at, key, CAST(body AS BLOB), checksum FROM log ORDER BY version"
            ):
                if _checksum(version, key, body) != checksum:
                    raise self._damaged(
                        f"what is stored of {key} at version {version} is not what was written"
                    )
                yield Record(version, _key(key), body, at)
        except (sqlite3.Error, ValueError) as error:
            raise self._failed("read", error) from error

    def version(self) -> int:
        """The newest version committed."""
        newest: int = self._number("SELECT coalesce(max(version), 0) FROM log")
        return max(newest, self.compacted())

    def compacted(self) -> int:
        """Where the complete part of the log begins."""
        return self._number("SELECT version FROM compacted")

    def written_at(self) -> int:
        """When the newest row was written, in seconds since 1970; 0 where there is none."""
        return self._number("SELECT coalesce(max(at), 0) FROM log")

    def _number(self, query: str) -> int:
        try:
            return int(self._db.execute(query).fetchone()[0])
        except (sqlite3.Error, TypeError, ValueError) as error:
            raise self._failed("read", error) from error

    def append(self, records: Iterable[Record]) -> None:
        """Commit all of these in one transaction."""
        rows = [_row(record) for record in records]
        try:
            if len(rows) <= _ROWS:  # one statement is a transaction of its own
                self._insert(rows)
                return
            self._db.execute("BEGIN IMMEDIATE")
            for some in _parts(rows):
                self._insert(some)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise self._failed("write", error) from error

    def _insert(self, rows: Sequence[Row]) -> None:
        values = [value for row in rows for value in row]
        self._db.execute(_INSERT + ",".join(["(?,?,?,?,?)"] * len(rows)), values)

    def compact(self, version: int, superseded: Iterable[int]) -> None:
        """Remove rows that nobody can ask for any more."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("UPDATE compacted SET version = max(version, ?)", (version,))
            for some in _parts(tuple(superseded)):
                marks = ",".join("?" * len(some))
                self._db.execute(f"DELETE FROM log WHERE version IN ({marks})", some)  # noqa: S608
            self._db.execute("COMMIT")
            self._db.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()
        except sqlite3.Error as error:
            self._roll_back()
            raise self._failed("write", error) from error

    def close(self) -> None:
        """Fold the journal into the file."""
        self._db.close()

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _damaged(self, what: str) -> StoreFailed:
        return StoreFailed(f"{self._path} is damaged: {what}", hint=DAMAGED)

    def _failed(self, doing: str, error: Exception) -> StoreFailed:
        text = str(error)
        # Python's own errors: what SQLite found was no text, no number, or not as many of them.
        if isinstance(error, TypeError | ValueError) or any(sign in text for sign in _SIGNS_OF_DAMAGE):
            return self._damaged(text)
        hint = next((hint for sign, hint in _HINTS.items() if sign in text), "check its owner and mode")
        return StoreFailed(f"cannot {doing} {self._path}: {text}", hint=hint)


def _upgrade(db: sqlite3.Connection, found: int) -> None:
    db.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA.split(";"):
        db.execute(statement)
    if found == 1:
        _from_first_format(db)
    db.execute(f"PRAGMA user_version={FORMAT}")
    db.execute("COMMIT")


def _from_first_format(db: sqlite3.Connection) -> None:
    """A table of objects, without a past."""
    for *key, version, body in db.execute(
        'SELECT "group", plural, namespace, name, version, body FROM object'
    ).fetchall():
        db.execute("INSERT INTO log VALUES (?,?,?,?,?)", _row(Record(version, Key(*key), body)))
    db.execute("UPDATE compacted SET version = (SELECT version FROM latest)")
    db.execute("DROP TABLE object")
    db.execute("DROP TABLE latest")


def _parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    return (rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS))


def _row(record: Record) -> Row:
    key = "/".join(record.key)
    return record.version, int(record.at), key, record.body, _checksum(record.version, key, record.body)


def _key(text: str) -> Key:
    group, plural, namespace, name = text.split("/")
    return Key(intern(group), intern(plural), intern(namespace), name)


def _checksum(version: int, key: str, body: bytes | None) -> int:
    return crc32(body or b"", crc32(f"{version} {key} {body is None}".encode()))
