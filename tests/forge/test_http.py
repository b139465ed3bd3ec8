"""What becomes of answers that are not the wished-for ones: waits, moves, refusals, nonsense."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aiohttp import web

from gitops_ocm.forge.errors import ForgeError, Limited, NotThere, Refused, Unanswered, Unsure
from gitops_ocm.forge.http import Wire
from gitops_ocm.forge.model import Answer, Call, Request
from gitops_ocm.runtime.clock import SystemClock
from gitops_ocm.runtime.redact import Secret
from tests.forge.gitea_like import running

pytestmark = pytest.mark.slow

READ = Call(Request("GET", "/thing"), lambda answer: str(answer.body["name"]))
WRITE = Call(Request("POST", "/thing", body={"a": 1}), lambda answer: str(answer.body["name"]))
ELSEWHERE = {"location": "http://elsewhere.example/thing"}


async def asked(answers: list[Answer], call: Call[str], seen: list[str] | None = None) -> str:
    """Ask a server that has these answers, one after the other."""
    left = list(answers)

    async def handle(request: web.Request) -> web.Response:
        if seen is not None:
            seen.append(f"{request.method} {request.path}")
        answer = left.pop(0)
        make: Callable[..., web.Response] = web.json_response
        if isinstance(answer.body, str):
            return web.Response(status=answer.status, text=answer.body, headers=dict(answer.headers))
        return make(answer.body, status=answer.status, headers=dict(answer.headers))

    async with running(handle) as root:
        token = Secret("s3cret-token")
        async with Wire(root, {}, SystemClock(), rights="the right rights", token=token) as wire:
            return await wire.ask(call)


FINE = Answer(200, {"name": "fine"})


@pytest.mark.parametrize(
    "first",
    [
        Answer(502),
        Answer(429, None, {"retry-after": "0"}),
        Answer(403, {"message": "secondary rate limit"}, {"retry-after": "0"}),
        Answer(301, None, {"location": "/other"}),
    ],
)
async def test_asked_again(first: Answer) -> None:
    """What is read is asked again, after as long as the forge says, or where it says."""
    assert await asked([first, FINE], READ) == "fine"


@pytest.mark.parametrize(
    ("answer", "call", "kind"),
    [
        (Answer(429, None, {"retry-after": "3600"}), READ, Limited),
        (Answer(403, {"message": "no"}, {"x-ratelimit-remaining": "9"}), READ, Refused),
        (Answer(401, {"message": "s3cret-token is bad"}), READ, Refused),
        (Answer(404, {"message": "Not Found"}), READ, NotThere),
        (Answer(422, {"errors": [{"message": "too long"}]}), WRITE, Unanswered),
        (Answer(301, None, ELSEWHERE), READ, Unanswered),
        (Answer(200, "<html>"), READ, Unanswered),
        (Answer(200, {"other": 1}), READ, Unanswered),
        (Answer(502), WRITE, Unsure),
        (Answer(409, {"message": "changed since"}), WRITE, Unsure),
    ],
)
async def test_not_taken(answer: Answer, call: Call[str], kind: type[ForgeError]) -> None:
    """Each has its error, asked once; a write that may have been taken is not sent again; no token shows."""
    seen: list[str] = []
    with pytest.raises(kind) as raised:
        await asked([answer], call, seen)
    assert len(seen) == 1
    assert "s3cret" not in raised.value.message + raised.value.hint
