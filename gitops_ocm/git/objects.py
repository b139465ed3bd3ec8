"""Reading Git objects through one long-lived `git cat-file --batch-command`.

Starting a process per object would cost 3 ms each; a question here costs some 20 µs. Questions are
sent in groups small enough for a pipe's buffer, so neither side can block the other, and a group is
read whole before any of it is handed out, so that a caller who stops half-way leaves no answers
behind. Safe to use from several threads.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gitops_ocm.git.address import masked
from gitops_ocm.git.command import Git, end
from gitops_ocm.git.errors import CorruptRepository, GitTimeout, TooLarge, from_stderr

_GROUP = 256
"""Questions in flight: 256 × (10 + 64) bytes stay under the smallest pipe buffer, 64 KiB."""


class Header(NamedTuple):
    """What Git says of an object before its bytes."""

    id: str
    type: str
    size: int


class ObjectReader:
    """Reads objects of one repository; started when first asked, restarted when it died."""

    def __init__(self, git: Git, *, max_object: int, timeout: float = 60) -> None:
        self._git = git
        self._max = max_object
        self._timeout = timeout
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """End the process; the reader can still be used, it starts another."""
        with self._lock:
            self._drop()

    def find(self, name: str) -> Header | None:
        """The object a ref or id names (`refs/heads/main^{commit}`), None where there is none."""
        (header,) = self.find_all([name])
        return header

    def find_all(self, names: Sequence[str]) -> list[Header | None]:
        """Many `find`s at once, in the order asked."""
        found: list[Header | None] = []
        for start in range(0, len(names), _GROUP):
            group = names[start : start + _GROUP]
            with self._lock:
                process = self._ask("info", group)
                with self._guard(process):
                    found += [self._header(process) for _ in group]
        return found

    def read(self, name: str) -> bytes:
        """One object's bytes."""
        ((_, data),) = self.read_blobs([name])
        return data

    def read_blobs(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Each object's bytes, in the order asked; `CorruptRepository` for one that is missing."""
        for start in range(0, len(blobs), _GROUP):
            group = blobs[start : start + _GROUP]
            with self._lock:
                process = self._ask("contents", group)
                with self._guard(process):
                    answers = [self._contents(process, blob) for blob in group]
            yield from zip(group, answers, strict=True)

    def _ask(self, verb: str, names: Sequence[str]) -> subprocess.Popen[bytes]:
        process = self._process
        if process is None or process.poll() is not None:
            self._drop()
            process = self._process = self._git.spawn("cat-file", "--batch-command", "--buffer")
            assert process.stderr is not None
            os.set_blocking(process.stderr.fileno(), False)
        assert process.stdin is not None
        text = "".join(f"{verb} {name}\n" for name in names)
        try:
            process.stdin.write(text.encode() + b"flush\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise self._died(process) from None
        return process

    def _header(self, process: subprocess.Popen[bytes]) -> Header | None:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._died(process)
        name, _, rest = line[:-1].decode("utf-8", "replace").rpartition(" ")
        if rest in ("missing", "ambiguous"):
            return None
        oid, _, kind = name.rpartition(" ")
        return Header(oid, kind, int(rest))

    def _contents(self, process: subprocess.Popen[bytes], name: str) -> bytes:
        header = self._header(process)
        assert process.stdout is not None
        if header is None:
            self._drop()
            raise CorruptRepository(f"{self._git.place} lacks the object {name[:64]}")
        if header.size > self._max:
            self._drop()
            raise TooLarge(f"the object {header.id} has {header.size} bytes; the limit is {self._max}")
        data = process.stdout.read(header.size + 1)
        if len(data) != header.size + 1:
            raise self._died(process)
        return data[:-1]

    def _guard(self, process: subprocess.Popen[bytes]) -> _Deadline:
        return _Deadline(process, self._timeout, self._git.place)

    def _died(self, process: subprocess.Popen[bytes]) -> Exception:
        """The error for a process that ended in mid-sentence, from what it said on stderr."""
        assert process.stderr is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
        said = (process.stderr.read() or b"").decode("utf-8", "replace")
        self._drop()
        if not said:
            return CorruptRepository(f"git stopped answering about {self._git.place}")
        return from_stderr("cat-file", masked(said), place=self._git.place)

    def _drop(self) -> None:
        if self._process is not None:
            end(self._process, grace=0.2)
            self._process = None


class _Deadline:
    """Ends a process that takes too long to answer, which wakes the reader; one timer per group."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float, place: str) -> None:
        self._process, self._seconds, self._place = process, seconds, place
        self._expired = False
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *exc: object) -> None:
        self._timer.cancel()
        if self._expired:
            raise GitTimeout(f"git did not answer about {self._place} within {self._seconds:g} s")

    def _expire(self) -> None:
        self._expired = True
        self._process.kill()
