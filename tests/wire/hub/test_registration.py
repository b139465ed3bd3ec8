"""The registration controllers on the wire: clusters accepted, denied, lost, deleted; sets and bindings."""

from __future__ import annotations

import pytest

from tests.wire.hub import acceptance_cases, availability_cases, set_cases
from tests.wire.hub.cases import Case, Outcomes

# The first test of each hub waits for all cases.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
GROUP = "registration"
CASES = [*acceptance_cases.case.cases, *availability_cases.case.cases, *set_cases.case.cases]


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in CASES])
def test_the_hub_registers(case: Case, outcomes: Outcomes) -> None:
    """Clusters, their rights, leases and sets come out exactly as the case says."""
    outcomes.check(case)
