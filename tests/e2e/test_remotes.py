"""A remote that is a server, through the command line: https with a private CA and a password, and ssh."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from signal import SIGINT

import pytest

from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.testing.commands import TRACEBACK, Daemon, environment, run
from gitops_ocm.testing.gitops import SYNCS
from tests.e2e.conftest import Hub
from tests.e2e.git_server import PASSWORD, Remote, https_remote
from tests.e2e.ssh_server import remote_of, ssh_remote, ssh_server

pytestmark = pytest.mark.slow

Eventually = Callable[..., Awaitable[object]]
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: default}\ndata: {a: b}\n"


REFUSALS = {
    "--git-user": r"https://127\.0\.0\.1\S+ refused access: .+ \(check the token",
    "--git-ca": r"certificate or host key of https://127\.0\.0\.1\S+ is not trusted: .+"
    r" \(https: give .*--git-ca",
    "--git-ssh-key": r"ssh://\S+ refused access: \S+ Permission denied \(publickey\) \(check .* SSH key",
    "--git-known-hosts": r"host key of ssh://\S+ is not trusted: .*\(https: .* ssh: its host key",
}
"""What is said where an option is left out."""


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """An empty repository."""
    path = tmp_path / "fleet.git"
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", str(path)], check=True)
    return path


@pytest.fixture(params=[https_remote, ssh_remote], ids=["https", "ssh"])
async def remote(request: pytest.FixtureRequest, bare: Path, tmp_path: Path) -> AsyncIterator[Remote]:
    """An empty repository behind a server of either kind."""
    async with request.param(bare, tmp_path / "server") as served:
        yield served


class Clone:
    """A person's working copy; its git talks to the server in this process, so it runs beside it."""

    def __init__(self, remote: Remote, folder: Path) -> None:
        self.folder = folder
        self._remote = remote

    async def git(self, *args: str) -> str:
        """Any git command."""
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "init.defaultBranch=main")
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder.parent), "GIT_CONFIG_NOSYSTEM": "1"}
        done = await asyncio.to_thread(
            subprocess.run,
            ["git", *who, "-C", str(self.folder), *args],
            env=env | dict(self._remote.git_env),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return str(done.stdout).strip()

    async def commit(self, name: str, *options: str) -> str:
        """A commit that adds a ConfigMap; `--amend` puts it into the last one, which is rewritten so."""
        (self.folder / "hub").mkdir(exist_ok=True)
        (self.folder / "hub" / f"{name}.yaml").write_text(CONFIG_MAP % name)
        await self.git("add", "-A")
        await self.git("commit", "-q", "-m", name, *options)
        return await self.git("rev-parse", "HEAD")


@pytest.fixture
async def clone(remote: Remote, tmp_path: Path) -> Clone:
    """A clone of it."""
    made = Clone(remote, tmp_path / "clone")
    made.folder.mkdir()
    await made.git("clone", "-q", remote.url, ".")
    return made


async def test_followed_and_reported_to(
    hub: Hub, remote: Remote, clone: Clone, unique: Callable[[str], str], eventually: Eventually
) -> None:
    """A push arrives, so does a forced one, and the status branch comes back; the secret is told nowhere."""
    name, one, two = unique("remote"), unique("one"), unique("two")
    first = await clone.commit(one)
    await clone.git("push", "-q", "origin", "main")
    options = ("--name", name, "--repo", remote.url, "--kubeconfig", str(hub.kubeconfig), *remote.options)
    env = hub.env | dict(remote.env)
    with Daemon("sync", *options, "--status-interval", "0.2", env=env) as sync:
        await sync.said(f"{first[:12]}: 1 objects? in force")
        assert await hub.has(one)
        await hub.cluster.patch(SYNCS, "", name, {"spec": {"interval": "1s"}}, type=PatchType.MERGE)
        rewritten = await clone.commit(two, "--amend")
        await clone.git("push", "-q", "--force", "origin", "main")
        await sync.said(f"{rewritten[:12]}: 2 objects in force")
        assert await hub.has(two)

        async def reported() -> bool:
            await clone.git("fetch", "-q", "origin", "+refs/heads/status:refs/heads/seen")
            return rewritten in await clone.git("show", "seen:sync.yaml")

        await eventually(reported)
        assert await sync.stop() == 0
        told = sync.output + json.dumps(await hub.sync(name)) + await clone.git("log", "-p", "seen")
    assert TRACEBACK not in told
    assert PASSWORD not in told


async def test_closed_to_strangers(
    hub: Hub, remote: Remote, clone: Clone, unique: Callable[[str], str], tmp_path: Path
) -> None:
    """Without what opens it, or without what the server is known by: who refused, and what to give."""
    await clone.commit("never")
    await clone.git("push", "-q", "origin", "main")
    for left_out in remote.options[::2]:
        at = remote.options.index(left_out)
        options = remote.options[:at] + remote.options[at + 2 :]
        env = environment(tmp_path, **({} if left_out == "--git-user" else remote.env))
        command = ("sync", "--once", "--name", unique("stranger"), "--repo", remote.url, *options)
        done = await asyncio.to_thread(run, *command, "--kubeconfig", str(hub.kubeconfig), env=env)
        assert done.returncode == 1
        said = done.stdout + done.stderr
        assert re.search(REFUSALS[left_out], said), said
        assert PASSWORD not in said
        assert TRACEBACK not in said


async def test_another_host_in_place_of_the_known_one(
    hub: Hub, bare: Path, unique: Callable[[str], str], tmp_path: Path
) -> None:
    """A running daemon takes nothing from a remote with another host key, and goes on with the old one."""
    name, one, two, three = unique("rekeyed"), unique("one"), unique("two"), unique("three")
    async with ssh_server(tmp_path / "server") as server:
        remote = remote_of(server, bare)
        clone = Clone(remote, tmp_path / "clone")
        clone.folder.mkdir()
        await clone.git("clone", "-q", remote.url, ".")
        first = await clone.commit(one)
        await clone.git("push", "-q", "origin", "main")
        options = ("--name", name, "--repo", remote.url, "--kubeconfig", str(hub.kubeconfig), *remote.options)
        with Daemon("sync", *options, env=hub.env) as sync:
            await sync.said(f"{first[:12]}: 1 objects? in force")
            host_key = (server.folder / "host_key").read_bytes()
            await asyncio.to_thread(server.rekey)
            await hub.cluster.patch(SYNCS, "", name, {"spec": {"interval": "1s"}}, type=PatchType.MERGE)
            await sync.said(r"not trusted: WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED")
            await clone.commit(two)
            await clone.git("push", "-q", str(bare), "main")
            await sync.said(r"IDENTIFICATION HAS CHANGED!; the last good commit stays in force")
            assert not await hub.has(two)
            (server.folder / "host_key").write_bytes(host_key)
            last = await clone.commit(three)
            await clone.git("push", "-q", "origin", "main")
            await sync.said(f"{last[:12]}: 3 objects in force")
            assert await sync.stop() == 0
            assert sync.output.count("IDENTIFICATION HAS CHANGED") <= 4, sync.output
            assert TRACEBACK not in sync.output


async def test_a_key_that_others_may_read(
    hub: Hub, bare: Path, unique: Callable[[str], str], tmp_path: Path
) -> None:
    """ssh does not use such a key; what is said names the file and its mode."""
    async with ssh_server(tmp_path / "server") as server:
        remote = remote_of(server, bare)
        (server.folder / "user_key").chmod(0o644)
        code, said = await asyncio.to_thread(hub.once, unique("open"), "--repo", remote.url, *remote.options)
    assert code == 1
    assert re.search(r"refused access: Permissions 0644 for '\S+user_key' are too open", said), said


@pytest.mark.parametrize(("command", "status"), [(("sync", "--once"), 130), (("diff",), 130), (("sync",), 0)])
async def test_a_person_who_does_not_want_to_wait(
    command: tuple[str, ...], status: int, hub: Hub, unique: Callable[[str], str]
) -> None:
    """Ctrl-C while a remote does not answer ends the command without a word, long before git gives up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/fleet.git"
        options = ("--name", unique("silent"), "--repo", url, "--kubeconfig", str(hub.kubeconfig))
        with Daemon(*command, *options, env=hub.env) as waiting:
            connection, _ = await asyncio.to_thread(silent.accept)
            with connection:
                assert await waiting.stop(SIGINT) == status
            assert waiting.output == ""
