"""Parsed files kept between runs of a command: a whole tree's in one file, read and written at once.

    kept = ParsedFile(folder_of(cache, git_dir) / "status")
    cache = BlobCache(kept)          # asks it for blobs, gives it what had to be parsed
    kept.save()

For a command that reads all of a tree and ends: ten thousand files come back in the time a database takes
for a thousand. Long-running processes keep theirs in `blobcache`. Any number of processes may use the same
file: it is written beside and put in its place. A damaged one, or one of another version, counts as absent,
and nothing that fails here is an error.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

import orjson

from gitops_ocm.desired.documents import PARSER_VERSION

MAX_BYTES = 256 * 2**20
"""A larger file is not kept."""
UNUSED_DAYS = 30
"""What was not used for so long is thrown away when something else is kept."""
_FORMAT = "gitops-ocm parsed 1"
_WORTH = 0.02
"""The share of files that had to be parsed from which on it is worth to write all anew."""


class ParsedFile:
    """A `desired.cache.BlobStore`; keeps what it was last asked for, so it is no larger than a tree."""

    def __init__(self, path: Path, *, version: int = PARSER_VERSION) -> None:
        self._path, self._version = path, version
        self._known: Mapping[str, bytes] | None = None
        self._used: dict[str, bytes] = {}
        self._fresh = 0

    def get_many(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        """The entries there are."""
        if self._known is None:
            self._known = self._read()
        known = self._known
        found = {blob: known[blob] for blob in blobs if blob in known}
        self._used.update(found)
        return found

    def put_many(self, entries: Mapping[str, bytes]) -> None:
        """Keep these, once it is saved."""
        self._used.update(entries)
        self._fresh += len(entries)

    def save(self) -> None:
        """Write what was asked for and given since the start, if enough of it is new."""
        if not self._fresh or self._fresh < _WORTH * len(self._used):
            return
        index = orjson.dumps([[blob, len(data)] for blob, data in self._used.items()])
        parts = [index, *self._used.values()]
        self._fresh = 0
        if sum(map(len, parts)) > MAX_BYTES:
            return
        check = 0
        for part in parts:
            check = zlib.crc32(part, check)
        head = f"{_FORMAT} {self._version} {len(index)} {check:08x}\n".encode()
        with contextlib.suppress(OSError):
            self._write([head, *parts])

    def let_go(self) -> None:
        """Hold nothing any more: whoever asks next reads the file again."""
        self._known, self._used, self._fresh = None, {}, 0

    def _write(self, parts: Iterable[bytes]) -> None:
        folder = self._path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.writelines(parts)
            beside.replace(self._path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        _throw_away(folder)

    def _read(self) -> Mapping[str, bytes]:
        try:
            if self._path.stat().st_size > 2 * MAX_BYTES:
                return {}
            content = self._path.read_bytes()
            os.utime(self._path.parent)
        except OSError:
            return {}
        head, _, _ = content[:200].partition(b"\n")
        with contextlib.suppress(ValueError, TypeError):
            *words, size, check = head.decode("ascii").split(" ")
            body = memoryview(content)[len(head) + 1 :]
            if " ".join(words) == f"{_FORMAT} {self._version}" and zlib.crc32(body) == int(check, 16):
                return _entries(body, int(size))
        return {}


def _entries(body: memoryview, size: int) -> Mapping[str, bytes]:
    index = orjson.loads(body[:size])
    starts = accumulate((length for _, length in index), initial=size)
    return {blob: bytes(body[at : at + length]) for (blob, length), at in zip(index, starts, strict=False)}


def folder_of(cache: Path, git_dir: Path) -> Path:
    """The folder of one repository in a user's cache."""
    return cache / hashlib.sha256(os.fsencode(git_dir.resolve())).hexdigest()[:24]


def _throw_away(used: Path) -> None:
    """The folders of repositories that nobody has looked at for long: of clones in folders that are gone."""
    oldest = used.stat().st_mtime - UNUSED_DAYS * 86_400
    for folder in used.parent.iterdir():
        if folder != used and folder.is_dir() and folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)
