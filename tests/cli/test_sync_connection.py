"""A hub that cannot be reached or used: which file, which host, what to do; exit status 2."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from gitops_ocm.apiserver.tls import Authority
from gitops_ocm.testing.commands import TRACEBACK, run, run_each
from tests.cli.conftest import Hub

pytestmark = pytest.mark.slow


def _missing(hub: Hub) -> list[str]:
    return ["--kubeconfig", str(hub.folder / "nothere")]


def _not_yaml(hub: Hub) -> list[str]:
    path = hub.folder / "broken"
    path.write_text("apiVersion: v1\nclusters: [\n")
    return ["--kubeconfig", str(path)]


def _context(hub: Hub) -> list[str]:
    return ["--kubeconfig", str(hub.kubeconfig), "--context", "nope"]


def _other_ca(hub: Hub) -> list[str]:
    other = Authority.open(hub.folder / "other", now=datetime.now(UTC))
    ca = base64.b64encode(other.pem).decode()
    path = hub.edited("other-ca", lambda of: of["cluster"].update({"certificate-authority-data": ca}))
    return ["--kubeconfig", str(path)]


def _not_pem(hub: Hub) -> list[str]:
    path = hub.edited("not-pem", lambda of: of["cluster"].update({"certificate-authority-data": "aGVsbG8="}))
    return ["--kubeconfig", str(path)]


def _expired(hub: Hub) -> list[str]:
    return ["--kubeconfig", str(hub.of_user("late", now=datetime(2020, 1, 1, tzinfo=UTC)))]


def _no_role(hub: Hub) -> list[str]:
    return ["--kubeconfig", str(hub.of_user("nobody"))]


def _bad_token(hub: Hub) -> list[str]:
    def edit(of: dict[str, dict[str, str]]) -> None:
        of["user"].clear()
        of["user"]["token"] = "s3cr3t"

    return ["--kubeconfig", str(hub.edited("token", edit))]


def _refused(hub: Hub) -> list[str]:
    path = hub.edited("refused", lambda of: of["cluster"].update(server="https://127.0.0.1:1"))
    return ["--kubeconfig", str(path)]


def _no_host(hub: Hub) -> list[str]:
    path = hub.edited("no-host", lambda of: of["cluster"].update(server="https://nohost.invalid:6443"))
    return ["--kubeconfig", str(path)]


WRONG: dict[str, tuple[Callable[[Hub], list[str]], str]] = {
    "no such file": (_missing, r"kubeconfig \S+nothere cannot be read: No such file"),
    "not YAML": (_not_yaml, r"is not YAML\n  where: \S+broken:3"),
    "no such context": (_context, r"has no context 'nope'\n.*\n  hint: Choose one; it has: hub"),
    "another authority": (
        _other_ca,
        r"not signed by the expected authority.*\n  hint: .*may have been set up anew",
    ),
    "no PEM": (_not_pem, r"the certificate authority is not PEM"),
    "expired": (
        _expired,
        r"Unauthorized\n  hint: The client certificate of \S+late\.kubeconfig, .* expired on 202\d-",
    ),
    "no role": (
        _no_role,
        r"is forbidden: User \"nobody\" cannot.*\n  hint: https://127.0.0.1:\d+ knows who asks",
    ),
    "bad token": (
        _bad_token,
        r"Unauthorized\n  hint: https://127.0.0.1:\d+ does not accept the credentials of \S+token",
    ),
    "nobody listens": (_refused, r"https://127\.0\.0\.1:1 cannot be reached: connection refused\n  hint: "),
    "no such host": (
        _no_host,
        r"the host name nohost\.invalid is not known\n  hint: Check the server's name",
    ),
}


@pytest.fixture(scope="module")
def answers(hub: Hub) -> dict[str, CompletedProcess[str]]:
    """A pass with each of the wrong connections."""
    done = run_each([["sync", "--once", *options(hub)] for options, _ in WRONG.values()], env=hub.env)
    return dict(zip(WRONG, done, strict=True))


@pytest.mark.parametrize("case", WRONG)
def test_a_hub_that_cannot_be_used(case: str, answers: dict[str, CompletedProcess[str]]) -> None:
    """One block: what is wrong with which file or host, and the next step; nothing on standard output."""
    done, expected = answers[case], WRONG[case][1]
    assert TRACEBACK not in done.stderr
    assert done.returncode == 2
    assert re.search(expected, done.stderr), done.stderr
    assert done.stdout == ""
    assert "s3cr3t" not in done.stderr


def test_nothing_names_a_hub(hub: Hub, tmp_path: Path) -> None:
    """Without a kubeconfig anywhere the three ways to give one are named."""
    done = hub.run("diff")
    assert done.returncode == 2
    assert "give --kubeconfig FILE, set $KUBECONFIG, or make ~/.kube/config" in done.stderr


def test_an_error_that_nobody_reads_still_counts(hub: Hub) -> None:
    """With standard error closed in the middle (`2>&1 | head -1`) the exit status stays 2."""
    pipe = ("sh", "-c", '{ "$@"; echo $? > status; } 2>&1 | head -c 5; cat status >&2', "sh")
    env = {**hub.env, "PYTHONPATH": str(Path.cwd())}
    done = run("sync", "--once", *_missing(hub), env=env, prefix=("env", "-C", str(hub.folder), *pipe))
    assert done.stderr == "2\n"
