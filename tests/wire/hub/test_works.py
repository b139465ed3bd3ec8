"""ManifestWorkReplicaSets on the wire: their works and what their status says."""

from __future__ import annotations

import pytest

from tests.wire.hub import rollout_cases, work_cases, work_deletion_cases, work_status_cases
from tests.wire.hub.cases import Case, Outcomes

# The first test of each hub waits for all cases.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
GROUP = "work"
HUBS = ("kubernetes", "embedded")
CASES = [
    *work_cases.case.cases,
    *work_deletion_cases.case.cases,
    *work_status_cases.CASES,
    *rollout_cases.case.cases,
]


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in CASES])
def test_a_replica_set(case: Case, outcomes: Outcomes) -> None:
    """Its works and its status are exactly what the case says."""
    outcomes.check(case)
