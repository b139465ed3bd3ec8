"""Health and metrics of a long-running process over HTTPS: `/livez`, `/readyz`, `/healthz`, `/metrics`.

    async with observed("127.0.0.1", 8443, health) as port: ...

The certificate is made for this run and is nobody's to check: probes do not, and a scraper of metrics is told
so. An answer at all says that the event loop turns; `/readyz` says whether the process got as far as its
work. Metrics are for whoever `admit` lets in; where nobody decides, for everybody who can connect.
"""

from __future__ import annotations

import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from gitops_ocm.runtime.certificates import self_signed, subject_name
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.runtime.listening import listening
from gitops_ocm.runtime.metrics import render

LIVE, READY, METRICS = ("/livez", "/healthz"), "/readyz", "/metrics"
_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
_GRACE = 2.0
_LIFE = timedelta(days=3650)
"""Longer than any process runs."""


@dataclass
class Health:
    """How far a process has come: ready, or what it waits for."""

    waits_for: str = "the start"

    def ready(self) -> None:
        """It works, or stands by for another one that does."""
        self.waits_for = ""


@dataclass(frozen=True)
class Refused:
    """Why somebody gets no metrics: 401 where nobody knows them, 403 where they may not."""

    status: int
    why: str


Admit = Callable[[str, str], Awaitable[Refused | None]]
"""Judges a bearer token (may be "") and a path."""


@asynccontextmanager
async def observed(
    host: str, port: int, health: Health, *, admit: Admit | None = None, clock: Clock | None = None
) -> AsyncIterator[int]:
    """Serve on `port` (0: a free one, which is yielded)."""
    app, context = _application(health, admit), server_context(clock or SystemClock())
    async with listening(app, host, port, context, grace=_GRACE) as taken:
        yield taken


def _application(health: Health, admit: Admit | None) -> web.Application:
    async def live(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def ready(_request: web.Request) -> web.Response:
        if health.waits_for:
            return web.Response(status=503, text=f"not ready: it waits for {health.waits_for}")
        return web.Response(text="ok")

    async def metrics(request: web.Request) -> web.Response:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        refused = await admit(token if kind.lower() == "bearer" else "", METRICS) if admit else None
        if refused is not None:
            return web.Response(status=refused.status, text=refused.why)
        return web.Response(body=render(), headers={"Content-Type": _FORMAT})

    app = web.Application(client_max_size=1024)
    for path in LIVE:
        app.router.add_get(path, live)
    app.router.add_get(READY, ready)
    app.router.add_get(METRICS, metrics)
    return app


def server_context(clock: Clock) -> ssl.SSLContext:
    """What to serve with: a certificate of this run, which is nobody's to check."""
    pair = self_signed(subject_name(socket.gethostname()[:64]), clock.now(), _LIFE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.NamedTemporaryFile(suffix=".pem") as chain:  # `ssl` takes files only; this one is 0600
        chain.write(pair.certificate + pair.key)
        chain.flush()
        context.load_cert_chain(chain.name)
    return context
