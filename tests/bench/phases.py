"""One phase in a process of its own: `python -m tests.bench.phases NAME FLEET [KUBECONFIG]`.

It prints one JSON object of numbers. A process each, so that no phase runs on another's warm caches
or inherits its memory.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.bench.fleet import Fleet, read_fleet

Phase = Callable[[Fleet, Path], Awaitable[dict[str, float]]]
Numbers = dict[str, float]


async def floor(fleet: Fleet, kubeconfig: Path) -> Numbers:
    """Bare requests."""
    from tests.bench.floor import first_sync

    return await first_sync(fleet, kubeconfig)


async def engine(fleet: Fleet, kubeconfig: Path) -> Numbers:
    """Our sync: first, nothing changed, one file changed; and what it keeps in memory."""
    from tests.bench.engine import sync_life

    return await sync_life(fleet, kubeconfig)


async def parsing(fleet: Fleet, _: Path) -> Numbers:
    """YAML to objects, for each document: ours and ruamel.yaml's two loaders."""
    from tests.bench.reading import parse_cost

    return parse_cost(fleet)


async def tree(fleet: Fleet, _: Path) -> Numbers:
    """A commit's files out of Git."""
    from tests.bench.reading import tree_cost

    return await tree_cost(fleet)


PHASES: dict[str, Phase] = {"floor": floor, "engine": engine, "parsing": parsing, "tree": tree}


def run_phase(name: str, fleet: Fleet, kubeconfig: Path = Path()) -> Numbers:
    """Run a phase in a fresh process; its numbers."""
    command = [sys.executable, "-m", "tests.bench.phases", name, str(fleet.root), str(kubeconfig)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"the phase {name} failed")
    numbers: Numbers = json.loads(done.stdout.splitlines()[-1])
    return numbers


def main() -> None:
    """The child's side of `run_phase`."""
    name, root, kubeconfig = sys.argv[1:4]
    numbers = asyncio.run(_await(PHASES[name], read_fleet(Path(root)), Path(kubeconfig)))
    print(json.dumps(numbers))


async def _await(phase: Phase, fleet: Fleet, kubeconfig: Path) -> Numbers:
    return await phase(fleet, kubeconfig)


if __name__ == "__main__":
    main()
