"""Commits made without a checkout: what is on the branch afterwards, and who wins a race."""

from __future__ import annotations

import shutil
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gitops_ocm.git.address import Address, Transport
from gitops_ocm.git.command import Git
from gitops_ocm.git.errors import GitError, RepositoryNotFound, TooLarge
from gitops_ocm.git.mirror import Limits, Mirror
from gitops_ocm.git.source import Repository, open_repository
from gitops_ocm.git.writer import MAX_FILE, Author, BranchWriter

pytestmark = pytest.mark.slow

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AUTHOR = Author("gitops-ocm", "gitops-ocm@example.com")


def git(repo: Path, *args: str) -> str:
    """Run git as a person would, and give what it printed."""
    done = subprocess.run(["git", "-C", str(repo), *args], check=True, capture_output=True, text=True)
    return done.stdout.rstrip("\n")


def bare(path: Path, object_format: str = "sha1") -> Path:
    subprocess.run(["git", "init", "-q", "--bare", f"--object-format={object_format}", str(path)], check=True)
    return path


@pytest.fixture(params=["sha1", "sha256"])
def repo(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return bare(tmp_path / "repo.git", request.param)


def local(repo: Path) -> BranchWriter:
    return BranchWriter(Git(repo), "status", author=AUTHOR)


def remote(cache: Path, origin: Path) -> BranchWriter:
    address = Address(str(origin), Transport.FILE)
    return BranchWriter(Git(cache, address=address), "status", author=AUTHOR, remote=address)


def test_files_become_one_commit_with_trailers(repo: Path) -> None:
    """The first commit makes the branch; author, time, subject, body and trailers are as given."""
    done = local(repo).commit(
        {"sync.yaml": b"a: 1\n", "clusters/c1/works/mw-01.yaml": b"b: 2\n"},
        "Report c1",
        now=NOW,
        body="Applied.",
        trailers=[("Cluster", "c1"), ("Source-Commit", "0" * 40)],
    )
    assert done is not None
    assert git(repo, "rev-parse", "status") == done.commit
    assert git(repo, "log", "-1", "--format=%an|%ae|%at|%s|%b", "status") == (
        f"gitops-ocm|gitops-ocm@example.com|{int(NOW.timestamp())}|Report c1|"
        f"Applied.\n\nCluster: c1\nSource-Commit: {'0' * 40}"
    )
    assert git(repo, "log", "-1", "--format=%(trailers:key=Cluster,valueonly)", "status").strip() == "c1"
    assert git(repo, "show", "status:clusters/c1/works/mw-01.yaml") == "b: 2"
    assert git(repo, "fsck", "--strict") == ""


def test_an_unchanged_tree_is_not_committed(repo: Path) -> None:
    """Equal content, and deleting what is not there, make no commit; a new process knows it too."""
    writer = local(repo)
    first = writer.commit({"a": b"1"}, "one", now=NOW)
    assert writer.commit({"a": b"1", "b": None}, "again", now=NOW) is None
    assert local(repo).commit({"a": b"1"}, "again", now=NOW) is None
    assert first is not None
    assert git(repo, "rev-parse", "status") == first.commit


def test_paths_not_named_stay_and_none_deletes(repo: Path) -> None:
    """A commit touches its own paths only."""
    writer = local(repo)
    writer.commit({"a/x": b"1", "a/y": b"2", "z": b"3"}, "one", now=NOW)
    done = writer.commit({"a/x": None, "z": b"4"}, "two", now=NOW)
    assert done is not None
    assert done.paths == ("a/x", "z")
    assert git(repo, "ls-tree", "-r", "--name-only", "status").split() == ["a/y", "z"]
    assert sorted(writer.blobs()) == ["a/y", "z"]


def test_the_same_input_gives_the_same_commit(tmp_path: Path) -> None:
    """Commits are a function of their input: two repositories end with one id."""
    ids = set()
    for name in ("one", "two"):
        done = local(bare(tmp_path / name)).commit({"a": b"1"}, "one", now=NOW)
        assert done is not None
        ids.add(done.commit)
    assert len(ids) == 1


def test_a_writer_builds_on_commits_of_others(repo: Path) -> None:
    """A branch that moved behind the writer's back is built upon, not overwritten."""
    ours, theirs = local(repo), local(repo)
    ours.commit({"ours": b"1"}, "one", now=NOW)
    theirs.commit({"theirs": b"1"}, "two", now=NOW)
    ours.commit({"ours": b"2"}, "three", now=NOW)
    assert git(repo, "ls-tree", "-r", "--name-only", "status").split() == ["ours", "theirs"]
    assert git(repo, "rev-list", "--count", "status") == "3"


@pytest.mark.parametrize("far", [False, True], ids=["local", "remote"])
def test_writers_of_one_branch_lose_nothing(tmp_path: Path, far: bool) -> None:
    """Several write at the same time: every file arrives, history is a line, nothing is forced."""
    origin = bare(tmp_path / "origin.git")
    failures: list[BaseException] = []

    def push(index: int) -> None:
        try:
            writer = remote(bare(tmp_path / f"cache{index}.git"), origin) if far else local(origin)
            for turn in range(3):
                writer.commit({f"clusters/c{index}/{turn}": b"x"}, f"c{index} {turn}", now=NOW)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=push, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(git(origin, "ls-tree", "-r", "--name-only", "status").split()) == 9
    assert git(origin, "rev-list", "--count", "status") == "9"
    assert git(origin, "rev-list", "--merges", "--count", "status") == "0"


def test_a_deleted_remote_branch_is_begun_again(tmp_path: Path) -> None:
    """After somebody deletes the branch the next commit starts it anew with our paths."""
    origin = bare(tmp_path / "origin.git")
    writer = remote(bare(tmp_path / "cache.git"), origin)
    writer.commit({"a": b"1"}, "one", now=NOW)
    git(origin, "update-ref", "-d", "refs/heads/status")
    writer.refresh()
    assert writer.tip is None
    writer.commit({"a": b"1"}, "again", now=NOW)
    assert git(origin, "rev-list", "--count", "status") == "1"


def test_an_absent_remote_is_said_so(tmp_path: Path) -> None:
    """A remote that is not there is an error that names it, and no commit is claimed."""
    writer = remote(bare(tmp_path / "cache.git"), tmp_path / "nowhere.git")
    with pytest.raises(RepositoryNotFound, match=r"nowhere\.git"):
        writer.commit({"a": b"1"}, "one", now=NOW)


@pytest.mark.parametrize(
    "path",
    [
        "../up",
        "/abs",
        "a//b",
        "a/./b",
        ".git/hooks/x",
        "a/.git",
        ".GIT/config",
        "a\nD b",
        'q"uote',
        "sp ace",
        "",
    ],
)
def test_paths_that_could_mean_something_else_are_refused(repo: Path, path: str) -> None:
    """No path can leave the tree, reach a repository's inside or smuggle in another command."""
    with pytest.raises(GitError, match="not a path"):
        local(repo).commit({path: b"x"}, "one", now=NOW)


def test_a_subject_cannot_smuggle_trailers_or_commands(repo: Path) -> None:
    """Line ends and angle brackets in subject, author and trailer values are taken out."""
    writer = BranchWriter(Git(repo), "status", author=Author("a\nb <x>", "e>\nfrom x"))
    writer.commit({"a": b"1"}, "one\n\nCluster: evil", now=NOW, trailers=[("Cluster", "c1\nCluster: evil")])
    assert git(repo, "log", "-1", "--format=%s", "status") == "one  Cluster: evil"
    assert git(repo, "log", "-1", "--format=%(trailers:key=Cluster,valueonly)", "status").strip() == (
        "c1 Cluster: evil"
    )


def test_too_large_a_file_is_refused(repo: Path) -> None:
    """One oversized file stops the commit with its name."""
    with pytest.raises(TooLarge, match=r"big\.yaml"):
        local(repo).commit({"big.yaml": b"x" * (MAX_FILE + 1)}, "one", now=NOW)


def test_content_may_be_any_bytes(repo: Path) -> None:
    """Content that looks like fast-import commands, or is empty, is stored byte for byte."""
    content = {"a": b"", "b": b"done\nD a\n", "c": bytes(range(256))}
    local(repo).commit(content, "one", now=NOW)
    for path, data in content.items():
        out = subprocess.run(
            ["git", "-C", str(repo), "show", f"status:{path}"], check=True, capture_output=True
        )
        assert out.stdout == data


def test_a_damaged_repository_is_an_error_with_its_place(repo: Path) -> None:
    """A repository that lost its objects fails with a GitError, never a traceback of something else."""
    writer = local(repo)
    writer.commit({"a/b": b"1"}, "one", now=NOW)
    shutil.rmtree(repo / "objects")
    with pytest.raises(GitError):
        writer.commit({"a/b": b"2"}, "two", now=NOW)


def test_a_remote_can_be_written_before_it_was_ever_fetched(tmp_path: Path) -> None:
    """A process that only commits, such as a cluster's agent, makes its own cache first."""
    origin = bare(tmp_path / "origin.git")
    seed = local(origin)
    seed.commit({"main": b"1"}, "one", now=NOW)
    address = Address(str(origin), Transport.FILE)
    mirror = Mirror(address, tmp_path / "cache", None, Limits())
    repository = Repository(address, mirror.git, mirror, Limits())
    repository.prepare()
    writer = BranchWriter(repository.git, "agents/c1", author=AUTHOR, remote=address)
    assert writer.commit({"cluster.yaml": b"1"}, "Report", now=NOW) is not None
    assert git(origin, "ls-tree", "--name-only", "agents/c1") == "cluster.yaml"
    repository.close()


@pytest.mark.slow
def test_loose_objects_do_not_pile_up(repo: Path) -> None:
    """What many small commits leave is packed; the history is whole, and an open reader reads on."""
    writer = BranchWriter(Git(repo), "status", author=AUTHOR, many_loose=256)
    first = writer.commit({"sync.yaml": b"first\n"}, "First", now=NOW)
    assert first is not None
    source = open_repository(str(repo), repo.parent / "cache")
    tree = source.tree(first.commit)
    assert tree.read("sync.yaml") == b"first\n"
    for number in range(40):
        files = {f"clusters/c{n}/cluster.yaml": f"{number} {n}\n".encode() for n in range(20)}
        assert writer.commit({**files, "sync.yaml": b"%d\n" % number}, f"Report {number}", now=NOW)
    counted = dict(line.split(": ") for line in git(repo, "count-objects", "-v").splitlines())
    assert int(counted["in-pack"]) > int(counted["count"])
    assert int(counted["packs"]) < 8
    assert tree.read("sync.yaml") == b"first\n"
    assert source.tree(git(repo, "rev-parse", "status")).read("clusters/c7/cluster.yaml") == b"39 7\n"
    source.close()
    assert git(repo, "rev-list", "--count", "status") == "41"
    git(repo, "fsck", "--strict", "--no-dangling")


def test_a_commit_stands_though_packing_fails(repo: Path) -> None:
    """Where packing fails (here for the repository's own settings) commits go on, and it is told."""
    git(repo, "config", "pack.window", "nonsense")
    writer = BranchWriter(Git(repo), "status", author=AUTHOR, many_loose=0)
    with capture_logs() as logs:
        for number in range(2):
            assert writer.commit({"sync.yaml": b"%d\n" % number}, "Report", now=NOW)
    assert "loose objects could not be packed" in {line["event"] for line in logs}
    assert git(repo, "show", "status:sync.yaml") == "1"
