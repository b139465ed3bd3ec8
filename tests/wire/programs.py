"""The agents under test, as processes: ours, or whatever an environment variable names.

    GITOPS_OCM_WIRE_WORK_AGENT='work agent --spoke-cluster-name={cluster} --hub-kubeconfig={hub} ...'

In the command line `{cluster}`, `{hub}` and `{spoke}` (kubeconfigs), `{agent_id}`, `{interval}` (of status),
`{grace}` (of eviction), `{gates}` and `{port}` (a free one) are filled in. So OCM's own agents are judged by
the same cases as ours.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from gitops_ocm.testing.commands import COMMAND, TRACEBACK, environment

STOP_SECONDS = 15.0
# Ours watches what it applied: it needs no short interval between looks.
OURS = (
    "klusterlet run --cluster-name={cluster} --hub-kubeconfig={hub} --spoke-kubeconfig={spoke} "
    "--agents={group} --agent-id={agent_id} --feature-gates={gates} "
    "--appliedmanifestwork-eviction-grace-period={grace}"
)


def other(group: str) -> str:
    """The command line that stands in for our agent of a group (`work`, `registration`); `""`: none."""
    return os.environ.get(f"GITOPS_OCM_WIRE_{group.upper()}_AGENT", "")


class EndedItself(Exception):
    """An agent that should run has ended; its last words are included."""


@dataclass
class Agent:
    """One agent of one cluster, which may be killed and started again. What it says is in its log."""

    group: str
    directory: Path
    cluster: str
    hub: Path
    spoke: Path
    agent_id: str = "wire"
    interval: str = "1s"
    grace: str = "60m"
    gates: str = ""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        """All it has said since it was first started."""
        return self.directory / f"{self.group}-{self.cluster}.log"

    def _command(self) -> Sequence[str]:
        line = other(self.group)
        words = shlex.split(line) if line else [*COMMAND, *shlex.split(OURS)]
        known = {
            name: str(getattr(self, name))
            for name in ("cluster", "hub", "spoke", "agent_id", "interval", "grace", "gates", "group")
        }
        return [_filled(word, {**known, "port": str(_free_port())}) for word in words]

    def start(self) -> None:
        """Start it; it serves some time later."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command(),
                env=environment(self.directory),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def check(self) -> None:
        """Fail where it has ended by itself."""
        ended = self._process.poll() if self._process is not None else None
        if ended is not None:
            said = self.log.read_text(errors="replace")[-4000:]
            raise EndedItself(f"the agent ended with {ended}:\n{said}")

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        """Ask it to end; it must still have been running."""
        assert self._process is not None
        process, self._process = self._process, None
        ended = process.poll()
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        said = self.log.read_text(errors="replace")
        assert ended is None, f"the agent ended with {ended}:\n{said[-4000:]}"
        assert TRACEBACK not in said, said[-8000:]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.stop()
        elif sys.exc_info()[0] is not None:
            sys.stderr.write(self.log.read_text(errors="replace")[-4000:])


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _filled(word: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        word = word.replace(f"{{{name}}}", value)
    return word
