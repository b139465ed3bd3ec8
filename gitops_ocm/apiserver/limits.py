"""What clients may take of the server at one time: requests under way, bytes of bodies, seconds.

Without these, a few hundred slow or careless clients would hold all of its memory. Who is refused gets a 429
and is told to come back, as by the priority and fairness of a kube-apiserver; watches are not counted, for
what they hold is bounded by themselves (`watch_history`). Connections are `connections`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web

from gitops_ocm.objects.faults import ApiError

MAX_BODY = 3 * 1024 * 1024
"""Bytes of one body."""
BODIES = 64 * 1024 * 1024
"""Bytes of all bodies that are being received or worked on."""
IN_FLIGHT = 1000
"""Requests under way; those of administrators come on top."""
ANSWERS = 256 * 1024 * 1024
"""Bytes of large answers that clients asked for and have not taken; while there are more, nobody reads."""
SECONDS = 60.0
"""How long a body may take to come, and a piece of an answer to be taken."""
RETRY_AFTER = 1


class Limits:
    """Counts what is under way at one server."""

    def __init__(
        self,
        *,
        in_flight: int = IN_FLIGHT,
        bodies: int = BODIES,
        answers: int = ANSWERS,
        seconds: float = SECONDS,
    ) -> None:
        self._in_flight = in_flight
        self._bodies = bodies
        self._answers = answers
        self._seconds = seconds
        self._requests = 0
        self._held = 0
        self._untaken = 0

    @contextmanager
    def under_way(self, *, exempt: bool) -> Iterator[None]:
        """One request, for as long as the block runs; 429 where there are too many."""
        if self._requests >= self._in_flight and not exempt:
            raise _too_many()
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1

    async def body(self, request: web.BaseRequest) -> bytes:
        """The body of a request, counted until it is `released`; 413, 429, or 504 if it does not come."""
        if not request.can_read_body:
            return b""
        if (request.content_length or 0) > MAX_BODY:
            raise _too_large()
        pieces: list[bytes] = []
        try:
            await self._receive(request, pieces)
        except BaseException:
            self.released(sum(map(len, pieces)))
            raise
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _receive(self, request: web.BaseRequest, pieces: list[bytes]) -> None:
        content, size = request.content, 0
        try:
            async with asyncio.timeout(self._seconds):
                while piece := await content.readany():
                    pieces.append(piece)
                    size += len(piece)
                    self._held += len(piece)
                    if size > MAX_BODY:
                        raise _too_large()
                    if self._held > self._bodies:
                        raise _too_many()
        except TimeoutError:
            text = f"Timeout: request did not complete within requested timeout - {self._seconds:.0f}s"
            raise ApiError("Timeout", text) from None

    def released(self, size: int) -> None:
        """A body of so many bytes is no longer worked on."""
        self._held -= size

    def check_answers(self) -> None:
        """429 while clients do not take what they have asked for."""
        if self._untaken >= self._answers:
            raise _too_many()

    @contextmanager
    def answering(self, size: int) -> Iterator[None]:
        """An answer of so many bytes, for as long as it is being sent."""
        self._untaken += size
        try:
            yield
        finally:
            self._untaken -= size

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """A piece of an answer is being sent; ConnectionError where the client does not take it."""
        try:
            async with asyncio.timeout(self._seconds):
                yield
        except TimeoutError:
            raise ConnectionError("the client does not read what it asked for") from None


def _too_large() -> ApiError:
    return ApiError("RequestEntityTooLarge", f"Request entity too large: limit is {MAX_BODY}")


def _too_many() -> ApiError:
    text = "Too many requests, please try again later."
    return ApiError("TooManyRequests", text, retry_after=RETRY_AFTER)
