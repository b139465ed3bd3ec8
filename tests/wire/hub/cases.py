"""Cases as values, many of them run at once, each reported by a test of its own.

A hub's controllers mostly wait; one case after another would take minutes. So a module hands all its
cases to `run_all`, which runs them side by side (those marked `alone` first, one by one), and each test
then asks for its own case's outcome.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

import pytest

from tests.wire.hub.stage import Stage

AT_ONCE = 16


@dataclass(frozen=True)
class Case:
    """One case: what it shows, and what is done and looked at.

    `alone`: it reads what is counted over the whole hub. `differs`: why OCM's own program may do otherwise;
    `harms`: it even ends that program, so that the case is only for ours. `lacks`: why ours cannot do it yet;
    a case that is met all the same says so.
    """

    name: str
    run: Callable[[Stage], Awaitable[None]]
    alone: bool = False
    differs: str = ""
    harms: bool = False
    lacks: str = ""


@dataclass(frozen=True)
class Outcomes:
    """What became of the cases: an error for each that failed."""

    errors: Mapping[str, BaseException | None]
    judged: str

    def check(self, case: Case) -> None:
        """Fail as the case did. `judged` names a program that is not ours."""
        error = self.errors.get(case.name)
        if self.judged and (case.harms or (case.differs and error is not None)):
            pytest.xfail(case.differs)
        if case.lacks and not self.judged:
            assert error is not None, f"ours does it now: {case.lacks}"
            pytest.xfail(case.lacks)
        if error is not None:
            raise error


async def run_all(cases: Iterable[Case], stage: Callable[[], Stage], judged: str) -> Outcomes:
    """Run the cases, each on a stage of its own, to their ends."""
    errors: dict[str, BaseException | None] = {}
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case) -> None:
        async with gate:
            try:
                await case.run(stage())
                errors[case.name] = None
            except Exception as error:
                errors[case.name] = error

    cases = [case for case in cases if not (judged and case.harms)]
    for case in cases:
        if case.alone:
            await one(case)
    await asyncio.gather(*(one(case) for case in cases if not case.alone))
    return Outcomes(errors, judged)


class Collected:
    """The cases of one module; a decorated coroutine is one, named as its function."""

    def __init__(self) -> None:
        self.cases: list[Case] = []

    def __call__(
        self, *, alone: bool = False, differs: str = "", harms: bool = False
    ) -> Callable[[Callable[[Stage], Awaitable[None]]], Callable[[Stage], Awaitable[None]]]:
        """Collect the decorated coroutine."""

        def collect(run: Callable[[Stage], Awaitable[None]]) -> Callable[[Stage], Awaitable[None]]:
            name = getattr(run, "__name__", "").replace("_", "-")
            self.cases.append(Case(name, run, alone, differs, harms))
            return run

        return collect
