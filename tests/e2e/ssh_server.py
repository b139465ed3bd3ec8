"""A Git server on loopback that is reached by ssh: a real OpenSSH, with keys of its own.

Each connection gets an `sshd -i`, as inetd would start it, so the port is one that is known to be free.
Nothing of the machine's own SSH set-up is read or changed.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import shlex
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.git_server import Remote

PRIVILEGE_SEPARATION = Path("/run/sshd")
"""Where Debian's sshd shuts itself in; its service makes it at boot, and root's sshd insists on it."""
CONFIG = """\
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
AuthenticationMethods publickey
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PidFile none
StrictModes no
UsePAM no
SetEnv PATH={path}
"""


def sshd() -> str:
    """The server's program. Without it the test is skipped, saying so; in CI it fails."""
    places = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"])
    if found := shutil.which("sshd", path=places):
        return found
    missing = "there is no sshd: install OpenSSH's server (Debian, Ubuntu: openssh-server; it need not run)"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


class SshServer:
    """Listens, and hands each connection to an sshd; `rekey` makes it another host."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._program = sshd()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port = int(self._listener.getsockname()[1])
        self._children: list[asyncio.subprocess.Process] = []

    def prepare(self) -> None:
        """Keys and configuration."""
        self.folder.mkdir()
        if os.geteuid() == 0:
            PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
        self.rekey()
        _key(self.folder / "user_key")
        (self.folder / "user_key.pub").rename(self.folder / "authorized_keys")
        known = (self.folder / "host_key.pub").read_text()
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {known}")
        (self.folder / "config").write_text(CONFIG.format(folder=self.folder, path=os.environ["PATH"]))

    def rekey(self) -> None:
        """A new host key."""
        for name in ("host_key", "host_key.pub"):
            (self.folder / name).unlink(missing_ok=True)
        _key(self.folder / "host_key")

    async def serve(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self._listener)
            with connection:
                connection.setblocking(True)
                with (self.folder / "log").open("ab") as log:
                    child = await asyncio.create_subprocess_exec(
                        self._program,
                        "-i",
                        "-e",
                        "-f",
                        str(self.folder / "config"),
                        stdin=connection.fileno(),
                        stdout=connection.fileno(),
                        stderr=log,
                    )
            self._children.append(child)

    async def close(self) -> None:
        """No more connections; those that are open end with their clients."""
        self._listener.close()
        async with asyncio.timeout(20):
            await asyncio.gather(*(child.wait() for child in self._children))


def _key(path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


@asynccontextmanager
async def ssh_server(folder: Path) -> AsyncIterator[SshServer]:
    """A server that runs while entered."""
    server = SshServer(folder)
    await asyncio.to_thread(server.prepare)
    serving = asyncio.create_task(server.serve(), name="ssh server")
    try:
        yield server
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await server.close()


def remote_of(server: SshServer, repository: Path) -> Remote:
    """How a sync and a person's own git open a repository behind the server."""
    key, known = server.folder / "user_key", server.folder / "known_hosts"
    own = ["ssh", "-F", os.devnull, "-i", str(key), "-o", f"UserKnownHostsFile={known}"]
    return Remote(
        f"ssh://{getpass.getuser()}@127.0.0.1:{server.port}{repository}",
        ("--git-ssh-key", str(key), "--git-known-hosts", str(known)),
        {"GIT_SSH_COMMAND": shlex.join([*own, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"])},
        {},
    )


@asynccontextmanager
async def ssh_remote(repository: Path, folder: Path) -> AsyncIterator[Remote]:
    """The repository over ssh."""
    async with ssh_server(folder) as server:
        yield remote_of(server, repository)
