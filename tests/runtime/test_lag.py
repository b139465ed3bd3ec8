"""A loop that is kept busy shows in the metrics."""

from __future__ import annotations

import asyncio
import time

from gitops_ocm.runtime.lag import watched_loop
from gitops_ocm.runtime.metrics import LOOP_LAG_MAX, render


async def test_a_busy_loop_is_seen() -> None:
    """What keeps the loop from a timer that is due is how late that was."""
    with watched_loop(interval=0.001):
        begun = time.perf_counter()
        await asyncio.sleep(0.002)
        while time.perf_counter() - begun < 0.05:
            pass
        await asyncio.sleep(0.002)
    (measured,) = LOOP_LAG_MAX.collect()
    assert measured.samples[0].value > 0.03
    assert b'gitops_ocm_event_loop_lag_seconds_bucket{le="0.05"}' in render()
