"""Connections to one API server: opened on demand, with identity, renewed when certificates are.

`client.HttpCluster` sends through it. A renewed certificate file or a plug-in's new certificate
means new connections; answers still on their way finish on the old ones.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from gitops_ocm.kube.cluster import Unreachable
from gitops_ocm.kube.credentials import Identity
from gitops_ocm.kube.identity import Connection
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.runtime.log import get_logger

_log = get_logger("kube")

CONNECTIONS = 32
_STAMP_AGE = 30.0
_LINGER = 120.0


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """Open connections with the headers every request carries; `extra` goes to each aiohttp request."""

    requests: aiohttp.ClientSession
    watches: aiohttp.ClientSession
    extra: dict[str, Any]

    async def close(self) -> None:
        """End all connections."""
        await asyncio.gather(self.requests.close(), self.watches.close())


class Sessions:
    """The current `Session`; opens the next one when what it rests on has changed."""

    def __init__(self, connection: Connection, clock: Clock, *, user_agent: str, timeout: float) -> None:
        self._connection = connection
        self._clock = clock
        self._user_agent = user_agent
        self._timeout = timeout
        self._lock = asyncio.Lock()
        self._current: Session | None = None
        self._identity = Identity()
        self._stamp: tuple[float, ...] = ()
        self._check_at = 0.0
        self._old: dict[Session, asyncio.TimerHandle] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False

    async def get(self) -> Session:
        """The session to send with."""
        if self._current is not None and self._clock.monotonic() < self._check_at:
            return self._current
        async with self._lock:
            return await self._checked()

    async def renew(self, refused: Session) -> Session:
        """Another session if there is something else to show than what the server refused (401)."""
        async with self._lock:
            if self._current is refused:
                identity = await self._connection.credentials.fetch(self._clock.now())
                if identity.header != self._identity.header or self._connection.stamp() != self._stamp:
                    self._replace(self._opened(identity))
            return self._current or refused

    async def _checked(self) -> Session:
        self._must_be_open()
        credentials = self._connection.credentials
        if self._current is None:
            self._current = self._opened(await credentials.fetch(self._clock.now()))
        elif self._identity.stale(self._clock.now()):
            identity = await credentials.fetch(self._clock.now())
            if (identity.header, identity.certificate) == (self._identity.header, self._identity.certificate):
                self._identity = identity
            else:
                self._replace(self._opened(identity))
        elif self._connection.stamp() != self._stamp:
            _log.info("certificates renewed", server=self._connection.server)
            self._replace(self._opened(self._identity))
        self._must_be_open()  # it may have been closed while the identity was fetched
        self._check_at = self._clock.monotonic() + _STAMP_AGE
        return self._current

    def _opened(self, identity: Identity) -> Session:
        self._must_be_open()
        connection = self._connection
        stamp = connection.stamp()
        tls = connection.ssl_context(identity) if connection.server.startswith("https:") else False
        headers = [("Accept", "application/json"), ("User-Agent", self._user_agent)]
        headers += connection.impersonation
        if identity.header:
            headers.append(("Authorization", identity.header.reveal()))

        def client(limit: int) -> aiohttp.ClientSession:
            connector = aiohttp.TCPConnector(
                limit=limit, ssl=tls, keepalive_timeout=75, ttl_dns_cache=60, socket_factory=_socket
            )
            return aiohttp.ClientSession(
                connector=connector,
                headers=headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=10),
                read_bufsize=256 * 1024,
            )

        extra: dict[str, Any] = {"allow_redirects": False}
        if connection.proxy_url:
            extra["proxy"] = URL(connection.proxy_url)
        if connection.tls_server_name:
            extra["server_hostname"] = connection.tls_server_name
        self._identity, self._stamp = identity, stamp
        return Session(client(CONNECTIONS), client(0), extra)

    def _must_be_open(self) -> None:
        if self._closed:
            raise Unreachable(f"{self._connection.server}: this connection is closed")

    def _replace(self, session: Session) -> None:
        """Use `session` from now on; the old one gets time to finish what it carries."""
        old, self._current = self._current, session
        if old is not None:
            loop = asyncio.get_running_loop()
            self._old[old] = loop.call_later(_LINGER, self._retire, old)

    def _retire(self, old: Session) -> None:
        del self._old[old]
        self._end(old)

    def _end(self, session: Session) -> None:
        task = asyncio.get_running_loop().create_task(session.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """End all connections, old ones too; whoever is cancelled meanwhile leaves none open."""
        self._closed = True
        for old, timer in tuple(self._old.items()):
            timer.cancel()
            self._retire(old)
        if self._current is not None:
            self._end(self._current)
            self._current = None
        if self._closing:
            await asyncio.shield(asyncio.gather(*self._closing))


def _socket(address: tuple[Any, ...]) -> socket.socket:
    """A socket that notices within a minute or so when the other end is gone without a word."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 20), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000)
    made.setblocking(False)
    return made
