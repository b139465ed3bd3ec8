"""The one place that starts `git`.

Every command is an argument list (never a shell), runs in its own process group with a time and an
output limit, and sees an environment and configuration made here: nothing is inherited that could
make git run another program, read another repository, ask a question or answer in another language.
GitPython starts the process; nothing above its `Git.execute` is used, because its conveniences have
been the way in for option injection before.

Neighbours: `source` (reading) and `writer` (committing) say which commands; `errors` says what a
failure means.
"""

from __future__ import annotations

import base64
import contextlib
import os
import selectors
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from gitops_ocm.git.address import Address, Transport, masked
from gitops_ocm.git.errors import GitMissing, GitTimeout, Interrupted, TooLarge, from_stderr

INHERITED = frozenset(
    {"PATH", "TMPDIR", "LD_LIBRARY_PATH", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR"}
    | {name for proxy in ("https_proxy", "no_proxy", "all_proxy") for name in (proxy, proxy.upper())}
)
"""What git may see of our own environment."""

_NOT_FOUND = 127
"""What `env` exits with when there is no such program."""

_CONFIG: Mapping[str, str] = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.attributesFile": os.devnull,
    "core.excludesFile": os.devnull,
    "core.symlinks": "false",
    "core.quotePath": "false",
    "core.alternateRefsCommand": "false",
    "credential.helper": "",
    "credential.interactive": "false",
    "advice.detachedHead": "false",
    "fetch.fsckObjects": "true",
    "fetch.recurseSubmodules": "false",
    "fetch.unpackLimit": "1",
    "fetch.writeCommitGraph": "false",
    "gc.auto": "0",
    "http.followRedirects": "initial",
    "init.defaultBranch": "main",
    "maintenance.auto": "false",
    "protocol.version": "2",
    "push.recurseSubmodules": "no",
    "receive.fsckObjects": "true",
    "submodule.recurse": "false",
    "transfer.fsckObjects": "true",
    "transfer.bundleURI": "false",
}
"""Overrides that win over the repository's own configuration."""


@dataclass(frozen=True)
class Credentials:
    """What opens a remote: a password or token over https, a key over ssh, a CA of one's own."""

    username: str = ""
    password: str = field(default="", repr=False)
    ssh_key: Path | None = None
    known_hosts: Path | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a git command answered."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """Standard output as text, without the last line's end."""
        return self.out.decode("utf-8", "surrogateescape").rstrip("\n")


class Git:
    """git on one repository (`git_dir`), allowed to talk to one address at most."""

    def __init__(
        self,
        git_dir: Path | None,
        *,
        address: Address | None = None,
        credentials: Credentials | None = None,
        timeout: float = 60,
        max_output: int = 256 * 2**20,
        interrupted: threading.Event | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`interrupted`, once set, ends what runs and lets nothing begin: see `interrupt`.

        `environment` has what git itself told a hook that has to be passed on (`source.QUARANTINE`).
        """
        self.git_dir = git_dir
        self._given = dict(environment or {})
        self._interrupted = interrupted or threading.Event()
        self.address = address
        self._credentials = credentials or Credentials()
        self._timeout = timeout
        self._max_output = max_output

    @property
    def place(self) -> str:
        """What an error calls the repository: the remote's address, else the directory."""
        return str(self.address or self.git_dir or "this machine")

    def run(
        self,
        *args: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        check: bool = True,
        timeout: float | None = None,
        watch: Callable[[], None] | None = None,
    ) -> Result:
        """Run a command to its end. `check` raises a `GitError` when git says no.

        `watch` is called a few times a second and may raise to stop the command (size limits).
        """
        process = self.spawn(*args, env=env, cwd=cwd)
        talk = _Talk(process, stdin, self._max_output)

        def look() -> None:
            self._check()
            if watch is not None:
                watch()

        try:
            talk.until(time.monotonic() + (timeout or self._timeout), look)
        except TimeoutError:
            raise GitTimeout(
                f"git {args[0]} on {self.place} took longer than {timeout or self._timeout:g} s"
            ) from None
        finally:
            end(process)
        result = Result(process.returncode, bytes(talk.out), masked(talk.err.decode("utf-8", "replace")))
        if result.code == _NOT_FOUND and result.err.startswith("env:"):
            raise GitMissing("there is no git program on PATH")
        if check and result.code != 0:
            raise from_stderr(args[0], result.err or result.text[-300:], place=self.place)
        return result

    def spawn(
        self, *args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a command with three pipes; the caller must `end` it."""
        self._check()
        try:
            import git  # Costs 0.1 s, which a command that never touches Git need not pay.
        except ImportError as error:  # It looks for the program when imported.
            raise GitMissing("there is no git program on PATH") from error

        given = {**self._environment(), **(env or {})}
        # GitPython only adds to our environment: what git must not see is taken away by `env`, which
        # would take away our own settings of the same names too.
        dropped = [name for name in os.environ if name not in INHERITED and name not in given]
        command = ["env", *(part for name in dropped for part in ("-u", name)), "git", *args]
        try:
            started = git.cmd.Git(cwd or self.git_dir).execute(
                command,
                env=given,
                istream=subprocess.PIPE,
                as_process=True,
                shell=False,
                start_new_session=True,
            )
        except git.exc.GitCommandNotFound as error:
            raise GitMissing("cannot start git") from error
        # GitPython's wrapper would end the process with a signal when collected; `end` does better.
        process = cast("subprocess.Popen[bytes]", started.proc)
        started.proc = None
        return process

    def interrupt(self) -> None:
        """End the command under way, in whatever thread, within a fraction of a second; start no other."""
        self._interrupted.set()

    def _check(self) -> None:
        if self._interrupted.is_set():
            raise Interrupted(f"git on {self.place} was ended: the program is about to stop")

    def _environment(self) -> dict[str, str]:
        """The variables set for every command; those with secrets live only here."""
        config = dict(_CONFIG)
        protocols = [self.address.transport.value] if self.address else ["none"]
        env = {
            "LC_ALL": "C",
            "LANGUAGE": "C",
            "HOME": os.devnull,
            "XDG_CONFIG_HOME": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_ALLOW_PROTOCOL": ":".join(protocols),
            "GIT_PROTOCOL_FROM_USER": "0",
        }
        if self.git_dir is not None:
            env["GIT_DIR"] = str(self.git_dir)
        if self.address is not None:
            env |= self._ssh()
            config |= self._https(self.address)
        env |= self._given
        env["GIT_CONFIG_COUNT"] = str(len(config))
        for index, (key, value) in enumerate(config.items()):
            env[f"GIT_CONFIG_KEY_{index}"], env[f"GIT_CONFIG_VALUE_{index}"] = key, value
        return env

    def _ssh(self) -> dict[str, str]:
        given = self._credentials
        options = ["BatchMode=yes", "StrictHostKeyChecking=yes", "ConnectTimeout=15", "ForwardAgent=no"]
        if given.known_hosts:
            options.append(f"UserKnownHostsFile={given.known_hosts}")
        command = ["ssh", *(part for option in options for part in ("-o", option))]
        if given.ssh_key:
            command += ["-o", "IdentitiesOnly=yes", "-i", str(given.ssh_key)]
        return {"GIT_SSH_COMMAND": shlex.join(command), "GIT_SSH_VARIANT": "ssh"}

    def _https(self, address: Address) -> dict[str, str]:
        if address.transport is not Transport.HTTPS:
            return {}
        given, config = self._credentials, {"http.lowSpeedLimit": "100", "http.lowSpeedTime": "30"}
        password = given.password or address.password
        username = given.username or address.username
        if password or username:
            pair = base64.b64encode(f"{username or 'git'}:{password}".encode()).decode()
            # Scoped to the URL, so a redirect to another host does not carry it along.
            config[f"http.{address.url}.extraHeader"] = f"Authorization: Basic {pair}"
        if given.ca_file:
            config["http.sslCAInfo"] = str(given.ca_file)
        return config


def end(process: subprocess.Popen[bytes], *, grace: float = 2.0) -> None:
    """End a process and all it started, and close its pipes; does nothing to one that has ended."""
    if process.poll() is None:
        for sign, wait in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
            try:
                os.killpg(process.pid, sign)
                process.wait(wait)
                break
            except ProcessLookupError:
                process.wait()
                break
            except subprocess.TimeoutExpired:
                continue
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            _close(pipe)


def _close(pipe: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError):
        pipe.close()


class _Talk:
    """Feeds a process its input and collects both outputs without blocking on any of the three."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: bytes, max_output: int) -> None:
        self.out, self.err = bytearray(), bytearray()
        self._process, self._max = process, max_output
        self._rest = memoryview(stdin)
        self._selector = selectors.DefaultSelector()
        for pipe, into in ((process.stdout, self.out), (process.stderr, self.err)):
            assert pipe is not None
            self._selector.register(pipe, selectors.EVENT_READ, into)
        assert process.stdin is not None
        if stdin:
            os.set_blocking(process.stdin.fileno(), False)
            self._selector.register(process.stdin, selectors.EVENT_WRITE)
        else:
            process.stdin.close()

    def until(self, deadline: float, watch: Callable[[], None]) -> None:
        with self._selector:
            while self._selector.get_map():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                for key, _ in self._selector.select(min(left, 0.25)):
                    self._step(key)
                watch()
        try:
            self._process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise TimeoutError from None

    def _step(self, key: selectors.SelectorKey) -> None:
        pipe = cast("IO[bytes]", key.fileobj)
        if key.data is None:
            self._feed(pipe)
            return
        chunk = os.read(key.fd, 1 << 16)
        into = cast("bytearray", key.data)
        into += chunk
        if len(into) > self._max:
            raise TooLarge(f"git answered more than {self._max} bytes")
        if not chunk:
            self._selector.unregister(pipe)

    def _feed(self, pipe: IO[Any]) -> None:
        try:
            self._rest = self._rest[os.write(pipe.fileno(), self._rest[: 1 << 16]) :]
        except BrokenPipeError:
            self._rest = self._rest[:0]
        if not self._rest:
            self._selector.unregister(pipe)
            _close(pipe)
