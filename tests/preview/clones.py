"""Clones of a fleet's repository on disk: `main` is checked out, `status` tells of the fleet that runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import run

from gitops_ocm.objects.ref import Object
from gitops_ocm.report.yaml_text import to_yaml
from tests.preview.fleets import repository, running, told

Content = Mapping[str, bytes | str | None]


@dataclass(frozen=True)
class Clone:
    """A person's clone, used with git as a person does."""

    path: Path

    def git(self, *args: str) -> str:
        """Any git command, in Ann's name."""
        name = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "protocol.file.allow=always")
        done = run(["git", *name, *args], cwd=self.path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def write(self, files: Content) -> None:
        """Put files on disk; None takes one away."""
        for path, content in files.items():
            target = self.path / path
            if content is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Content, subject: str = "Change") -> str:
        """Commit everything on disk, these files included; the commit."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD")


def texts(files: Mapping[str, Sequence[Object]]) -> dict[str, str]:
    """Files of objects as YAML."""
    return {path: "---\n".join(map(to_yaml, objects)) for path, objects in files.items()}


def account(files: Mapping[str, Sequence[Object]]) -> dict[str, bytes]:
    """The status branch of a fleet that runs these files."""
    tree = told(running(repository(files)))
    return {path: tree.read(path) for path in tree.entries}


def cloned(path: Path, files: Content, status: Content) -> Clone:
    """A new clone with `files` on `main` and `status` on `status`."""
    path.mkdir()
    clone = Clone(path)
    clone.git("init", "--quiet", "--initial-branch=status")
    clone.git("config", "user.name", "Ann")
    clone.git("config", "user.email", "ann@example.com")
    clone.commit(status, "Report the fleet")
    clone.git("checkout", "--quiet", "--orphan", "main")
    clone.git("rm", "-r", "--quiet", "--force", "--ignore-unmatch", ".")
    clone.commit(files, "Start")
    return clone
