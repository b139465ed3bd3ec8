"""Placements on the wire: what becomes of decisions when anything around them changes."""

from __future__ import annotations

import pytest

from tests.wire.hub import decision_cases, surroundings_cases
from tests.wire.hub.cases import Case, Outcomes

# The first test of each hub waits for all cases.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
GROUP = "placement"
CASES = [*surroundings_cases.case.cases, *decision_cases.case.cases]


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in CASES])
def test_decisions_follow(case: Case, outcomes: Outcomes) -> None:
    """Each change leads to exactly the decisions, labels, groups and conditions that the case says."""
    outcomes.check(case)
