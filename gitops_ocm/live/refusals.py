"""Watches that wait for rights: told once, tried again without hammering the server, woken together.

An agent whose cluster has not been accepted may see nothing at all. Then one of its watches tries
every other second, the rest now and then; what lets one of them in is likely to let in the others, and
so is a change of an object that is watched by name, for that is the agent's own.
"""

from __future__ import annotations

import asyncio
import random

from gitops_ocm.decide.contract import Side, Want
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.runtime.backoff import jittered
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.runtime.log import get_logger
from gitops_ocm.runtime.tasks import first_of

_log = get_logger("watch")

_PROBE = 1.5
"""Seconds between two tries of the one that looks for all, give or take a fifth."""
_TOLD_AFTER = 60.0
"""Seconds after which everything that still waits is named."""


class Refusals:
    """The watches of one side that the server refuses, and those it allows."""

    def __init__(self, side: Side, clock: Clock, rng: random.Random) -> None:
        self._side = side
        self._clock = clock
        self._rng = rng
        self._waiting: dict[Want, float] = {}
        self._allowed: set[Want] = set()
        self._told: frozenset[Want] = frozenset()
        self._again = asyncio.Event()

    def refused(self, want: Want, error: ApiError) -> None:
        """The server does not let `want` be watched."""
        self._allowed.discard(want)
        now = self._clock.monotonic()
        if not self._waiting:
            self._told = frozenset({want})
            _log.warning(
                "not allowed to watch, waiting for the rights", side=self._side.value, error=error,
                hint="it goes on by itself once they are granted, as when a cluster is accepted",
            )  # fmt: skip
        since = self._waiting.setdefault(want, now)
        if want not in self._told and now - since >= _TOLD_AFTER:
            self._told = frozenset(self._waiting)
            missing = [str(w) for w in sorted(self._waiting)]
            _log.warning("still waiting for rights", side=self._side.value, watches=missing)

    def allowed(self, want: Want) -> bool:
        """The watch of `want` runs: others may be let in now as well. Whether it had to wait."""
        self._allowed.add(want)
        if self._waiting.pop(want, None) is None:
            return False
        if not self._waiting:
            _log.info("the rights are there", side=self._side.value)
        self.look_again()
        return True

    def forget(self, want: Want) -> None:
        """Nobody wants it any more."""
        self._allowed.discard(want)
        self._waiting.pop(want, None)

    def look_again(self) -> None:
        """Something has happened that may have come with rights: have all that wait try at once."""
        self._again.set()
        self._again = asyncio.Event()

    async def wait(self, want: Want, seconds: float) -> bool:
        """Wait before the next try, not as long for the one that looks for all; True if told to try."""
        if not self._allowed and want == min(self._waiting, default=want):
            seconds = min(seconds, jittered(_PROBE, 0.2, self._rng))
        again = self._again
        await first_of(again.wait(), self._clock.sleep(seconds))
        return again.is_set()
