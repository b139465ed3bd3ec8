"""A hub and a managed cluster, and the commands of the installation guide against them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from gitops_ocm.testing.commands import TRACEBACK, Daemon, environment, run


@dataclass(frozen=True)
class Fleet:
    """Kubeconfigs of a hub and of the cluster to be managed, and a folder for everything else."""

    folder: Path
    hub: Path
    managed: Path

    def on(self, kubeconfig: Path, *args: str, expect: int = 0) -> CompletedProcess[str]:
        """A command against one of them, which ended as expected and told no traceback."""
        done = run(*args, "--kubeconfig", str(kubeconfig), env=environment(self.folder), timeout=90)
        assert TRACEBACK not in done.stdout + done.stderr
        assert done.returncode == expect, done.stdout + done.stderr
        return done

    def on_hub(self, *args: str, expect: int = 0) -> CompletedProcess[str]:
        """A command against the hub."""
        return self.on(self.hub, *args, expect=expect)

    def on_managed(self, *args: str, expect: int = 0) -> CompletedProcess[str]:
        """A command against the managed cluster."""
        return self.on(self.managed, *args, expect=expect)

    def join_flags(self, *options: str) -> tuple[str, ...]:
        """Token and address, as the hub gives them now."""
        found = json.loads(self.on_hub("get", "token", "-o", "json", *options).stdout)
        return "--hub-token", found["hub-token"], "--hub-apiserver", found["hub-apiserver"]

    def agent(self, bootstrap: Path, name: str) -> Daemon:
        """The agents of the managed cluster, as a process."""
        return Daemon(
            "klusterlet",
            "run",
            "--bootstrap-kubeconfig",
            str(bootstrap),
            "--cluster-name",
            name,
            "--spoke-kubeconfig",
            str(self.managed),
            env=environment(self.folder),
        )
