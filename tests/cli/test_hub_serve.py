"""`gitops-ocm hub serve` where it cannot start, and how it ends."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals
from subprocess import CompletedProcess

import pytest

from gitops_ocm.apiserver.store import Record
from gitops_ocm.apiserver.store_sqlite import SqliteStorage
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.testing.commands import TRACEBACK, Daemon, environment, run, run_each
from tests.cli.conftest import Hub

pytestmark = pytest.mark.slow


def _in_use(hub: Hub, _folder: Path) -> list[str]:
    return ["--data-dir", str(hub.data)]


def _port_taken(hub: Hub, folder: Path) -> list[str]:
    return ["--data-dir", str(folder / "new"), "--listen", f"127.0.0.1:{(hub.data / 'port').read_text()}"]


def _bad_listen(_hub: Hub, folder: Path) -> list[str]:
    return ["--data-dir", str(folder / "new"), "--listen", "here"]


def _no_host(_hub: Hub, folder: Path) -> list[str]:
    return ["--data-dir", str(folder / "new"), "--listen", "nohost.invalid:0"]


def _below_a_file(_hub: Hub, folder: Path) -> list[str]:
    (folder / "file").write_text("")
    return ["--data-dir", str(folder / "file" / "hub")]


def _no_database(_hub: Hub, folder: Path) -> list[str]:
    (folder / "new").mkdir()
    (folder / "new" / "state.db").write_bytes(b"not a database at all" * 300)
    return ["--data-dir", str(folder / "new")]


def _from_the_future(_hub: Hub, folder: Path) -> list[str]:
    (folder / "new").mkdir()
    with sqlite3.connect(folder / "new" / "state.db") as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    return ["--data-dir", str(folder / "new")]


def _damaged_object(_hub: Hub, folder: Path) -> list[str]:
    (folder / "new").mkdir()
    storage = SqliteStorage(folder / "new" / "state.db")
    storage.append([Record(1, Key("", "namespaces", "", "shop"), b'{"kind": "Namespace"}')])
    storage.close()
    with sqlite3.connect(folder / "new" / "state.db") as db:
        db.execute("UPDATE log SET body = replace(body, 'Name', 'Mane')")
    db.close()
    return ["--data-dir", str(folder / "new")]


def _emptied(_hub: Hub, folder: Path) -> list[str]:
    """A file of a hub that was served, cut to nothing."""
    (folder / "new").mkdir()
    (folder / "new" / "state.db").touch()
    (folder / "new" / "port").write_text("6443")
    return ["--data-dir", str(folder / "new")]


def _no_table(_hub: Hub, folder: Path) -> list[str]:
    (folder / "new").mkdir()
    SqliteStorage(folder / "new" / "state.db").close()
    with sqlite3.connect(folder / "new" / "state.db") as db:
        db.execute("DROP TABLE log")
    db.close()
    return ["--data-dir", str(folder / "new")]


def _clock_gone_back(_hub: Hub, folder: Path) -> list[str]:
    (folder / "new").mkdir()
    storage = SqliteStorage(folder / "new" / "state.db")
    storage.append([Record(1, Key("", "namespaces", "", "shop"), b"{}", at=4_000_000_000)])
    storage.close()
    return ["--data-dir", str(folder / "new")]


def _no_group(_hub: Hub, folder: Path) -> list[str]:
    return ["--data-dir", str(folder / "new"), "--controllers", "nope"]


CANNOT: dict[str, tuple[Callable[[Hub, Path], list[str]], str]] = {
    "directory in use": (_in_use, r"is already served \(by process \d+\)\n  hint: Use the server that runs"),
    "port taken": (_port_taken, r"cannot listen on 127\.0\.0\.1:\d+: Address already in use\n  hint: Choose"),
    "no address": (_bad_listen, r"'here' is not HOST:PORT"),
    "no such host": (_no_host, r"cannot listen on nohost\.invalid:0"),
    "not a directory": (_below_a_file, r"cannot use \S+: Not a directory\n  hint: Name a directory"),
    "no database": (
        _no_database,
        r"\S+state\.db is damaged: file is not a database\n  hint: put a backup in its place",
    ),
    "damaged object": (
        _damaged_object,
        r"is damaged: what is stored of /namespaces//shop at version 1 is not .*\n  hint: put a backup",
    ),
    "emptied": (_emptied, r"state\.db is damaged: it is empty\n  hint: put a backup in its place"),
    "no table": (_no_table, r"state\.db is damaged: no such table: log\n  hint: put a backup in its place"),
    "newer format": (_from_the_future, r"has format 99, this version reads \d+\n  hint: use the version"),
    "clock gone back": (
        _clock_gone_back,
        r"the clock has gone back: .* now, \S+new was last written at 2096-10-02 .*\n  hint: Set the clock",
    ),
    "no such controllers": (_no_group, r"no controller group 'nope'\n  hint: choose from registration"),
}


@pytest.fixture(scope="module")
def answers(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> dict[str, CompletedProcess[str]]:
    """`hub serve` with each of them."""
    commands = [["hub", "serve", *make(hub, tmp_path_factory.mktemp("hub"))] for make, _ in CANNOT.values()]
    return dict(zip(CANNOT, run_each(commands, env=hub.env), strict=True))


@pytest.mark.parametrize("case", CANNOT)
def test_a_hub_that_cannot_start(case: str, answers: dict[str, CompletedProcess[str]]) -> None:
    """What stands in the way, by name, and the next step; exit status 2."""
    done, expected = answers[case], CANNOT[case][1]
    assert TRACEBACK not in done.stderr
    assert done.returncode == 2
    assert re.search(expected, done.stderr), done.stderr


def test_a_running_hub_is_backed_up_and_restored(hub: Hub, tmp_path: Path) -> None:
    """Both say what they did; a directory in use is not restored over, nothing is no backup."""
    file = str(tmp_path / "hub.tar")
    done = hub.run("hub", "backup", file, "--data-dir", str(hub.data))
    assert done.returncode == 0
    assert "Keep it safe" in done.stdout
    done = hub.run("hub", "restore", file, "--data-dir", str(tmp_path / "new"))
    assert done.returncode == 0
    assert (tmp_path / "new" / "pki" / "ca.key").read_bytes() == (hub.data / "pki" / "ca.key").read_bytes()
    done = hub.run("hub", "restore", file, "--data-dir", str(hub.data))
    assert (done.returncode, "is not empty" in done.stderr) == (2, True)
    done = hub.run("hub", "backup", file, "--data-dir", str(tmp_path / "nothing"))
    assert (done.returncode, "holds no embedded hub" in done.stderr) == (2, True)


@pytest.mark.parametrize("port", ["hello", "70000", "-5", ""])
async def test_a_port_file_that_makes_no_sense_is_ignored(port: str, tmp_path: Path) -> None:
    """The remembered port is a wish; nonsense there costs nothing."""
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "port").write_text(port)
    options = ("--data-dir", str(tmp_path / "hub"), "--controllers", "registration")
    with Daemon("hub", "serve", *options, env=environment(tmp_path)) as hub:
        await hub.said("controllers run")
        assert await hub.stop() == 0


@pytest.mark.parametrize("number", [SIGINT, SIGTERM])
async def test_a_signal_ends_it_in_order(number: Signals, tmp_path: Path) -> None:
    """SIGINT and SIGTERM end a hub with 0, its log folded into the file, its directory free."""
    options = ("--data-dir", str(tmp_path / "hub"), "--clusters", "1")
    with Daemon("hub", "serve", *options, env=environment(tmp_path)) as hub:
        await hub.said("controllers run")
        assert await hub.stop(number) == 0
        assert TRACEBACK not in hub.output
    assert not (tmp_path / "hub" / "state.db-wal").exists()
    with Daemon("hub", "serve", *options, env=environment(tmp_path)) as again:
        await again.said("controllers run")


async def test_a_watcher_that_vanishes_leaves_no_trace_in_the_log(tmp_path: Path) -> None:
    """Clients killed in the middle of a watch, and bytes that are no HTTP, are not the server's errors."""
    options = ("--data-dir", str(tmp_path / "hub"), "--controllers", "registration")
    env = environment(tmp_path)
    with Daemon("hub", "serve", *options, env=env) as hub:
        await hub.said("controllers run")
        kubeconfig = str(tmp_path / "hub" / "kubeconfig")
        for _ in range(2):
            with Daemon("hub", "run", "--kubeconfig", kubeconfig, env=env) as client:
                await client.said("controllers run")
                client.kill()
        assert run("sync", "--once", "--kubeconfig", kubeconfig, env=env).returncode == 2
        assert await hub.stop() == 0
        assert TRACEBACK not in hub.output
        assert " [error" not in hub.output
