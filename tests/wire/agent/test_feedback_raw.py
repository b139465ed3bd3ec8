"""Status feedback with the gate RawFeedbackJsonString, on the wire."""

from __future__ import annotations

import pytest

from tests.wire.agent.cases import Case, Outcomes
from tests.wire.agent.cases_feedback import RAW

AGENT = "raw"


@pytest.mark.parametrize("case", RAW, ids=lambda case: case.label)
def test_raw_json(case: Case, outcomes: Outcomes) -> None:
    """What is no scalar is reported as JSON text, up to a length."""
    outcomes.check(case)
