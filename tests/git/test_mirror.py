"""Remotes: fetched into a cache that heals itself, with errors that name the host.

A remote on loopback is a repository spoken to over a file URL through `Mirror`, which is what https
and ssh remotes go through too; only the transport differs.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path

import pytest

from gitops_ocm.git import refs
from gitops_ocm.git.address import Address, Transport
from gitops_ocm.git.command import Credentials, Git
from gitops_ocm.git.errors import (
    CorruptRepository,
    GitError,
    GitTimeout,
    Interrupted,
    Locked,
    RefNotFound,
    RefusedObjects,
    RemoteUnreachable,
    RepositoryNotFound,
    TooLarge,
)
from gitops_ocm.git.mirror import Limits, Mirror
from gitops_ocm.git.source import Repository, open_repository
from tests.git.conftest import Repo

pytestmark = pytest.mark.slow

MAIN = refs.branch("main")
MakeRepo = Callable[..., Repo]
QUICK = Limits(lock_seconds=0.2)


@pytest.fixture
def mirrored(tmp_path: Path) -> Iterator[Callable[..., Repository]]:
    """Opens a repository as if it were remote; closed after the test."""
    open_ones: list[Repository] = []

    def open_one(path: Path, limits: Limits = QUICK) -> Repository:
        address = Address(str(path), Transport.FILE)
        mirror = Mirror(address, tmp_path / "cache", None, limits)
        open_ones.append(Repository(address, mirror.git, mirror, limits))
        return open_ones[-1]

    yield open_one
    for one in open_ones:
        one.close()


Mirrored = Callable[..., Repository]


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_fetch_and_read(make_repo: MakeRepo, mirrored: Mirrored, object_format: str) -> None:
    """A remote's commits come over as they appear, forced ones too, and read like local ones."""
    repo = make_repo(object_format=object_format)
    first = repo.commit({"a": "1"})
    source = mirrored(repo.path)
    assert source.fetch(MAIN).new == first
    assert not source.fetch(MAIN).moved
    second = repo.commit({"a": "2"})
    moved = source.fetch(MAIN)
    assert (moved.old, moved.new, moved.forced) == (first, second, False)
    rewritten = repo.commit({"b": "3"}, parent=None)
    forced = source.fetch(MAIN)
    assert (forced.old, forced.new, forced.forced) == (second, rewritten, True)
    assert source.tree(rewritten).read("b") == b"3"
    assert not source.is_local


def test_a_new_process_knows_where_the_ref_was(make_repo: MakeRepo, mirrored: Mirrored) -> None:
    """The cache remembers between runs: what moved while nobody looked is told."""
    repo = make_repo()
    first = repo.commit({"a": "1"})
    mirrored(repo.path).fetch(MAIN)
    second = repo.commit({"a": "2"})
    moved = mirrored(repo.path).fetch(MAIN)
    assert (moved.old, moved.new) == (first, second)


def test_tags_and_commits(make_repo: MakeRepo, mirrored: Mirrored) -> None:
    """A tag and a commit that is no branch's tip are fetched on their own."""
    repo = make_repo()
    first = repo.commit({"a": "1"})
    repo("tag", "-a", "-m", "x", "v1", first)
    repo.commit({"a": "2"})
    source = mirrored(repo.path)
    assert source.fetch(refs.tag("v1")).new == first
    assert mirrored(repo.path).fetch(refs.commit(first)).new == first


def test_a_deleted_branch_leaves_the_last_commit(make_repo: MakeRepo, mirrored: Mirrored) -> None:
    """A branch deleted on the remote is an error with its name; what was fetched is still readable."""
    repo = make_repo()
    sha = repo.commit({"a": "1"})
    source = mirrored(repo.path)
    source.fetch(MAIN)
    repo("update-ref", "-d", MAIN)
    with pytest.raises(RefNotFound, match="main is not in"):
        source.fetch(MAIN)
    assert source.tree(sha).read("a") == b"1"
    again = repo.commit({"a": "2"}, parent=None)
    assert source.fetch(MAIN).new == again


def test_matching_refs_come_and_go(make_repo: MakeRepo, mirrored: Mirrored) -> None:
    """Branches under a pattern are mirrored, those deleted on the remote disappear here."""
    repo = make_repo()
    one, two = (repo.commit({"n": n}, branch=f"agents/c{n}") for n in "12")
    source = mirrored(repo.path)
    assert source.fetch_matching("refs/heads/agents/*") == {
        "refs/heads/agents/c1": one,
        "refs/heads/agents/c2": two,
    }
    repo("update-ref", "-d", "refs/heads/agents/c1")
    assert source.fetch_matching("refs/heads/agents/*") == {"refs/heads/agents/c2": two}


def git_dir_of(source: Repository) -> Path:
    assert source.git.git_dir is not None
    return source.git.git_dir


def damage_pack(git_dir: Path) -> None:
    for pack in git_dir.glob("objects/pack/*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(pack.read_bytes()[:40])


def remove_objects(git_dir: Path) -> None:
    for file in git_dir.glob("objects/pack/*"):
        file.unlink()


def remove_head(git_dir: Path) -> None:
    (git_dir / "HEAD").unlink()


@pytest.mark.parametrize("harm", [damage_pack, remove_objects, remove_head, shutil.rmtree])
def test_a_damaged_cache_heals(make_repo: MakeRepo, mirrored: Mirrored, harm: Callable[[Path], None]) -> None:
    """Whatever happens to the cache, at most one error later everything can be read again."""
    repo = make_repo()
    sha = repo.commit({"a": "1"})
    source = mirrored(repo.path)
    source.fetch(MAIN)
    source.close()
    harm(git_dir_of(source))
    with contextlib.suppress(CorruptRepository):
        source.fetch(MAIN)
        source.tree(sha).read("a")
    source.fetch(MAIN)
    assert source.tree(sha).read("a") == b"1"


def test_left_behind_locks_and_packs_do_not_matter(make_repo: MakeRepo, mirrored: Mirrored) -> None:
    """What a killed git leaves in the cache is cleaned up by the next fetch."""
    repo = make_repo()
    repo.commit({"a": "1"})
    source = mirrored(repo.path)
    source.fetch(MAIN)
    git_dir = git_dir_of(source)
    for lock in (git_dir / "packed-refs.lock", git_dir / "refs" / "heads" / "main.lock"):
        lock.touch()
        os.utime(lock, (0, 0))
    (git_dir / "objects" / "pack" / "tmp_pack_x").write_bytes(b"x")
    sha = repo.commit({"a": "2"})
    assert source.fetch(MAIN).new == sha
    assert not list(git_dir.glob("objects/pack/tmp_*"))


@pytest.mark.slow
def test_many_fetches_do_not_pile_up(make_repo: MakeRepo, mirrored: Mirrored) -> None:
    """The packs that fetches leave are joined before they are many."""
    repo = make_repo()
    source = mirrored(repo.path)
    for number in range(70):
        sha = repo.commit({"a": str(number)})
        source.fetch(MAIN)
    assert len(list(git_dir_of(source).glob("objects/pack/*.pack"))) < 65
    assert source.tree(sha).read("a") == b"69"


def hold(directory: str, held: object, release: object) -> None:
    address = Address(directory, Transport.FILE)
    with Mirror(address, Path(directory).parent / "cache", None, QUICK).locked():
        held.set()  # type: ignore[attr-defined]
        release.wait(30)  # type: ignore[attr-defined]


def test_two_daemons_take_turns(make_repo: MakeRepo, mirrored: Mirrored) -> None:
    """While another process works on the cache a fetch waits, and says so if it takes too long."""
    repo = make_repo()
    repo.commit({"a": "1"})
    spawn = multiprocessing.get_context("spawn")
    held, release = spawn.Event(), spawn.Event()
    other = spawn.Process(target=hold, args=(str(repo.path), held, release))
    other.start()
    try:
        assert held.wait(30)
        with pytest.raises(Locked) as caught:
            mirrored(repo.path).fetch(MAIN)
        assert caught.value.transient
    finally:
        release.set()
        other.join(30)
    assert mirrored(repo.path).fetch(MAIN).moved


def test_an_unreachable_remote_names_the_host(tmp_path: Path) -> None:
    """A closed port is a transient error with the host in it, for https and for ssh."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        source = open_repository(f"https://bob:hunter2@127.0.0.1:{port}/x.git", tmp_path)
        with pytest.raises(RemoteUnreachable) as caught:
            source.fetch(MAIN)
    assert f"127.0.0.1:{port}" in caught.value.message
    assert caught.value.transient
    assert "hunter2" not in str(caught.value) + caught.value.note


def test_a_remote_that_never_answers(tmp_path: Path) -> None:
    """A host that accepts and stays silent ends with the time limit, and nothing is left running."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/x.git"
        git = Git(None, address=open_repository(url, tmp_path).address)
        with pytest.raises(GitTimeout, match=r"took longer than 0.5 s"):
            git.run("ls-remote", "--end-of-options", url, timeout=0.5)


@pytest.mark.parametrize("begun", [True, False], ids=["under way", "not begun"])
def test_a_remote_that_never_answers_need_not_be_waited_for(begun: bool, tmp_path: Path) -> None:
    """A fetch is ended from another thread as soon as that is asked for, and none begins afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as pool:
        source = open_repository(f"https://127.0.0.1:{silent.getsockname()[1]}/x.git", tmp_path)
        if not begun:
            source.interrupt()
        fetching = pool.submit(source.fetch, MAIN)
        if begun:
            connection, _ = silent.accept()
            source.interrupt()
        with pytest.raises(Interrupted):
            fetching.result(20)
        if begun:
            connection.close()
        source.close()
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_two_of_one_process_wait_for_each_other(make_repo: MakeRepo, mirrored: Mirrored) -> None:
    """A daemon's two halves share a copy: the one waits for the other beyond the limit for strangers."""
    repo = make_repo()
    sha = repo.commit({"a": "1"})
    one, other = mirrored(repo.path), mirrored(repo.path)
    assert one._mirror is not None
    with ThreadPoolExecutor(1) as pool:
        with one._mirror.locked():
            fetching = pool.submit(other.fetch, MAIN)
            with pytest.raises(FutureTimeout):
                fetching.result(3 * QUICK.lock_seconds)
        assert fetching.result(20).new == sha


def test_a_remote_that_is_no_repository(tmp_path: Path, mirrored: Mirrored) -> None:
    """A path without a repository is said to be one, and nothing is left in the cache."""
    (tmp_path / "not-git").mkdir()
    with pytest.raises(RepositoryNotFound):
        mirrored(tmp_path / "not-git").fetch(MAIN)
    assert [p.name for p in (tmp_path / "cache").iterdir() if p.suffix != ".lock"] == []


def test_hostile_objects_do_not_enter(make_repo: MakeRepo, mirrored: Mirrored) -> None:
    """A tree with `.git` in it is refused by the transfer itself, by name."""
    repo = make_repo()
    blob = repo.blob("x")
    repo.commit_tree(repo.tree([("40000", repo.tree([("100644", blob, "config")]), ".git")]))
    with pytest.raises(RefusedObjects) as caught:
        mirrored(repo.path).fetch(MAIN)
    assert not caught.value.transient
    assert ".git" in caught.value.note


@pytest.mark.slow
def test_a_repository_over_the_limit(make_repo: MakeRepo, mirrored: Mirrored) -> None:
    """A fetch that brings more than the limit is stopped."""
    repo = make_repo()
    repo.commit({"a": bytes(range(256)).hex() * 4000})
    repo.commit({"b": "".join(str(n * 7919) for n in range(200_000))})
    with pytest.raises(TooLarge, match="larger than the limit"):
        mirrored(repo.path, Limits(repository_bytes=10_000)).fetch(MAIN)


def test_a_cache_that_cannot_be_written(make_repo: MakeRepo, tmp_path: Path, mirrored: Mirrored) -> None:
    """It is an error that names the folder and the reason, in every call that writes."""
    repo = make_repo()
    repo.commit({"a": "1"})
    (tmp_path / "cache").write_text("in the way")
    source = mirrored(repo.path)
    for call in (lambda: source.fetch(MAIN), source.prepare, lambda: source.fetch_matching("refs/heads/*")):
        with pytest.raises(GitError, match=f"cannot write the cache {tmp_path}/cache: File exists"):
            call()


def test_a_branch_that_becomes_a_folder_of_branches(make_repo: MakeRepo, mirrored: Mirrored) -> None:
    """`a` is deleted over there and `a/b` made: no ref of ours stands in the way for long."""
    repo = make_repo()
    repo.commit({"a": "1"}, branch="release")
    source = mirrored(repo.path)
    source.fetch(refs.branch("release"))
    repo("branch", "-q", "-D", "release")
    sha = repo.commit({"a": "2"}, branch="release/2")
    assert source.fetch(refs.branch("release/2")).new == sha
    assert source.tree(sha).read("a") == b"2"


def test_what_a_killed_clone_left_is_removed(make_repo: MakeRepo, mirrored: Mirrored) -> None:
    """Copies half made or half removed do not pile up; those of another repository stay."""
    repo = make_repo()
    repo.commit({"a": "1"})
    source = mirrored(repo.path)
    home = git_dir_of(source)
    for kind in ("fresh", "discarded"):
        (home.parent / f"{kind}-{home.stem}-x" / "objects").mkdir(parents=True)
    (home.parent / "fresh-other-x").mkdir()
    source.fetch(MAIN)
    assert sorted(path.name for path in home.parent.iterdir()) == [
        *sorted([home.name, f"{home.stem}.lock"]),
        "fresh-other-x",
    ]


def test_hooks_and_filters_of_a_remote_do_not_run(
    make_repo: MakeRepo, mirrored: Mirrored, tmp_path: Path
) -> None:
    """Nothing in a repository's content or our cache's configuration makes git start a program."""
    repo = make_repo()
    repo.commit(
        {
            ".gitattributes": "* filter=evil diff=evil\n",
            ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ext::touch\n',
        }
    )
    source = mirrored(repo.path)
    source.fetch(MAIN)
    config = git_dir_of(source) / "config"
    for key in (
        "filter.evil.smudge",
        "diff.evil.command",
        "core.fsmonitor",
        "core.sshCommand",
        "gpg.program",
    ):
        repo("config", "--file", str(config), key, f"touch {tmp_path}/pwned")
    hook = git_dir_of(source) / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/pwned\n")
    hook.chmod(0o755)
    sha = repo.commit({"a": "1"})
    assert source.fetch(MAIN).new == sha
    source.tree(sha).read("a")
    assert not (tmp_path / "pwned").exists()


def test_secrets_reach_git_in_its_environment_only(tmp_path: Path) -> None:
    """A token is in no argument, and only in the header for its own host."""
    address = open_repository("https://host/x", tmp_path).address
    git = Git(None, address=address, credentials=Credentials("bob", "hunter2"))
    key = git.run("config", "--get-regexp", r"http\..*\.extraheader").text
    assert key.startswith("http.https://host/x.extraheader Authorization: Basic ")
    assert "hunter2" not in repr(Credentials("bob", "hunter2"))
