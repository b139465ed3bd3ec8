"""Runs of CI that post at once, in every order of their requests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.forge.bodies import Mark, marked
from gitops_ocm.forge.errors import NotThere
from gitops_ocm.forge.gitea import Gitea
from gitops_ocm.forge.model import Answer, Call
from gitops_ocm.forge.post import put_comment
from gitops_ocm.forge.steps import Outcome, Wanted
from tests.forge.gitea_like import NEW, OLD, GiteaLike

T = TypeVar("T")
FORGE = Gitea("acme/fleet", 5)
PUSH = 9


class Still:
    """A clock that nobody waits on."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Turns:
    """Whose request is next: `order` says so, and when the pull request moves on to its new commit.

    The runs of the new commit begin after that; they have the higher numbers.
    """

    def __init__(self, gitea: GiteaLike, order: Sequence[int], first_new: int) -> None:
        self.gitea = gitea
        self.order = list(order)
        self.first_new = first_new
        self.waiting: dict[int, asyncio.Future[None]] = {}
        self.done: list[tuple[int, str]] = []

    async def turn(self, run: int) -> None:
        self.waiting[run] = asyncio.get_running_loop().create_future()
        await self.waiting[run]

    async def play(self, runs: Sequence[asyncio.Task[Outcome]]) -> None:
        """Let the runs go on, one request at a time, until all have ended."""
        while not all(run.done() for run in runs):
            for _ in range(5):  # Whoever was let go comes to its next request.
                await asyncio.sleep(0)
            choice = self.order.pop(0) if self.order else PUSH
            ready = [n for n in sorted(self.waiting) if self.gitea.head == NEW or n < self.first_new]
            if choice == PUSH and self.gitea.head == OLD:
                self.gitea.head = NEW
            elif ready:
                self.waiting.pop(ready[choice % len(ready)]).set_result(None)


class Wire:
    """One run's way to the forge, a request a turn."""

    def __init__(self, run: int, turns: Turns) -> None:
        self.run, self.turns = run, turns

    async def ask(self, call: Call[T]) -> T:
        await self.turns.turn(self.run)
        request = call.request
        headers = {"authorization": "token ours", "accept": "application/json"}
        path = f"/api/v1{request.path}"
        answer = self.turns.gitea.answer(request.method, path, request.query, headers, request.body)
        self.turns.done.append((self.run, f"{request.method} {request.path}"))
        if answer.status == 404:
            if call.absent:
                return cast("T", None)
            raise NotThere("gone")
        assert answer.status < 300, answer
        return call.read(answer)


def body(head: str) -> str:
    return marked(f"what {head[:4]} does", Mark("", head), limit=1000)


async def play(old: int, new: int, order: Sequence[int], before: int) -> tuple[GiteaLike, Turns]:
    """So many runs of either commit at once, where `before` comments of ours were there already."""
    gitea = GiteaLike()
    for number in range(before):
        gitea.write("ann", "looks good")
        gitea.write("ci-bot", marked(f"old {number}", Mark("", "0" * 40), limit=1000))
    turns = Turns(gitea, order, old)
    heads = [OLD] * old + [NEW] * new
    runs = [
        asyncio.create_task(put_comment(FORGE, Wire(n, turns), Wanted("", head, body(head)), Still()))
        for n, head in enumerate(heads)
    ]
    await turns.play(runs)
    await asyncio.gather(*runs)
    return gitea, turns


def overwritten(turns: Turns) -> bool:
    """Whether a run of the old commit wrote after all of the new one had looked for the last time."""
    looked = max(n for n, (run, what) in enumerate(turns.done) if run >= turns.first_new and "GET" in what)
    return any(run < turns.first_new and "GET" not in what for run, what in turns.done[looked - 1 :])


@given(
    old=st.integers(0, 2),
    new=st.integers(1, 2),
    order=st.lists(st.sampled_from([0, 1, 2, 3, PUSH]), max_size=60),
    before=st.integers(0, 2),
)
@settings(derandomize=True, deadline=None, max_examples=400)
def test_at_once(old: int, new: int, order: list[int], before: int) -> None:
    """However requests mingle: one comment of ours, the newest commit's, and nobody else's is touched."""
    gitea, turns = asyncio.run(play(old, new, order, before))
    mine = [c["body"] for c in gitea.comments.values() if c["user"]["login"] == "ci-bot"]
    assert len(mine) == 1
    assert mine == [body(NEW)] or overwritten(turns)
    assert gitea.bodies().count("looks good") == before


def test_the_window_is_one_request_wide() -> None:
    """What `overwritten` allows does happen, and only then: a run that has looked, and then waits long."""
    look_at_all = [0, 0, 0]  # who we are, the comments, the pull request
    gitea, turns = asyncio.run(play(1, 1, [*look_at_all, PUSH, *[1] * 12, 0, 0, 0], 1))
    assert overwritten(turns)
    assert body(OLD) in gitea.bodies()
    gitea, turns = asyncio.run(play(1, 1, [*look_at_all[:2], PUSH, *[1] * 12, 0, 0, 0], 1))
    assert not overwritten(turns)
    assert body(NEW) in gitea.bodies()


class Snatched:
    """A way to the forge on which somebody deletes our comment just before it is written anew."""

    def __init__(self, gitea: GiteaLike, times: int) -> None:
        self.gitea, self.times = gitea, times

    async def ask(self, call: Call[T]) -> T:
        request = call.request
        if request.method == "PATCH" and self.times:
            self.times -= 1
            self.gitea.comments.clear()
        headers = {"authorization": "token ours", "accept": "application/json"}
        path = f"/api/v1{request.path}"
        answer = self.gitea.answer(request.method, path, request.query, headers, request.body)
        if answer.status == 404:
            raise NotThere("gone")
        assert answer.status < 300, answer
        return call.read(answer)


def test_a_comment_that_is_deleted_meanwhile() -> None:
    """It is written as a new one; where the pull request itself is gone, that is said."""
    gitea = GiteaLike()
    gitea.write("ci-bot", marked("old", Mark("", "0" * 40), limit=1000))
    outcome = asyncio.run(put_comment(FORGE, Snatched(gitea, 1), Wanted("", OLD, body(OLD)), Still()))
    assert (outcome, gitea.bodies()) == (Outcome.POSTED, [body(OLD)])
    gitea.faults = [("GET", Answer(404))]
    with pytest.raises(NotThere):
        asyncio.run(put_comment(FORGE, Snatched(gitea, 0), Wanted("", OLD, body(OLD)), Still()))
