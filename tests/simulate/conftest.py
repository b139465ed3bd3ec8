"""What tests of the simulator share: fleets that are at rest in the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import Fleet
from tests.simulate.histories import Fleets


@pytest.fixture
def fleets() -> Iterator[Fleets]:
    """Makes fleets, and holds them to the invariant: at rest, nobody would write anything."""
    made: list[Fleet] = []

    def fleet(*clusters: str, **settings: object) -> Fleet:
        made.append(Fleet(clusters, **settings))  # type: ignore[arg-type]
        for name in clusters:
            made[-1].create(make.managed_cluster(name))
        return made[-1]

    yield fleet
    for each in made:
        each.simulation.settle()
        assert each.simulation.unsettled() == []
