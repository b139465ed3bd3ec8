"""How long to wait before trying again: exponential, jittered, bounded.

For one thing that is retried by its owner (a watch, a connection). Many keys that share a limit are
`live.queue`'s.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field


def jittered(seconds: float, fraction: float, rng: random.Random) -> float:
    """`seconds`, give or take `fraction` of it, so that many waiters do not return at once."""
    return seconds * (1 + fraction * (2 * rng.random() - 1))


@dataclass(slots=True)
class Backoff:
    """Doubling waits from `base` to `cap`, each jittered; `reset()` after a success."""

    base: float = 0.2
    cap: float = 30.0
    fraction: float = 0.5
    rng: random.Random = field(default_factory=random.Random)
    failures: int = 0

    def next(self) -> float:
        """The wait before the next try."""
        wait = min(self.cap, self.base * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return jittered(wait, self.fraction, self.rng)

    def reset(self) -> None:
        """Start from `base` again."""
        self.failures = 0
