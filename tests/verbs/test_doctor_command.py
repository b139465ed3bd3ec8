"""The command: what it prints for people and programs, and the exit status it ends with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gitops_ocm.apiserver.serve import serve
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.testing.clusters import connected, embedded
from gitops_ocm.testing.commands import TRACEBACK, environment, run_each
from gitops_ocm.testing.joining import CLUSTERS
from gitops_ocm.verbs.doctor import DoctorOptions, examine


@pytest.fixture(scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """The kubeconfig of a hub of these tests alone; it has one cluster that nobody has accepted."""
    folder = tmp_path_factory.mktemp("doctored")
    async with embedded(folder) as cluster:
        await waiting(cluster, "waiting")
        yield folder / "kubeconfig"


async def waiting(cluster: Cluster, name: str) -> None:
    """A cluster that is there and not accepted."""
    obj = {"apiVersion": CLUSTERS.api_version, "kind": CLUSTERS.kind, "metadata": {"name": name}}
    await cluster.create(CLUSTERS, {**obj, "spec": {"hubAcceptsClient": False}})


async def told(*commands: tuple[str, ...], home: Path) -> list[tuple[int, str, str]]:
    """Exit status, standard output and error of commands; none told a traceback."""
    done = await asyncio.to_thread(run_each, [("doctor", *c) for c in commands], env=environment(home))
    assert not any(TRACEBACK in one.stdout + one.stderr for one in done)
    return [(one.returncode, one.stdout, one.stderr) for one in done]


async def test_text_json_and_status(hub: Path, tmp_path: Path) -> None:
    """1 with findings, as text and as JSON; 2 where nothing can be looked at, or the words are wrong."""
    at = ("--kubeconfig", str(hub))
    (text, as_json, nobody, both, several) = await told(
        ("waiting", *at),
        ("--all", "-o", "json", *at, "--settle", "3600"),
        ("waiting", "--kubeconfig", str(tmp_path / "absent")),
        ("waiting", "--all", *at),
        ("a", "b", *at, "--spoke-kubeconfig", str(hub)),
        home=tmp_path,
    )
    assert text[0] == 1
    assert "PROBLEM The hub has not accepted the cluster waiting yet.  [cluster-not-accepted]" in text[1]
    assert "  mend:     gitops-ocm accept --clusters waiting" in text[1]
    assert text[1].endswith(": 1 problem.\n")
    assert as_json[0] == 1
    body = json.loads(as_json[1])
    assert set(body) == {"healthy", "time", "hub", "managedCluster", "clusters", "causes", "notLookedAt"}
    (cause,) = body["causes"]
    assert (cause["cause"], cause["clusters"]) == ("cluster-not-accepted", ["waiting"])
    (finding,) = cause["findings"]
    assert set(finding) == {"cause", "subject", "cluster", "sentence", "evidence", "command", "follows"}
    assert finding["evidence"][0]["field"] == "spec.hubAcceptsClient"
    assert nobody[0] == 2
    assert "cannot be read" in nobody[2]
    assert both[0] == 2
    assert "exclude each other" in both[2]
    assert several[0] == 2
    assert "name one" in several[2]


async def test_health_is_0(tmp_path: Path) -> None:
    """A hub without trouble ends with 0, one whose things may not all be looked at with 2."""
    async with serve(tmp_path / "well") as server, connected(server.kubeconfig_path) as cluster:
        assert not (await examine(cluster, None, DoctorOptions(settle=3600))).diagnosis.findings
        nobody = tmp_path / "nobody"
        body = server.kubeconfig_path.read_text().replace("client-certificate-data", "x-certificate")
        nobody.write_text(body.replace("client-key-data", "x-key"))
        well, unseen = await told(
            ("--kubeconfig", str(server.kubeconfig_path), "--settle", "3600"),
            ("--kubeconfig", str(nobody), "--settle", "3600"),
            home=tmp_path,
        )
    assert well[0] == 0
    assert "no problem." in well[1]
    assert unseen[0] == 2
