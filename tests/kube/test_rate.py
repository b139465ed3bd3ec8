"""The limit on how fast one client asks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gitops_ocm.kube.rate import RateLimit


class Waiting:
    """A clock on which nothing but waiting takes time."""

    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> datetime:
        """The wall time."""
        return datetime.fromtimestamp(self.at, UTC)

    def monotonic(self) -> float:
        """Seconds on this clock."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.at += seconds


@pytest.mark.parametrize(("requests", "seconds"), [(5, 0), (6, 0.1), (25, 2)])
async def test_a_burst_and_then_so_many_a_second(requests: int, seconds: float) -> None:
    """The first burst goes out at once, what follows at the rate; a rest fills the bucket again."""
    clock = Waiting()
    limit = RateLimit(10, 5, clock)
    for _ in range(requests):
        await limit.take()
    assert clock.at - 100 == pytest.approx(seconds)
    clock.at += 60
    began = clock.at
    for _ in range(5):
        await limit.take()
    assert clock.at == began
