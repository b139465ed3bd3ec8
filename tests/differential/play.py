"""Playing a script on one server: every call is sent as raw HTTP, every answer kept as it came.

No client library between: what is compared is what is on the wire. See `calls` for the words.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from yarl import URL

from gitops_ocm.kube.kubeconfig import load_kubeconfig
from tests.differential.calls import Call

PATIENCE = 30.0
"""Seconds for one call, and for what a call waits for."""
FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.2


@dataclass
class Answer:
    """What came back: the status, the headers, and the body decoded as its Content-Type says."""

    status: int
    headers: Mapping[str, Sequence[str]]
    body: Any
    saved: dict[str, str] = field(default_factory=dict)
    """What has been saved up to here, this answer's own values included."""


@dataclass(frozen=True)
class Server:
    """An API server and who we are there."""

    url: str
    session: aiohttp.ClientSession

    async def play(self, calls: Sequence[Call], values: Mapping[str, str]) -> list[Answer]:
        """The answer to every call, in order."""
        known = dict(values)
        answers = []
        for call in calls:
            answer = await self._answered(call, known)
            for name, path in call.save.items():
                known[name] = str(_at(answer.body, path))
            answer.saved = {k: v for k, v in known.items() if k not in values}
            answers.append(answer)
        return answers

    async def _answered(self, call: Call, known: Mapping[str, str]) -> Answer:
        async with asyncio.timeout(PATIENCE):
            pause = FIRST_PAUSE
            while True:
                answer = await self._send(call, known)
                if not call.until or answer.status == call.until:
                    return answer
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _send(self, call: Call, known: Mapping[str, str]) -> Answer:
        headers = {"Accept": call.accept or "application/json", **call.headers}
        if call.type:
            headers["Content-Type"] = call.type
        url = URL(self.url + _filled(call.path, known), encoded=True)
        body = _encoded(_filled(call.body, known))
        data = None if body is None else BytesIO(body)
        async with self.session.request(call.method, url, data=data, headers=headers) as response:
            if call.events and response.status == 200:
                answer = b"".join([line async for line in _lines(response, call.events)])
            else:
                answer = await response.read()
            found: dict[str, list[str]] = {}
            for name, value in response.headers.items():
                found.setdefault(name.title(), []).append(value)
            return Answer(response.status, found, _decoded(answer, response))


async def _lines(response: aiohttp.ClientResponse, count: int) -> AsyncIterator[bytes]:
    """So many lines, or as many as there are."""
    for _ in range(count):
        line = await response.content.readline()
        if not line:
            return
        yield line


@asynccontextmanager
async def connected(kubeconfig: Path) -> AsyncIterator[Server]:
    """The server of a kubeconfig, with the identity in it."""
    connection = load_kubeconfig(kubeconfig)
    connector = aiohttp.TCPConnector(ssl=connection.ssl_context())
    async with aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        skip_auto_headers=("Accept-Encoding", "Content-Type"),
        headers={"User-Agent": "differential/1.0"},
        read_bufsize=16 * 1024 * 1024,
    ) as session:
        yield Server(connection.server, session)


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, found in known.items():
            value = value.replace(f"{{{name}}}", found)
        return value
    if isinstance(value, Mapping):
        return {_filled(k, known): _filled(v, known) for k, v in value.items()}
    return [_filled(item, known) for item in value] if isinstance(value, list) else value


def _encoded(body: Any) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else orjson.dumps(body)


def _decoded(body: bytes, response: aiohttp.ClientResponse) -> Any:
    if response.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    if "json" not in response.headers.get("Content-Type", ""):
        return body.decode(errors="replace")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        lines = body.splitlines()
    try:
        return [orjson.loads(line) for line in lines]
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")


def _at(body: Any, path: str) -> Any:
    for step in path.split("."):
        body = body[int(step)] if isinstance(body, list) else body[step]
    return body
