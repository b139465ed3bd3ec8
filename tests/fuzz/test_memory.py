"""What slow and careless clients make the server hold is bounded, however much they ask for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gitops_ocm.apiserver import connections
from gitops_ocm.apiserver.limits import ANSWERS
from gitops_ocm.apiserver.serve import Server, serve
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.apiserver.watch_history import HISTORY_BYTES
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog
from tests.fuzz.conftest import TOKENS
from tests.fuzz.strategies import N
from tests.fuzz.wire import Wire, request

MIB = 2**20
PAGE = 4096
LARGE = "x" * 900 * 1024
HEADERS = {"Authorization": "Bearer root"}


@pytest.fixture
async def plain() -> AsyncIterator[Server]:
    """A server with nothing in it."""
    async with serve(Api(load_catalog()), tokens=TOKENS) as server:
        yield server


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def _config_map(name: str, text: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": text}}


@pytest.mark.slow
async def test_a_watch_that_nobody_reads_holds_no_more_than_the_window(plain: Server) -> None:
    """A quarter of a gigabyte of changes go by, and what is kept of them is what any watch may still ask for."""
    served = plain.api.catalog.served("v1", "ConfigMap")
    assert served is not None
    plain.api.create(served, "default", _config_map("c", ""))
    wire = Wire(plain.url, plain.authority.pem, "root")
    silent = [await wire.connect() for _ in range(5)]
    for _, writer in silent:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(request("GET", f"{N}/configmaps?watch=1&resourceVersion=0", None, HEADERS))
    await asyncio.sleep(0.05)
    before = resident()
    for at in range(280):
        plain.api.update(served, "default", "c", _config_map("c", f"{at}{LARGE}"))
        await asyncio.sleep(0.001)
    grown = resident() - before
    for _, writer in silent:
        writer.transport.abort()
    assert grown < 3 * HISTORY_BYTES, f"{grown / MIB:.0f} MiB"


@pytest.mark.slow
async def test_lists_that_nobody_reads_are_bounded(plain: Server) -> None:
    """Beyond so many bytes of answers not taken, reading is refused with a 429, and again served once they are."""
    served = plain.api.catalog.served("v1", "ConfigMap")
    assert served is not None
    for at in range(40):
        plain.api.create(served, "default", _config_map(f"c{at}", LARGE))
    wire = Wire(plain.url, plain.authority.pem, "root")
    silent = []
    for _ in range(ANSWERS // (40 * len(LARGE)) + 3):
        _, writer = await wire.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(request("GET", f"{N}/configmaps", None, HEADERS))
        silent.append(writer)
    async with asyncio.timeout(20):
        while (answer := await wire("GET", f"{N}/configmaps/none")).status == 404:
            await asyncio.sleep(0.01)
    assert (answer.status, answer.reason, answer.headers["retry-after"]) == (429, "TooManyRequests", "1")
    for writer in silent:
        writer.transport.abort()
    async with asyncio.timeout(20):
        while (answer := await wire("GET", f"{N}/configmaps/none")).status == 429:
            await asyncio.sleep(0.01)
    assert answer.status == 404
    await wire.close()


@pytest.mark.parametrize("said", [b"", b"GET /version HTTP/1.1\r\nHost: ", b"\r\n"])
async def test_who_never_asks_anything_is_hung_up_on(
    plain: Server, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection without a whole first request is closed after a while; one that has asked is not."""
    monkeypatch.setattr(connections, "FIRST_REQUEST", 0.2)
    wire = Wire(plain.url, plain.authority.pem, "root")
    reader, writer = await wire.connect()
    writer.write(said)
    assert (await wire("GET", "/version")).status == 200
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()
    assert (await wire("GET", "/version")).status == 200
    await wire.close()
