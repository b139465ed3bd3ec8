"""The embedded API server beside a real kube-apiserver with etcd: speed, fan-out, memory, start.

Both in one run, each server alone on the machine meanwhile, asked by the same client (`api_load`) over
HTTPS. etcd writes without fsync here, as the control plane for tests is started; ours always syncs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gitops_ocm.testing.controlplane import control_plane
from gitops_ocm.testing.programs import Programs
from tests.bench.measure import resident_of
from tests.bench.phases import Numbers
from tests.bench.table import Row

OURS, THEIRS = "embedded", "kube-apiserver + etcd"
_SERVE = """
import asyncio, sys
from pathlib import Path
from gitops_ocm.apiserver.serve import serve
from gitops_ocm.runtime.memory import settle
async def work():
    settle()
    async with serve(Path(sys.argv[1])):
        print("ready", flush=True)
        await asyncio.Event().wait()
asyncio.run(work())
"""


def apiserver_rows(programs: Programs, directory: Path, objects: int) -> list[Row]:
    """Measure both; `objects` of 2 KiB are what memory is measured with."""
    found: dict[str, Numbers] = {}
    with _embedded(directory / "embedded") as (kubeconfig, pid, seconds):
        found[OURS] = _measured(kubeconfig, {"server": pid}, objects) | {"ready": seconds}
    started = time.perf_counter()
    with control_plane(programs, directory / "kubernetes") as plane:
        seconds = time.perf_counter() - started
        pids = {name: pid for name, pid in plane.pids.items() if name != "kube-controller-manager"}
        found[THEIRS] = _measured(plane.kubeconfig, pids, objects) | {"ready": seconds}
    return _rows(found[OURS], found[THEIRS], objects)


@contextmanager
def _embedded(directory: Path) -> Iterator[tuple[Path, int, float]]:
    started = time.perf_counter()
    command = [sys.executable, "-c", _SERVE, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        seconds = time.perf_counter() - started
        try:
            yield directory / "kubeconfig", server.pid, seconds
        finally:
            server.terminate()


def _measured(kubeconfig: Path, pids: Mapping[str, int], objects: int) -> Numbers:
    idle = resident_of(pids.values())
    numbers = _asked(kubeconfig, "speed")
    numbers |= _asked(kubeconfig, "fan-out")
    _asked(kubeconfig, "fill", objects)
    return numbers | {"idle": idle, "full": resident_of(pids.values())}


def _asked(kubeconfig: Path, what: str, count: int = 0) -> Numbers:
    command = [sys.executable, "-m", "tests.bench.api_load", what, str(kubeconfig), str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    numbers: Numbers = json.loads(done.stdout.splitlines()[-1])
    return numbers


_SPEEDS = {
    "create": "creates, 32 at a time",
    "apply_new": "server-side applies of new objects, 32 at a time",
    "apply_same": "server-side applies that change nothing, 32 at a time",
    "get": "gets, 32 at a time",
}
_TIMES = {
    "create_one": "a create, one at a time",
    "get_one": "a get, one at a time",
    "list": "a list of 5,000",
    "watch": "from a write to its event, 1,000 watchers of a namespace each",
}


def _rows(ours: Numbers, theirs: Numbers, objects: int) -> list[Row]:
    rows: list[Row] = []
    for key, name in _SPEEDS.items():
        rows += _pair(name, ours[key], theirs[key], "/s")
        rows.append(Row(f"{name}: embedded / real", ours[key] / theirs[key], "×", 0.5, at_least=True))
    for key, name in _TIMES.items():
        rows += _pair(name, ours[key] * 1e3, theirs[key] * 1e3, "ms")
        rows.append(Row(f"{name}: embedded / real", ours[key] / theirs[key], "×", 1))
    for key, name, limit in (
        ("idle", "memory, idle", 60),
        ("full", f"memory, {objects:,} objects of 2 KiB", 250),
    ):
        rows.append(Row(f"{name}: {OURS}", ours[key], "MiB", limit))
        rows.append(Row(f"{name}: {THEIRS}", theirs[key], "MiB"))
    rows.append(Row(f"from start to ready: {OURS}", ours["ready"], "s", 1))
    rows.append(Row(f"from start to ready: {THEIRS}, controllers too", theirs["ready"], "s"))
    return rows


def _pair(name: str, ours: float, theirs: float, unit: str) -> list[Row]:
    return [Row(f"{name}: {OURS}", ours, unit), Row(f"{name}: {THEIRS}", theirs, unit)]
