"""The command: what it prints for people and programs, and the exit status it ends with."""

from __future__ import annotations

import ast
import asyncio
import json
import shlex
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
import yaml

from gitops_ocm.apiserver.serve import serve
from gitops_ocm.cli.main import cli
from gitops_ocm.decide import diagnosis
from gitops_ocm.decide.diagnosis.diagnose import Diagnosis
from gitops_ocm.decide.diagnosis.finding import Fact, Finding
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.testing.clusters import connected, embedded
from gitops_ocm.testing.commands import TRACEBACK, environment, run_each
from gitops_ocm.testing.joining import CLUSTERS
from gitops_ocm.verbs.doctor import DoctorOptions, Examination, examine
from gitops_ocm.verbs.doctor_text import text, to_json

pytestmark = pytest.mark.slow


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
    (printed, as_json, nobody, both, several) = await told(
        ("waiting", *at),
        ("--all", "-o", "json", *at, "--settle", "3600"),
        ("waiting", "--kubeconfig", str(tmp_path / "absent")),
        ("waiting", "--all", *at),
        ("a", "b", *at, "--spoke-kubeconfig", str(hub)),
        home=tmp_path,
    )
    assert printed[0] == 1
    assert "PROBLEM The hub has not accepted the cluster waiting yet.  [cluster-not-accepted]" in printed[1]
    assert "  mend:     gitops-ocm accept --clusters waiting" in printed[1]
    assert printed[1].endswith(": 1 problem.\n")
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


async def test_nobody_to_ask(hub: Path, tmp_path: Path) -> None:
    """A hub that does not answer, or does not know who asks, is one error, and 2."""
    stranger, away = tmp_path / "stranger", tmp_path / "away"
    body = yaml.safe_load(hub.read_text())
    body["users"][0]["user"] = {"token": "nobodys.token-that-is-none"}
    stranger.write_text(yaml.safe_dump(body))
    body["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    away.write_text(yaml.safe_dump(body))
    done = await told(("--kubeconfig", str(stranger)), ("--kubeconfig", str(away)), home=tmp_path)
    for status, out, error in done:
        assert (status, out) == (2, "")
        assert error.count("error:") == 1
        assert "nobodys" not in error
    assert "does not accept the credentials" in done[0][2]
    assert "connection refused" in done[1][2]


def test_nothing_that_looks_secret_is_printed() -> None:
    """What others wrote into conditions may hold secrets: they are cut out, in either form."""
    said = "GET https://me:hunter2@git.example.com failed: Authorization: Bearer abcdefgh12345678 was refused"
    finding = Finding(
        "sync-git", "HubSync a", said, (Fact("HubSync a", "status", said),), "kubectl get hubsync a"
    )
    found = Examination(Diagnosis((finding,), {}), "https://hub", "", 1, datetime(2026, 1, 1, tzinfo=UTC))
    printed = text(found) + to_json(found)
    assert "git.example.com" in printed
    assert "hunter2" not in printed
    assert "abcdefgh12345678" not in printed


def commands() -> list[str]:
    """Every command of ours that mends something, as it is written down, with x for what is filled in."""
    found: set[str] = set()
    for path in Path(diagnosis.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            if all(isinstance(part, ast.Constant | ast.FormattedValue) for part in parts):
                written = (str(p.value) if isinstance(p, ast.Constant) else "x" for p in parts)
                found.add("".join(written))
    # What ends in a blank is the first piece of another one.
    return sorted(line for line in found if line.startswith("gitops-ocm ") and line[-1] != " ")


@pytest.mark.parametrize("line", commands())
def test_commands_that_mend_can_be_typed(line: str) -> None:
    """Each command exists, with the options it is given."""
    command: click.Command = cli
    words = shlex.split(line)[1:]
    while isinstance(command, click.Group):
        name = words.pop(0)
        found = command.get_command(click.Context(command), name)
        assert found is not None, f"{name} is no command"
        command = found
    command.make_context(line, words)


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
