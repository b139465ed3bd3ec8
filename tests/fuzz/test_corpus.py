"""What fuzzing has begun with and what it has found: none of it is an exception any more."""

from __future__ import annotations

import pytest

from tests.fuzz.corpus import saved
from tests.fuzz.targets import TARGETS, run


@pytest.mark.parametrize("name", TARGETS)
def test_saved_inputs(name: str) -> None:
    """Each saved input is read, or refused in the API's own terms."""
    inputs = list(saved(name))
    assert inputs
    for data in inputs:
        run(name, data)
