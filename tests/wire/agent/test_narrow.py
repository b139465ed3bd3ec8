"""An agent with few rights, on the wire."""

from __future__ import annotations

import pytest

from tests.wire.agent.cases import Case, Outcomes
from tests.wire.agent.cases_narrow import CASES

AGENT = "narrow"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_narrow(case: Case, outcomes: Outcomes) -> None:
    """What an agent may not touch is told of that object, and everything else goes on."""
    outcomes.check(case)
