"""Shell that we give to others, and our own: ShellCheck finds nothing in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.forge.test_pipeline import GITLAB_JOB, ROOT, STEPS, TEMPLATE

CHECKER = Path(sys.executable).with_name("shellcheck")
OWN = (".ci/run", "tests/lab/run.sh")
GIVEN = "# shellcheck disable=SC2154 # The runner sets its variables.\n"


def scripts() -> Iterator[tuple[str, str, str]]:
    """What it is, whose shell runs it, and the script."""
    for path in (*sorted((TEMPLATE / "hooks").iterdir()), *(ROOT / name for name in OWN)):
        text = path.read_text(encoding="utf-8")
        yield path.name, "bash" if "bash" in text.partition("\n")[0] else "sh", text
    for step in STEPS:
        if "run" in step:
            yield f"workflow: {step['name']}", "bash", GIVEN + step["run"]
    yield "GitLab's job", "sh", GIVEN + "\n".join(GITLAB_JOB["script"])


@pytest.mark.parametrize(("name", "shell", "text"), [pytest.param(*s, id=s[0]) for s in scripts()])
def test_nothing_is_found(name: str, shell: str, text: str) -> None:
    """Neither an error nor a matter of style."""
    # SC1091: a file that another script writes is not there to be looked into.
    done = subprocess.run(
        [CHECKER, "--norc", "--exclude=SC1091", f"--shell={shell}", "--format=gcc", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), name


def test_something_is_found() -> None:
    """The checker is at work: an unquoted variable is named."""
    done = subprocess.run(
        [CHECKER, "--norc", "--shell=sh", "-"], input="rm $1\n", capture_output=True, text=True, check=False
    )
    assert (done.returncode, "SC2086" in done.stdout) == (1, True)
