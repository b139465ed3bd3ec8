"""The bare copy of a remote repository that a daemon keeps in its cache directory.

One directory per URL (named by its hash, so no URL can name a path), a lock file beside it so that
two daemons on one cache take turns, refs under their own names. It is a cache: a damaged one is
thrown away and cloned anew. `source.Repository` reads it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from weakref import WeakValueDictionary

from gitops_ocm.git.address import Address
from gitops_ocm.git.command import Credentials, Git
from gitops_ocm.git.errors import CorruptRepository, Locked, PushRejected, TooLarge, from_os

_MANY_PACKS = 64
"""Each fetch leaves a pack; beyond this many they are packed into one."""


_HELD_HERE: WeakValueDictionary[Path, threading.Lock] = WeakValueDictionary()
"""The lock of each copy that this process uses."""


@dataclass(frozen=True)
class Limits:
    """How much time and room a repository may take."""

    fetch_seconds: float = 300
    repository_bytes: int = 2 * 2**30
    object_bytes: int = 16 * 2**20
    lock_seconds: float = 60


class Mirror:
    """The cached copy of one remote."""

    def __init__(
        self, address: Address, cache_dir: Path, credentials: Credentials | None, limits: Limits
    ) -> None:
        self._name = hashlib.sha256(address.url.encode()).hexdigest()[:32]
        self.git_dir = cache_dir / f"{self._name}.git"
        self.address = address
        self._limits = limits
        stop = threading.Event()
        self.git = Git(self.git_dir, address=address, credentials=credentials, interrupted=stop)
        self._outside = Git(None, address=address, credentials=credentials, interrupted=stop)
        self._ours = _HELD_HERE.setdefault(self.git_dir, threading.Lock())

    def fetch(self, refspecs: Sequence[str]) -> None:
        """Bring these refs (or commits) over; the caller holds `locked`."""
        try:
            self.prepare()
            self._fetch(refspecs)
        except (CorruptRepository, PushRejected):
            # Damaged; or a ref cannot be set, for a lock that somebody left, or because `a` is a branch here
            # and `a/b` one over there.
            self.discard()
            self.prepare()
            self._fetch(refspecs)

    def discard(self) -> None:
        """Throw the copy away; the next fetch makes a new one."""
        if self.git_dir.exists():
            doomed = Path(tempfile.mkdtemp(dir=self.git_dir.parent, prefix=f"discarded-{self._name}-"))
            self.git_dir.rename(doomed / "git")
        for left in self._beside():
            shutil.rmtree(left, ignore_errors=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one process, and one thread of it, at a time writes to the copy.

        A thread of our own is waited for as long as it takes: its time is limited.
        """
        try:
            with self._ours:
                self.git_dir.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with self.git_dir.with_suffix(".lock").open("a") as lock:
                    self._wait_for(lock)
                    yield
        except OSError as error:
            raise from_os(error, f"write the cache {self.git_dir.parent}") from error

    def _wait_for(self, lock: IO[str]) -> None:
        deadline = time.monotonic() + self._limits.lock_seconds
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Locked(f"the cache of {self.address} is in use by another process") from None
                time.sleep(0.02)

    @property
    def is_whole(self) -> bool:
        """Whether there is a copy that git would take for a repository."""
        return (self.git_dir / "HEAD").is_file() and (self.git_dir / "objects").is_dir()

    def prepare(self) -> None:
        """Make an empty copy where there is none; the caller holds `locked`."""
        if self.is_whole:
            return
        self.discard()
        heads = self._outside.run("ls-remote", "--quiet", "--end-of-options", self.address.url).out
        hash_name = "sha256" if len(heads.partition(b"\t")[0]) == 64 else "sha1"
        # Made beside its place and moved there, so that a crash never leaves half a repository.
        fresh = Path(tempfile.mkdtemp(dir=self.git_dir.parent, prefix=f"fresh-{self._name}-"))
        Git(fresh).run("init", "--bare", "--quiet", "--template=", f"--object-format={hash_name}")
        fresh.rename(self.git_dir)

    def _beside(self) -> Iterator[Path]:
        """Copies half made or half removed, by a process that was killed or had no room."""
        for kind in ("fresh", "discarded"):
            yield from self.git_dir.parent.glob(f"{kind}-{self._name}-*")

    def _fetch(self, refspecs: Sequence[str]) -> None:
        self._sweep()
        self.git.run(
            "fetch",
            "--quiet",
            "--force",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
            "--end-of-options",
            self.address.url,
            *refspecs,
            timeout=self._limits.fetch_seconds,
            watch=self._hold_size,
        )
        if sum(1 for _ in self.git_dir.glob("objects/pack/*.pack")) > _MANY_PACKS:
            self.git.run("repack", "-a", "-d", "-q", timeout=self._limits.fetch_seconds)

    def _sweep(self) -> None:
        """Remove what a killed git left: packs half received, and locks older than any fetch."""
        for pack in self.git_dir.glob("objects/pack/tmp_*"):
            pack.unlink(missing_ok=True)
        for lock in (*self.git_dir.glob("*.lock"), *self.git_dir.glob("refs/**/*.lock")):
            with suppress(FileNotFoundError):
                if time.time() - lock.stat().st_mtime > self._limits.fetch_seconds:
                    lock.unlink()

    def _hold_size(self) -> None:
        size = 0
        with os.scandir(self.git_dir / "objects" / "pack") as files:
            for file in files:
                try:
                    size += file.stat().st_size
                except FileNotFoundError:  # Renamed by git as we looked.
                    continue
        if size > self._limits.repository_bytes:
            raise TooLarge(
                f"{self.address} is larger than the limit of {self._limits.repository_bytes} bytes"
            )
