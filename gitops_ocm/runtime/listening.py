"""HTTPS on a port: what listens says which one it got, or why it got none."""

from __future__ import annotations

import errno
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from gitops_ocm.errors import GitopsError


class CannotListen(GitopsError):
    """The port cannot be had."""

    code = "cannot-listen"


@asynccontextmanager
async def listening(
    app: web.Application, host: str, port: int, context: ssl.SSLContext, *, grace: float
) -> AsyncIterator[int]:
    """Serve `app` on `port` (0: a free one, which is yielded); requests get `grace` seconds at the end."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=grace)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port, ssl_context=context).start()
        except OSError as error:
            known = error.errno is not None and error.errno in errno.errorcode
            why = os.strerror(error.errno or 0) if known else str(error)
            raise CannotListen(
                f"cannot listen on {host}:{port}: {why}",
                hint="Choose another port, or stop what uses this one.",
            ) from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
