"""The controllers under test, as a process: ours, or whatever an environment variable names.

    GITOPS_OCM_WIRE_PLACEMENT='placement controller --kubeconfig={kubeconfig} --namespace=default ...'

One variable for each group of controllers; `{kubeconfig}` and `{port}` (a free one) are replaced. So OCM's
own programs are judged by the same cases as ours.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_ocm.testing.commands import COMMAND, environment

STOP_SECONDS = 15.0
LOOK_SECONDS = 0.5


def other(group: str) -> str:
    """The command line that stands in for our controllers of a group; `""`: none."""
    return os.environ.get(f"GITOPS_OCM_WIRE_{group.upper()}", "")


@dataclass(frozen=True)
class Program:
    """A process that runs, and where what it says goes."""

    process: subprocess.Popen[bytes]
    log: Path

    async def ended(self) -> str:
        """Return only when it has ended: with which status, and its last words."""
        while self.process.poll() is None:
            await asyncio.sleep(LOOK_SECONDS)  # a thread that waits could not be cancelled
        return f"ended with {self.process.returncode}:\n{self.last_words()}"

    def last_words(self) -> str:
        """The end of what it has said."""
        return self.log.read_text(errors="replace")[-4000:]


@contextmanager
def controllers(group: str, kubeconfig: Path, directory: Path) -> Iterator[Program]:
    """Run the controllers of one group against a hub; what they say is in `directory/GROUP.log`."""
    ours = [*COMMAND, "hub", "run", f"--kubeconfig={kubeconfig}", f"--controllers={group}"]
    line = other(group).replace("{kubeconfig}", str(kubeconfig)).replace("{port}", str(_free_port()))
    command = shlex.split(line) or ours
    log = directory / f"{group}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=environment(directory),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Program(process, log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
