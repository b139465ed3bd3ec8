"""Storage in one SQLite file, in WAL mode: what `append` returned from survives kill -9.

Each append is one transaction. With `synchronous=NORMAL` a commit is in the operating system's hands
when it is acknowledged, which the death of the process cannot undo; `durable=True` also waits for the
disk, against loss of power. One process at a time: the file is locked for as long as it is open.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from gitops_ocm.apiserver.store import Record, StoreFailed
from gitops_ocm.apiserver.watch_history import Key

_FORMAT = 1
_DAMAGED = "the file is damaged: put a backup in its place, or move it away to begin with an empty hub"
_HINTS = {
    "locked": "another process has it open: stop that one, or name another directory",
    "not a database": _DAMAGED,
    "malformed": _DAMAGED,
    "full": "free space on that disk; nothing was half written",
    "disk I/O": "free space on that disk and check its health; nothing was half written",
}
_TABLES = """
CREATE TABLE IF NOT EXISTS object (
    "group" TEXT NOT NULL, plural TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    version INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY ("group", plural, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latest (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL);
INSERT OR IGNORE INTO latest VALUES (1, 0);
"""


class SqliteStorage:
    """A `Storage` in the file at `path`, which is made where it does not exist."""

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        self._path = path
        try:
            path.touch(mode=0o600, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0)
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._check_format()
            self._db.executescript(_TABLES)
        except (sqlite3.Error, OSError) as error:
            raise self._failed("open", error) from error

    def _check_format(self) -> None:
        found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, _FORMAT):
            raise StoreFailed(
                f"{self._path} has format {found}, this version reads {_FORMAT}",
                hint="use the version of gitops-ocm that wrote it",
            )
        self._db.execute(f"PRAGMA user_version={_FORMAT}")

    def load(self) -> Iterable[Record]:
        """Every object, in key order."""
        try:
            for *key, version, body in self._db.execute(
                'SELECT "group", plural, namespace, name, version, body FROM object'
            ):
                yield Record(version, Key(*key), body)
        except sqlite3.Error as error:
            raise self._failed("read", error) from error

    def version(self) -> int:
        """The newest version committed."""
        version: int = self._db.execute("SELECT version FROM latest").fetchone()[0]
        return version

    def append(self, records: Iterable[Record]) -> None:
        """Commit all of these in one transaction."""
        latest = 0
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for record in records:
                latest = max(latest, record.version)
                if record.body is None:
                    self._db.execute(
                        'DELETE FROM object WHERE "group"=? AND plural=? AND namespace=? AND name=?',
                        record.key,
                    )
                else:
                    self._db.execute(
                        "INSERT OR REPLACE INTO object VALUES (?,?,?,?,?,?)",
                        (*record.key, record.version, record.body),
                    )
            self._db.execute("UPDATE latest SET version=?", (latest,))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise self._failed("write", error) from error

    def close(self) -> None:
        """Fold the log into the file and unlock it."""
        self._db.close()

    def _failed(self, doing: str, error: Exception) -> StoreFailed:
        text = str(error)
        hint = next((hint for sign, hint in _HINTS.items() if sign in text), "check its owner and mode")
        return StoreFailed(f"cannot {doing} {self._path}: {text}", hint=hint)
