"""The differences that are allowed, each with its reason. Anything else that differs fails its scenario.

An entry that no longer differs where it says so fails too: the list is never longer than the truth.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.differential.compare import Difference


class Allowed(NamedTuple):
    """Scenarios (`""`: any), the place in the answer as a regular expression, and why it may differ."""

    scenarios: tuple[str, ...]
    path: str
    reason: str

    def covers(self, difference: Difference) -> bool:
        """Whether the difference is this one."""
        return re.fullmatch(self.path, difference.path) is not None


ALLOWED: tuple[Allowed, ...] = (
    Allowed(
        (),
        r"body(\[\d+\])?(\.object)?\.columnDefinitions\[\d+\]\.description",
        "prose about a column, which no client shows, is not copied from Kubernetes",
    ),
)
