"""A hub as a process of its own, without a sync: the command line brings that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CONFIG_MAPS
from gitops_ocm.testing.commands import TRACEBACK, Daemon, environment, run
from gitops_ocm.testing.gitops import SYNCS


@dataclass
class Hub:
    """A hub that runs as a process of its own, without the group `sync`."""

    folder: Path
    kubeconfig: Path
    cluster: Cluster

    @property
    def env(self) -> dict[str, str]:
        """The environment of commands against it."""
        return environment(self.folder)

    def command(self, name: str, *options: str) -> list[str]:
        """`sync --once` of the HubSync `name`."""
        return ["sync", "--once", "--name", name, "--kubeconfig", str(self.kubeconfig), *options]

    def once(self, name: str, *options: str) -> tuple[int, str]:
        """`sync --once`: exit status, and all that was said."""
        done = run(*self.command(name, *options), env=self.env)
        said = done.stdout + done.stderr
        assert TRACEBACK not in said
        return done.returncode, said

    async def sync(self, name: str) -> Object:
        """A HubSync as it is."""
        return await self.cluster.get(SYNCS, "", name)

    async def has(self, name: str) -> bool:
        """Whether there is such a ConfigMap in `default`."""
        found = await self.cluster.list(CONFIG_MAPS, "default", field_selector=f"metadata.name={name}")
        return bool(found.items)


@pytest.fixture(scope="session")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    """One hub for all tests that take names of their own."""
    folder = tmp_path_factory.mktemp("hub")
    options = ("--data-dir", str(folder / "hub"), "--controllers", "registration")
    with Daemon("hub", "serve", *options, env=environment(folder)) as daemon:
        await daemon.said("controllers run")
        kubeconfig = folder / "hub" / "kubeconfig"
        cluster = HttpCluster(load_kubeconfig(kubeconfig))
        yield Hub(folder, kubeconfig, cluster)
        await cluster.close()
        assert TRACEBACK not in daemon.output
