"""`testing.controlplane`: a real control plane starts, is what it says, ends, and explains failures."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from gitops_ocm.testing.controlplane import DidNotStart, control_plane
from gitops_ocm.testing.programs import Programs, ensure

MODULE = Path(__file__).parents[1] / "controlplane"


@pytest.mark.controlplane
@pytest.mark.slow
def test_it_runs_and_leaves_nothing(tmp_path: Path) -> None:
    """It serves an admin and refuses others by RBAC, keeps keys private, and ends with its programs."""
    with control_plane(ensure(os.environ, MODULE), tmp_path / "plane") as plane:
        version = subprocess.run([*plane.kubectl, "version"], check=True, capture_output=True, text=True)
        assert "Server Version: v1.35" in version.stdout
        jane = plane.kubeconfig_for("jane", ["people"])
        asked = subprocess.run(
            [str(plane.programs.kubectl), f"--kubeconfig={jane}", "get", "secrets"],
            check=False,
            capture_output=True,
            text=True,
        )
        assert 'User "jane" cannot list resource "secrets"' in asked.stderr
        secret = [plane.kubeconfig, jane, *(plane.directory / "pki").glob("*.key")]
        assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}
        pids = plane.pids.values()
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_program_that_ends_early_is_quoted(tmp_path: Path) -> None:
    """The last lines of a program that did not start are in the error, and where its log is."""
    broken = tmp_path / "etcd"
    broken.write_text("#!/bin/sh\necho 'no space left on device' >&2\nexit 3\n")
    broken.chmod(0o755)
    with (
        pytest.raises(DidNotStart, match=r"etcd ended with status 3:\nno space left on device") as failed,
        control_plane(Programs(broken, broken, broken, broken), tmp_path / "plane"),
    ):
        pass
    assert "etcd.log" in failed.value.hint
