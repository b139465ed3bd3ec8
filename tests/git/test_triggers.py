"""Noticing a push: by file events, by the clock, and through the post-receive hook."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
import stat
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import pytest

from gitops_ocm.git.errors import GitError, Locked
from gitops_ocm.git.hook import HookServer, RefUpdate, install_hook, parse_updates
from gitops_ocm.git.triggers import poll, watch_refs
from tests.git.conftest import Repo

pytestmark = pytest.mark.slow

MakeRepo = Callable[..., Repo]


class Woken:
    """Collects wake-ups; `next()` waits for one."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[str] = asyncio.Queue()

    def __call__(self, reason: str) -> None:
        self._queue.put_nowait(reason)

    async def next(self) -> str:
        return await asyncio.wait_for(self._queue.get(), 20)

    def drain(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()


def move_by_commit(repo: Repo) -> None:
    repo.commit({"a": "2"})


def move_by_packing(repo: Repo) -> None:
    repo("pack-refs", "--all")


def move_by_new_branch(repo: Repo) -> None:
    repo.commit({"a": "3"}, branch="agents/cluster1")


def move_head(repo: Repo) -> None:
    repo("symbolic-ref", "HEAD", "refs/heads/other")


@pytest.mark.parametrize("move", [move_by_commit, move_by_packing, move_by_new_branch, move_head])
async def test_moved_refs_wake(make_repo: MakeRepo, move: Callable[[Repo], None]) -> None:
    """However a ref moves in a repository on this machine, the sync is woken."""
    repo = make_repo()
    repo.commit({"a": "1"})
    woken = Woken()
    async with watch_refs(repo.git_dir, woken):
        await asyncio.to_thread(move, repo)
        assert await woken.next() == "refs"


async def test_a_burst_wakes_few_times(make_repo: MakeRepo) -> None:
    """Quick commits are folded into few wake-ups, and the one after the last commit is not lost."""
    repo = make_repo()
    repo.commit({"a": "1"})
    woken = Woken()
    async with watch_refs(repo.git_dir, woken, debounce=0.5):
        for number in range(5):
            await asyncio.to_thread(repo.commit, {"a": str(number)})
        await woken.next()
        woken.drain()
        await asyncio.to_thread(repo.commit, {"a": "last"})
        await woken.next()


async def test_no_more_file_watches(make_repo: MakeRepo) -> None:
    """Where the system gives no more it is an `OSError`, which can be told, and no thread is left."""
    repo = make_repo()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    threads = set(threading.enumerate())
    await asyncio.to_thread(int)  # the pool's own thread
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(OSError, match="inotify instance limit reached"):
            async with watch_refs(repo.git_dir, lambda _: None):
                pass
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    left = {thread.name for thread in set(threading.enumerate()) - threads}
    assert not {name for name in left if "asyncio" not in name}, left


async def test_poll_wakes_again_and_again() -> None:
    """Polling wakes at its interval until it is ended."""
    woken = Woken()
    task = asyncio.create_task(poll(woken, 0.01))
    assert [await woken.next() for _ in range(3)] == ["poll"] * 3
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="hook") as name:
        yield Path(name)


class Daemon:
    """Answers pushes with what it was told to say."""

    def __init__(self, *lines: str, hang: bool = False) -> None:
        self.pushes: list[Sequence[RefUpdate]] = []
        self._lines = lines
        self._hang = hang

    async def __call__(self, updates: Sequence[RefUpdate]) -> AsyncIterator[str]:
        self.pushes.append(updates)
        for line in self._lines:
            yield line
        if self._hang:
            await asyncio.Event().wait()


def push(repo: Repo, message: str = "x") -> tuple[str, str]:
    """Push a new commit from a clone, as a person does; (commit, what git printed)."""
    clone = repo.path.parent / "clone"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    if not clone.exists():
        subprocess.run([*git, "clone", "-q", str(repo.path), str(clone)], check=True, capture_output=True)
        subprocess.run(
            [*git, "-C", str(clone), "checkout", "-q", "-B", "main"], check=True, capture_output=True
        )
    subprocess.run([*git, "-C", str(clone), "commit", "-q", "--allow-empty", "-m", message], check=True)
    done = subprocess.run([*git, "-C", str(clone), "push", "origin", "main"], check=True, capture_output=True)
    sha = subprocess.run(
        [*git, "-C", str(clone), "rev-parse", "HEAD"], check=True, capture_output=True
    ).stdout
    return sha.decode().strip(), done.stderr.decode()


async def test_a_push_shows_the_daemons_answer(make_repo: MakeRepo, folder: Path) -> None:
    """The daemon learns which ref moved from where to where; its lines are the push's `remote:` lines."""
    repo = make_repo()
    before = repo.commit({"a": "1"})
    daemon = Daemon("applied 3 objects", "größe: ok")
    install_hook(repo.git_dir, folder / "hook.sock")
    async with HookServer(folder / "hook.sock", daemon):
        sha, printed = await asyncio.to_thread(push, repo)
    assert daemon.pushes == [[RefUpdate(before, sha, "refs/heads/main")]]
    assert "remote: applied 3 objects" in printed
    assert "remote: größe: ok" in printed


async def test_a_push_does_not_wait_for_ever(make_repo: MakeRepo, folder: Path) -> None:
    """A daemon that does not finish delays a push for the bounded time only, and the push succeeds."""
    repo = make_repo()
    repo.commit({"a": "1"})
    install_hook(repo.git_dir, folder / "hook.sock", wait=0.3)
    async with HookServer(folder / "hook.sock", Daemon("working", hang=True)):
        sha, printed = await asyncio.to_thread(push, repo)
    assert "remote: working" in printed
    assert "still at work" in printed
    assert repo("rev-parse", "main") == sha


def nothing(folder: Path) -> None:
    """No socket at all."""


def stale_socket(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "hook.sock"))


def plain_file(folder: Path) -> None:
    (folder / "hook.sock").write_text("")


@pytest.mark.parametrize("state", [nothing, stale_socket, plain_file])
def test_a_push_without_a_daemon_succeeds(
    make_repo: MakeRepo, folder: Path, state: Callable[[Path], None]
) -> None:
    """Without a daemon the push goes through and says that the change waits."""
    repo = make_repo()
    repo.commit({"a": "1"})
    state(folder)
    install_hook(repo.git_dir, folder / "hook.sock")
    sha, printed = push(repo)
    assert "remote: gitops-ocm: the sync is not running" in printed
    assert repo("rev-parse", "main") == sha


def test_the_hook_never_fails_a_push(make_repo: MakeRepo, folder: Path) -> None:
    """Even with its program gone the hook exits with 0."""
    repo = make_repo()
    repo.commit({"a": "1"})
    hook = install_hook(repo.git_dir, folder / "hook.sock")
    (hook.parent / "gitops-ocm-notify.py").unlink()
    sha, _ = push(repo)
    assert repo("rev-parse", "main") == sha


def test_a_foreign_hook_is_left_alone(make_repo: MakeRepo, folder: Path) -> None:
    """A post-receive hook of the user's own is not overwritten; ours is, again and again."""
    repo = make_repo()
    hook = install_hook(repo.git_dir, folder / "hook.sock")
    assert install_hook(repo.git_dir, folder / "other.sock") == hook
    assert "other.sock" in hook.read_text()
    hook.write_text("#!/bin/sh\necho mine\n")
    with pytest.raises(GitError) as caught:
        install_hook(repo.git_dir, folder / "hook.sock")
    assert "hook.sock" in caught.value.hint
    assert "mine" in hook.read_text()


def test_a_configured_hooks_folder_is_used(make_repo: MakeRepo, folder: Path) -> None:
    """Where the repository says its hooks are elsewhere, that is where ours goes."""
    repo = make_repo()
    repo("config", "core.hooksPath", "my-hooks")
    assert install_hook(repo.git_dir, folder / "hook.sock").parent == repo.git_dir / "my-hooks"


async def test_the_socket_is_its_owners(folder: Path) -> None:
    """The socket has mode 0600 from the moment it is there, and is gone afterwards."""
    path = folder / "run" / "hook.sock"
    async with HookServer(path, Daemon()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == []


async def test_a_stale_socket_is_replaced_a_living_one_is_not(folder: Path) -> None:
    """A crashed daemon's socket is taken over; a running daemon's is not."""
    stale_socket(folder)
    async with HookServer(folder / "hook.sock", Daemon()):
        with pytest.raises(Locked):
            async with HookServer(folder / "hook.sock", Daemon()):
                pass


async def test_a_path_too_long_for_a_socket_is_said(folder: Path) -> None:
    """Operating systems cut socket paths at about 100 bytes; ours says so in words."""
    with pytest.raises(GitError, match="too long"):
        async with HookServer(folder / ("x" * 120), Daemon()):
            pass


@pytest.mark.parametrize(
    "request_bytes", [b"", b"\n\n", b"x" * 200_000, b"\xff\xfe", b"a b c\n", b"0 1 refs/heads/x\n"]
)
async def test_nonsense_is_not_answered(folder: Path, request_bytes: bytes) -> None:
    """What is no ref update never reaches the daemon, however long it is, and the next push works."""
    daemon = Daemon("hello")
    async with HookServer(folder / "hook.sock", daemon):
        for sent, expected in (
            (request_bytes, b""),
            (f"{'0' * 40} {'1' * 40} refs/heads/x\n".encode(), b"hello\n"),
        ):
            reader, writer = await asyncio.open_unix_connection(str(folder / "hook.sock"))
            try:
                writer.write(sent)
                writer.write_eof()
                assert await reader.read() == expected
            except ConnectionError:
                assert not expected
            finally:
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()
    assert len(daemon.pushes) == 1


@pytest.mark.parametrize(
    ("line", "ref"),
    [
        (f"{'0' * 40} {'a' * 40} refs/heads/main", "refs/heads/main"),
        (f"{'0' * 64} {'a' * 64} refs/tags/v1", "refs/tags/v1"),
        (f"{'0' * 40} {'a' * 40} refs/heads/../x", ""),
        (f"{'0' * 40} {'a' * 40} --evil", ""),
        (f"{'0' * 40} {'a' * 40}", ""),
        (f"{'0' * 39} {'a' * 40} refs/heads/main", ""),
    ],
)
def test_ref_updates(line: str, ref: str) -> None:
    """Lines are taken as git writes them; anything else is passed over."""
    assert [update.ref for update in parse_updates(line)] == ([ref] if ref else [])
