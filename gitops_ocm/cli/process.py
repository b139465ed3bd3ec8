"""Long commands as processes: logging, signals, and an orderly end.

    run(lambda stop: hub.run(stop), level="info", form="text")

The first SIGINT or SIGTERM asks for an orderly end, the second one ends at once.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import warnings
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

T = TypeVar("T")


def run(work: Callable[[asyncio.Event], Awaitable[T]], *, level: str = "info", form: str = "text") -> T:
    """Run `work` to its end; its argument is set when the process is asked to stop."""
    from gitops_ocm.git.errors import Interrupted
    from gitops_ocm.runtime.log import configure
    from gitops_ocm.runtime.memory import settle

    # Names of agents may be longer than X.520 says: Go, and so every hub, does not mind.
    warnings.filterwarnings("ignore", message="Attribute's length must be", category=UserWarning)
    configure(level=level, json=form == "json")
    settle()
    try:
        return asyncio.run(_until_stopped(work))
    except Interrupted as error:
        raise click.Abort from error


async def _until_stopped(work: Callable[[asyncio.Event], Awaitable[T]]) -> T:
    from gitops_ocm.runtime.lag import watched_loop

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask() -> None:
        if stop.is_set():
            sys.stderr.write("stopped at once\n")
            # Nothing is lost: everything that counts is on the hub, in Git or in the state file.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.raise_signal(signal.SIGTERM)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ask)
    try:
        with watched_loop():
            return await work(stop)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
