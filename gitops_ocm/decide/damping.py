"""Keeps a key that is woken by what it reads from running hot.

Drift is put back at once. But objects that a controller does not declare may change as fast as they like (a
status that flaps, a counter in an annotation), and each change wakes whoever has read them. Such wakes are
let through ever more slowly while they keep coming: at once, then after 0.1 s, 0.2 s, ... up to five
seconds, and at once again after a quiet minute. Both interpreters of the table use this; time is whatever
the caller counts in seconds.

Not `live.repeats`, which slows down writes that say the same again and do not stick, whatever woke their
key: there a wake costs nothing and five seconds would be far too often; here most wakes write something new
(the status just seen) or nothing at all, so there is no write to recognize.
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
