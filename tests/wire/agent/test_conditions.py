"""Condition rules, on the wire."""

from __future__ import annotations

import pytest

from tests.wire.agent.cases import Case, Outcomes
from tests.wire.agent.cases_conditions import BAD, EXPRESSIONS, FOLLOWED, RESULTS, SUMMED, WELL_KNOWN


@pytest.mark.parametrize("case", EXPRESSIONS, ids=lambda case: case.label)
def test_expressions(case: Case, outcomes: Outcomes) -> None:
    """An expression over the object decides."""
    outcomes.check(case)


@pytest.mark.parametrize("case", [*RESULTS, *BAD], ids=lambda case: case.label)
def test_results(case: Case, outcomes: Outcomes) -> None:
    """Expressions, messages and faults become conditions of the manifest and of the work."""
    outcomes.check(case)


@pytest.mark.parametrize("case", [*WELL_KNOWN, *SUMMED], ids=lambda case: case.label)
def test_known_and_summed(case: Case, outcomes: Outcomes) -> None:
    """Well-known rules, and what several manifests come to."""
    outcomes.check(case)


@pytest.mark.parametrize("case", FOLLOWED, ids=lambda case: case.label)
def test_over_time(case: Case, outcomes: Outcomes) -> None:
    """Conditions follow objects and rules; what is complete is left alone."""
    outcomes.check(case)
