"""A person's clone, used as a person does: files on disk, `git add`, `git commit`, `git push`.

For the demo and for tests of what a user sees. The daemon itself never needs a checkout (`source`,
`writer`). The environment is scrubbed as everywhere in this package, but the remote's hooks run:
that is what a push is for.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_ocm.git.command import INHERITED
from gitops_ocm.git.errors import GitMissing, GitTimeout, from_stderr

TIMEOUT = 60.0
_SETTINGS = ("-c", "commit.gpgSign=false", "-c", "init.defaultBranch=main", "-c", "advice.detachedHead=false")


@dataclass(frozen=True)
class Pushed:
    """A push that went through: the commit, and what the other side said (`remote:` lines)."""

    commit: str
    remote: tuple[str, ...]


class WorkingCopy:
    """A clone at `path` whose commits carry `name` and `email`."""

    def __init__(self, path: Path, *, name: str, email: str) -> None:
        self.path = path
        self._identity = {
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": email,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": email,
        }

    @classmethod
    async def create(cls, bare: Path, path: Path, *, name: str, email: str) -> WorkingCopy:
        """Make an empty bare repository at `bare` and a clone of it at `path`."""
        copy = cls(path, name=name, email=email)
        await asyncio.to_thread(lambda: path.mkdir(parents=True, exist_ok=True))
        await copy._git("init", "--quiet", "--bare", "--initial-branch=main", "--", str(bare))
        await copy._git("init", "--quiet", "--initial-branch=main")
        await copy._git("remote", "add", "origin", str(bare))
        return copy

    async def commit(self, message: str, paths: Sequence[str] = (".",)) -> str:
        """Commit what has changed under `paths`; the commit's id."""
        await self._git("add", "--all", "--", *paths)
        await self._git("commit", "--quiet", f"--message={message}")
        return await self.head()

    async def head(self) -> str:
        """The commit that is checked out."""
        return (await self._git("rev-parse", "HEAD")).strip()

    async def push(self) -> Pushed:
        """Push main to origin and wait for what the other side has to say."""
        said = await self._git("push", "--quiet", "--set-upstream", "origin", "main", errors=True)
        lines = [line.removeprefix("remote:").strip() for line in said.splitlines() if "remote:" in line]
        return Pushed(await self.head(), tuple(line for line in lines if line))

    async def revert(self) -> str:
        """Commit the opposite of the last commit."""
        await self._git("revert", "--no-edit", "HEAD")
        return await self.head()

    async def _git(self, *args: str, errors: bool = False) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                "git",
                *_SETTINGS,
                *args,
                cwd=self.path,
                env=self._environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except FileNotFoundError as error:
            raise GitMissing("cannot start git") from error
        try:
            async with asyncio.timeout(TIMEOUT):
                out, err = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise GitTimeout(f"git {args[0]} in {self.path} took longer than {TIMEOUT:g} s") from None
        said = err.decode("utf-8", "replace")
        if process.returncode != 0:
            raise from_stderr(args[0], said, place=str(self.path))
        return said if errors else out.decode("utf-8", "replace")

    def _environment(self) -> Mapping[str, str]:
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        fixed = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
        return {**kept, **fixed, **self._identity, "LC_ALL": "C.UTF-8", "HOME": str(self.path)}
