"""`gitops-ocm validate` in hooks of real git: what is refused, with which words, and what goes through."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_ocm.testing.commands import environment

pytestmark = pytest.mark.slow

GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n"
BROKEN = GOOD + "dada: {}\n"
WHERE = "hub/a.yaml:4"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A person's environment, with `gitops-ocm` on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    command = programs / "gitops-ocm"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gitops_ocm "$@"\n')
    command.chmod(0o755)
    person = {
        f"GIT_{role}_{what}": "ann@example.com"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    root = Path(__file__).parents[2]
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return environment(tmp_path, PATH=path, PYTHONPATH=str(root), GIT_CONFIG_GLOBAL=os.devnull, **person)


def run(env: dict[str, str], folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """A command to its end."""
    return subprocess.run(args, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=100)


def done(env: dict[str, str], folder: Path, *args: str) -> str:
    """A command that must succeed; what it printed."""
    result = run(env, folder, *args)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.fixture
def clone(env: dict[str, str], tmp_path: Path) -> Path:
    """A clone with one good commit, guarded by the hook."""
    folder = tmp_path / "fleet"
    (folder / "hub").mkdir(parents=True)
    done(env, folder, "git", "init", "--quiet", "--initial-branch=main")
    (folder / "hub/a.yaml").write_text(GOOD)
    done(env, folder, "git", "add", ".")
    done(env, folder, "git", "commit", "--quiet", "-m", "Start")
    done(env, folder, "gitops-ocm", "repo", "hooks")
    return folder


def test_a_broken_commit_is_refused(env: dict[str, str], clone: Path) -> None:
    """The index is judged, not the files on disk: a mended file that was not staged helps nobody."""
    (clone / "hub/a.yaml").write_text(BROKEN)
    done(env, clone, "git", "add", ".")
    (clone / "hub/a.yaml").write_text(GOOD)
    refused = run(env, clone, "git", "commit", "-m", "Break")
    assert refused.returncode == 1
    assert WHERE in refused.stderr
    assert "refused: the index: 1 problem" in refused.stderr
    assert done(env, clone, "git", "rev-list", "--count", "HEAD") == "1"


def test_a_good_commit_goes_through(env: dict[str, str], clone: Path) -> None:
    """What is broken and not committed hinders nothing: `commit PATH` is judged by an index of its own."""
    (clone / "hub/a.yaml").write_text(GOOD + "data: {b: c}\n")
    (clone / "hub/b.yaml").write_text(BROKEN)
    done(env, clone, "git", "add", "hub/b.yaml")
    done(env, clone, "git", "commit", "--quiet", "-m", "Change", "hub/a.yaml")
    assert run(env, clone, "git", "commit", "-m", "Break").returncode == 1
    assert done(env, clone, "git", "rev-list", "--count", "HEAD") == "2"


def test_the_first_commit(env: dict[str, str], tmp_path: Path) -> None:
    """A repository without a commit is guarded as well, from the template's own folder of hooks."""
    folder = tmp_path / "new"
    done(env, tmp_path, "gitops-ocm", "repo", "init", str(folder))
    assert os.access(folder / "hooks/pre-commit", os.X_OK)
    done(env, folder, "git", "config", "core.hooksPath", "hooks")
    done(env, folder, "git", "add", ".")
    (folder / "works/web.yaml").write_text("nonsense: [")
    done(env, folder, "git", "commit", "--quiet", "-m", "Start")
    done(env, folder, "git", "add", ".")
    assert run(env, folder, "git", "commit", "-m", "Break").returncode == 1


def test_a_push(env: dict[str, str], clone: Path, tmp_path: Path) -> None:
    """Of what is pushed only the default branch is judged: what is broken there never arrives."""
    bare = tmp_path / "fleet.git"
    done(env, tmp_path, "git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    done(env, bare, "gitops-ocm", "repo", "hooks")
    done(env, clone, "git", "remote", "add", "origin", str(bare))
    done(env, clone, "git", "push", "--quiet", "origin", "main")
    good = done(env, clone, "git", "rev-parse", "main")
    (clone / "hub/a.yaml").write_text(BROKEN)
    done(env, clone, "git", "commit", "--quiet", "--no-verify", "-am", "Break")
    refused = run(env, clone, "git", "push", "origin", "main")
    assert refused.returncode == 1
    assert f"remote: error {WHERE}@" in refused.stderr
    assert "pre-receive hook declined" in refused.stderr
    assert done(env, bare, "git", "rev-parse", "main") == good
    done(
        env,
        clone,
        "git",
        "push",
        "--quiet",
        "origin",
        "main:refs/heads/status",
        "main:topic",
        "main:refs/tags/x",
    )
    done(env, clone, "git", "push", "--quiet", "origin", ":topic")
    forced = run(env, clone, "git", "push", "--force", "origin", "main")
    assert forced.returncode == 1
    done(env, clone, "git", "reset", "--quiet", "--hard", good)
    done(env, clone, "git", "commit", "--quiet", "--amend", "-m", "Start anew")
    done(env, clone, "git", "push", "--quiet", "--force", "origin", "main")


def test_a_merge_of_two_good_branches_that_is_broken(env: dict[str, str], clone: Path) -> None:
    """Git merges both by itself, and an object is there twice: refused, though pre-commit is not asked."""
    other = GOOD.replace("name: a", "name: b")
    done(env, clone, "git", "checkout", "--quiet", "-b", "topic")
    (clone / "hub/b.yaml").write_text(other)
    done(env, clone, "git", "add", ".")
    done(env, clone, "git", "commit", "--quiet", "-m", "One")
    done(env, clone, "git", "checkout", "--quiet", "main")
    (clone / "hub/c.yaml").write_text(other)
    done(env, clone, "git", "add", ".")
    done(env, clone, "git", "commit", "--quiet", "-m", "Two")
    refused = run(env, clone, "git", "merge", "--no-edit", "topic")
    assert refused.returncode == 1
    assert "hub/c.yaml:1" in refused.stderr
    assert "the same object is also written in hub/b.yaml:1" in refused.stderr
    assert done(env, clone, "git", "rev-list", "--count", "HEAD") == "2"


@pytest.fixture
def bare(env: dict[str, str], clone: Path, tmp_path: Path) -> Path:
    """A guarded repository without a commit, whose default branch is not the one that is pushed."""
    folder = tmp_path / "served.git"
    done(env, tmp_path, "git", "init", "--quiet", "--bare", "--initial-branch=master", str(folder))
    done(env, folder, "gitops-ocm", "repo", "hooks")
    done(env, clone, "git", "remote", "add", "origin", str(folder))
    return folder


def test_the_first_push_to_another_branch(env: dict[str, str], clone: Path, bare: Path) -> None:
    """While there is no default branch, whatever is pushed is judged; machines' branches are not."""
    done(env, clone, "git", "push", "--quiet", "origin", "main")
    (clone / "hub/a.yaml").write_text(BROKEN)
    done(env, clone, "git", "commit", "--quiet", "--no-verify", "-am", "Break")
    refused = run(env, clone, "git", "push", "origin", "main")
    assert refused.returncode == 1
    assert f"remote: error {WHERE}@" in refused.stderr
    done(env, clone, "git", "push", "--quiet", "origin", "main:status", "main:agents/c1")
    done(env, clone, "git", "push", "--quiet", "origin", "main~1:refs/heads/master")
    done(env, clone, "git", "push", "--quiet", "origin", "main:topic")


def test_many_commits_of_which_the_last_is_good(env: dict[str, str], clone: Path, bare: Path) -> None:
    """What counts is what would be synced: a mistake that is mended within the same push hinders nobody."""
    for number in range(20):
        (clone / "hub/a.yaml").write_text((BROKEN if number % 2 else GOOD) + f"# {number}\n")
        done(env, clone, "git", "commit", "--quiet", "--no-verify", "-am", f"Change {number}")
    assert run(env, clone, "git", "push", "origin", "main").returncode == 1
    (clone / "hub/a.yaml").write_text(GOOD)
    done(env, clone, "git", "commit", "--quiet", "-am", "Mend")
    done(env, clone, "git", "push", "--quiet", "origin", "main")


def test_the_server_remembers_what_it_has_read(env: dict[str, str], clone: Path, bare: Path) -> None:
    """The next push is judged by what was parsed for the one before it, and by nothing that was refused."""
    done(env, clone, "git", "push", "--quiet", "origin", "main")
    assert {file.name for file in (bare / "gitops-ocm").rglob("*") if file.is_file()} == {
        "desired",
        "verdicts",
    }
    (clone / "hub/a.yaml").write_text(BROKEN)
    done(env, clone, "git", "commit", "--quiet", "--no-verify", "-am", "Break")
    for _ in range(2):
        refused = run(env, clone, "git", "push", "origin", "main")
        assert f"remote: error {WHERE}@" in refused.stderr


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (b"hub/\xff.yaml", GOOD.encode(), "the path 'hub/\\xff.yaml' is not allowed"),
        (b"hub/big.yaml", GOOD.encode() + b"data: {v: " + b"x" * 6 * 2**20 + b"}\n", "the limit is 5242880"),
        (b"hub/nul.yaml", b"a: \0\n", "control characters are not allowed"),
    ],
)
def test_odd_files(
    env: dict[str, str], clone: Path, bare: Path, name: bytes, content: bytes, said: str
) -> None:
    """A name that is no text, a file that is too large, bytes that are none of YAML: said by both hooks."""
    (clone / os.fsdecode(name)).write_bytes(content)
    done(env, clone, "git", "add", ".")
    assert said in run(env, clone, "git", "commit", "-m", "Odd").stderr
    done(env, clone, "git", "commit", "--quiet", "--no-verify", "-m", "Odd")
    refused = run(env, clone, "git", "push", "origin", "main")
    assert refused.returncode == 1
    assert said in refused.stderr


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        ((), 0, "valid: the files on disk"),
        (("HEAD",), 0, "valid: HEAD at"),
        (("broken",), 1, "refused: broken: 1 problem"),
        (("-o", "json"), 0, '"valid": true'),
        (("nothing",), 2, "nothing names no commit"),
        (("HEAD", "--staged"), 2, "only one of"),
        (("--branch", "x"), 2, "--branch is for --stdin-refs"),
    ],
)
def test_by_hand(env: dict[str, str], clone: Path, args: tuple[str, ...], code: int, said: str) -> None:
    """Files, a revision or a folder: the exit status and the verdict."""
    (clone / "broken/hub").mkdir(parents=True)
    (clone / "broken/hub/a.yaml").write_text(BROKEN)
    result = run(env, clone, "gitops-ocm", "validate", *args)
    assert result.returncode == code, result.stderr
    assert said in result.stdout + result.stderr


def test_a_hook_of_somebody_else(env: dict[str, str], clone: Path) -> None:
    """It is left alone, and what to call from it is said."""
    hook = clone / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\nexit 0\n")
    refused = run(env, clone, "gitops-ocm", "repo", "hooks")
    assert refused.returncode == 2
    assert "call `gitops-ocm validate --staged` from it" in refused.stderr
    assert hook.read_text() == "#!/bin/sh\nexit 0\n"


def test_before_the_first_commit(env: dict[str, str], tmp_path: Path) -> None:
    """Where there is no commit yet, files on disk are judged all the same, added to the index or not."""
    done(env, tmp_path, "git", "init", "--quiet", "--initial-branch=main", "new")
    folder = tmp_path / "new"
    (folder / "hub").mkdir()
    for name in ("a", "b"):
        (folder / f"hub/{name}.yaml").write_text(BROKEN.replace("name: a", f"name: {name}"))
    done(env, folder, "git", "add", "hub/a.yaml")
    refused = run(env, folder, "gitops-ocm", "validate")
    assert refused.returncode == 1
    assert "hub/a.yaml:4" in refused.stderr
    assert "hub/b.yaml:4" in refused.stderr
