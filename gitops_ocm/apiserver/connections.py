"""Connections of the embedded server: who says nothing, or nothing that is HTTP, does not keep one for long.

aiohttp's own server, but for this: a connection on which no request has come for a while is closed (it has a
limit of its own only after the first request), an answer that nobody takes is given up, and what is no HTTP
is the client's affair, not an error in the server's log. How much may be under way is `limits`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from gitops_ocm.apiserver.limits import SECONDS
from gitops_ocm.runtime.log import get_logger, place_of

FIRST_REQUEST = 32.0
"""Seconds until the first request of a connection is there, head and all."""
MAX_CONNECTIONS = 20_000

log = get_logger(__name__)


class Connections(web.Server):
    """Makes the protocol of each connection."""

    def __call__(self) -> web.RequestHandler:
        """A protocol for a connection that has just been made."""
        return Connection(self, loop=self._loop, **self._kwargs)


class Connection(web.RequestHandler):
    """One connection."""

    __slots__ = ("_impatience",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._impatience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        if self._manager is not None and len(self._manager.connections) > MAX_CONNECTIONS:
            self.force_close()
            return
        self._impatience = self._loop.call_later(FIRST_REQUEST, self._close_if_silent)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Wait no longer."""
        if self._impatience is not None:
            self._impatience.cancel()
        super().connection_lost(exc)

    def _close_if_silent(self) -> None:
        if self._request_count == 0:
            self.force_close()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer; where it is not taken in time, let go of it and of the client."""
        try:
            async with asyncio.timeout(SECONDS):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            self.force_close()
            raise ConnectionError("the client does not read what it asked for") from None

    def log_exception(self, *args: Any, **options: Any) -> None:
        """One line for what went wrong here; none for a client that does not speak HTTP."""
        error = options.get("exc_info")
        if not isinstance(error, HttpProcessingError | ConnectionError):
            where = place_of(error) if isinstance(error, BaseException) else ""
            log.error("connection failed", error=error, at=where)
