"""Many agents at once: everybody joins, with one certificate request each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.agents import storm


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_join_storm_completes(tmp_path: Path) -> None:
    """Thirty agents at once: all are available in the end, nobody asked twice, others were answered."""
    found = await storm(30, tmp_path, rest=1, within=120)
    assert found.requests == 30
    assert found.answers
