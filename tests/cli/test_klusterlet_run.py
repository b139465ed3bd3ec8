"""`gitops-ocm klusterlet run`: what it refuses, and a hub that is not there yet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from gitops_ocm.cli.klusterlet import klusterlet
from gitops_ocm.testing.commands import TRACEBACK, Daemon, environment
from tests.cli.conftest import Hub

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--cluster-name", "Bad_Name"], r"'Bad_Name' cannot be the name of a cluster: .*\n  hint: "),
        (["--cluster-name", "c1", "--agents", "nope"], r"there is no agent 'nope'\n  hint: choose from "),
    ],
)
def test_what_is_refused(options: list[str], expected: str, hub: Hub) -> None:
    """A name no cluster can have and an agent there is not end it at once, with 2."""
    clusters = ("--hub-kubeconfig", str(hub.kubeconfig), "--spoke-kubeconfig", str(hub.kubeconfig))
    done = hub.run("klusterlet", "run", *clusters, *options)
    assert done.returncode == 2
    assert re.search(expected, done.stderr), done.stderr


FILE = ("--bootstrap-kubeconfig", "somewhere")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), "give either --bootstrap-kubeconfig, to register, or --hub-kubeconfig"),
        ((*FILE, "--hub-kubeconfig", "too"), "give either --bootstrap-kubeconfig"),
        (("--hub-kubeconfig", "one"), "--hub-kubeconfig needs --cluster-name"),
        ((*FILE, *FILE), "several --bootstrap-kubeconfig need --feature-gates MultipleHubs=true"),
        ((*FILE, "--client-cert-expiration-seconds", "60"), "a certificate lives an hour"),
        ((*FILE, "--spoke-external-server-urls", "http://c1"), "a hub takes https:// alone"),
        ((*FILE, "--cluster-annotations", "key"), "write KEY=VALUE"),
        ((*FILE, "--feature-gates", "Nope=true"), "there is no feature gate 'Nope'"),
        ((*FILE, "--hub-connection-timeout-seconds", "10"), "is not in the range x>=180"),
    ],
)
def test_what_cannot_be_meant(options: tuple[str, ...], expected: str) -> None:
    """Options that contradict each other, or that no hub would take, are a mistake in usage."""
    done = CliRunner().invoke(klusterlet, ["run", *options])
    assert done.exit_code == 2
    assert expected in " ".join(done.output.split())


async def test_it_waits_for_a_hub_that_is_not_up_yet(tmp_path: Path) -> None:
    """Started before its hub, an agent says so and begins when the hub answers; so does the hub's half."""
    env = environment(tmp_path)
    serve = ("hub", "serve", "--data-dir", str(tmp_path / "hub"), "--controllers", "placement")
    with Daemon(*serve, env=env) as hub:
        await hub.said("controllers run")
        assert await hub.stop() == 0
    kubeconfig = str(tmp_path / "hub" / "kubeconfig")
    clusters = ("--hub-kubeconfig", kubeconfig, "--spoke-kubeconfig", kubeconfig)
    with (
        Daemon("klusterlet", "run", "--cluster-name", "cluster1", *clusters, env=env) as agent,
        Daemon("hub", "run", "--kubeconfig", kubeconfig, "--controllers", "registration", env=env) as half,
        Daemon("sync", "--kubeconfig", kubeconfig, env=env) as sync,
    ):
        for one in (agent, half):
            await one.said(r"not reached, trying again.*connection refused")
        await sync.said("connection refused")
        with Daemon(*serve, env=env) as hub:
            await half.said("controllers run")
            await sync.said("there is no HubSync fleet on")
            for one in (agent, half, sync):
                assert await one.stop() == 0
                assert TRACEBACK not in one.output
            assert await hub.stop() == 0


async def test_it_can_be_stopped_while_it_waits(tmp_path: Path, hub: Hub) -> None:
    """A signal while its hub cannot be reached ends it with 0, at once."""
    gone = hub.edited("gone", lambda of: of["cluster"].update(server="https://127.0.0.1:1"))
    clusters = ("--hub-kubeconfig", str(gone), "--spoke-kubeconfig", str(hub.kubeconfig))
    with Daemon("klusterlet", "run", "--cluster-name", "c1", *clusters, env=environment(tmp_path)) as agent:
        await agent.said("not reached, trying again")
        assert await agent.stop() == 0
