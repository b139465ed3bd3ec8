"""Clocks: what a piece of code, or a whole program with its children, takes."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path


class Stopwatch:
    """Wall clock, this process's CPU and that of `servers`, between construction and `stop`."""

    def __init__(self, servers: Sequence[int] = ()) -> None:
        self._servers = servers
        self._wall, self._cpu, self._served = time.perf_counter(), time.process_time(), cpu_of(servers)

    def stop(self) -> dict[str, float]:
        """The seconds so far."""
        return {
            "wall": time.perf_counter() - self._wall,
            "cpu": time.process_time() - self._cpu,
            "server_cpu": cpu_of(self._servers) - self._served,
        }


_APART = """
import json, os, sys, time
start = time.perf_counter()
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, ended, usage = os.wait4(pid, 0)
wall, cpu = time.perf_counter() - start, usage.ru_utime + usage.ru_stime
print(json.dumps([os.waitstatus_to_exitcode(ended), wall, cpu, usage.ru_maxrss / 1024]))
"""
"""A small process between: a program's peak on Linux is never told to be less than what started it had."""


def run_program(
    command: Sequence[str], *, env: dict[str, str] | None = None, status: int = 0
) -> dict[str, float]:
    """Run a program to its end in `status`, with its output dropped: wall, CPU and peak memory of it."""
    apart = [sys.executable, "-I", "-S", "-c", _APART, *command]
    done = subprocess.run(apart, capture_output=True, env=env, check=True, text=True)
    ended, wall, cpu, peak = json.loads(done.stdout)
    if ended != status:
        sys.exit(f"{' '.join(command[:3])} ... failed:\n{done.stderr[-2000:]}")
    return {"wall": wall, "cpu": cpu, "peak_rss_mib": peak}


def cpu_of(pids: Iterable[int]) -> float:
    """CPU seconds that running processes have used so far (Linux; 0 elsewhere)."""
    ticks = 0
    for pid in pids:
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists():
            user, system = stat.read_text().rpartition(")")[2].split()[11:13]
            ticks += int(user) + int(system)
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_of(pids: Iterable[int]) -> float:
    """MiB that running processes have in memory now (Linux)."""
    found = (Path(f"/proc/{pid}/status").read_text() for pid in pids)
    lines = (line for text in found for line in text.splitlines() if line.startswith("VmRSS:"))
    return sum(int(line.split()[1]) for line in lines) / 1024


def resident_mib() -> float:
    """Memory of this process now (Linux) or at its peak (elsewhere)."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(text for text in status.read_text().splitlines() if text.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
