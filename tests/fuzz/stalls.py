"""How long a loop is kept from its next turn, in CPU time: what other programs do meanwhile does not count."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass
class Stalls:
    """The longest time between two turns so far."""

    worst: float = 0.0


@asynccontextmanager
async def measured() -> AsyncIterator[Stalls]:
    """Measure while the block runs: the CPU time of the whole process between two turns of the loop.

    Of the whole process, for a thread that does not let go of the interpreter stops the loop as well.
    """
    found = Stalls()

    async def turn() -> None:
        last = time.process_time()
        while True:
            await asyncio.sleep(0.001)
            now = time.process_time()
            found.worst = max(found.worst, now - last)
            last = now

    task = asyncio.create_task(turn())
    await asyncio.sleep(0)
    try:
        yield found
        await asyncio.sleep(0.002)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
