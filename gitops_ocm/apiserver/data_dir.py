"""The directory of an embedded server: who may use it, and whether it can be used at all.

    DIR/state.db       everything stored          DIR/pki/           the CA and what it signed
    DIR/kubeconfig     an administrator's         DIR/lock, DIR/port

What is in its files is known by `store_sqlite` and `tls`; copies of the whole are made by `backup`.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gitops_ocm.errors import GitopsError

STATE = "state.db"
PKI = "pki"
LOCK = "lock"
PORT = "port"
CLUSTERS = "clusters"
CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far a clock may be set back and nobody minds."""
DAMAGED = "put a backup in its place (gitops-ocm hub restore), or move it away to begin with an empty hub"
"""What to do about a file that holds no state any more."""
_TIME = "%Y-%m-%d %H:%M:%S UTC"


class CannotServe(GitopsError):
    """The server cannot start: its directory is in use, its port is taken."""

    code = "server-cannot-start"


def prepared(directory: Path) -> Path:
    """Make the directory if need be; nobody else may look into it."""
    with usable(directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    return directory


@contextmanager
def usable(directory: Path) -> Iterator[None]:
    """Tell what the system refuses in a directory, with its name and a next step."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        hint = "Free space on that disk and start again." if full else "Name a directory that you own."
        raise CannotServe(f"cannot use {directory}: {error.strerror or error}", hint=hint) from error


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the directory. The lock is the kernel's: it ends with the process, however that ends."""
    with usable(directory):
        descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "another process"
            raise CannotServe(
                f"{directory} is already served (by process {owner})",
                hint="Use the server that runs, or stop it, or name another directory.",
            ) from error
        with usable(directory):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def check_clock(directory: Path, written_at: float, now: datetime) -> None:
    """Refuse to go on in the past: certificates, leases and ages would all be wrong."""
    newest = datetime.fromtimestamp(written_at, UTC)
    if newest - now <= CLOCK_TOLERANCE:
        return
    raise CannotServe(
        f"the clock has gone back: {now:{_TIME}} now, {directory} was last written at {newest:{_TIME}}",
        hint="Set the clock. If it was wrong then and is right now, start once with --accept-clock.",
    )


def check_whole(directory: Path) -> None:
    """Refuse to begin anew where something was kept: a file that was emptied would pass for a new one."""
    state = directory / STATE
    if state.exists() and not state.stat().st_size and (directory / PORT).exists():
        raise CannotServe(f"{state} is damaged: it is empty", hint=DAMAGED)


def last_port(directory: Path) -> int:
    """The port of the last run, negative: a wish, not an order."""
    try:
        last = int((directory / PORT).read_text("ascii"))
    except (FileNotFoundError, ValueError):
        return 0
    return -last if 0 < last < 65536 else 0
