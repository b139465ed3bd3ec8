"""Commits to one branch, made of files given as values: no checkout, no index, no work tree.

    writer = BranchWriter(git, "status", author=Author("gitops-ocm", "gitops-ocm@example.com"))
    writer.commit({"sync.yaml": b"...", "old.yaml": None}, "Report state", now=now)

`git fast-import` builds blobs, trees and the commit in one process, reading only the trees on the
changed paths, and moves the ref last and atomically: killed anywhere, the branch is at the old commit
or at the new one. In a repository on this machine the branch itself is moved. For a remote one the
commit is made in the cache on a private ref and pushed, never forced: when somebody else was first,
their commit is fetched and ours is made again on top of it, with our own paths alone.

Commits this small stay loose objects, and git's own housekeeping is off (`command`): where they have become
many they are packed, which removes nothing that is not in a pack by then, so readers are not disturbed.

Neighbours: `command` runs git, `source` reads. What the files say is `report`'s, when to commit is
`sync.push`'s.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gitops_ocm.git import refs
from gitops_ocm.git.address import Address
from gitops_ocm.git.command import Git
from gitops_ocm.git.errors import GitError, PushRejected, RefNotFound, TooLarge, from_stderr

MAX_FILE = 2**20
"""Bytes of one file; a status file is for people."""
MAX_COMMIT = 64 * 2**20
"""Bytes of all files of one commit."""
MANY_LOOSE = 4096
"""Loose objects beyond which they are packed; git's own measure is 6,700."""
PACK_SECONDS = 120
ATTEMPTS = 8
"""How often a commit is made again because somebody else moved the branch."""

_SEGMENT = re.compile(r"[A-Za-z0-9_@%+=:,-][A-Za-z0-9._@%+=:,-]*")
_ONE_LINE = re.compile(r"[\x00-\x1f\x7f<>]")
_NOT_ADVANCED = re.compile(r"[Nn]ot updating|cannot lock ref|is at .* but expected|reference already exists")
_CRASH_REPORT = re.compile(r"\bfast_import_crash_\d+\b")
_HALF_A_PACK = re.compile(r"\btmp_pack_\w+\b")

Files = Mapping[str, bytes | None]
"""Path to content; None deletes the path. Paths not named stay as they are."""


@dataclass(frozen=True)
class Author:
    """Who commits."""

    name: str
    email: str

    def signature(self, now: datetime) -> str:
        """`name <email> seconds +0000`, as Git stores it."""
        clean_name, clean_email = (_ONE_LINE.sub("", text).strip() for text in (self.name, self.email))
        return f"{clean_name} <{clean_email}> {int(now.timestamp())} +0000"


@dataclass(frozen=True)
class Committed:
    """A commit that is on the branch: its id and the paths it changed."""

    commit: str
    paths: tuple[str, ...]


class BranchWriter:
    """Writes one branch. Calls block: run them in a thread, one at a time."""

    def __init__(
        self,
        git: Git,
        branch: str,
        *,
        author: Author,
        remote: Address | None = None,
        many_loose: int = MANY_LOOSE,
    ) -> None:
        self._git = git
        self._many_loose = many_loose
        self._author = author
        self._remote = remote
        self._branch = refs.branch(branch)
        # In a cache the remote's branches are mirrored by others: ours is built beside them.
        self._ref = f"refs/gitops-ocm/writer/{branch}" if remote else self._branch
        self._format = ""
        self._tip: str | None = None
        self._blobs: dict[str, str] = {}
        self._fresh = False
        self._seen = False
        self._strayed: set[str] = set()

    @property
    def tip(self) -> str | None:
        """The branch's commit as last seen; None where there is no branch yet."""
        if not self._fresh:
            self.refresh()
        return self._tip

    def blobs(self) -> Mapping[str, str]:
        """Every path on the branch with its blob's id."""
        if not self._fresh:
            self.refresh()
        return self._blobs

    def strayed(self) -> frozenset[str]:
        """The paths that were found otherwise than they were left, since this was last asked.

        Somebody else has committed to the branch, moved it or deleted it.
        """
        found = frozenset(self._strayed)
        self._strayed.clear()
        return found

    def refresh(self) -> None:
        """See where the branch is now; the listing is read again only when it has moved."""
        if self._remote is not None:
            self._fetch(self._remote)
        found = self._git.run("rev-parse", "--verify", "--quiet", "--end-of-options", self._ref, check=False)
        tip = found.text if found.code == 0 and refs.is_commit(found.text) else None
        if tip != self._tip or not self._fresh:
            was, self._blobs = self._blobs, self._listing(tip) if tip else {}
            if self._seen:
                now = self._blobs
                self._strayed |= {path for path in was.keys() | now if was.get(path) != now.get(path)}
        self._tip, self._fresh, self._seen = tip, True, True

    def commit(
        self,
        files: Files,
        subject: str,
        *,
        now: datetime,
        body: str = "",
        trailers: Sequence[tuple[str, str]] = (),
    ) -> Committed | None:
        """Put `files` on the branch in one commit; None when the branch already has them so."""
        _check(files)
        message = _message(subject, body, trailers)
        for attempt in range(ATTEMPTS):
            if self._remote is None or not self._fresh:
                self.refresh()
            changed = self._changed(files)
            if not changed:
                return None
            try:
                commit = self._import(changed, message, now)
                if self._remote is not None:
                    self._push(self._remote, commit)
            except PushRejected:
                self._fresh = False
                if attempt == ATTEMPTS - 1:
                    raise
                time.sleep(random.uniform(0.02, 0.1) * 2 ** min(attempt, 4))  # noqa: S311
                continue
            except GitError:
                self._fresh = False
                raise
            self._remember(commit, changed)
            self._pack_loose()
            return Committed(commit, tuple(sorted(changed)))
        raise AssertionError("unreachable")

    def _changed(self, files: Files) -> dict[str, bytes | None]:
        if not self._format:
            self._format = self._git.run("rev-parse", "--show-object-format").text
        changed: dict[str, bytes | None] = {}
        for path, content in files.items():
            was = self._blobs.get(path)
            if content is None:
                if was is not None:
                    changed[path] = None
            elif was != _blob_name(content, self._format):
                changed[path] = content
        return changed

    def _remember(self, commit: str, changed: Mapping[str, bytes | None]) -> None:
        self._tip = commit
        for path, content in changed.items():
            if content is None:
                self._blobs.pop(path, None)
            else:
                self._blobs[path] = _blob_name(content, self._format)

    def _listing(self, tip: str) -> dict[str, str]:
        out = self._git.run("ls-tree", "-r", "-z", "--end-of-options", tip).out
        blobs: dict[str, str] = {}
        for record in out.split(b"\0"):
            head, _, path = record.partition(b"\t")
            if path:
                blobs[path.decode("utf-8", "surrogateescape")] = head.split(b" ")[2].decode()
        return blobs

    def _import(self, changed: Mapping[str, bytes | None], message: bytes, now: datetime) -> str:
        """One `fast-import`; raises `PushRejected` where the branch is no longer at our tip."""
        parts: list[bytes] = [
            b"feature done\n",
            f"commit {self._ref}\nmark :1\ncommitter {self._author.signature(now)}\n".encode(),
            b"data %d\n" % len(message) + message + b"\n",
        ]
        if self._tip:
            parts.append(f"from {self._tip}\n".encode())
        for path, content in sorted(changed.items()):
            if content is None:
                parts.append(f"D {path}\n".encode())
            else:
                parts.append(f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n")
        parts.append(b"\nget-mark :1\ndone\n")
        # A private ref follows the remote wherever that goes; a branch is only ever moved forward.
        force = ("--force",) if self._remote else ()
        result = self._git.run(
            "fast-import",
            "--quiet",
            "--done",
            "--date-format=raw",
            *force,
            stdin=b"".join(parts),
            check=False,
        )
        if result.code == 0 and refs.is_commit(result.text):
            return result.text
        self._sweep(result.err)
        if _NOT_ADVANCED.search(result.err):
            raise PushRejected(f"{refs.short(self._branch)} moved while a commit was being made")
        raise from_stderr("fast-import", result.err, place=self._git.place)

    def _sweep(self, said: str) -> None:
        """Remove what an import that failed names as left behind; a full disk has no room for it."""
        home = self._git.git_dir
        if home is None:
            return
        for folder, pattern in ((home, _CRASH_REPORT), (home / "objects" / "pack", _HALF_A_PACK)):
            for name in set(pattern.findall(said)):
                (folder / name).unlink(missing_ok=True)

    def _pack_loose(self) -> None:
        """Pack loose objects where they are many; a commit that has been made never fails for it.

        Object names are evenly spread, so one folder of 256 tells how many there are, as git itself counts.
        Geometric packs: their number grows with the logarithm of the history, and a large one is left alone.
        """
        home = self._git.git_dir
        if home is None or 256 * _entries(home / "objects" / "17") < self._many_loose:
            return
        command = ("repack", "--geometric=2", "-d", "-q", "--no-write-bitmap-index")
        try:
            self._git.run(*command, timeout=PACK_SECONDS)
        except GitError as error:
            from gitops_ocm.runtime.log import get_logger  # what only reads a clone logs nothing

            log = get_logger("writer")
            log.warning("loose objects could not be packed", repository=self._git.place, error=error)
            self._many_loose *= 2  # not again at each commit

    def _fetch(self, remote: Address) -> None:
        refspec = f"+{self._branch}:{self._ref}"
        args = ("--no-tags", "--no-write-fetch-head", "--quiet", "--end-of-options", remote.url, refspec)
        try:
            self._git.run("fetch", *args)
        except RefNotFound:
            # No such branch yet, or it was deleted: what we hold of it is not to be built upon.
            self._git.run("update-ref", "-d", self._ref, check=False)

    def _push(self, remote: Address, commit: str) -> None:
        self._git.run(
            "push", "--quiet", "--no-verify", "--end-of-options", remote.url, f"{commit}:{self._branch}"
        )


def _entries(folder: Path) -> int:
    try:
        return len(os.listdir(folder))  # noqa: PTH208 -- names are all that is wanted
    except OSError:
        return 0


def _blob_name(content: bytes, object_format: str) -> str:
    """The id Git gives a blob."""
    return hashlib.new(
        object_format, b"blob %d\0" % len(content) + content, usedforsecurity=False
    ).hexdigest()


def _check(files: Files) -> None:
    """Refuse what could be read as another command or would grow the repository without bound."""
    total = 0
    for path, content in files.items():
        segments = path.split("/")
        if not all(_SEGMENT.fullmatch(part) for part in segments) or len(path) > 1024:
            raise GitError(f"not a path for a status file: {path[:200]!r}")
        size = len(content or b"")
        total += size
        if size > MAX_FILE:
            raise TooLarge(f"{path} has {size} bytes; {MAX_FILE} are allowed")
    if total > MAX_COMMIT:
        raise TooLarge(f"{len(files)} files have {total} bytes; {MAX_COMMIT} are allowed in one commit")


def _message(subject: str, body: str, trailers: Sequence[tuple[str, str]]) -> bytes:
    """Subject, body and trailers as `git interpret-trailers` reads them back."""
    parts = [_ONE_LINE.sub(" ", subject).strip()]
    if body.strip():
        parts.append(body.strip())
    if trailers:
        parts.append("\n".join(f"{key}: {_ONE_LINE.sub(' ', value).strip()}" for key, value in trailers))
    return ("\n\n".join(parts) + "\n").encode()
