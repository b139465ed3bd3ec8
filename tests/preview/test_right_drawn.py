"""What a preview says is what happens: random fleets and changes, made on a hub with agents.

The preview is made from the status branch alone. Nothing that is compared may differ in the end, nor who is
given what at which second on the way; `truth.LEFT_OUT` and `truth.plain` say what is not compared. Nor is
everything drawn: no weight of Steady is negative (the sync refuses that), clusters to come claim
nothing, and add-ons are made of templates (of others nobody here knows the manager). What is wrong with a
case tells `play(drawn(NUMBER)).untrue()`; `test_right_embedded` does the same on a hub that is served.
"""

from __future__ import annotations

import pytest

from tests.preview.changes import drawn
from tests.preview.truth import play

CASES, AT_ONCE, QUICK = 300, 10, 5


@pytest.mark.parametrize("seed", range(QUICK))
def test_a_few(seed: int) -> None:
    """Every object in the end, and every step on the way, is as it was told; one fleet a test."""
    case = drawn(seed)
    assert not play(case).untrue(), case.edits


@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK, QUICK + CASES, AT_ONCE))
def test_hundreds(first: int) -> None:
    """The same for hundreds of fleets."""
    wrong = {seed: found for seed in range(first, first + AT_ONCE) if (found := play(drawn(seed)).untrue())}
    assert not wrong
