"""A hub as a process of its own, and commands against it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from ruamel.yaml import YAML

from gitops_ocm.testing.commands import TRACEBACK, Daemon, environment, run


@dataclass(frozen=True)
class Hub:
    """Where a running hub keeps its files."""

    folder: Path
    data: Path

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.data / "kubeconfig"

    @property
    def env(self) -> dict[str, str]:
        """The environment of commands against it."""
        return environment(self.folder)

    def edited(self, name: str, edit: Callable[[dict[str, dict[str, str]]], None]) -> Path:
        """The kubeconfig with a change made to its `cluster` and `user`."""
        yaml = YAML(typ="safe", pure=True)
        body = yaml.load(self.kubeconfig)
        edit({"cluster": body["clusters"][0]["cluster"], "user": body["users"][0]["user"]})
        path = self.folder / name
        with path.open("w") as file:
            yaml.dump(body, file)
        return path

    def of_user(self, name: str, *, now: datetime | None = None) -> Path:
        """The kubeconfig of somebody else, whom no role was given; `now` dates the certificate."""
        from gitops_ocm.apiserver.tls import Authority
        from gitops_ocm.kube.kubeconfig import load_kubeconfig
        from gitops_ocm.kube.kubeconfig_text import Kubeconfig

        authority = Authority.open(self.data / "pki", now=datetime.now(UTC))
        pair = authority.client(name, now=now or datetime.now(UTC))
        path = self.folder / f"{name}.kubeconfig"
        Kubeconfig(
            server=load_kubeconfig(self.kubeconfig).server,
            ca=authority.pem,
            certificate=pair.certificate,
            key=pair.key,
            cluster="hub",
            user=name,
            context="hub",
        ).write(path)
        return path

    def run(self, *args: str) -> CompletedProcess[str]:
        """A command to its end, which told no traceback."""
        done = run(*args, env=self.env)
        assert TRACEBACK not in done.stdout + done.stderr
        return done


@pytest.fixture(scope="session")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    """One hub for all commands."""
    folder = tmp_path_factory.mktemp("commands")
    options = ("--data-dir", str(folder / "hub"), "--controllers", "registration")
    with Daemon("hub", "serve", *options, env=environment(folder)) as daemon:
        await daemon.said("controllers run")
        yield Hub(folder, folder / "hub")
        assert TRACEBACK not in daemon.output
