"""Cases as values, run side by side against one agent, each reported by a test of its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pytest

from tests.wire.agent.moves import Move
from tests.wire.agent.scene import Scene

AT_ONCE = 16


@dataclass(frozen=True)
class Case:
    """One case. `differs` says why OCM's own agent does otherwise: there it must fail."""

    name: str
    moves: Sequence[Move]
    differs: str = ""

    @property
    def label(self) -> str:
        """A name that may be part of any object's name."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")[:40].strip("-")


@dataclass(frozen=True)
class Outcomes:
    """What became of the cases. `judged` names a program that is not ours."""

    errors: Mapping[str, BaseException | None]
    judged: str

    def check(self, case: Case) -> None:
        """Fail as the case did."""
        error = self.errors[case.name]
        if self.judged and case.differs:
            assert error is not None, f"{self.judged} no longer differs: {case.differs}"
            pytest.xfail(case.differs)
        if error is not None:
            raise error


async def run_all(cases: Iterable[Case], scene: Callable[[Case], Scene], judged: str) -> Outcomes:
    """Run cases, each on a scene of its own, to their ends."""
    errors: dict[str, BaseException | None] = {}
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case) -> None:
        async with gate:
            own = scene(case)
            try:
                for move in case.moves:
                    await move.make(own)
                errors[case.name] = None
            except Exception as error:  # reported by the test of this case
                errors[case.name] = error
            finally:
                await own.clear()

    await asyncio.gather(*map(one, cases))
    return Outcomes(errors, judged)
