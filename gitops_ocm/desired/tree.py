"""A commit as a value: paths to blobs, and a way to read the blobs.

`git.source` makes a `Tree` from Git objects without a checkout; `memory_tree` makes one from a
mapping, for tests and for what-if edits. Nothing here knows what a file means: see `documents`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

REGULAR = "100644"
EXECUTABLE = "100755"
SYMLINK = "120000"
SUBMODULE = "160000"


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a tree: the blob's id, Git's file mode, the size in bytes (0 for a submodule)."""

    blob: str
    mode: str = REGULAR
    size: int = 0

    @property
    def is_file(self) -> bool:
        """Whether this is content, not a link or a submodule."""
        return self.mode in (REGULAR, EXECUTABLE)


class BlobReader(Protocol):
    """Where a tree's bytes come from."""

    def read_blobs(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Each blob asked for, in the order asked."""
        ...


@dataclass(frozen=True)
class Tree:
    """The files of one commit. `entries` never changes; two trees of one commit are equal."""

    commit: str
    entries: Mapping[str, Entry] = field(compare=False)
    reader: BlobReader = field(compare=False, repr=False)

    def read(self, path: str) -> bytes:
        """The bytes at a path; `KeyError` where there is none."""
        ((_, data),) = self.reader.read_blobs([self.entries[path].blob])
        return data

    def read_blobs(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Many blobs at the price of one question, in the order asked."""
        return self.reader.read_blobs(blobs)


class _Blobs(dict[str, bytes]):
    def read_blobs(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        return ((blob, self[blob]) for blob in blobs)


def memory_tree(
    files: Mapping[str, str | bytes], *, commit: str = "", modes: Mapping[str, str] | None = None
) -> Tree:
    """A tree of these files; blob ids are Git's, so equal content shares a blob.

    `modes` overrides a path's mode: a symlink's content is its target.
    """
    blobs = _Blobs()
    entries: dict[str, Entry] = {}
    for path in sorted(files):
        content = files[path]
        data = content.encode() if isinstance(content, str) else content
        blob = blob_id(data)
        blobs[blob] = data
        entries[path] = Entry(blob, (modes or {}).get(path, REGULAR), len(data))
    if not commit:
        listing = "".join(f"{e.mode} {e.blob} {p}\0" for p, e in entries.items())
        commit = hashlib.sha1(listing.encode(), usedforsecurity=False).hexdigest()
    return Tree(commit, entries, blobs)


class _Over(dict[str, bytes]):
    """Blobs of an edit before those of the tree that was edited."""

    def __init__(self, below: BlobReader) -> None:
        super().__init__()
        self.below = below

    def read_blobs(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        below = self.below.read_blobs([blob for blob in blobs if blob not in self])
        return ((blob, self[blob]) if blob in self else next(below) for blob in blobs)


def edited(tree: Tree, files: Mapping[str, bytes | None]) -> Tree:
    """The tree with some files put in its place, or taken out (None)."""
    over = _Over(tree.reader)
    entries = dict(tree.entries)
    for path, data in files.items():
        if data is None:
            entries.pop(path, None)
            continue
        blob = blob_id(data)
        over[blob] = data
        mode = entries[path].mode if path in entries else REGULAR
        entries[path] = Entry(blob, mode, len(data))
    return Tree(tree.commit, dict(sorted(entries.items())), over)


def blob_id(data: bytes) -> str:
    """The id Git gives these bytes in a SHA-1 repository."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
