"""Calls whose answers are known to differ and not mended yet: `known.json` has their numbers, by scenario.

    python -m tests.differential.known KUBECONFIG     writes it anew from what differs now

A call that is not in it must not differ. What is *meant* to differ is in `allowed`, with its reason.
"""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from gitops_ocm.api.crd import crds
from gitops_ocm.apiserver.serve import serve
from tests.differential.judge import SCRIPT, judged
from tests.differential.play import connected

FILE = Path(__file__).with_name("known.json")
Known = Mapping[str, list[int]]


def known() -> Known:
    """Scenario → the numbers of the calls in it that differ."""
    found: Known = orjson.loads(FILE.read_bytes())
    return found


async def record(kubeconfig: Path) -> None:
    """Play everything and write down what differs."""
    found: dict[str, list[int]] = {}
    with TemporaryDirectory() as directory:
        async with (
            serve(Path(directory) / "hub", crds=crds()) as server,
            connected(kubeconfig) as real,
            connected(server.kubeconfig_path) as ours,
        ):
            for scenario in SCRIPT:
                verdicts = await judged(real, ours, scenario, f"known-{uuid.uuid4().hex[:8]}")
                if numbers := [v.number for v in verdicts if v.differences]:
                    found[scenario] = numbers
    lines = (f"  {orjson.dumps(name).decode()}: {numbers}" for name, numbers in found.items())
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    asyncio.run(record(Path(sys.argv[1])))
