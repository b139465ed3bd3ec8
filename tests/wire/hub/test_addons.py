"""Add-ons on the wire: on which clusters placements put them, what they carry, and when they go."""

from __future__ import annotations

import pytest

from tests.wire.hub.addon_cases import CASES
from tests.wire.hub.cases import Case, Outcomes

# The first test of each hub waits for all cases.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
GROUP = "addon"
HUBS = ("kubernetes", "embedded")


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in CASES])
def test_an_add_on(case: Case, outcomes: Outcomes) -> None:
    """It is on the clusters the case names, and carries what the case says."""
    outcomes.check(case)
