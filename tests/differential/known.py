"""Differences that are known and not mended yet: `known.json` names the call and the places, by scenario.

    python -m tests.differential.known KUBECONFIG     writes it anew from what differs now

It may only become shorter: a difference that is not in it fails its scenario, and so does a scenario in it
that has none left. What is *meant* to differ is in `allowed`, with its reason.
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
Known = Mapping[str, Mapping[str, list[str]]]


def known() -> Known:
    """Scenario → number of the call in it → the places that differ."""
    found: Known = orjson.loads(FILE.read_bytes())
    return found


async def record(kubeconfig: Path) -> None:
    """Play everything and write down what differs."""
    found: dict[str, dict[str, list[str]]] = {}
    with TemporaryDirectory() as directory:
        async with (
            serve(Path(directory) / "hub", crds=crds()) as server,
            connected(kubeconfig) as real,
            connected(server.kubeconfig_path) as ours,
        ):
            for scenario in SCRIPT:
                verdicts = await judged(real, ours, scenario, f"known-{uuid.uuid4().hex[:8]}")
                rows = {str(v.number): sorted({d.path for d in v.differences}) for v in verdicts}
                if rows := {number: places for number, places in rows.items() if places}:
                    found[scenario] = rows
    FILE.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    asyncio.run(record(Path(sys.argv[1])))
