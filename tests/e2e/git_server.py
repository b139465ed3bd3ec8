"""A Git server on loopback as a fleet has one: over https, with a CA of its own and a password.

Git's own `git http-backend` does the talking; here is only what carries it, and how a sync and a
person's own git are told to open the repository.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from gitops_ocm.apiserver.tls import Authority
from gitops_ocm.cli.git_options import PASSWORD_VARIABLE

USER, PASSWORD = "deploy", "hunter2-hunter2"


@dataclass(frozen=True)
class Remote:
    """A repository behind a server. `options` and `env` open it for our commands, `git_env` for git."""

    url: str
    options: tuple[str, ...]
    git_env: Mapping[str, str]
    env: Mapping[str, str]


@asynccontextmanager
async def https_remote(repository: Path, folder: Path) -> AsyncIterator[Remote]:
    """The repository over https: a CA of its own, and a password."""
    authority = Authority.open(folder / "pki", now=datetime.now(UTC))
    pair = authority.server([], now=datetime.now(UTC))
    backend = _Backend(repository.parent)
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{path:.*}", backend.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=authority.server_context(pair)).start()
        host, ca = f"127.0.0.1:{runner.addresses[0][1]}", folder / "pki" / "ca.crt"
        yield Remote(
            f"https://{host}/{repository.name}",
            ("--git-user", USER, "--git-ca", str(ca)),
            {
                "GIT_SSL_CAINFO": str(ca),
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "http.extraHeader",
                "GIT_CONFIG_VALUE_0": f"Authorization: {backend.expected}",
            },
            {PASSWORD_VARIABLE: PASSWORD},
        )
    finally:
        await runner.cleanup()


class _Backend:
    """`git http-backend` behind a password, as any web server runs it (CGI, RFC 3875)."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    async def answer(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != self.expected:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        body = await request.read()
        backend = await asyncio.create_subprocess_exec(
            "git",
            "http-backend",
            env=self._environment(request, len(body)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await backend.communicate(body)
        head, _, content = out.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        status = int(headers.pop("Status", "200").partition(" ")[0])
        return web.Response(status=status, headers=headers, body=content)

    def _environment(self, request: web.Request, length: int) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self._root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "REMOTE_USER": USER,
            "REQUEST_METHOD": request.method,
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query_string,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
        }
