"""An event loop that waits for nobody: where nothing is to be done, its clock goes on to the next timer.

So hours of a live hub, with all its watches, retries and soaks, pass in as long as its work takes. What is
done in threads (git) takes its real time: `hurries` is off then.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from gitops_ocm.runtime.clock import Clock

T = TypeVar("T")
START = datetime(2026, 1, 1, tzinfo=UTC)
IDLE = 0.0
"""So many real seconds without an event, and the loop has nothing to do: no thread works for it meanwhile."""


class _Selector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0
        self.hurries = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0 or not self.hurries:
            return super().select(timeout)
        if found := super().select(min(timeout, IDLE)):
            return found
        self.skipped += timeout
        return []


class HurriedLoop(asyncio.SelectorEventLoop):
    """The loop."""

    def __init__(self) -> None:
        self._hurried = _Selector()
        super().__init__(self._hurried)

    def time(self) -> float:
        """The machine's, and what was skipped."""
        return super().time() + self._hurried.skipped

    @property
    def hurries(self) -> bool:
        """Whether timers are waited for by going on to them."""
        return self._hurried.hurries

    @hurries.setter
    def hurries(self, value: bool) -> None:
        self._hurried.hurries = value


class PassingClock(Clock, Protocol):
    """A clock that can be asked to let time pass."""

    async def pass_by(self, seconds: float) -> None:
        """Let so much time pass for everybody."""
        ...


class LoopClock:
    """The clock of a loop, for all that runs on it."""

    def __init__(self, loop: HurriedLoop) -> None:
        self._loop, self._began = loop, loop.time()

    def now(self) -> datetime:
        """The wall time."""
        return START + timedelta(seconds=self._loop.time() - self._began)

    def monotonic(self) -> float:
        """The loop's own time."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """`asyncio.sleep`."""
        await asyncio.sleep(seconds)

    async def pass_by(self, seconds: float) -> None:
        """Let so much time pass for everybody, in a hurry."""
        self._loop.hurries = True
        try:
            await asyncio.sleep(seconds)
        finally:
            self._loop.hurries = False


def hurried(work: Callable[[LoopClock], Coroutine[Any, Any, T]]) -> T:
    """What comes of `work` on a loop of its own."""
    with asyncio.Runner(loop_factory=HurriedLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, HurriedLoop)
        return runner.run(work(LoopClock(loop)))
