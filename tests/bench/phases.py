"""One phase in a process of its own: `python -m tests.bench.phases NAME FLEET [KUBECONFIG PID...]`.

The pids are the servers', whose CPU is measured too. It prints one JSON object of numbers. A process
each, so that no phase runs on another's warm caches or inherits its memory.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path

from tests.bench.fleet import Fleet, read_fleet

Numbers = dict[str, float]
Phase = Callable[[Fleet, Path, Sequence[int]], Coroutine[None, None, Numbers]]


async def floor(fleet: Fleet, kubeconfig: Path, servers: Sequence[int]) -> Numbers:
    """Bare requests."""
    from tests.bench.floor import first_sync

    return await first_sync(fleet, kubeconfig, servers)


async def engine(fleet: Fleet, kubeconfig: Path, servers: Sequence[int]) -> Numbers:
    """Our sync: first, nothing changed, one file changed; and what it keeps in memory."""
    from tests.bench.engine import sync_life

    return await sync_life(fleet, kubeconfig, servers)


async def parsing(fleet: Fleet, _: Path, __: Sequence[int]) -> Numbers:
    """YAML to objects, for each document: ours and two of ruamel.yaml's loaders."""
    from tests.bench.reading import parse_cost

    return parse_cost(fleet)


async def tree(fleet: Fleet, _: Path, __: Sequence[int]) -> Numbers:
    """A commit's files out of Git."""
    from tests.bench.reading import tree_cost

    with tempfile.TemporaryDirectory() as cache:
        return tree_cost(fleet, Path(cache))


PHASES: dict[str, Phase] = {"floor": floor, "engine": engine, "parsing": parsing, "tree": tree}


def run_phase(name: str, fleet: Fleet, kubeconfig: Path = Path(), servers: Iterable[int] = ()) -> Numbers:
    """Run a phase in a fresh process; its numbers."""
    command = [sys.executable, "-m", "tests.bench.phases", name, str(fleet.root), str(kubeconfig)]
    command += map(str, servers)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"the phase {name} failed")
    numbers: Numbers = json.loads(done.stdout.splitlines()[-1])
    return numbers


def main() -> None:
    """The child's side of `run_phase`."""
    name, root, kubeconfig, *servers = sys.argv[1:]
    with asyncio.Runner() as runner:
        phase = PHASES[name](read_fleet(Path(root)), Path(kubeconfig), [int(pid) for pid in servers])
        print(json.dumps(runner.run(phase)))


if __name__ == "__main__":
    main()
