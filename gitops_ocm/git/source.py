"""Git as a source: where a ref points, and a commit's files, without a checkout.

    repository = open_repository("https://git.example.com/fleet.git", cache_dir)
    fetched = repository.fetch(refs.branch("main"))
    tree = repository.tree(fetched.new)

A remote is fetched into a bare mirror in the cache directory; a repository on this machine is read
in place. Everything blocks, for seconds if the network is slow: call it from a worker thread.
Committing is `writer`'s; noticing that a ref moved is `triggers`'s.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitops_ocm.desired.tree import SUBMODULE, Entry, Tree
from gitops_ocm.git import refs
from gitops_ocm.git.address import Address, Transport, parse
from gitops_ocm.git.command import Credentials, Git
from gitops_ocm.git.commits import CommitInfo, parse_commit
from gitops_ocm.git.errors import CorruptRepository, GitError, RefNotFound, RepositoryNotFound
from gitops_ocm.git.mirror import Limits, Mirror
from gitops_ocm.git.objects import ObjectReader
from gitops_ocm.git.trailers import trailers_between

QUARANTINE = ("GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")
"""Where git tells a `pre-receive` hook that the pushed objects are until it has agreed."""


@dataclass(frozen=True)
class Fetched:
    """What a fetch found: the ref's commit before ("" the first time) and now.

    `forced` says that history was rewritten: `old` is not among the ancestors of `new`.
    """

    ref: str
    old: str
    new: str
    forced: bool = False

    @property
    def moved(self) -> bool:
        """Whether there is anything new."""
        return self.old != self.new


def open_repository(
    url: str,
    cache_dir: Path,
    *,
    credentials: Credentials | None = None,
    limits: Limits | None = None,
    environment: Mapping[str, str] | None = None,
    git_dir: Path | None = None,
) -> Repository:
    """The repository at a URL or local path. Contacts nobody: the first `fetch` does.

    `environment` is for one on this machine: what git told a hook (`QUARANTINE`); so is `git_dir`, where
    git was asked for that already.
    """
    limits = limits or Limits()
    address = parse(url)
    if address.transport is Transport.FILE:
        found = git_dir or _local_git_dir(address)
        return Repository(address, Git(found, environment=environment), None, limits)
    mirror = Mirror(address, cache_dir, credentials, limits)
    return Repository(address, mirror.git, mirror, limits)


class Repository:
    """One repository to read from; see `open_repository`. Safe to use from several threads."""

    def __init__(self, address: Address, git: Git, mirror: Mirror | None, limits: Limits) -> None:
        self.address = address
        self.git = git
        self._mirror = mirror
        self._objects = ObjectReader(git, max_object=limits.object_bytes)
        self._lock = threading.Lock()
        self._seen: dict[str, str] = {}
        self._latest: Tree | None = None
        self._packed: tuple[int, int, int] | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is read in place, so that a commit made by anyone is here at once."""
        return self._mirror is None

    def prepare(self) -> None:
        """Make sure there is a repository here to commit in, before anything was fetched."""
        if self._mirror is not None:
            with self._lock, self._mirror.locked():
                self._mirror.prepare()

    def fetch(self, ref: str) -> Fetched:
        """Bring a ref (`refs.branch("main")`) or a commit up to date and say how it moved."""
        refs.checked(ref)
        with self._lock:
            if self._mirror is None:
                old, new = self._seen.get(ref, ""), self.resolve(ref)
            else:
                with self._mirror.locked():
                    old = self._remembered(ref) if self._mirror.is_whole else ""
                    if not (refs.is_commit(ref) and old):
                        self._bring(self._mirror, ref)
                    new = self.resolve(ref)
            self._seen[ref] = new
        forced = bool(old) and old != new and not self.is_ancestor(old, new)
        return Fetched(ref, old, new, forced)

    def fetch_matching(self, pattern: str) -> Mapping[str, str]:
        """Bring every ref under `refs/heads/agents/*` up to date; ref → commit, gone ones dropped."""
        refs.checked_pattern(pattern)
        if self._mirror is not None:
            with self._lock, self._mirror.locked():
                self._mirror.fetch([f"+{pattern}:{pattern}"])
                self._prune(self._mirror, pattern)
        return self.list_refs(pattern)

    def list_refs(self, pattern: str) -> Mapping[str, str]:
        """The refs under a prefix (`refs/heads/agents/*`) as they are here, without fetching."""
        prefix = refs.checked_pattern(pattern).removesuffix("*")
        out = self.git.run("for-each-ref", "--format=%(objectname) %(refname)", prefix.rstrip("/")).text
        found = (line.split(" ", 1) for line in out.splitlines())
        return {name: sha for sha, name in found}

    def resolve(self, ref: str) -> str:
        """The commit a ref points at here (fetch first to know what the remote has)."""
        sha = self._find(refs.checked(ref))
        if not sha:
            hint = self._what_there_is() if self.is_local else ""
            raise RefNotFound(f"{refs.short(ref)} is not in {self.address}", hint=hint)
        return sha

    def named(self, name: str) -> str:
        """The commit that a name stands for here, as git looks names up; `""` where there is none."""
        return self._find(name)

    def tree(self, sha: str, *, apart: bool = False) -> Tree:
        """A commit's files. Costs one listing, or only the difference to the commit asked before.

        One of a branch that has nothing in common with others is listed `apart`: these go on as before.
        """
        refs.commit(sha)
        if apart:
            return Tree(sha, self._listed(sha), self._objects)
        with self._lock:
            known = self._latest
            if known is None or known.commit != sha:
                entries = self._changed(known, sha) if known else self._listed(sha)
                self._latest = known = Tree(sha, entries, self._objects)
        return known

    def staged(self, index: Path | None, *, top: Path) -> Tree:
        """The files that a commit made now would have: those of the index, or of this other index."""
        env = {"GIT_WORK_TREE": str(top)} | ({"GIT_INDEX_FILE": str(index)} if index else {})
        out = self.git.run("ls-files", "--stage", "-z", "--full-name", env=env, cwd=top).out
        found = []
        for record in out.decode("utf-8", "surrogateescape").split("\0")[:-1]:
            head, _, path = record.partition("\t")
            mode, blob, stage = head.split()
            if stage == "0":  # Others are of a merge that is not resolved: git will not commit that.
                found.append((path, mode, blob))
        headers = self._objects.find_all([blob for _, _, blob in found])
        sizes = [header.size if header else 0 for header in headers]
        entries = {
            path: Entry(blob, mode, 0 if mode == SUBMODULE else size)
            for (path, mode, blob), size in zip(found, sizes, strict=True)
        }
        return Tree("", entries, self._objects)

    def changed_paths(self, before: str, after: str) -> frozenset[str]:
        """The paths that differ between two commits."""
        return frozenset(path for path, _, _ in self._difference(refs.commit(before), refs.commit(after)))

    def commit_info(self, sha: str) -> CommitInfo:
        """A commit's message, people and parents."""
        return parse_commit(sha, self._objects.read(refs.commit(sha)))

    def trailers(self, key: str, base: str, head: str) -> tuple[tuple[str, str], ...]:
        """(commit, value) of each trailer `key` of commits that only `head` has, newest first."""
        return tuple(trailers_between(self.git, key, base, head))

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `descendant` contains `ancestor`; no, where either is not here (any more)."""
        args = ("merge-base", "--is-ancestor", refs.commit(ancestor), refs.commit(descendant))
        return self.git.run(*args, check=False).code == 0

    def interrupt(self) -> None:
        """End what is under way in other threads, for good: they and all later calls raise `Interrupted`."""
        self.git.interrupt()

    def close(self) -> None:
        """End the helper process. Usable afterwards; it starts another."""
        self._objects.close()

    def _what_there_is(self) -> str:
        names = [refs.short(name) for name in self.list_refs("refs/heads/*")]
        if not names:
            return "the repository has no commits yet: commit, or push, to it"
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        found = ", ".join(names[:5]) + more
        return f"it has {found}; push the branch again, or follow another: what is applied stays"

    def _find(self, ref: str) -> str:
        self._see_packed_refs()
        header = self._objects.find(f"{ref}^{{commit}}")
        return header.id if header else ""

    def _see_packed_refs(self) -> None:
        """Have another process read `packed-refs` when it changed: git compares whole seconds, and one that
        was rewritten within the second would go on telling where the refs were before."""
        assert self.git.git_dir is not None
        try:
            found = (common_dir(self.git.git_dir) / "packed-refs").stat()
            seen = (found.st_mtime_ns, found.st_ino, found.st_size)
        except OSError:
            seen = None
        if seen != self._packed:
            self._packed = seen
            self._objects.close()

    def _remembered(self, ref: str) -> str:
        """Where the ref was at the last fetch; "" where the cache cannot tell."""
        try:
            return self._find(ref)
        except GitError:
            return ""

    def _bring(self, mirror: Mirror, ref: str) -> None:
        try:
            if not refs.is_commit(ref):
                mirror.fetch([f"+{ref}:{ref}"])
                return
            try:
                mirror.fetch([ref])
            except RefNotFound:  # Not every server hands out a commit by its id; branches hold it.
                mirror.fetch(["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"])
        except RefNotFound as error:
            raise RefNotFound(f"{refs.short(ref)} is not in {self.address}", detail=error.detail) from None
        finally:
            self._objects.close()  # The mirror may have been made anew.

    def _prune(self, mirror: Mirror, pattern: str) -> None:
        remote = mirror.git.run("ls-remote", "--quiet", "--end-of-options", mirror.address.url, pattern).text
        kept = {line.partition("\t")[2] for line in remote.splitlines()}
        for gone in sorted(self.list_refs(pattern).keys() - kept):
            mirror.git.run("update-ref", "-d", gone)

    def _listed(self, sha: str) -> dict[str, Entry]:
        try:
            out = self.git.run("ls-tree", "-r", "-z", "-l", "--full-tree", "--end-of-options", sha).out
        except CorruptRepository:
            self._heal()
            raise
        entries = {}
        for record in out.decode("utf-8", "surrogateescape").split("\0")[:-1]:
            head, _, path = record.partition("\t")
            mode, _, blob, size = head.split()
            if size == "BAD":
                self._heal()
                raise CorruptRepository(f"{self.address} lacks the object {blob} ({path!r})")
            entries[path] = Entry(blob, mode, 0 if size == "-" else int(size))
        return entries

    def _changed(self, known: Tree, sha: str) -> dict[str, Entry]:
        try:
            changes = self._difference(known.commit, sha)
        except GitError:  # The commit before may be gone (a force-push and a repack).
            return self._listed(sha)
        entries = dict(known.entries)
        present = [(path, mode, blob) for path, mode, blob in changes if mode != "000000"]
        blobs = [blob for _, mode, blob in present if mode != SUBMODULE]
        found = dict(zip(blobs, self._objects.find_all(blobs), strict=True))
        for path, mode, _ in changes:
            if mode == "000000":
                del entries[path]
        for path, mode, blob in present:
            header = found.get(blob)
            entries[path] = Entry(blob, mode, header.size if header else 0)
        return entries

    def _difference(self, before: str, after: str) -> list[tuple[str, str, str]]:
        """(path, new mode, new blob) of what differs; the mode of what is gone is `000000`."""
        out = self.git.run(
            "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--end-of-options", before, after
        ).out
        fields = out.decode("utf-8", "surrogateescape").split("\0")[:-1]
        pairs = zip(fields[::2], fields[1::2], strict=True)
        return [(path, (parts := raw.split(" "))[1], parts[3]) for raw, path in pairs]

    def _heal(self) -> None:
        """Throw a damaged mirror away; the fetch that follows the error clones it anew."""
        if self._mirror is not None:
            self._objects.close()
            with self._mirror.locked():
                self._mirror.discard()


def common_dir(git_dir: Path) -> Path:
    """Where a linked worktree's refs are: in the repository it belongs to."""
    pointer = git_dir / "commondir"
    return (git_dir / pointer.read_text().strip()).resolve() if pointer.is_file() else git_dir


def _local_git_dir(address: Address) -> Path:
    path = address.path
    if not path.is_dir():
        raise RepositoryNotFound(f"there is no directory {path}", hint="check the path")
    found = Git(None).run("rev-parse", "--absolute-git-dir", cwd=path, check=False)
    if found.code == 0:
        git_dir = Path(found.text)
        if git_dir in (path.resolve(), path.resolve() / ".git") or (path / ".git").is_file():
            return git_dir
    if "dubious ownership" in found.err:
        raise RepositoryNotFound(
            f"{path} belongs to another user",
            hint=f"run as that user, or change the owner: chown -R $(id -u) {path}",
        )
    raise RepositoryNotFound(
        f"{path} is not a Git repository", hint="run `git init` there, or check the path"
    )
