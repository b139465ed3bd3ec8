"""A remote that is a server, through the command line: https with a private CA and a password."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.testing.commands import TRACEBACK, Daemon, environment, run
from gitops_ocm.testing.gitops import SYNCS
from tests.e2e.conftest import Hub
from tests.e2e.git_server import PASSWORD, Remote, https_remote

pytestmark = pytest.mark.slow

Eventually = Callable[..., Awaitable[object]]
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: default}\ndata: {a: b}\n"


REFUSALS = {
    "--git-user": r"https://127\.0\.0\.1\S+ refused access \(check the token",
    "--git-ca": r"certificate or host key of https://127\.0\.0\.1\S+ is not trusted \(https: give .*--git-ca",
}
"""What is said where an option is left out."""


@pytest.fixture
async def remote(tmp_path: Path) -> AsyncIterator[Remote]:
    """An empty repository behind the server."""
    path = tmp_path / "fleet.git"
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", str(path)], check=True)
    async with https_remote(path, tmp_path / "server") as served:
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

        await eventually(reported, 30)
        assert await sync.stop() == 0
        told = sync.output + json.dumps(await hub.sync(name)) + await clone.git("log", "-p", "seen")
    assert TRACEBACK not in told
    assert PASSWORD not in told


async def test_closed_to_strangers(hub: Hub, remote: Remote, clone: Clone, tmp_path: Path) -> None:
    """Without what opens it, or without what the server is known by: who refused, and what to give."""
    await clone.commit("never")
    await clone.git("push", "-q", "origin", "main")
    for left_out in remote.options[::2]:
        at = remote.options.index(left_out)
        options = remote.options[:at] + remote.options[at + 2 :]
        env = environment(tmp_path, **({} if left_out == "--git-user" else remote.env))
        command = ("sync", "--once", "--name", "stranger", "--repo", remote.url, *options)
        done = await asyncio.to_thread(run, *command, "--kubeconfig", str(hub.kubeconfig), env=env)
        assert done.returncode == 1
        said = done.stdout + done.stderr
        assert re.search(REFUSALS[left_out], said), said
        assert PASSWORD not in said
        assert TRACEBACK not in said
