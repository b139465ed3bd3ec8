"""Waiting for something to become true, without a fixed sleep."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from gitops_ocm.objects.faults import ApiError

FIRST_PAUSE = 0.005
LONGEST_PAUSE = 0.1


async def turns(count: int) -> None:
    """Let the event loop go round: everything that can go on does so `count` times, with no pause.

    For making histories interleave in many ways, not for waiting: no number of turns is enough for that.
    """
    for _ in range(count):
        await asyncio.sleep(0)


async def eventually(condition: Callable[[], Any], within: float = 60.0, *, describe: str = "") -> Any:
    """Ask until `condition` answers something truthy, and return that.

    A failed assertion or an `ApiError` (not found, say) in `condition` counts as "not yet". After
    `within` seconds an AssertionError says what the last answer was.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    pause = FIRST_PAUSE
    while True:
        last: object
        try:
            answer = condition()
            value = await answer if inspect.isawaitable(answer) else answer
            if value:
                return value
            last = value
        except (AssertionError, ApiError) as error:
            last = error
        if loop.time() >= deadline:
            what = describe or getattr(condition, "__qualname__", "the condition")
            cause = last if isinstance(last, BaseException) else None
            raise AssertionError(f"{what} did not hold within {within:g} s; last: {last!r}") from cause
        await asyncio.sleep(pause)
        pause = min(pause * 1.6, LONGEST_PAUSE)
