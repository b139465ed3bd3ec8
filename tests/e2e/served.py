"""An embedded server in a process of its own that starts in a moment, to be killed without mercy.

The processes are forked from one that has everything imported, so a test can afford hundreds of them.
"""

from __future__ import annotations

import asyncio
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.e2e.served", "gitops_ocm.apiserver.serve"])


def start(directory: Path) -> ForkServerProcess:
    """Serve a directory; returns when the server is ready."""
    ours, theirs = _FORKS.Pipe(duplex=False)
    process = _FORKS.Process(target=serve_until_killed, args=(directory, theirs), daemon=True)
    process.start()
    theirs.close()
    with ours:
        assert ours.recv() == "ready"
    return process


def serve_until_killed(directory: Path, ready: Connection) -> None:
    """What such a process does."""
    from gitops_ocm.apiserver.serve import serve

    async def work() -> None:
        async with serve(directory):
            ready.send("ready")
            await asyncio.Event().wait()

    asyncio.run(work())
