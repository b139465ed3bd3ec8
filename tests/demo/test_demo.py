"""The demo as a person runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gitops_ocm.demo.stage import MARK

COMMAND = [sys.executable, "-m", "gitops_ocm", "demo"]


def run(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command, in a folder that is no checkout."""
    return subprocess.run(
        [*COMMAND, *args], capture_output=True, text=True, check=False, cwd=cwd, timeout=110
    )


@pytest.mark.slow
def test_once_verifies_every_step() -> None:
    """`demo --once` plays all seven chapters, exits with 0 and leaves nothing behind."""
    # Not in `tmp_path`: a socket's path, which the demo has, must be short.
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        environment = {**os.environ, "TMPDIR": folder}
        done = subprocess.run(
            [*COMMAND, "--once"], capture_output=True, text=True, check=False, env=environment, timeout=110
        )
        left = list(Path(folder).iterdir())
    assert done.returncode == 0, done.stderr
    assert "25 of 25 verified" in done.stdout
    assert "remote: gitops-ocm: error: works/web.yaml:10@" in done.stdout
    assert "Traceback" not in done.stderr
    assert left == []


@pytest.mark.slow
def test_stays_up_until_told_to_stop(tmp_path: Path) -> None:
    """Without --once it says what to try, and SIGINT ends it in good order with exit status 0."""
    place = tmp_path / "demo"
    with subprocess.Popen(
        [*COMMAND, "--dir", str(place), "--clusters", "1"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "get pods -A" in line:
                break
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    assert (place / "hub" / "kubeconfig").stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_never_in_a_folder_with_files(tmp_path: Path) -> None:
    """A folder that is not an earlier demo's is refused and left as it is."""
    (tmp_path / "mine.txt").write_text("mine")
    done = run("--once", "--dir", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 2
    assert "holds files that are not the demo's" in done.stderr
    assert done.stdout == "", "nothing is announced that is not done"
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    assert not (tmp_path / MARK).exists()
