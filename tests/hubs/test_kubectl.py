"""kubectl as the judge: the same commands on the embedded server and on a real one, the same answers."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.served import ACCOUNTS, CONFIG_MAPS, NAMESPACES
from gitops_ocm.testing.clusters import install
from tests.hubs.conftest import WIDGETS
from tests.hubs.kubectl_cases import SESSIONS, Step, config

pytestmark = [pytest.mark.controlplane, pytest.mark.slow]


VARIES = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
    (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "<time>"),
    (r"resourceVersion: \"\d+\"", 'resourceVersion: "<version>"'),
    (r'"resourceVersion": "\d+"', '"resourceVersion": "<version>"'),
    (r"Resource Version:\s+\d+", "Resource Version: <version>"),
    (r"(?<=\s)\d+(ms|s|m)(?=\s|$)", "<age>"),
    (r"<(unknown|invalid)>(?=\s|$)", "<age>"),
    (r"\S+/(LIVE|MERGED)-\d+", r"\1"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [+-]\d{4}", "<time>"),
    (r"https://127\.0\.0\.1:\d+", "<server>"),
    # An error of the API machinery itself has no reason on the real server; ours names the status code's.
    (r"Error from server \(InternalError\):", "Error from server:"),
    (r" +", " "),
]
"""What differs between two runs of one server, and how it is spelled for comparing."""


@dataclass(frozen=True)
class Answer:
    """What one command came to."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Kubectl:
    """A kubectl bound to a server and a namespace."""

    program: Path
    kubeconfig: Path
    namespace: str
    cache: Path

    def command(self, args: str) -> list[str]:
        """The command line of a step."""
        words = shlex.split(args.replace("{ns}", self.namespace))
        return [
            str(self.program),
            f"--kubeconfig={self.kubeconfig}",
            f"--cache-dir={self.cache}",
            f"--namespace={self.namespace}",
            *words,
        ]

    async def run(self, step: Step) -> Answer:
        """Run one step to its end; both outputs with what varies made equal."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.cache), "KUBE_EDITOR": step.editor, "TZ": "UTC"}
        process = await asyncio.create_subprocess_exec(
            *self.command(step.args),
            env=env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            out, err = await process.communicate(step.stdin.encode())
        assert process.returncode is not None
        return Answer(process.returncode, same(out.decode()), same(err.decode()))


def same(text: str) -> str:
    """`text` without what varies from run to run."""
    for pattern, replacement in VARIES:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return "\n".join(line.rstrip() for line in text.splitlines())


@pytest.fixture
async def judges(
    kubectl: Path,
    embedded_kubeconfig: Path,
    embedded_cluster: Cluster,
    kubernetes_kubeconfig: Path,
    kubernetes_cluster: Cluster,
    unique: Callable[[str], str],
    eventually: Callable[..., Awaitable[object]],
    tmp_path: Path,
) -> tuple[Kubectl, Kubectl]:
    """kubectl for the embedded server and for the real one, in namespaces of the same name."""
    namespace = unique("kubectl")
    for cluster in (embedded_cluster, kubernetes_cluster):
        await install(cluster, [WIDGETS])
        obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        await cluster.create(NAMESPACES, obj)
        await eventually(partial(_has_what_every_namespace_has, cluster, namespace))
    return (
        Kubectl(kubectl, embedded_kubeconfig, namespace, tmp_path / "embedded"),
        Kubectl(kubectl, kubernetes_kubeconfig, namespace, tmp_path / "real"),
    )


async def _has_what_every_namespace_has(cluster: Cluster, namespace: str) -> bool:
    """Its ServiceAccount and its CA: a real cluster's controllers make them a moment later."""
    for resource, name in ((ACCOUNTS, "default"), (CONFIG_MAPS, "kube-root-ca.crt")):
        found = await cluster.list(resource, namespace, field_selector=f"metadata.name={name}")
        if not found.items:
            return False
    return True


@pytest.mark.parametrize("session", SESSIONS.values(), ids=[name.replace(" ", "-") for name in SESSIONS])
async def test_kubectl_cannot_tell_them_apart(judges: tuple[Kubectl, Kubectl], session: list[Step]) -> None:
    """Exit status, output and errors of every command of a session are the same on both servers."""
    embedded, real = judges
    differences = []
    for step in session:
        ours, theirs = await asyncio.gather(embedded.run(step), real.run(step))
        if ours != theirs:
            differences.append(f"$ kubectl {step.args}\n--- real\n{theirs}\n--- embedded\n{ours}")
    assert not differences, "\n\n".join(d.replace("\\n", "\n") for d in differences)


async def test_get_watch_shows_changes_as_they_happen(judges: tuple[Kubectl, Kubectl]) -> None:
    """`kubectl get -w` prints a line for each change, the same on both servers."""
    transcripts = []
    for kubectl in judges:
        await kubectl.run(Step("create -f -", config("a")))
        watching = await asyncio.create_subprocess_exec(
            *kubectl.command("get cm -w --output-watch-events"), stdout=asyncio.subprocess.PIPE
        )
        assert watching.stdout is not None
        try:
            async with asyncio.timeout(60):
                lines = [await watching.stdout.readline() for _ in range(3)]  # the header, `a`, and the CA
                await kubectl.run(Step("create -f -", config("b")))
                await kubectl.run(Step("label cm b tier=front"))
                await kubectl.run(Step("delete cm b"))
                lines += [await watching.stdout.readline() for _ in range(3)]
        finally:
            watching.terminate()
            await watching.wait()
        transcripts.append(same(b"".join(lines).decode()))
    assert transcripts[0] == transcripts[1]
    assert [line.split()[0] for line in transcripts[0].splitlines()[1:]] == [
        "ADDED",
        "ADDED",
        "ADDED",
        "MODIFIED",
        "DELETED",
    ]
