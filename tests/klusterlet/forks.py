"""Processes of our command line that start in a moment: children of one process that has imported it all.

They are real processes, and can be killed like any other; only the start of Python is saved.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from gitops_ocm.testing.commands import environment

_MOTHER = """
import json, os, signal, sys
import gitops_ocm.hub.daemon, gitops_ocm.klusterlet.process, gitops_ocm.kube.client, gitops_ocm.live.election
from gitops_ocm.cli.main import main
from gitops_ocm.runtime.catalog import load_catalog
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("ready", flush=True)
for line in sys.stdin:
    told = json.loads(line)
    child = os.fork()
    if not child:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(told["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1), os.dup2(log, 2), os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        main(told["args"])
    print(child, flush=True)
"""


class Forks:
    """The process that has them all as children."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._alive: set[int] = set()
        self._mother = subprocess.Popen(
            [sys.executable, "-c", _MOTHER],
            env=environment(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def start(self, args: Sequence[str], log: Path) -> int:
        """A process that runs a command; its number."""
        assert self._mother.stdin is not None
        self._mother.stdin.write(json.dumps({"args": list(args), "log": str(log)}) + "\n")
        self._mother.stdin.flush()
        child = int(self._answer())
        self._alive.add(child)
        return child

    def end(self, child: int, how: signal.Signals = signal.SIGKILL) -> None:
        """Kill a child (or ask it to end)."""
        self._alive.discard(child)
        os.kill(child, how)

    def _answer(self) -> str:
        assert self._mother.stdout is not None
        return self._mother.stdout.readline().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in sorted(self._alive):
            self.end(child)
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._mother.stdin.close()
        self._mother.stdout.close()
        self._mother.wait()
