"""Manifests that change and strategies, on the wire."""

from __future__ import annotations

import pytest

from tests.wire.agent.cases import Case, Outcomes
from tests.wire.agent.cases_server_side import APPLIED, CONFLICTS, IGNORED
from tests.wire.agent.cases_typed import TYPED
from tests.wire.agent.cases_update import LEFT, ONLY, UPDATED


@pytest.mark.parametrize("case", UPDATED, ids=lambda case: case.label)
def test_update(case: Case, outcomes: Outcomes) -> None:
    """An object becomes what its manifest says, as far as its kind lets it."""
    outcomes.check(case)


@pytest.mark.parametrize("case", TYPED, ids=lambda case: case.label)
def test_typed(case: Case, outcomes: Outcomes) -> None:
    """What is somebody else's in a kind stays, and what cannot be changed is made anew."""
    outcomes.check(case)


@pytest.mark.parametrize("case", LEFT, ids=lambda case: case.label)
def test_left(case: Case, outcomes: Outcomes) -> None:
    """What has left the work leaves the managed cluster."""
    outcomes.check(case)


@pytest.mark.parametrize("case", ONLY, ids=lambda case: case.label)
def test_create_or_read_only(case: Case, outcomes: Outcomes) -> None:
    """Objects that are only made, or only looked at."""
    outcomes.check(case)


@pytest.mark.parametrize("case", [*APPLIED, *CONFLICTS], ids=lambda case: case.label)
def test_server_side(case: Case, outcomes: Outcomes) -> None:
    """Fields are applied by their manager, and conflicts are told."""
    outcomes.check(case)


@pytest.mark.parametrize("case", IGNORED, ids=lambda case: case.label)
def test_ignored_fields(case: Case, outcomes: Outcomes) -> None:
    """Fields that are left to others."""
    outcomes.check(case)
