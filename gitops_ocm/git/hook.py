"""A push into a repository on this machine: the hook that reports it and the server that answers.

    install_hook(git_dir, socket)          once, when the daemon or the demo starts
    async with HookServer(socket, answer):
        ...                                answer(updates) yields lines; git shows them as `remote:`

The socket is a file only its owner can use. A client sends the lines git gives a post-receive hook
(`old new ref`), closes its half, and reads text until the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from gitops_ocm.git import hook_client, refs
from gitops_ocm.git.command import Git
from gitops_ocm.git.errors import GitError, InvalidRef, Locked

_MARK = "# Written by gitops-ocm, to tell its sync of a push. It may be deleted."
_CLIENT = "gitops-ocm-notify.py"
_MAX_REQUEST = 64 * 1024
_MAX_SOCKET_PATH = 100


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One ref a push moved; `old` or `new` is all zeros where it was made or deleted."""

    old: str
    new: str
    ref: str


Answer = Callable[[Sequence[RefUpdate]], AsyncIterator[str]]
"""What the daemon has to say about a push, line by line."""


def install_hook(git_dir: Path, socket: Path, *, wait: float = 30) -> Path:
    """Make pushes into the repository at `git_dir` known at `socket`; returns the hook's path.

    A hook that somebody else wrote is left alone: `GitError`.
    """
    configured = Git(git_dir).run("config", "--local", "--get", "core.hooksPath", check=False).text
    hooks = git_dir / configured if configured else git_dir / "hooks"
    hook = hooks / "post-receive"
    if hook.exists() and _MARK not in hook.read_text(errors="replace"):
        raise GitError(
            f"{hook} exists and is not ours",
            hint=f"call {hooks / _CLIENT} from it, with the socket {socket} and {wait:g} as arguments",
        )
    hooks.mkdir(parents=True, exist_ok=True)
    client = hooks / _CLIENT
    _write(client, Path(hook_client.__file__).read_text(), 0o644)
    command = shlex.join([sys.executable, "-I", "-S", str(client), str(socket.absolute()), f"{wait:g}"])
    _write(hook, f"#!/bin/sh\n{_MARK}\n{command} || true\nexit 0\n", 0o755)
    return hook


def _write(path: Path, text: str, mode: int) -> None:
    """Write a file so that a push meanwhile finds the old one or the new one, never half of it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.chmod(mode)
    fresh.replace(path)


class HookServer:
    """Listens on a Unix socket while entered; each push is answered by `answer`."""

    def __init__(self, socket: Path, answer: Answer, *, timeout: float = 60) -> None:
        self._socket = socket
        self._answer = answer
        self._timeout = timeout
        self._server: asyncio.Server | None = None
        self._pushes: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def __aenter__(self) -> HookServer:
        path = str(self._socket)
        if len(os.fsencode(path)) > _MAX_SOCKET_PATH:
            raise GitError(
                f"the socket's path is too long: {path}", hint="choose a folder with a shorter path"
            )
        self._socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self._clear()
        # Bound under another name and moved into place once nobody else can use it.
        fresh = self._socket.with_name(f".{self._socket.name[:8]}{os.getpid()}")
        fresh.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accept, str(fresh), limit=_MAX_REQUEST)
        fresh.chmod(0o600)
        fresh.replace(self._socket)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        pushes = dict(self._pushes)
        for push in pushes:
            push.cancel()
        await asyncio.gather(*pushes, return_exceptions=True)
        for writer in pushes.values():  # A push cancelled before it began has not closed its own.
            await _closed(writer)
        await self._server.wait_closed()
        self._socket.unlink(missing_ok=True)

    async def _clear(self) -> None:
        """Remove a socket left by a daemon that died; one that answers belongs to another daemon."""
        if not self._socket.exists():
            return
        try:
            _, writer = await asyncio.open_unix_connection(str(self._socket))
        except OSError:
            self._socket.unlink(missing_ok=True)
            return
        await _closed(writer)
        raise Locked(f"another daemon listens on {self._socket}")

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        push = asyncio.create_task(self._serve(reader, writer), name="post-receive")
        self._pushes[push] = writer
        push.add_done_callback(lambda done: self._pushes.pop(done, None))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(self._timeout):
                    await self._converse(reader, writer)
        finally:
            await _closed(writer)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.read(_MAX_REQUEST)
        while len(request) < _MAX_REQUEST and (more := await reader.read(_MAX_REQUEST - len(request))):
            request += more
        updates = list(parse_updates(request.decode("utf-8", "replace")))
        if not updates:
            return
        async for line in self._answer(updates):
            writer.write(line.encode("utf-8", "replace") + b"\n")
            await writer.drain()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def parse_updates(text: str) -> list[RefUpdate]:
    """The ref updates among a request's lines; a line that is none is passed over."""
    updates = []
    for line in text.splitlines():
        old, _, rest = line.partition(" ")
        new, _, ref = rest.partition(" ")
        with contextlib.suppress(InvalidRef):
            if refs.is_commit(old) and refs.is_commit(new):
                updates.append(RefUpdate(old, new, refs.checked(ref)))
    return updates
