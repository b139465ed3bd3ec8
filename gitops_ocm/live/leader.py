"""Who this process is among those that could lead, and whether another one on this machine is still there.

A name holds the host, the machine's start, the process's namespace, its number and when it began. So a
process that comes back after a crash sees that the holder of its lease was on the same machine and is no
more, and need not wait until the lease has run out. About processes elsewhere, or where the system tells
none of that, it knows nothing and waits.
"""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path

from gitops_ocm.kube.identity import SERVICE_ACCOUNT

_PROC = Path("/proc")
_STARTED = 19
"""The field of `/proc/<pid>/stat` with the start time, counted after the command's closing bracket."""


def own_name() -> str:
    """This process, as the holder of a lease."""
    host, place, pid = socket.gethostname(), _place(), os.getpid()
    started = _started(pid)
    if not place or not started:
        return f"{host}_{uuid.uuid4()}"
    return f"{host}_{place}_{pid}-{started}"


def is_gone(holder: str) -> bool:
    """Whether the holder was a process of this machine that has ended."""
    prefix, _, process = holder.rpartition("_")
    pid, _, started = process.partition("-")
    place = _place()
    if not place or prefix != f"{socket.gethostname()}_{place}" or not pid.isdigit() or not started:
        return False
    return _started(int(pid)) != started


def pod_namespace() -> str:
    """The namespace of the pod this runs in, `""` outside of one."""
    try:
        return (SERVICE_ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _place() -> str:
    """This start of this machine, and the namespace in which process numbers mean something."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = (_PROC / "self/ns/pid").stat().st_ino
    except OSError:
        return ""
    return f"{boot}.{namespace}"


def _started(pid: int) -> str:
    """When a process began, in ticks since the machine did; `""` where there is none."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return fields[_STARTED] if len(fields) > _STARTED and fields[0] not in "ZX" else ""
