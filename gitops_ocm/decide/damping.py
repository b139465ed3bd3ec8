"""Keeps a key that is woken by what it reads from running hot.

Drift is put back at once. But where somebody else (an operator, another agent) insists on another value,
each of the two writes wakes the other, and they would go on as fast as the API lets them. So wakes by
objects a controller does not declare are let through ever more slowly while they keep coming: at once, then
after 0.1 s, 0.2 s, ... up to half a minute, and at once again after a quiet minute. Both interpreters of
the table use this; time is whatever the caller counts in seconds.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

FIRST, LONGEST, QUIET = 0.1, 5.0, 60.0


@dataclass
class _Pulse:
    """When a key was last let through (perhaps in the future), and the how manieth time in a row."""

    at: float
    count: int


class Damping:
    """How long each owner's next wake has to wait."""

    def __init__(self) -> None:
        self._pulses: dict[Hashable, _Pulse] = {}

    def delay(self, owner: Hashable, now: float) -> float:
        """Seconds until `owner` may run; wakes that come before share that run."""
        pulse = self._pulses.get(owner)
        if pulse is None or now - pulse.at > QUIET:
            self._pulses[owner] = _Pulse(now, 1)
            return 0.0
        if pulse.at > now:
            return pulse.at - now
        pulse.at = max(now, pulse.at + min(FIRST * 2.0 ** (pulse.count - 1), LONGEST))
        pulse.count += 1
        return pulse.at - now

    def forget(self, now: float) -> None:
        """Drop what has been quiet, so that the memory of long runs stays small."""
        self._pulses = {o: p for o, p in self._pulses.items() if now - p.at <= QUIET}
