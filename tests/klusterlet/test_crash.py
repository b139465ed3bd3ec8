"""Agents are killed with SIGKILL at any point of their registration: they converge, with one request each."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.apiserver.serve import serve
from gitops_ocm.klusterlet.kept import Folder
from gitops_ocm.klusterlet.keys import read_certificate
from gitops_ocm.runtime.tasks import first_of
from gitops_ocm.testing.commands import TRACEBACK
from gitops_ocm.testing.joining import CLUSTERS
from tests.klusterlet.conftest import Hub
from tests.klusterlet.forks import Forks

Eventually = Callable[..., Awaitable[Any]]
KILLS = int(os.environ.get("GITOPS_OCM_CRASHES", "20"))
KILLS_EACH = 4
LONGEST = 0.9
"""Seconds an agent lives at most before it is killed: about what a registration takes."""


async def _administrator(hub: Hub, stop: asyncio.Event) -> None:
    """Approves and accepts whoever comes, again and again."""
    while not stop.is_set():
        for cluster in (await hub.admin.list(CLUSTERS)).items:
            name = cluster["metadata"]["name"]
            if name.startswith("crash-"):
                await hub.approved(name)
                if not cluster["spec"].get("hubAcceptsClient"):
                    await hub.accept(name)
        await first_of(stop.wait(), within=0.1)


@pytest.mark.slow
async def test_killed_anywhere_it_joins(
    hub: Hub, eventually: Eventually, unique: Callable[[str], str], tmp_path: Path
) -> None:
    """Whenever it is killed, an agent ends up joined: one request, one pair of names, a key that fits."""
    chance, stop = random.Random(5), asyncio.Event()
    async with serve(tmp_path / "spoke") as spoke:
        administrator = asyncio.create_task(_administrator(hub, stop))
        try:
            with Forks(tmp_path) as forks:
                for _ in range(-(-KILLS // KILLS_EACH)):
                    name = unique("crash")
                    command = (
                        *("klusterlet", "run", "--cluster-name", name, "--agents", "registration"),
                        *("--bootstrap-kubeconfig", str(hub.bootstrap)),
                        *("--spoke-kubeconfig", str(spoke.kubeconfig_path)),
                        *("--hub-kubeconfig-dir", str(tmp_path / name)),
                    )
                    log = tmp_path / f"{name}.log"
                    for _ in range(KILLS_EACH):
                        agent = forks.start(command, log)
                        await asyncio.sleep(chance.uniform(0.0, LONGEST))  # its life, which may end anywhere
                        forks.end(agent)
                    agent = forks.start(command, log)
                    await eventually(lambda name=name: hub.available(name), 60)
                    forks.end(agent)
                    await _in_order(hub, name, tmp_path, log)
        finally:
            stop.set()
            await administrator


async def _in_order(hub: Hub, name: str, folder: Path, log: Path) -> None:
    said = log.read_text()
    assert TRACEBACK not in said, said[-4000:]
    assert len(await hub.requests(name)) == 1, said[-4000:]
    kept = await Folder(folder / name).read()
    assert read_certificate(kept["tls.crt"], kept["tls.key"]) is not None
    notes = await Folder(folder / name / "pending").read()
    assert notes["agent-name"] == kept["agent-name"]
    assert not [entry for entry in notes if entry.startswith("pending")]
