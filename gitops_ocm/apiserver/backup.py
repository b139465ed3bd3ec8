"""Copies of a server's data directory: made while it is served or not, and put back elsewhere.

A backup is one tar file, for its owner's eyes alone, because the CA's key is in it: `backup.json` with the
digest of each file, the state of the hub and of the clusters beside it, each as it was at one moment, and
their certificates, so that clients of the old server trust the restored one.

A restored server knows less than its clients may have seen. So its versions continue far above the copy's
and its past is forgotten: whoever resumes a watch is told 410 and reads anew, as etcd's restore with a
revision bump has it.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from gitops_ocm.apiserver.data_dir import CLUSTERS, PKI, PORT, STATE
from gitops_ocm.apiserver.store_sqlite import SqliteStorage
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.errors import GitopsError

FORMAT = 1
MANIFEST = "backup.json"
LEAP = 1_000_000_000
"""How far a restored server's versions are above its copy's: more than it can have written since."""


class BackupFailed(GitopsError):
    """A directory could not be copied, or a copy could not be put back; nothing was half done."""

    code = "backup"


def back_up(directory: Path, file: Path) -> int:
    """Write a copy of a data directory to a file, which is replaced where it exists; its size."""
    if not (directory / STATE).is_file():
        raise BackupFailed(
            f"{directory} holds no embedded hub", hint="name the directory of `hub serve` with --data-dir"
        )
    partial = file.with_name(f"{file.name}.partial")
    try:
        with TemporaryDirectory(dir=file.parent, prefix=".gitops-ocm-backup-") as scratch:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                with tarfile.open(fileobj=out, mode="w") as archive:
                    _fill(archive, directory, Path(scratch))
                out.flush()
                os.fsync(out.fileno())
            partial.replace(file)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise BackupFailed(f"cannot copy {directory} to {file}: {_reason(error)}") from error
    return file.stat().st_size


def restore(file: Path, directory: Path) -> None:
    """Make a data directory of a backup. It must not exist, or be empty."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise BackupFailed(
            f"{directory} is not empty", hint="name a new directory, or move this one away first"
        )
    unfinished = directory.with_name(f"{directory.name}.restoring")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o700)
        _unpack(file, unfinished)
        for home in _homes(unfinished):
            _begin_anew(home / STATE)
        with suppress(FileNotFoundError):
            directory.rmdir()
        unfinished.rename(directory)
    except (OSError, tarfile.TarError) as error:
        raise BackupFailed(f"cannot restore {file} to {directory}: {_reason(error)}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _homes(directory: Path) -> Iterator[Path]:
    """The directory of the hub, and those of the clusters served beside it."""
    yield directory
    for home in sorted((directory / CLUSTERS).glob("*")):
        if (home / STATE).is_file():
            yield home


def _fill(archive: tarfile.TarFile, directory: Path, scratch: Path) -> None:
    digests: dict[str, str] = {}
    for home in _homes(directory):
        copy = scratch / STATE
        _copy_state(home / STATE, copy)
        _add(archive, copy, (home / STATE).relative_to(directory), digests)
        copy.unlink()
        for path in (*sorted((home / PKI).glob("*")), home / PORT):
            if path.is_file():
                _add(archive, path, path.relative_to(directory), digests)
    body = orjson.dumps({"format": FORMAT, "files": digests})
    entry = tarfile.TarInfo(MANIFEST)
    entry.size, entry.mode = len(body), 0o600
    archive.addfile(entry, io.BytesIO(body))


def _copy_state(state: Path, copy: Path) -> None:
    """One moment of a database that may be written to meanwhile: the write-ahead log keeps it for us."""
    with (
        closing(sqlite3.connect(f"{state.resolve().as_uri()}?mode=rw", uri=True, timeout=30)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")


def _add(archive: tarfile.TarFile, path: Path, name: Path, digests: dict[str, str]) -> None:
    with path.open("rb") as content:
        digests[name.as_posix()] = hashlib.file_digest(content, "sha256").hexdigest()
        entry = tarfile.TarInfo(name.as_posix())
        entry.size, entry.mode = content.seek(0, os.SEEK_END), 0o600
        content.seek(0)
        archive.addfile(entry, content)


def _unpack(file: Path, directory: Path) -> None:
    with tarfile.open(file, mode="r:") as archive:
        digests = _digests(file, archive)
        for entry in archive:
            if entry.name == MANIFEST:
                continue
            place, content = PurePosixPath(entry.name), archive.extractfile(entry)
            if entry.name not in digests or content is None or place.is_absolute() or ".." in place.parts:
                raise _no_backup(file, f"it holds {entry.name}")
            target = directory / place
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                shutil.copyfileobj(content, out)
            with target.open("rb") as written:
                if hashlib.file_digest(written, "sha256").hexdigest() != digests.pop(entry.name):
                    raise _no_backup(file, f"{entry.name} in it is not what was copied")
    if digests:
        raise _no_backup(file, f"{min(digests)} is missing in it")


def _digests(file: Path, archive: tarfile.TarFile) -> dict[str, str]:
    try:
        content = archive.extractfile(MANIFEST)
        manifest: dict[str, Any] = orjson.loads(content.read() if content is not None else b"")
        found, digests = int(manifest["format"]), dict(manifest["files"])
    except (KeyError, TypeError, ValueError) as error:
        raise _no_backup(file, f"its {MANIFEST} is missing or damaged") from error
    if found > FORMAT:
        raise BackupFailed(
            f"{file} has format {found}, this version reads {FORMAT}",
            hint="use the version of gitops-ocm that wrote it, or a newer one",
        )
    return digests


def _begin_anew(state: Path) -> None:
    """Read everything, so that a damaged copy is found now, and continue with versions nobody has seen."""
    storage = SqliteStorage(state)
    try:
        superseded: list[int] = []
        newest: dict[Key, int] = {}
        for record in storage.load():
            if record.key in newest:
                superseded.append(newest[record.key])
            newest[record.key] = record.version
        storage.compact(storage.version() + LEAP, superseded)
    finally:
        storage.close()


def _no_backup(file: Path, why: str) -> BackupFailed:
    return BackupFailed(f"{file} is damaged, or no backup of gitops-ocm: {why}", hint="use another backup")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
