"""The command line's frame: help, exit status, error blocks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gitops_ocm.cli.main import COMMANDS, cli, main
from gitops_ocm.errors import Diagnostic, DiagnosticsError, GitopsError, Location


def run(*args: str) -> subprocess.CompletedProcess[str]:
    """The command line as a person runs it."""
    return subprocess.run(
        [sys.executable, "-m", "gitops_ocm", *args], capture_output=True, text=True, check=False
    )


def test_help_names_every_command() -> None:
    """`--help` lists each command with its one line."""
    done = run("--help")
    assert done.returncode == 0
    for name, (_, line) in COMMANDS.items():
        assert name in done.stdout
        assert line.split()[0] in done.stdout


def test_help_imports_no_heavy_library() -> None:
    """`--help` answers without loading what only a running command needs."""
    code = (
        "import sys\n"
        "from gitops_ocm.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'pydantic','aiohttp','rich','git','cryptography'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(name: str) -> None:
    """Each command can be imported and explains itself."""
    done = run(name, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage: " in done.stdout


def groups(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every group of commands."""
    if isinstance(command, click.Group):
        yield path
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from groups(below, (*path, name))


def test_no_summary_is_cut_short() -> None:
    """In every list of commands, at 80 columns, what each does is said to the end."""
    for path in groups(cli):
        done = CliRunner().invoke(cli, [*path, "--help"], terminal_width=80)
        assert done.exit_code == 0
        _, _, listed = done.output.partition("\nCommands:\n")
        assert listed
        assert not [line for line in listed.splitlines() if line.endswith("...")], path


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nope"], "No such command"),
        (["crds", "--nope"], "No such option"),
    ],
)
def test_usage_errors_exit_with_2(args: list[str], said: str) -> None:
    """A wrong word is trouble (2), never a traceback."""
    done = run(*args)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("args", [["validate", "--help"], ["version"], ["render"]])
def test_a_reader_who_leaves_is_no_difference(args: list[str], tmp_path: Path) -> None:
    """`| head` may end before all was said: the status is SIGPIPE's, not 1, and nothing is said of it."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "gitops_ocm", *args]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, cwd=_repository(tmp_path))
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_without_standard_output(tmp_path: Path) -> None:
    """A command that is started with it closed ends as it would otherwise."""
    command = [sys.executable, "-m", "gitops_ocm", "render"]
    closed = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command], stderr=subprocess.PIPE, cwd=_repository(tmp_path)
    )
    assert (closed.returncode, closed.stderr) == (0, b"")


def _repository(folder: Path) -> Path:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(folder)]
    (folder / "hub").mkdir()
    (folder / "hub/a.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n")
    for args in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Start"]):
        subprocess.run([*git, *args], check=True)
    return folder


def test_an_error_is_one_readable_block(capsys: pytest.CaptureFixture[str]) -> None:
    """What happened, where, why and what to do; all problems; exit status 2."""
    import click

    @click.command()
    def broken() -> None:
        raise DiagnosticsError(
            "the commit has problems",
            [
                Diagnostic(
                    "bad", "no such field", Location("a.yaml", 3, "f" * 40), "ConfigMap a", hint="fix it"
                )
            ],
            hint="push a fix",
        )

    cli.add_command(broken, "broken-for-test")
    try:
        with pytest.raises(SystemExit) as ended:
            main(["broken-for-test"])
    finally:
        del cli.commands["broken-for-test"]
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "error: the commit has problems" in said
    assert "hint: push a fix" in said
    assert "a.yaml:3@ffffffffffff: ConfigMap a: no such field  [bad]" in said


def test_where_is_said() -> None:
    """An error's location prints as path:line@commit."""
    error = GitopsError("no", where=Location("x.yaml", 7, "0123456789abcdef"))
    assert str(error.diagnostic()) == "x.yaml:7@0123456789ab: no"
