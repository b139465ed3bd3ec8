"""A limit on how fast one client asks: so many requests a second, after a first burst (client-go's rule)."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitops_ocm.runtime.clock import Clock, SystemClock


@dataclass
class RateLimit:
    """A bucket of `burst` tokens that fills at `qps` a second; each request takes one, or waits for it."""

    qps: float
    burst: int
    clock: Clock = field(default_factory=SystemClock)
    _full_at: float = 0.0

    async def take(self) -> None:
        """Wait for a turn; turns are given in the order they are asked for."""
        now = self.clock.monotonic()
        self._full_at = max(self._full_at, now) + 1 / self.qps
        # The bucket would be full at that time: it is overdrawn as far as that is beyond `burst` turns.
        wait = self._full_at - now - self.burst / self.qps
        if wait > 0:
            await self.clock.sleep(wait)
