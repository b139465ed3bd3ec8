"""Works that name an executor, on the wire."""

from __future__ import annotations

import pytest

from tests.wire.agent.cases import Case, Outcomes
from tests.wire.agent.cases_executor import ASKED, CHANGED, GRANTS


@pytest.mark.parametrize("case", ASKED, ids=lambda case: case.label)
def test_asked(case: Case, outcomes: Outcomes) -> None:
    """What an executor may not do is not applied, and what it may is."""
    outcomes.check(case)


@pytest.mark.parametrize("case", GRANTS, ids=lambda case: case.label)
def test_grants(case: Case, outcomes: Outcomes) -> None:
    """Nobody grants by a work what they do not hold."""
    outcomes.check(case)


@pytest.mark.parametrize("case", CHANGED, ids=lambda case: case.label)
def test_changed(case: Case, outcomes: Outcomes) -> None:
    """Executors and their rights come and go; what was applied stays."""
    outcomes.check(case)
