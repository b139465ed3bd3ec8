"""What an installed wheel needs beside code is in it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_wheel_carries_its_data(tmp_path: Path) -> None:
    """Built and unpacked far from any checkout, it writes a repository, knows every kind, makes a page."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(tmp_path), str(ROOT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    place = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    environment = {**os.environ, "PYTHONPATH": str(place)}

    def run(*args: str) -> str:
        done = subprocess.run(
            [sys.executable, *args],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert str(place) in run("-c", "import gitops_ocm; print(gitops_ocm.__file__)")
    run("-m", "gitops_ocm", "repo", "init", "fleet", "--cluster", "east")
    assert (tmp_path / "fleet" / "clusters" / "east" / "cluster.yaml").is_file()
    count = "from gitops_ocm.runtime.catalog import load_catalog as c; print(len(c().resources()) > 60)"
    assert run("-c", count).strip() == "True"
    page = (
        "from datetime import datetime, timezone; from gitops_ocm.preview.model import Preview;"
        "from gitops_ocm.preview.formats.page import page;"
        "print(page(Preview('a', 'b', 'c', datetime.now(timezone.utc))))"
    )
    assert "<h1" in run("-c", page)
