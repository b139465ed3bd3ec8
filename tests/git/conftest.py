"""Repositories to read from, made with git's own commands."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest


class Repo:
    """A repository that tests write to directly, without any of our code."""

    def __init__(self, path: Path, *, bare: bool = True, object_format: str = "sha1") -> None:
        self.path = path
        self.git_dir = path if bare else path / ".git"
        self._env = {
            "PATH": os.environ["PATH"],
            "HOME": str(path.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_AUTHOR_DATE": "1700000000 +0200",
            "GIT_COMMITTER_NAME": "C",
            "GIT_COMMITTER_EMAIL": "c@example.com",
            "GIT_COMMITTER_DATE": "1700000000 -0330",
        }
        path.mkdir(parents=True)
        self("init", "-q", "-b", "main", f"--object-format={object_format}", *(["--bare"] if bare else []))

    def __call__(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Run git here and return what it prints."""
        done = subprocess.run(
            ["git", *args],
            cwd=self.path,
            input=stdin,
            capture_output=True,
            check=True,
            env=self._env | dict(env or {}),
        )
        return done.stdout.decode().strip()

    def blob(self, data: str | bytes) -> str:
        """Write a blob."""
        return self("hash-object", "-w", "--stdin", stdin=data.encode() if isinstance(data, str) else data)

    def tree(self, rows: list[tuple[str, str, str]]) -> str:
        """Write a tree of (mode, id, name) rows without any check of git's."""
        raw = b"".join(
            f"{mode} ".encode() + name.encode("utf-8", "surrogateescape") + b"\0" + bytes.fromhex(oid)
            for mode, oid, name in rows
        )
        return self("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=raw)

    def commit(
        self,
        files: Mapping[str, str | bytes],
        *,
        branch: str = "main",
        message: str = "c",
        parent: str | None = "",
    ) -> str:
        """Commit exactly these files (`parent` None: no history; "": the branch's commit)."""
        if parent == "":
            parent = self._tip(branch)
        ref = f"refs/heads/{branch}".encode()
        stream = [
            b"reset %s\n\ncommit %s\nmark :1\n" % (ref, ref),
            b"author A <a@example.com> 1700000000 +0200\n",
            b"committer C <c@example.com> 1700000000 -0330\n",
            _data(message),
            b"from %s\n" % parent.encode() if parent else b"",
            b"deleteall\n",
        ]
        for path, data in files.items():
            quoted = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            stream += [f'M 100644 inline "{quoted}"\n'.encode(), _data(data)]
        stream.append(b"get-mark :1\n")
        # One process for a commit, whatever its size: hundreds of tests make thousands of files.
        return self("fast-import", "--quiet", "--force", "--date-format=raw", stdin=b"".join(stream))

    def _tip(self, branch: str) -> str | None:
        return self("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}") or None

    def commit_tree(
        self, tree: str, *, branch: str = "main", message: str = "c", parent: str | None = ""
    ) -> str:
        """Commit a tree to a branch."""
        if parent == "":
            parent = self._tip(branch)
        args = ["-p", parent] if parent else []
        sha = self("commit-tree", tree, *args, stdin=message.encode())
        self("update-ref", f"refs/heads/{branch}", sha)
        return sha


def _data(content: str | bytes) -> bytes:
    """Content as `git fast-import` reads it."""
    raw = content.encode() if isinstance(content, str) else content
    return b"data %d\n%s\n" % (len(raw), raw)


@pytest.fixture
def make_repo(tmp_path: Path) -> Callable[..., Repo]:
    """Makes repositories by name in the test's own folder."""

    def make(name: str = "fleet.git", **options: object) -> Repo:
        return Repo(tmp_path / name, **options)  # type: ignore[arg-type]

    return make
