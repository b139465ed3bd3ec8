"""The end of works, on the wire."""

from __future__ import annotations

import pytest

from tests.wire.agent.cases import Case, Outcomes
from tests.wire.agent.cases_deletion import CHANGED, HELD_UP, OPTIONS


@pytest.mark.parametrize("case", [*OPTIONS, *CHANGED], ids=lambda case: case.label)
def test_options(case: Case, outcomes: Outcomes) -> None:
    """What goes with a work and what is left behind."""
    outcomes.check(case)


@pytest.mark.parametrize("case", HELD_UP, ids=lambda case: case.label)
def test_held_up(case: Case, outcomes: Outcomes) -> None:
    """A work waits for what it applied to be gone, and says so."""
    outcomes.check(case)
