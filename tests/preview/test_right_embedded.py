"""What a preview says is what happens on the embedded hub, with the live runner and the sync of a repository.

`python -m tests.preview.right --seeds 305 --hub embedded` tries all that `test_right_drawn` tries in memory.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.preview.changes import drawn
from tests.preview.embedded import decided_alone, played_on_hub

pytestmark = pytest.mark.slow

CASES = 16


@pytest.mark.parametrize("seed", range(CASES))
def test_the_preview_is_what_happens(seed: int, tmp_path: Path) -> None:
    """Every object in the end, and who is given what in which order, is as it was told."""
    case = decided_alone(drawn(seed))
    assert not played_on_hub(case, tmp_path).untrue(), case.edits
