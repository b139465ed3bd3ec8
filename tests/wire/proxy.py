"""A way to an API server that can be cut and mended: what a broken network is to an agent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import yaml


class Line:
    """Passes bytes to a server on loopback, unless it is cut."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cut_off = False
        self._open: set[asyncio.StreamWriter] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the agent's, to its end."""
        if self.cut_off:
            writer.close()
            return
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.close()
            return
        self._open |= {writer, forth}
        try:
            await asyncio.gather(_pass_on(reader, forth), _pass_on(back, writer))
        finally:
            self._open -= {writer, forth}

    def cut(self) -> None:
        """End what is open and refuse what comes."""
        self.cut_off = True
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        """Pass on again."""
        self.cut_off = False


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def line_to(kubeconfig: Path, directory: Path) -> AsyncIterator[tuple[Line, Path]]:
    """A line to the server of a kubeconfig, and the kubeconfig that goes by it."""
    content = yaml.safe_load(kubeconfig.read_text())
    cluster = content["clusters"][0]["cluster"]
    port = urlsplit(cluster["server"]).port
    assert port is not None
    line = Line(port)
    server = await asyncio.start_server(line.connected, "127.0.0.1", 0)
    own = server.sockets[0].getsockname()[1]
    cluster["server"] = f"https://127.0.0.1:{own}"
    path = directory / f"by-line-{own}.kubeconfig"
    path.write_text(yaml.safe_dump(content))
    path.chmod(0o600)
    try:
        yield line, path
    finally:
        server.close()
        line.cut()
        await server.wait_closed()
