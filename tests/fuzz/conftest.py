"""One server for all of the fuzzing, with something of each sort in it, and what must hold of it afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.apiserver.rbac import User
from gitops_ocm.apiserver.serve import Server, serve
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.decide.admission import Webhooks
from gitops_ocm.runtime.catalog import load_catalog
from tests.fuzz.strategies import OBJECTS, WIDGETS
from tests.fuzz.wire import Wire

TOKENS = {"root": User("root", ("system:masters",)), "ann": User("ann", ("dev",))}
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Searching takes its time: the quick run plays only what was found and kept (`test_corpus`)."""
    for item in items:
        if item.path.parent == HERE and item.path.name.startswith("test_fuzz_"):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
async def fuzzed() -> AsyncIterator[Server]:
    """An embedded server with OCM's kinds, a custom kind of many sorts of fields, and an object of each sort."""
    api = Api(load_catalog(), admission=Webhooks())
    async with serve(api, tokens=TOKENS, crds=(WIDGETS,)) as server:
        yield server


@pytest.fixture(scope="session")
async def root(fuzzed: Server) -> AsyncIterator[Wire]:
    """An administrator's connection, to a server that has the objects to patch."""
    wire = Wire(fuzzed.url, fuzzed.authority.pem, "root")
    for path, obj in OBJECTS.items():
        collection = path.rsplit("/", 1)[0]
        answer = await wire("POST", collection, obj)
        assert answer.status == 201, answer.body
    yield wire
    await wire.close()


@pytest.fixture(autouse=True)
async def nothing_goes_unnoticed(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """No error is logged and none reaches the event loop's last resort while a test runs."""
    unhandled: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    try:
        yield
    finally:
        loop.set_exception_handler(before)
    assert unhandled == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= 40] == []
