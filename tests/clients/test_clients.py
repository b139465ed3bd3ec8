"""The client libraries people use, as judges: they tell the same of the embedded server as of a real one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.served import NAMESPACES

pytestmark = [pytest.mark.controlplane, pytest.mark.slow]

PYTHON = [sys.executable, "-W", "ignore", str(Path(__file__).parent / "python_story.py")]


async def _told(command: list[str]) -> list[str]:
    """What a program prints; it must end well."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()[-2000:]
    return out.decode().splitlines()


@pytest.fixture
async def place(kubernetes_cluster: Cluster, embedded_cluster: Cluster, unique: Callable[[str], str]) -> str:
    """A namespace of one name on both servers."""
    name = unique("clients")
    for cluster in (kubernetes_cluster, embedded_cluster):
        await cluster.create(
            NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        )
    return name


async def test_client_go(
    go_program: Path, kubernetes_kubeconfig: Path, embedded_kubeconfig: Path, place: str
) -> None:
    """client-go: typed in JSON and protobuf, dynamic, apply configurations, informers, leader election."""
    real, ours = [
        await _told([str(go_program), "-kubeconfig", str(kubeconfig), "-namespace", place])
        for kubeconfig in (kubernetes_kubeconfig, embedded_kubeconfig)
    ]
    assert ours == real
    assert real[-1] == "namespace Active"


async def test_the_python_client(kubernetes_kubeconfig: Path, embedded_kubeconfig: Path, place: str) -> None:
    """The official Python client: typed, dynamic, watch, informer, leader election, asyncio."""
    real, ours = [
        await _told([*PYTHON, str(kubeconfig), place])
        for kubeconfig in (kubernetes_kubeconfig, embedded_kubeconfig)
    ]
    assert ours == real
    assert real[-1] == "aio 0"
