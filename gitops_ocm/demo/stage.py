"""What the demo is played on: everything real, on this machine, in one process.

A bare repository and a clone of it, an embedded hub with managed clusters beside it, the hub's
controllers, the sync with its push hook, and a klusterlet for each cluster over HTTPS, with the rights on
the hub that OCM gives one and no others.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.apiserver.serve import Server, serve_fleet
from gitops_ocm.apiserver.workloads import workload_controllers
from gitops_ocm.decide.access import agent_identity
from gitops_ocm.decide.contract import Side
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.errors import GitopsError
from gitops_ocm.git.hook import install_hook
from gitops_ocm.git.working_copy import WorkingCopy
from gitops_ocm.hub.daemon import HubOptions, hub_groups, run_hub
from gitops_ocm.klusterlet.account import keep_account
from gitops_ocm.klusterlet.agent import KlusterletOptions, run_klusterlet
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.kube.kubeconfig_text import Kubeconfig
from gitops_ocm.live.runner import Runner
from gitops_ocm.runtime.catalog import committed_kinds
from gitops_ocm.runtime.clock import SystemClock
from gitops_ocm.runtime.tasks import Tasks
from gitops_ocm.sync.events import Listener, silent
from gitops_ocm.sync.loop import SyncSettings
from gitops_ocm.sync.service import ServiceSettings, SyncService

MARK = ".gitops-ocm-demo"
SYNC = "fleet"
STATUS_INTERVAL = 0.5


@dataclass(frozen=True)
class Stage:
    """Where everything is. `hub` and `spokes` are for looking; the story changes things by Git alone."""

    directory: Path
    bare: Path
    copy: WorkingCopy
    server: Server
    hub: LocalCluster
    spokes: Mapping[str, LocalCluster]
    members: Mapping[str, Server]


@asynccontextmanager
async def stage(directory: Path, *, clusters: int, listener: Listener = silent) -> AsyncIterator[Stage]:
    """Set everything up in `directory` and keep it running; leaving the block ends it in good order."""
    claim(directory)
    bare = directory / "fleet.git"
    copy = await WorkingCopy.create(bare, directory / "fleet", name="You", email="you@example.com")
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        server, members = await stack.enter_async_context(serve_fleet(directory / "hub", clusters=clusters))
        hub = server.local()
        spokes = {name: member.local() for name, member in members.items()}
        tasks = await stack.enter_async_context(Tasks("demo"))
        try:
            await _start(tasks, stop, Stage(directory, bare, copy, server, hub, spokes, members), listener)
            yield Stage(directory, bare, copy, server, hub, spokes, members)
        finally:
            stop.set()


def claim(directory: Path) -> None:
    """Start from nothing; never in a folder that holds somebody's files."""
    if directory.exists() and any(directory.iterdir()):
        if not (directory / MARK).exists():
            raise GitopsError(
                f"{directory} holds files that are not the demo's", hint="name another folder with --dir"
            )
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    (directory / MARK).touch()


async def _start(tasks: Tasks, stop: asyncio.Event, on: Stage, listener: Listener) -> None:
    ready = asyncio.Event()
    options = HubOptions(frozenset(hub_groups()) - {"sync"})
    tasks.start("hub", run_hub(on.hub, options, stop, ready=ready.set))
    await ready.wait()
    socket = on.directory / "sync.sock"
    install_hook(on.bare, socket)
    service = SyncService(
        on.hub,
        SYNC,
        settings=ServiceSettings(
            SyncSettings(on.directory / "cache"), status_interval=STATUS_INTERVAL, hook_socket=socket
        ),
        catalog=committed_kinds(),
        create={"metadata": {"name": SYNC}, "spec": {"repository": {"url": str(on.bare)}}},
        listener=listener,
    )
    tasks.start("sync", service.run(stop))
    for name in on.members:
        kubelet = Runner(workload_controllers(), {Side.HUB: on.spokes[name]})
        tasks.start(f"workloads of {name}", kubelet.run(stop))
        tasks.start(f"klusterlet of {name}", _klusterlet(name, on, stop))


def _agent_kubeconfig(name: str, on: Stage) -> Path:
    """How a cluster's agent reaches the hub: as somebody who may nothing until the cluster is accepted."""
    user, groups = agent_identity(name, "demo")
    pair = on.server.authority.client(user, groups, now=SystemClock().now())
    folder = on.directory / "agents"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{name}.kubeconfig"
    Kubeconfig(
        server=on.server.url,
        ca=on.server.authority.pem,
        certificate=pair.certificate,
        key=pair.key,
        cluster=on.server.name,
        user=user,
    ).write(path)
    return path


async def _klusterlet(name: str, on: Stage, stop: asyncio.Event) -> None:
    hub = HttpCluster(load_kubeconfig(_agent_kubeconfig(name, on)))
    spoke = HttpCluster(load_kubeconfig(on.members[name].kubeconfig_path))

    async def account(runner: Runner) -> None:
        cache = on.directory / "cache" / name
        await keep_account(runner, name, str(on.bare), stop, cache_dir=cache, interval=STATUS_INTERVAL)

    try:
        options = KlusterletOptions(AgentSettings(name, hub_server=hub.server))
        await run_klusterlet(hub, spoke, options, stop, beside=[account])
    finally:
        await hub.close()
        await spoke.close()
