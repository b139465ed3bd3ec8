"""A client that sends any bytes at all over TLS, and reads what comes back as HTTP, if it is that."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson

SECONDS = 30.0
"""How long an answer may take before a test gives up on it."""


@dataclass(frozen=True)
class Answer:
    """One response; `status` 0 where the server hung up without one."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def document(self) -> Any:
        """The body, decoded where it is JSON."""
        is_json = self.headers.get("content-type") == "application/json"
        return orjson.loads(self.body) if is_json and self.body else None

    @property
    def reason(self) -> str:
        """The reason of a Status, empty for anything else."""
        found = self.document
        is_status = isinstance(found, dict) and found.get("kind") == "Status"
        return str(found.get("reason", "")) if is_status else ""


def request(
    method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """One HTTP/1.1 request as bytes; header values as they are given, whatever is in them."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines).encode("utf-8", "surrogateescape")
    return head + b"\r\n\r\n" + (body or b"")


class Wire:
    """Connections to one server, as one user; one is used again while both sides keep it open."""

    def __init__(self, url: str, ca: bytes, token: str = "") -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "", parts.port or 0
        self._tls = ssl.create_default_context(cadata=ca.decode())
        self._token = token
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __call__(
        self, method: str, target: str, body: Any = None, media: str = "application/json", **headers: str
    ) -> Answer:
        """One request, as the user of the token; a body that is no bytes is sent as JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._token:
            sent.setdefault("Authorization", f"Bearer {self._token}")
        raw = body if isinstance(body, bytes) or body is None else orjson.dumps(body)
        if raw is not None:
            sent.setdefault("Content-Type", media)
        return await self.raw(request(method, target, raw, sent), head=method == "HEAD")

    async def raw(self, data: bytes, *, head: bool = False, ended: bool = False) -> Answer:
        """These bytes, on a connection that is tried anew where the last one was closed meanwhile."""
        for _ in range(2):
            fresh = self._open is None
            reader, writer = self._open or await self.connect()
            self._open = reader, writer
            answer = await _exchange(reader, writer, data, head=head, ended=ended)
            if answer.status and answer.headers.get("connection") != "close" and not ended:
                return answer
            await self.close()
            if answer.status or fresh:
                return answer
        return answer

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection of the caller's own."""
        return await asyncio.open_connection(self.host, self.port, ssl=self._tls, limit=2**24)

    async def close(self) -> None:
        """Let go of the connection."""
        if self._open is not None:
            _, writer = self._open
            self._open = None
            writer.transport.abort()
            await asyncio.sleep(0)


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes, *, head: bool, ended: bool
) -> Answer:
    async with asyncio.timeout(SECONDS):
        try:
            writer.write(data)
            if ended and writer.can_write_eof():
                writer.write_eof()
            return await read_answer(reader, head=head)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            return Answer()


async def read_answer(reader: asyncio.StreamReader, *, head: bool = False) -> Answer:
    """The next response on a connection."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(lines[0].split(" ", 2)[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if head or status in (204, 304) or 100 <= status < 200:
        return Answer(status, headers)
    if headers.get("transfer-encoding") == "chunked":
        return Answer(status, headers, await _chunks(reader))
    return Answer(status, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    pieces = []
    while size := int(await reader.readline(), 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(pieces)
