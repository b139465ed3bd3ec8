"""Placements on the wire: which clusters they select, how many of them, and in which groups."""

from __future__ import annotations

import pytest

from tests.wire.hub import cel_cases, fleet, ranking_cases, selection_cases
from tests.wire.hub.cases import Case, Outcomes

# The first test of each hub waits for all cases.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
GROUP = "placement"
prepare = fleet.build
SELECTION = [*selection_cases.cases((*selection_cases.ROWS, *cel_cases.ROWS))]
RANKING = [*ranking_cases.cases(ranking_cases.ROWS)]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in SELECTION])
def test_a_placement_selects(case: Case, outcomes: Outcomes) -> None:
    """Decisions, groups, counts and conditions are exactly those of the clusters the case names."""
    outcomes.check(case)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in RANKING])
def test_a_placement_ranks_and_groups(case: Case, outcomes: Outcomes) -> None:
    """The best clusters by the scores the case gives are taken, and cut into the groups it names."""
    outcomes.check(case)
