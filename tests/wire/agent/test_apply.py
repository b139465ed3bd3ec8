"""What becomes of manifests, on the wire."""

from __future__ import annotations

import pytest

from tests.wire.agent.cases import Case, Outcomes
from tests.wire.agent.cases_apply import BESIDE, DRIFT, FAULTS, HEALED, SEVERAL


@pytest.mark.parametrize("case", SEVERAL, ids=lambda case: case.label)
def test_several(case: Case, outcomes: Outcomes) -> None:
    """Whatever is in one work arrives, in an order that lets it."""
    outcomes.check(case)


@pytest.mark.parametrize("case", [*FAULTS, *HEALED], ids=lambda case: case.label)
def test_faults(case: Case, outcomes: Outcomes) -> None:
    """A manifest that cannot be applied says why, stops no other, and is tried again."""
    outcomes.check(case)


@pytest.mark.parametrize("case", BESIDE, ids=lambda case: case.label)
def test_beside_others(case: Case, outcomes: Outcomes) -> None:
    """Objects that were there are adopted, and shared by works."""
    outcomes.check(case)


@pytest.mark.parametrize("case", DRIFT, ids=lambda case: case.label)
def test_drift(case: Case, outcomes: Outcomes) -> None:
    """What others change or delete is put back."""
    outcomes.check(case)
