"""Our command line as a person or a service manager runs it: real processes, ended by their own id.

    done = run("sync", "--once", ..., env=environment(tmp_path))
    with Daemon("hub", "serve", "--data-dir", str(path), env=...) as hub:
        await hub.said("controllers run")
        hub.kill()

For tests of exit statuses, of what is printed, and of what a process leaves behind that is killed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGTERM, Signals
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

from gitops_ocm.testing.waiting import eventually

COMMAND = (sys.executable, "-m", "gitops_ocm")
TRACEBACK = "Traceback (most recent call last)"


def environment(home: Path, **more: str) -> dict[str, str]:
    """An environment whose caches and data lie under `home`; nothing of the caller's Kubernetes."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KUBE", "XDG_", "GITOPS_OCM_", "GIT_"))}
    folders = {"HOME": home, "XDG_CACHE_HOME": home / "cache", "XDG_DATA_HOME": home / "data"}
    return kept | {name: str(path) for name, path in folders.items()} | {"NO_COLOR": "1"} | more


def run(
    *args: str, env: Mapping[str, str], timeout: float = 60, prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """One command to its end; `prefix` runs it by way of another program (`sh -c …`)."""
    return subprocess.run(
        [*prefix, *COMMAND, *args],
        env=dict(env),
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


_ONE_AFTER_ANOTHER = """
import contextlib, io, json, sys
from gitops_ocm.cli.main import main
for args in json.load(sys.stdin):
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(args)
        except SystemExit as end:
            code = end.code or 0
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""


def run_each(
    commands: Sequence[Sequence[str]], *, env: Mapping[str, str], timeout: float = 120
) -> list[subprocess.CompletedProcess[str]]:
    """Many short commands one after another in one process: starting Python is most of what each costs."""
    done = subprocess.run(
        [sys.executable, "-c", _ONE_AFTER_ANOTHER],
        env=dict(env),
        input=json.dumps([list(args) for args in commands]),
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
    if done.returncode:
        raise RuntimeError(f"the commands ended with {done.returncode} and said:\n{done.stderr}")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [
        subprocess.CompletedProcess(list(args), *answer)
        for args, answer in zip(commands, answers, strict=True)
    ]


class Daemon:
    """A command that runs on. Leaving the block ends it; `output` is all it has said."""

    def __init__(self, *args: str, env: Mapping[str, str], prefix: tuple[str, ...] = ()) -> None:
        self._output = TemporaryFile()  # noqa: SIM115 -- closed on leaving
        self._process = subprocess.Popen(
            [*prefix, *COMMAND, *args],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def output(self) -> str:
        """What it has said so far, on both streams."""
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), size, 0).decode("utf-8", "replace")

    async def said(self, pattern: str, within: float = 30.0) -> re.Match[str]:
        """Wait until its output matches; fails at once when it has ended without."""

        def found() -> re.Match[str] | None:
            ended = self._process.poll() is not None
            match = re.search(pattern, self.output)
            if match is None and ended:
                raise RuntimeError(f"it ended with {self._process.returncode} and said:\n{self.output}")
            return match

        match = await eventually(found, within, describe=f"{pattern!r} in the output")
        assert isinstance(match, re.Match)
        return match

    def send(self, number: Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a crash would: now, without a word."""
        self._process.kill()
        self._process.wait()

    async def ended(self, within: float = 30.0) -> int:
        """Wait for its end; its exit status."""
        await eventually(lambda: self._process.poll() is not None, within, describe="the end of the command")
        assert self._process.returncode is not None
        return self._process.returncode

    async def stop(self, number: Signals = SIGTERM) -> int:
        """Ask it to end, as a service manager does; its exit status."""
        self.send(number)
        return await self.ended()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.kill()
        if error is not None:
            sys.stderr.write(self.output)
        self._output.close()
