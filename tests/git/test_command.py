"""The one place that starts git: limits, ends, and what git gets to see."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from gitops_ocm.git.command import Git, end
from gitops_ocm.git.errors import GitTimeout, TooLarge
from tests.git.conftest import Repo

MakeRepo = Callable[..., Repo]


@pytest.mark.slow
def test_large_input_and_output(make_repo: MakeRepo) -> None:
    """Megabytes both ways at once do not block."""
    repo = make_repo()
    data = os.urandom(3 * 2**20)
    git = Git(repo.git_dir)
    sha = git.run("hash-object", "-w", "--stdin", stdin=data).text
    assert git.run("cat-file", "blob", sha).out == data
    many = 30_000
    names = f"{sha}\n".encode() * many
    assert len(names) > 2**20
    assert git.run("cat-file", "--batch-check", stdin=names).out.count(b"\n") == many


def test_output_over_the_limit(make_repo: MakeRepo) -> None:
    """A command that says too much is stopped."""
    repo = make_repo()
    sha = repo.blob("x" * 100_000)
    with pytest.raises(TooLarge):
        Git(repo.git_dir, max_output=10_000).run("cat-file", "blob", sha)


def running(marker: str) -> list[int]:
    """The ids of processes whose command line has the marker."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if marker in line:
                found.append(int(entry.name))
    return found


def ended(pid: int) -> None:
    """Wait until a process, of whomsoever, has ended; half a minute at most."""
    handle = os.pidfd_open(pid)
    try:
        assert select.select([handle], [], [], 30)[0]
    finally:
        os.close(handle)


def test_a_time_limit_ends_the_whole_group(make_repo: MakeRepo, tmp_path: Path) -> None:
    """A command over its time is ended with everything it started."""
    repo = make_repo()
    marker = f"3600.{os.getpid()}"
    git = Git(repo.git_dir)
    with pytest.raises(GitTimeout) as caught:
        git.run("-c", f"alias.hang=!sleep {marker}", "hang", timeout=0.3)
    assert caught.value.transient
    for pid in running(f"sleep {marker}"):
        with suppress(ProcessLookupError):
            ended(pid)
    assert running(f"sleep {marker}") == []


def test_a_watcher_can_stop_a_command(make_repo: MakeRepo) -> None:
    """What `watch` raises ends the command and reaches the caller."""

    def too_much() -> None:
        raise TooLarge("enough")

    with pytest.raises(TooLarge, match="enough"):
        Git(make_repo().git_dir).run("-c", "alias.hang=!sleep 30", "hang", watch=too_much)


@pytest.mark.parametrize("programs", [[], ["env"]])
def test_without_git(tmp_path: Path, programs: list[str]) -> None:
    """No git program is an error that says to install one, at the first command and at any later one."""
    for name in programs:
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    code = """
import os, sys
from gitops_ocm.git.command import Git
from gitops_ocm.git.errors import GitMissing
path = os.environ["PATH"]
for first in ("late", "early"):
    os.environ["PATH"] = sys.argv[1] if sys.argv[2] == "early" or first == "early" else path
    try:
        Git(None).run("version")
    except GitMissing as error:
        print(error.message, error.hint)
"""
    for when, times in (("early", 2), ("late", 1)):
        command = [sys.executable, "-c", code, str(tmp_path), when]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        assert done.stdout.count("install git") == times


@pytest.mark.parametrize("protocol", ["file", "ext", "http", "git", "ssh"])
def test_no_protocol_but_the_addresss(make_repo: MakeRepo, tmp_path: Path, protocol: str) -> None:
    """Git itself refuses to talk to anything when it was given no address to talk to."""
    repo = make_repo()
    urls = {"file": str(repo.path), "ext": f"ext::touch {tmp_path}/pwned", "ssh": "git@127.0.0.1:x"}
    url = urls.get(protocol, f"{protocol}://127.0.0.1/x")
    done = Git(None).run("ls-remote", "--end-of-options", url, check=False)
    assert done.code != 0
    assert "not allowed" in done.err
    assert not (tmp_path / "pwned").exists()


def test_git_speaks_english_and_alone(make_repo: MakeRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of our environment git sees the allow-list only, in the C locale."""
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "0")
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "1")
    out = Git(make_repo().git_dir).run("-c", "alias.show-env=!env", "show-env").text
    seen = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    assert "SECRET_TOKEN" not in seen
    assert int(seen["GIT_CONFIG_COUNT"]) > 10
    assert (seen["LC_ALL"], seen["GIT_TERMINAL_PROMPT"], seen["HOME"]) == ("C", "0", "/dev/null")


def test_ending_twice_is_fine(make_repo: MakeRepo) -> None:
    """A process that is gone already can be ended again."""
    process = Git(make_repo().git_dir).spawn("cat-file", "--batch")
    end(process)
    end(process)
    assert process.returncode is not None
