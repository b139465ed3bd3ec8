"""Reading repositories in place: refs, trees, differences, commits, and what goes wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.git import refs
from gitops_ocm.git.errors import (
    CorruptRepository,
    InvalidRef,
    PartialClone,
    RefNotFound,
    RepositoryNotFound,
    TooLarge,
)
from gitops_ocm.git.mirror import Limits
from gitops_ocm.git.source import Repository, open_repository
from gitops_ocm.runtime.catalog import load_catalog
from tests.git.conftest import Repo

MAIN = refs.branch("main")
MakeRepo = Callable[..., Repo]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Repository]]:
    """Opens repositories and closes them after the test."""
    open_ones: list[Repository] = []

    def open_one(repo: Repo, **options: object) -> Repository:
        one = open_repository(str(repo.path), tmp_path / "cache", **options)  # type: ignore[arg-type]
        open_ones.append(one)
        return one

    yield open_one
    for one in open_ones:
        one.close()


Opened = Callable[..., Repository]


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("bare", [True, False])
def test_a_local_repository_is_read_in_place(
    make_repo: MakeRepo, opened: Opened, object_format: str, bare: bool
) -> None:
    """A path, bare or not, of either hash, gives its files without a copy."""
    repo = make_repo(object_format=object_format, bare=bare)
    sha = repo.commit({"hub/a.yaml": "a: 1\n", "b": "b"})
    source = opened(repo)
    fetched = source.fetch(MAIN)
    assert (fetched.old, fetched.new, fetched.forced) == ("", sha, False)
    tree = source.tree(sha)
    assert {path: entry.size for path, entry in tree.entries.items()} == {"b": 1, "hub/a.yaml": 5}
    assert tree.read("hub/a.yaml") == b"a: 1\n"
    assert source.is_local
    assert not (repo.path.parent / "cache").exists()


def test_a_linked_worktree_is_a_repository(make_repo: MakeRepo, opened: Opened, tmp_path: Path) -> None:
    """A worktree made by `git worktree add` reads the refs of the repository it belongs to."""
    repo = make_repo(bare=False)
    sha = repo.commit({"a": "1"})
    repo("worktree", "add", "-q", "--detach", str(tmp_path / "linked"), sha)
    repo.path = tmp_path / "linked"
    assert opened(repo).fetch(MAIN).new == sha


def test_fetch_tells_how_a_ref_moved(make_repo: MakeRepo, opened: Opened) -> None:
    """Nothing new, a new commit, and rewritten history are told apart."""
    repo = make_repo()
    source = opened(repo)
    first = repo.commit({"a": "1"})
    assert source.fetch(MAIN).moved
    assert not source.fetch(MAIN).moved
    second = repo.commit({"a": "2"})
    moved = source.fetch(MAIN)
    assert (moved.old, moved.new, moved.forced) == (first, second, False)
    rewritten = repo.commit({"a": "3"}, parent=first)
    forced = source.fetch(MAIN)
    assert (forced.old, forced.new, forced.forced) == (second, rewritten, True)


def test_refs_of_every_kind(make_repo: MakeRepo, opened: Opened) -> None:
    """Branches, light and annotated tags, and whole commit ids all lead to the commit."""
    repo = make_repo()
    sha = repo.commit({"a": "1"})
    repo("tag", "light", sha)
    repo("tag", "-a", "-m", "x", "heavy", sha)
    source = opened(repo)
    for ref in (MAIN, refs.tag("light"), refs.tag("heavy"), refs.commit(sha)):
        assert source.fetch(ref).new == sha


def test_packed_and_loose_refs(make_repo: MakeRepo, opened: Opened) -> None:
    """A ref is seen where it is now: packed away, moved again, or made anew."""
    repo = make_repo()
    source = opened(repo)
    first = repo.commit({"a": "1"})
    repo("pack-refs", "--all")
    assert source.fetch(MAIN).new == first
    second = repo.commit({"a": "2"})
    assert source.fetch(MAIN).new == second
    repo("pack-refs", "--all")
    repo("gc", "-q")
    assert source.fetch(MAIN).new == second
    assert source.tree(second).read("a") == b"2"


@pytest.mark.parametrize("ref", [refs.branch("gone"), refs.tag("gone"), "0" * 40, "0" * 64])
def test_a_ref_that_is_not_there(make_repo: MakeRepo, opened: Opened, ref: str) -> None:
    """A deleted branch or unknown commit is said by name, with what to do."""
    repo = make_repo()
    repo.commit({"a": "1"})
    with pytest.raises(RefNotFound) as caught:
        opened(repo).fetch(ref)
    assert refs.short(ref) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "ref", ["--output=/tmp/x", "main", "refs/heads/a\nb", "HEAD", "refs/heads/-x", "a" * 40 + "^"]
)
def test_options_and_guesses_are_no_refs(make_repo: MakeRepo, opened: Opened, ref: str) -> None:
    """Nothing but full names and whole ids ever reaches a command line or the object reader."""
    repo = make_repo()
    repo.commit({"a": "1"})
    source = opened(repo)
    for ask in (source.fetch, source.resolve, source.tree, source.commit_info):
        with pytest.raises(InvalidRef):
            ask(ref)


STATES = st.lists(
    st.dictionaries(
        st.sampled_from(["a", "b", "dir/a", "dir/b", "dir/sub/c", "x y", "ü", "new\nline", '"q"', "-d"]),
        st.sampled_from(["", "1", "2", "x" * 300]),
        max_size=6,
    ),
    min_size=2,
    max_size=5,
)


@pytest.mark.slow
@settings(
    derandomize=True,
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(states=STATES)
def test_any_history_reads_as_it_was_written(
    states: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each commit's tree, reached by differences from the one before, has exactly its files."""
    repo = Repo(tmp_path_factory.mktemp("history") / "r")
    source = open_repository(str(repo.path), repo.path / "cache")
    before: tuple[str, dict[str, str]] | None = None
    for files in states:
        sha = repo.commit(files)
        tree = source.tree(sha)
        assert {path: tree.read(path).decode() for path in tree.entries} == files
        assert {path: entry.size for path, entry in tree.entries.items()} == {
            p: len(t) for p, t in files.items()
        }
        if before:
            old = before[1]
            differ = {path for path in old.keys() | files.keys() if old.get(path) != files.get(path)}
            assert source.changed_paths(before[0], sha) == differ
        before = (sha, files)
    source.close()


def test_a_lost_base_is_listed_anew(make_repo: MakeRepo, opened: Opened) -> None:
    """When the commit last read is gone from the repository, the next is read in full."""
    repo = make_repo()
    source = opened(repo)
    source.tree(repo.commit({"a": "1"}))
    after = repo.commit({"b": "2"}, parent=None)
    repo("reflog", "expire", "--expire=now", "--all")
    repo("gc", "-q", "--prune=now")
    assert set(source.tree(after).entries) == {"b"}


def test_commit_info(make_repo: MakeRepo, opened: Opened) -> None:
    """Message, trailers, people with their time zones, parents."""
    repo = make_repo()
    first = repo.commit({"a": "1"})
    message = "Subject\n\nBody: text\nmore\n\nCluster: c1\nSource-Commit: abc\n"
    info = opened(repo).commit_info(repo.commit({"a": "2"}, message=message))
    assert (info.subject, info.parents) == ("Subject", (first,))
    assert (info.author.name, info.committer.email) == ("A", "c@example.com")
    assert info.trailers == {"Cluster": "c1", "Source-Commit": "abc"}
    assert info.author.when == info.committer.when == datetime.fromtimestamp(1700000000, UTC)
    assert info.author.when.utcoffset() != info.committer.when.utcoffset()


def test_matching_refs(make_repo: MakeRepo, opened: Opened) -> None:
    """All agents' branches are listed by one pattern, and nothing else."""
    repo = make_repo()
    shas = {f"refs/heads/agents/c{n}": repo.commit({"n": str(n)}, branch=f"agents/c{n}") for n in range(3)}
    repo.commit({"a": "1"}, branch="agentsx")
    assert opened(repo).fetch_matching("refs/heads/agents/*") == shas


def test_not_a_repository(tmp_path: Path) -> None:
    """No folder, one without a repository, and one inside another repository are refused."""
    (tmp_path / "empty").mkdir()
    for name in ("empty", "missing"):
        with pytest.raises(RepositoryNotFound):
            open_repository(str(tmp_path / name), tmp_path / "cache")
    repo = Repo(tmp_path / "outer", bare=False)
    (repo.path / "inner").mkdir()
    with pytest.raises(RepositoryNotFound):
        open_repository(str(repo.path / "inner"), tmp_path / "cache")


def test_missing_objects_are_named(make_repo: MakeRepo, opened: Opened) -> None:
    """A repository that lost a blob says which, before and after its tree was listed."""
    repo = make_repo()
    sha = repo.commit({"a": "lost", "b": "kept"})
    lost = repo("rev-parse", f"{sha}:a")
    listed, unlisted = opened(repo), opened(repo)
    tree = listed.tree(sha)
    (repo.git_dir / "objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(CorruptRepository, match=lost):
        tree.read("a")
    assert tree.read("b") == b"kept"
    with pytest.raises(CorruptRepository, match=lost):
        unlisted.tree(sha)


def test_refs_packed_again_within_a_second(make_repo: MakeRepo, opened: Opened) -> None:
    """`packed-refs` of the same size, file and second, with other commits, is read anew by an open reader."""
    repo = make_repo()
    commits = [repo.commit({"a": str(number)}) for number in range(2)]
    repo("pack-refs", "--all")
    source, packed = opened(repo), repo.git_dir / "packed-refs"
    second = int(packed.stat().st_mtime)
    for turn in range(6):
        was, now = commits[turn % 2 - 1], commits[turn % 2]
        packed.write_text(packed.read_text().replace(was, now))
        os.utime(packed, ns=(second * 10**9, second * 10**9 + turn))
        assert source.fetch(refs.branch("main")).new == now


def test_a_partial_clone_is_called_so(make_repo: MakeRepo, opened: Opened, tmp_path: Path) -> None:
    """A clone without blobs is not fetched for one by one: what to do instead is said."""
    repo = make_repo()
    sha = repo.commit({"a": "1"})
    repo("config", "uploadpack.allowFilter", "true")
    url = repo.path.as_uri()
    repo("clone", "-q", "--bare", "--filter=blob:none", url, str(tmp_path / "partial.git"))
    source = open_repository(str(tmp_path / "partial.git"), tmp_path / "cache")
    with pytest.raises(PartialClone, match="is a partial clone") as caught:
        source.tree(sha).read("a")
    assert "--refetch" in caught.value.hint
    source.close()


def test_large_objects_are_refused(make_repo: MakeRepo, opened: Opened) -> None:
    """An object over the limit is not read into memory."""
    repo = make_repo()
    sha = repo.commit({"a": "x" * 5000, "b": "ok"})
    tree = opened(repo, limits=Limits(object_bytes=4000)).tree(sha)
    with pytest.raises(TooLarge, match="5000 bytes"):
        tree.read("a")
    assert tree.read("b") == b"ok"


def test_reading_many_and_stopping_half_way(make_repo: MakeRepo, opened: Opened) -> None:
    """Thousands of blobs come in order; a reader that stops early leaves nothing behind for the next."""
    repo = make_repo()
    files = {f"{n}": f"content {n}" for n in range(700)}
    tree = opened(repo).tree(repo.commit(files))
    blobs = [tree.entries[path].blob for path in files]
    assert [data.decode() for _, data in tree.read_blobs(blobs)] == list(files.values())
    assert next(iter(tree.read_blobs(blobs)))[1] == b"content 0"
    assert tree.read("699") == b"content 699"


def test_the_environment_is_not_believed(
    make_repo: MakeRepo, opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Variables that would point git elsewhere, or make it run something, change nothing."""
    repo, other = make_repo(), make_repo("other.git")
    sha = repo.commit({"a": "1"})
    other.commit({"b": "2"})
    for name, value in {
        "GIT_DIR": str(other.path),
        "GIT_OBJECT_DIRECTORY": str(other.path / "objects"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": f"touch {tmp_path}/pwned",
        "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor=touch {tmp_path}/pwned'",
        "GIT_EXTERNAL_DIFF": f"touch {tmp_path}/pwned",
        "GIT_TRACE": str(tmp_path / "trace"),
        "GIT_SSH_COMMAND": f"touch {tmp_path}/pwned",
    }.items():
        monkeypatch.setenv(name, value)
    source = opened(repo)
    assert source.fetch(MAIN).new == sha
    assert source.tree(sha).read("a") == b"1"
    assert sorted(os.listdir(tmp_path)) == ["fleet.git", "other.git"]


def test_hostile_trees_are_values(make_repo: MakeRepo, opened: Opened, tmp_path: Path) -> None:
    """Links out of the tree, submodules, `..`, `.git` and odd names are judged, never followed."""
    repo = make_repo()
    good = "apiVersion: v1\nkind: Namespace\nmetadata: {name: ok}\n"
    blob, link = repo.blob(good), repo.blob("/etc/passwd")
    hub = repo.tree(
        [
            ("100644", blob, "good.yaml"),
            ("100644", blob, "new\nline.yaml"),
            ("100644", blob, "\udcff.yaml"),
            ("120000", link, "passwd.yaml"),
            ("40000", repo.tree([("100644", blob, "x.yaml")]), ".."),
            ("40000", repo.tree([("100644", blob, "x.yaml")]), ".git"),
            ("160000", "1" * 40, "module"),
            ("100644", repo.blob("a: &a [x]\n" + "b: [" + "*a, " * 60_000 + "]\n"), "bomb.yaml"),
        ]
    )
    sha = repo.commit_tree(repo.tree([("40000", hub, "hub")]))
    state = compile_tree(opened(repo).tree(sha), load_catalog())
    assert [w.origin.path for w in state.objects] == ["hub/good.yaml"]
    assert sorted((d.code, d.where.path) for d in state.diagnostics) == [
        ("bad-path", "hub/../x.yaml"),
        ("bad-path", "hub/.git/x.yaml"),
        ("bad-path", "hub/\\xff.yaml"),
        ("bad-path", "hub/new\\nline.yaml"),
        ("submodule", "hub/module"),
        ("symlink", "hub/passwd.yaml"),
        ("yaml-alias-bomb", "hub/bomb.yaml"),
    ]
