"""Threads for what blocks on git: its own, so that remotes that do not answer hold nothing else up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

MOST = 256
"""Each waits most of its time for another process, and one that is not needed is never made."""
_pool = ThreadPoolExecutor(MOST, thread_name_prefix="git")


async def in_thread(work: Callable[[], T]) -> T:
    """Do `work` in a thread. Cancelling does not end it: see `Repository.interrupt`."""
    return await asyncio.get_running_loop().run_in_executor(_pool, work)
