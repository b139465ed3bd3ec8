"""Bytes that are not the HTTP a server hopes for: it answers or hangs up, and goes on serving others."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_ocm.apiserver import limits
from gitops_ocm.objects.faults import ApiError
from tests.fuzz.oracle import judged
from tests.fuzz.wire import Answer, Wire, read_answer

AUTH = b"Authorization: Bearer root\r\n"
HOST = b"Host: localhost\r\n" + AUTH
MAPS = b"/api/v1/namespaces/default/configmaps"
_PADDING = b"a: b\r\n"

ODD = {
    "no http": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
    "a blank line": b"\r\n\r\n\r\n",
    "http 0.9": b"GET /version\r\n\r\n",
    "http 1.0": b"GET /version HTTP/1.0\r\n\r\n",
    "http 1.0, kept": b"GET /version HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "http 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "http 3": b"GET /version HTTP/3.0\r\n" + HOST + b"\r\n",
    "no host": b"GET /version HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /version HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "connect": b"CONNECT example.com:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "an absolute uri": b"GET https://localhost/version HTTP/1.1\r\n" + HOST + b"\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "a path that is none": b"GET version HTTP/1.1\r\n" + HOST + b"\r\n",
    "a fragment": b"GET /version#a?b HTTP/1.1\r\n" + HOST + b"\r\n",
    "no utf-8": b"GET /api/v1/\xff\xfe?a=\xff HTTP/1.1\r\n" + HOST + b"\r\n",
    "a null": b"GET /api/v1/a\x00b HTTP/1.1\r\n" + HOST + b"\r\n",
    "a long line": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a long query": b"GET /version?" + b"a=b&" * 15_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a long header": b"GET /version HTTP/1.1\r\n" + HOST + b"a: " + b"b" * 100_000 + b"\r\n\r\n",
    "a flood of headers": b"GET /version HTTP/1.1\r\n" + HOST + _PADDING * 20_000 + b"\r\n",
    "a header of no name": b"GET /version HTTP/1.1\r\n" + HOST + b": x\r\n\r\n",
    "a folded header": b"GET /version HTTP/1.1\r\n" + HOST + b"a: b\r\n c\r\n\r\n",
    "a space in a name": b"GET /version HTTP/1.1\r\n" + HOST + b"a b: c\r\n\r\n",
    "a negative length": b"POST " + MAPS + b" HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    "a length that is none": b"POST " + MAPS + b" HTTP/1.1\r\n" + HOST + b"Content-Length: x\r\n\r\n",
    "two lengths": b"POST " + MAPS + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length and chunks": b"POST " + MAPS + b" HTTP/1.1\r\n" + HOST
    + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a huge length": b"POST " + MAPS + b" HTTP/1.1\r\n" + HOST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "chunks that are none": b"POST " + MAPS + b" HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a huge chunk": b"POST " + MAPS + b" HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    "chunks of nothing": b"POST " + MAPS + b" HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks with extensions": b"POST " + MAPS + b" HTTP/1.1\r\n" + HOST
    + b"Transfer-Encoding: chunked\r\n\r\n2;a=b;c\r\n{}\r\n0\r\nTrailer: x\r\n\r\n",
    "another encoding": b"POST " + MAPS + b" HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n{}",
    "an upgrade": b"GET " + MAPS + b"?watch=1&timeoutSeconds=1 HTTP/1.1\r\n" + HOST
    + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "spdy": b"POST /api/v1/namespaces/default/pods/a/exec?command=x HTTP/1.1\r\n" + HOST
    + b"Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nContent-Length: 0\r\n\r\n",
    "an expectation": b"POST " + MAPS + b" HTTP/1.1\r\n" + HOST + b"Expect: the unexpected\r\nContent-Length: 2\r\n\r\n{}",
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
async def test_odd_http(root: Wire, name: str) -> None:
    """Each gets an answer that is no failure of the server, or a closed connection."""
    answer = await _sent(root, ODD[name])
    judged(answer, name)
    assert judged(await root("GET", "/version")).status == 200


async def _sent(root: Wire, data: bytes) -> Answer:
    """What comes back, on a connection of its own; nothing where the server waits for more or hangs up."""
    reader, writer = await root.connect()
    try:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            writer.write(data)
            async with asyncio.timeout(0.5):
                return await read_answer(reader)
        return Answer()
    finally:
        writer.transport.abort()


_lines = st.sampled_from([b"GET ", b"POST ", b"PRI ", b"/", b"/version", MAPS, b" HTTP/1.1\r\n", b" HTTP/1.0\r\n",
                          b"\r\n", b"\n", HOST, b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"{}",
                          b"3\r\nabc\r\n", b"0\r\n\r\n", b"Connection: close\r\n", b": ", b"\x00", b"\xff"])  # fmt: skip


@given(data=st.lists(_lines | st.binary(max_size=20), max_size=12).map(b"".join))
@settings(
    derandomize=True,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_any_bytes(root: Wire, data: bytes) -> None:
    """Requests put together from pieces of requests; a last proper one ends what was left open."""
    closing = b"\r\n\r\nGET /version HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    judged(await root.raw(data + closing, ended=True), data)


async def test_pipelined_requests_are_answered_in_turn(root: Wire) -> None:
    """A thousand requests sent at once are answered in their order, whatever their results."""
    reader, writer = await root.connect()
    try:
        paths = [b"/version", b"/nowhere", b"/api/v1/namespaces/default/configmaps/none"]
        ask = [b"GET %s HTTP/1.1\r\n%s\r\n" % (paths[at % 3], HOST) for at in range(1000)]
        writer.write(b"".join(ask))
        found = [(await read_answer(reader)).status for _ in ask]
        assert found == [(200, 404, 404)[at % 3] for at in range(1000)]
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("sent", [b'{"kind":', b""])
async def test_a_body_that_ends_early_harms_nobody(root: Wire, sent: bytes) -> None:
    """A client that promises more than it sends and goes away leaves nothing behind."""
    reader, writer = await root.connect()
    writer.write(b"POST " + MAPS + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 5000\r\n\r\n" + sent)
    await writer.drain()
    writer.close()
    await asyncio.sleep(0)
    assert await reader.read() == b""
    assert judged(await root("GET", "/version")).status == 200


async def test_who_is_slow_is_refused_in_time() -> None:
    """A body that does not come is a 504, one too many is a 429, an answer not taken ends the connection."""
    held = limits.Limits(in_flight=1, bodies=8, seconds=0.01)
    with held.under_way(exempt=False):
        with pytest.raises(ApiError) as refused, held.under_way(exempt=False):
            pass
        assert (refused.value.reason, refused.value.retry_after) == ("TooManyRequests", 1)
        with held.under_way(exempt=True):
            pass
    with held.under_way(exempt=False):
        pass
    with pytest.raises(ConnectionError):
        async with held.taken():
            await asyncio.Event().wait()
    few = limits.Limits(answers=10)
    few.check_answers()
    with few.answering(10), pytest.raises(ApiError, match="Too many requests"):
        few.check_answers()
    few.check_answers()
