"""Status feedback, on the wire."""

from __future__ import annotations

import pytest

from tests.wire.agent.cases import Case, Outcomes
from tests.wire.agent.cases_feedback import CHOSEN, FOLLOWED, KNOWN, NOT_KNOWN, PATHS, RULES


@pytest.mark.parametrize("case", [*KNOWN, *NOT_KNOWN], ids=lambda case: case.label)
def test_well_known(case: Case, outcomes: Outcomes) -> None:
    """Well-known kinds have well-known values; for others that is said."""
    outcomes.check(case)


@pytest.mark.parametrize("case", PATHS, ids=lambda case: case.label)
def test_paths(case: Case, outcomes: Outcomes) -> None:
    """A path finds a value of a type, nothing, or a fault that is named."""
    outcomes.check(case)


@pytest.mark.parametrize("case", RULES, ids=lambda case: case.label)
def test_rules(case: Case, outcomes: Outcomes) -> None:
    """Rules add up, and a bad one does not hide what the others find."""
    outcomes.check(case)


@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case.label)
def test_configuration(case: Case, outcomes: Outcomes) -> None:
    """The first configuration that matches and has rules is in force."""
    outcomes.check(case)


@pytest.mark.parametrize("case", FOLLOWED, ids=lambda case: case.label)
def test_over_time(case: Case, outcomes: Outcomes) -> None:
    """Values follow the object, and stay when it can no longer be looked at."""
    outcomes.check(case)
