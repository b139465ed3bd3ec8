"""Spreading agents out in time without chance: the spread follows from who it is and which turn it is.

So thousands of agents do not come in step, and the same history always runs the same way.
"""

from __future__ import annotations

from hashlib import sha256


def spread(period: float, factor: float, *who: str) -> float:
    """`period` stretched by up to `factor` of itself, always the same for the same `who`."""
    point = int.from_bytes(sha256("\0".join(who).encode()).digest()[:8], "big") / 2**64
    return period * (1 + factor * point)
