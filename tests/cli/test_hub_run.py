"""`gitops-ocm hub run`: which process works, what its options mean, and webhooks beside it."""

from __future__ import annotations

import asyncio
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGTERM

import pytest

from gitops_ocm.apiserver.tls import Authority
from gitops_ocm.kube.kubeconfig_text import Kubeconfig
from gitops_ocm.objects.served import LEASES
from gitops_ocm.testing.clusters import connected
from gitops_ocm.testing.commands import TRACEBACK, Daemon, environment, run_each

pytestmark = pytest.mark.slow
QUICK = (
    "--leader-election-lease-duration=6s",
    "--leader-election-renew-deadline=4s",
    "--leader-election-retry-period=500ms",
)


@pytest.fixture(
    scope="session", params=["embedded", pytest.param("kubernetes", marks=pytest.mark.controlplane)]
)
def kubeconfig(request: pytest.FixtureRequest) -> Path:
    """Each server that there are leases on."""
    found: Path = request.getfixturevalue(f"{request.param}_kubeconfig")
    return found


def started(stack: ExitStack, kubeconfig: Path, folder: Path, *options: str) -> Daemon:
    """A process with the placement controllers."""
    folder.mkdir()
    command = ["hub", "run", f"--kubeconfig={kubeconfig}", "--controllers=placement", *options]
    return stack.enter_context(Daemon(*command, env=environment(folder)))


async def test_when_the_leader_is_killed_another_takes_over(
    kubeconfig: Path, tmp_path: Path, unique: Callable[[str], str]
) -> None:
    """Only one of two works; after kill -9 the other one does, and at an orderly end the lease is free."""
    namespace = unique("leases")
    options = (*QUICK, f"--leader-election-namespace={namespace}")
    async with connected(kubeconfig) as hub:

        async def record() -> dict[str, object]:
            spec: dict[str, object] = (await hub.get(LEASES, namespace, "placement-lock"))["spec"]
            return spec

        with ExitStack() as stack:
            one = started(stack, kubeconfig, tmp_path / "one", *options)
            await one.said("controllers run", 60)
            first = str((await record())["holderIdentity"])
            two = started(stack, kubeconfig, tmp_path / "two", *options)
            await two.said(f"waiting for the leader to go.*{re.escape(first)}", 60)
            assert "controllers run" not in two.output
            one.kill()
            await two.said("controllers run", 60)
            taken = await record()
            assert taken["holderIdentity"] not in ("", first)
            assert taken["leaseTransitions"] == 1
            assert await two.stop(SIGTERM) == 0
            assert (await record())["holderIdentity"] == ""
            assert TRACEBACK not in two.output


def certificate(folder: Path) -> tuple[Authority, list[str]]:
    """An authority, and the options that name a certificate of it for loopback."""
    authority = Authority.open(folder / "pki", now=datetime.now(UTC))
    pair = authority.server(["127.0.0.1"], now=datetime.now(UTC))
    (folder / "tls.crt").write_bytes(pair.certificate)
    (folder / "tls.key").write_bytes(pair.key)
    return authority, [f"--certdir={folder}"]


def healthy(authority: Authority, port: str) -> bool:
    """Whether webhooks answer there, with a certificate of the authority."""
    context = ssl.create_default_context(cadata=authority.pem.decode())
    with urllib.request.urlopen(f"https://127.0.0.1:{port}/healthz", context=context, timeout=10) as answer:
        return bool(answer.status == 200)


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside-the-controllers"])
async def test_webhooks_are_served(
    embedded_kubeconfig: Path, tmp_path: Path, unique: Callable[[str], str], beside: bool
) -> None:
    """On their own, or by the process that runs the controllers, whether it leads or not."""
    authority, options = certificate(tmp_path)
    with ExitStack() as stack:
        if beside:
            namespace = f"--leader-election-namespace={unique('leases')}"
            options += ["--webhook-listen=127.0.0.1:0", namespace]
            daemon = started(stack, embedded_kubeconfig, tmp_path / "one", *options)
        else:
            command = ["hub", "webhook", f"--kubeconfig={embedded_kubeconfig}", "--listen=127.0.0.1:0"]
            daemon = stack.enter_context(Daemon(*command, *options, env=environment(tmp_path)))
        found = await daemon.said(r"webhooks are served.*port=(\d+)", 60)
        assert await asyncio.to_thread(healthy, authority, found[1])
        assert await daemon.stop(SIGTERM) == 0
        assert TRACEBACK not in daemon.output


def asked(port: str, path: str) -> tuple[int, str]:
    """What is answered at the health port."""
    context = ssl._create_unverified_context()
    try:
        with urllib.request.urlopen(f"https://127.0.0.1:{port}{path}", context=context, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


async def test_health_and_metrics(
    embedded_kubeconfig: Path, tmp_path: Path, unique: Callable[[str], str]
) -> None:
    """Probes are told how it is, Prometheus what it did; without its hub it lives, but is not ready."""
    lease, health = f"--leader-election-namespace={unique('leases')}", "--health-listen=127.0.0.1:0"
    lost = tmp_path / "lost.kubeconfig"
    Kubeconfig(server="https://127.0.0.1:1").write(lost)
    with ExitStack() as stack:
        daemon = started(stack, embedded_kubeconfig, tmp_path / "one", lease, health)
        waiting = started(stack, lost, tmp_path / "two", health)
        await daemon.said("controllers run", 60)
        port = (await daemon.said(r"health and metrics are served.*127\.0\.0\.1:(\d+)", 60))[1]
        assert await asyncio.to_thread(asked, port, "/livez") == (200, "ok")
        assert await asyncio.to_thread(asked, port, "/readyz") == (200, "ok")
        status, text = await asyncio.to_thread(asked, port, "/metrics")
        assert status == 200
        assert re.search(r'^workqueue_depth\{name="placement"\} ', text, re.MULTILINE)
        port = (await waiting.said(r"health and metrics are served.*127\.0\.0\.1:(\d+)", 60))[1]
        assert await asyncio.to_thread(asked, port, "/livez") == (200, "ok")
        assert await asyncio.to_thread(asked, port, "/readyz") == (
            503,
            "not ready: it waits for the API server to answer",
        )
        for one in (daemon, waiting):
            assert await one.stop(SIGTERM) == 0
            assert TRACEBACK not in one.output


MEANINGLESS = [
    ("run --feature-gates=Nothing=true", "there is no feature gate 'Nothing'"),
    ("run --feature-gates=ClusterProfile=1", "either true or false"),
    ("serve --feature-gates=Nothing=true", "there is no feature gate 'Nothing'"),
    ("run --labels=a/b/c=d", "is no label"),
    ("run --gc-resource-list=manifestworks", "names no resource"),
    ("run --leader-election-lease-duration=10s", "longer than its deadline"),
    ("run --controllers=nothing", "there is no controller group 'nothing'"),
    ("run --webhook-listen=127.0.0.1:0", "served with a certificate only"),
    ("run --health-listen=nonsense", "is not HOST:PORT"),
    ("webhook --tls-cert-file=x", "without its key"),
    ("webhook --certdir=nowhere", "cannot use the certificate"),
    ("webhook --listen=nonsense", "is not HOST:PORT"),
]


def test_what_cannot_be_meant(tmp_path: Path) -> None:
    """An option that makes no sense ends the command before it looks for a hub, with what to do instead."""
    commands = [["hub", *command.split()] for command, _ in MEANINGLESS]
    for (command, text), done in zip(MEANINGLESS, run_each(commands, env=environment(tmp_path)), strict=True):
        said = done.stdout + done.stderr
        assert done.returncode != 0, command
        assert text in " ".join(said.split()), command
        assert TRACEBACK not in said, command
