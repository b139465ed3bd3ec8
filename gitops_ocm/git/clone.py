"""A person's clone, to commit a change to it in their name: on the branch that is checked out, or another.

    clone = Clone.at(Path("fleet"))
    commit = clone.commit(files, "Accept cluster1", body="", branch="review", now=now)

On the checked-out branch files, index and branch change together, as `git commit` does it, and nothing that
was not committed before is touched or taken along. Another branch is written without a checkout (`writer`).
Hooks do not run. `working_copy` is for the demo, `source` and `writer` are the daemon's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from gitops_ocm.desired.tree import Tree, edited, memory_tree
from gitops_ocm.git import refs
from gitops_ocm.git.command import Git, Result
from gitops_ocm.git.errors import GitError, RefNotFound, RepositoryNotFound
from gitops_ocm.git.source import Repository, common_dir, open_repository
from gitops_ocm.git.writer import Author, BranchWriter, Files

_IDENTITY = re.compile(r"(?P<name>.+) <(?P<email>[^>]*)> \d+ [+-]\d{4}")
_PLAIN = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_./-]{0,200}")
"""Names of branches, tags and commits, without the words of `gitrevisions`."""
_OWN_NAME = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "EMAIL")


class NoIdentity(GitError):
    """Git does not know in whose name to commit."""

    code = "git-identity"
    default_hint = "git config --global user.name NAME; git config --global user.email ADDRESS"


class NotCommitted(GitError):
    """A file that is to change has changes that nobody committed."""

    code = "git-dirty"
    default_hint = "commit or revert them first, or name a branch: --commit=BRANCH"


class Authored(NamedTuple):
    """A commit as people speak of it."""

    id: str
    parents: tuple[str, ...]
    author: str
    at: datetime
    subject: str


class Told(NamedTuple):
    """A commit of a status branch: when it was made, and which commit of desired state was in force."""

    commit: str
    seconds: int
    source: str


class FileChange(NamedTuple):
    """A file that a commit changed: its blobs before and after, `""` where there is none."""

    path: str
    before: str
    after: str


class Reported(NamedTuple):
    """A commit of a status branch, as `Told`, and the files it changed."""

    commit: str
    seconds: int
    source: str
    files: tuple[FileChange, ...]


class Clone:
    """A repository with a work tree; see the module."""

    def __init__(self, root: Path, prefix: str, git_dir: Path | None = None) -> None:
        self.root = root
        self.prefix = prefix
        """The folder that was named, below the root; `""` for the root."""
        self._git = Git(git_dir)
        self._repository: Repository = open_repository(str(root), root, git_dir=git_dir)

    @classmethod
    def at(cls, folder: Path) -> Clone:
        """The clone that a folder is in."""
        if not folder.is_dir():
            raise RepositoryNotFound(f"there is no folder {folder}", hint="give --repo DIR, a clone")
        found = about(folder, "--show-toplevel", "--show-prefix", "--absolute-git-dir")
        if found.code != 0:
            raise _no_clone(folder, found.err)
        root, _, more = found.text.partition("\n")
        prefix, _, git_dir = more.partition("\n")
        usual = git_dir == f"{root}/.git"
        return cls(Path(root), prefix.strip("/"), Path(git_dir) if usual else None)

    def close(self) -> None:
        """End the process that reads objects."""
        self._repository.close()

    @property
    def git_dir(self) -> Path:
        """Where its objects are; linked worktrees share it."""
        assert self._repository.git.git_dir is not None
        return common_dir(self._repository.git.git_dir)

    @property
    def branch(self) -> str:
        """The branch that is checked out, `""` where none is."""
        return self._run("symbolic-ref", "--quiet", "--short", "HEAD", check=False)

    def tip(self, branch: str) -> str:
        """A branch's commit; that of the checked-out one where there is no such branch yet; or `""`."""
        for name in (refs.branch(branch), "HEAD"):
            found = self._run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", check=False)
            if found:
                return found
        return ""

    def tree(self, branch: str) -> Tree:
        """The files a commit on the branch would be made upon."""
        tip = self.tip(branch)
        return self._repository.tree(tip) if tip else memory_tree({})

    def resolve(self, revision: str) -> str:
        """The commit that a revision names (a branch here or at a remote, a tag, `HEAD~2`)."""
        if revision.startswith("-"):
            raise RefNotFound(f"{revision!r} is no revision", hint="name a commit: main, HEAD~2, 1a2b3c4")
        for name in (revision, f"origin/{revision}"):
            if found := self._named(name):
                return found
        raise RefNotFound(f"{revision} names no commit of {self.root}", hint="git log --oneline --all")

    def newest(self, branch: str) -> str:
        """The commit of a branch here; the remote's where that goes on from it: it was not pulled."""
        here = self.resolve(branch)
        there = self._named(f"refs/remotes/origin/{branch}")
        return there if there and self.fork_point(here, there) == here else here

    def _named(self, revision: str) -> str:
        """The commit that a revision names, or `""`; a plain name costs no process of its own."""
        if _PLAIN.fullmatch(revision):
            return self._repository.named(revision)
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        found = self._run(*asked, check=False)
        return found if refs.is_commit(found) else ""  # What is not to be in a range is named `^ID`.

    @property
    def is_shallow(self) -> bool:
        """Whether history was cut off when this was cloned."""
        return self._run("rev-parse", "--is-shallow-repository") == "true"

    @property
    def default_branch(self) -> str:
        """The branch at the remote that others begin at (`origin/main`), as the clone was told; or `""`."""
        return self._run("rev-parse", "--abbrev-ref", "--verify", "--quiet", "origin/HEAD", check=False)

    def fork_point(self, one: str, other: str) -> str:
        """The newest commit that both histories have; `""` where there is none."""
        return one if one == other else self._run("merge-base", one, other, check=False)

    def tree_at(self, commit: str, *, apart: bool = False) -> Tree:
        """A commit's files; `apart`: of a branch that has nothing in common with others."""
        return self._repository.tree(commit, apart=apart)

    def committed_at(self, commit: str) -> datetime:
        """When a commit was made."""
        return self._repository.commit_info(commit).committer.when.astimezone(UTC)

    def history(self, commit: str, path: str) -> Iterator[Authored]:
        """The commits up to this one that changed a file, newest first, as `git log` finds them."""
        form = "%H%x1f%P%x1f%an <%ae>%x1f%aI%x1f%s"
        for line in self._run("log", f"--format={form}", commit, "--", path).splitlines():
            found, parents, author, at, subject = line.split("\x1f", 4)
            yield Authored(found, tuple(parents.split()), author, datetime.fromisoformat(at), subject)

    def changed_paths(self, before: str, after: str) -> frozenset[str]:
        """The files that differ between two commits."""
        return self._repository.changed_paths(before, after)

    def trailers(self, key: str, base: str, head: str) -> tuple[tuple[str, str], ...]:
        """(commit, value) of each trailer `key` of commits that only `head` has, newest first."""
        return self._repository.trailers(key, base, head)

    def told(self, tip: str) -> tuple[Told, ...]:
        """The commits that lead to one of a status branch, oldest first, and what they answer."""
        form = "--format=%H %ct %(trailers:key=Source-Commit,valueonly,separator=%x2C)"
        lines = self._run("log", "--reverse", "--first-parent", form, "--end-of-options", tip).splitlines()
        found = (line.split(" ") for line in lines)
        return tuple(Told(commit, int(seconds), source) for commit, seconds, source in found)

    def reported(self, tip: str, *paths: str, since: str = "") -> tuple[Reported, ...]:
        """The commits that lead to one of a status branch and changed such files, newest first.

        `since` is a commit that they come after. Where the history was cut off, nobody knows what changed.
        """
        form = "--format=commit %H %ct %(trailers:key=Source-Commit,valueonly,separator=%x2C)"
        revisions = (tip, f"^{since}") if since else (tip,)
        how = ("--first-parent", "--no-renames", "--raw", "--no-abbrev", "--end-of-options")
        text = self._run("-c", "core.quotePath=off", "log", form, *how, *revisions, "--", *paths)
        cut = frozenset((self.git_dir / "shallow").read_text().split()) if self.is_shallow else frozenset()
        found = (_reported(record) for record in f"\n{text}".split("\ncommit ")[1:])
        return tuple(one for one in found if one.commit not in cut)

    def authored(self, revisions: str, *, most: int = -1) -> tuple[Authored, ...]:
        """The commits of `git log REVISIONS`, newest first; none where one is not here (any more)."""
        form = "--format=%H%x1f%P%x1f%an%x1f%cI%x1f%s"
        found = []
        text = self._run("log", form, f"-n{most}", "--end-of-options", revisions, "--", check=False)
        for line in filter(None, text.split("\n")):
            commit, parents, author, at, subject = line.split("\x1f", 4)
            found.append(
                Authored(commit, tuple(parents.split()), author, datetime.fromisoformat(at), subject)
            )
        return tuple(found)

    def files_of(self, commit: str) -> str:
        """An id of all files of a commit: the same for two that hold the same."""
        return self._run("rev-parse", "--verify", "--quiet", f"{commit}^{{tree}}", check=False)

    def work_tree(self) -> Tree:
        """The files as they are on disk: what is committed, changed and new, but nothing that is ignored.

        They are no commit's: the tree names none.
        """
        head = self._named("HEAD")
        since = ("diff", "--name-only", "--no-renames", "HEAD") if head else ("ls-files", "--cached")
        changed = self._run(*since, "-z")
        new = self._run("ls-files", "--others", "--exclude-standard", "-z")
        paths = sorted({path for path in (changed + new).split("\0") if path})
        files = {path: _content(self.root / path) for path in paths}
        return replace(edited(self._repository.tree(head) if head else memory_tree({}), files), commit="")

    def staged(self, index: Path | None = None) -> Tree:
        """The files that `git commit` would commit; it tells its hooks which `index` that is."""
        return self._repository.staged(index, top=self.root)

    def check_clean(self, path: str) -> None:
        """Raise `NotCommitted` where the file in the work tree is not what was committed."""
        if self._run("status", "--porcelain", "--untracked-files=all", "--", path):
            raise NotCommitted(f"{path} has changes that are not committed")

    def author(self) -> Author:
        """Whoever the person's own configuration says they are."""
        given = {name: os.environ[name] for name in _OWN_NAME if name in os.environ}
        found = self._git.run(
            "-c",
            "user.useConfigOnly=true",
            "var",
            "GIT_AUTHOR_IDENT",
            cwd=self.root,
            env={**_own_configuration(), **given},
            check=False,
        )
        match = _IDENTITY.fullmatch(found.text)
        if not match:
            raise NoIdentity("git does not know in whose name to commit")
        return Author(match["name"], match["email"])

    def commit(self, files: Files, subject: str, *, body: str, branch: str, now: datetime) -> str:
        """Commit the files on a branch, which is begun at HEAD where there is none; the commit's id."""
        if branch == self.branch:
            return self._here(files, f"{subject}\n\n{body}\n" if body else f"{subject}\n")
        return self._elsewhere(files, subject, body, branch, now)

    def _here(self, files: Files, message: str) -> str:
        author = self.author()
        identity = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", author.name), ("EMAIL", author.email))
        }
        for path in files:
            self.check_clean(path)
        for path, data in files.items():
            _put(self.root / path, data)
        self._run("add", "--all", "--", *files)
        arguments = ("--quiet", "--only", "--no-verify", f"--message={message}")
        self._run("-c", "commit.gpgSign=false", "commit", *arguments, "--", *files, env=identity)
        return self._run("rev-parse", "HEAD")

    def _elsewhere(self, files: Files, subject: str, body: str, branch: str, now: datetime) -> str:
        name, base = refs.branch(branch), self.tip(branch)
        begun = bool(base) and not self._run("rev-parse", "--verify", "--quiet", name, check=False)
        author = self.author()
        if begun:
            self._run("update-ref", name, base, "")
        git = self._repository.git
        try:
            made = BranchWriter(git, branch, author=author).commit(files, subject, now=now, body=body)
        except GitError:
            if begun:
                self._run("update-ref", "-d", name, base)
            raise
        return made.commit if made else base

    def _run(self, *args: str, env: Mapping[str, str] | None = None, check: bool = True) -> str:
        result = self._git.run(*args, cwd=self.root, env=env, check=check)
        return result.text if result.code == 0 else ""


def about(folder: Path, *asked: str) -> Result:
    """What git says of the repository that a folder is in. Another user's is looked at where the person's own
    configuration trusts it (`safe.directory`).
    """
    found = Git(None).run("rev-parse", *asked, cwd=folder.resolve(), check=False)
    if found.code != 0 and "dubious ownership" in found.err:
        own = _own_configuration()
        found = Git(None).run("rev-parse", *asked, cwd=folder.resolve(), env=own, check=False)
    return found


def _own_configuration() -> dict[str, str]:
    """What leads git to the person's own configuration, which is not looked at otherwise."""
    home = os.environ.get("HOME", os.devnull)
    own = Path(home) / ".gitconfig"
    other = Path(os.environ.get("XDG_CONFIG_HOME") or Path(home) / ".config") / "git" / "config"
    config = os.environ.get("GIT_CONFIG_GLOBAL") or str(own if own.exists() else other)
    return {"GIT_CONFIG_GLOBAL": config, "HOME": home}


def _no_clone(folder: Path, said: str) -> RepositoryNotFound:
    """Why git finds no work tree at a folder, by what it said."""
    if "dubious ownership" in said:
        return RepositoryNotFound(
            f"the clone at {folder} belongs to another user",
            hint=f"if it is to be trusted: git config --global --add safe.directory {folder.resolve()}",
        )
    if "in a work tree" in said:
        return RepositoryNotFound(
            f"{folder} is a bare repository: it has no files on disk to work with",
            hint=f"work in a clone of it: git clone {folder.resolve()}",
        )
    return RepositoryNotFound(
        f"{folder} is not in a clone of a Git repository",
        hint="give --repo DIR, a clone of the fleet's repository; `gitops-ocm repo init` starts one",
    )


def _reported(record: str) -> Reported:
    head, _, rest = record.partition("\n")
    commit, seconds, *source = head.split(" ")
    files = []
    for line in filter(None, rest.split("\n")):
        facts, _, path = line.partition("\t")
        _, _, before, after, _ = facts.split(" ")
        files.append(FileChange(path, before if before.strip("0") else "", after if after.strip("0") else ""))
    return Reported(commit, int(seconds), "".join(source), tuple(files))


def _content(path: Path) -> bytes | None:
    """What a file holds; None where there is none, or a link or a folder in its place."""
    return path.read_bytes() if path.is_file() and not path.is_symlink() else None


def _put(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
