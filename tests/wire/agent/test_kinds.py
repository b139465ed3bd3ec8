"""Every kind's way to the managed cluster, on the wire."""

from __future__ import annotations

import pytest

from tests.wire.agent.cases import Case, Outcomes
from tests.wire.agent.cases_kinds import KINDS


@pytest.mark.parametrize("case", KINDS, ids=lambda case: case.label)
def test_arrives_and_goes(case: Case, outcomes: Outcomes) -> None:
    """One manifest of a kind is applied, reported under its resource, listed, and removed with its work."""
    outcomes.check(case)
