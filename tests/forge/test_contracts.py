"""What we send to each forge and make of its answers, held to contracts after the public documentation.

A server replays `contracts/*.json`: it knows one next request, and answers no other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from aiohttp import web

from gitops_ocm.forge.bodies import Mark, marked
from gitops_ocm.forge.detect import Target
from gitops_ocm.forge.http import Wire
from gitops_ocm.forge.model import Forge, Kind, State, Status
from gitops_ocm.forge.post import put_comment, put_status
from gitops_ocm.forge.steps import Outcome, Wanted
from gitops_ocm.runtime.clock import SystemClock
from gitops_ocm.runtime.redact import Secret
from tests.forge.gitea_like import OLD as HEAD
from tests.forge.gitea_like import running

CONTRACTS = {
    path.stem: orjson.loads(path.read_bytes())
    for path in sorted((Path(__file__).parent / "contracts").glob("*.json"))
}
SAID = Status("gitops-ocm/preview", State.SUCCESS, "2 changed", "https://ci.example/1")


class Replay:
    """Answers the exchanges of one scenario, in their order; `wrong` is what was not as recorded."""

    def __init__(self, contract: dict[str, Any], scenario: str) -> None:
        self.left = list(contract["scenarios"][scenario])
        self.headers: dict[str, str] = contract["headers"]
        self.root: str = contract["root"]
        self.wrong: list[str] = []

    async def handle(self, request: web.Request) -> web.Response:
        data = await request.read()
        path = urlsplit(request.raw_path).path
        came: dict[str, Any] = {"method": request.method, "path": path.removeprefix(self.root)}
        came |= {"query": dict(request.query)} if request.query else {}
        came |= {"body": orjson.loads(data)} if data else {}
        if not self.left:
            self.wrong.append(f"one more: {came}")
            return web.Response(status=501)
        exchange = self.left.pop(0)
        if came != exchange["request"]:
            self.wrong.append(f"{came} for {exchange['request']}")
            return web.Response(status=501)
        for name, value in self.headers.items():
            if request.headers.get(name) != value:
                self.wrong.append(f"{name}: {request.headers.get(name)}")
        answer = exchange["answer"]
        body = orjson.dumps(answer["body"]) if "body" in answer else b""
        return web.Response(
            status=answer["status"],
            body=body,
            headers=answer.get("headers"),
            content_type="application/json",
        )


@asynccontextmanager
async def replayed(name: str, scenario: str) -> AsyncIterator[tuple[Forge, Wire]]:
    """One scenario of a forge, and that all of it was asked for, exactly."""
    contract = CONTRACTS[name]
    replay = Replay(contract, scenario)
    async with running(replay.handle) as site:
        root = f"{site}{replay.root}"
        target = Target(Kind(contract["forge"]), root, "acme/fleet", 5, HEAD, pipeline="88")
        forge = target.forge()
        wire = Wire(
            root, forge.headers("tok"), SystemClock(), rights=forge.rights, token=Secret("tok"), timeout=20
        )
        async with wire:
            yield forge, wire
    assert replay.wrong == []
    assert replay.left == []


def scenarios(*names: str) -> list[Any]:
    return [pytest.param(forge, name, id=f"{forge}: {name}") for forge in CONTRACTS for name in names]


@pytest.mark.parametrize(("name", "scenario"), scenarios("first", "edited in place", "unchanged"))
async def test_the_comment(name: str, scenario: str) -> None:
    """A comment is found on whatever page, by its mark and its author; written once; left if it says so."""
    async with replayed(name, scenario) as (forge, wire):
        body = marked("new", Mark("", HEAD), limit=forge.limit, plain=forge.plain)
        outcome = await put_comment(forge, wire, Wanted("", HEAD, body), SystemClock())
    assert outcome is (Outcome.UNCHANGED if scenario == "unchanged" else Outcome.POSTED)


@pytest.mark.parametrize(("name", "scenario"), scenarios("status", "status stands"))
async def test_the_status(name: str, scenario: str) -> None:
    """A status is set if it does not stand already."""
    async with replayed(name, scenario) as (forge, wire):
        written = await put_status(forge, wire, HEAD, SAID, SystemClock())
    assert written is (scenario == "status")


def test_every_forge_has_a_contract() -> None:
    """No forge is known that nothing was recorded of."""
    assert {contract["forge"] for contract in CONTRACTS.values()} == {kind.value for kind in Kind}
