"""A clock that runs as the machine's, and can be made to jump: whoever sleeps notices."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from gitops_ocm.runtime.tasks import first_of


class Jumping:
    """Real time, and what was added to it."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._jumped = asyncio.Event()

    def now(self) -> datetime:
        """The wall time."""
        return datetime.now(UTC) + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        """Seconds on this clock."""
        return asyncio.get_running_loop().time() + self._ahead

    async def sleep(self, seconds: float) -> None:
        """Wait that long on this clock."""
        until = self.monotonic() + seconds
        while (left := until - self.monotonic()) > 0:
            await first_of(self._jumped.wait(), within=left)

    def jump(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self._ahead += seconds
        self._jumped.set()
        self._jumped = asyncio.Event()
