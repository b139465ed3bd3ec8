"""`testing.waiting.eventually`."""

from __future__ import annotations

import asyncio

import pytest

from gitops_ocm.objects.faults import not_found
from gitops_ocm.testing.waiting import eventually


async def test_returns_the_first_truthy_answer() -> None:
    """The condition is asked again until it answers something truthy, which is returned."""
    answers = iter([None, 0, "", "yes", "later"])
    assert await eventually(lambda: next(answers), 5) == "yes"


async def test_waits_for_coroutines_and_forgives_api_errors_and_assertions() -> None:
    """Not found and a failed assertion mean "not yet"."""
    errors = iter([not_found("", "pods", "web"), AssertionError("no"), None])

    async def condition() -> bool:
        await asyncio.sleep(0)
        if error := next(errors):
            raise error
        return True

    assert await eventually(condition, 5)


async def test_says_what_the_last_answer_was() -> None:
    """A timeout names the condition and its last answer."""
    with pytest.raises(AssertionError, match=r"the moon to rise did not hold within 0.01 s; last: \[\]"):
        await eventually(list, 0.01, describe="the moon to rise")


async def test_other_errors_pass_through_at_once() -> None:
    """A bug in the condition is not waited for."""
    calls = []

    def condition() -> bool:
        calls.append(1)
        raise KeyError("bug")

    with pytest.raises(KeyError):
        await eventually(condition, 5)
    assert calls == [1]
