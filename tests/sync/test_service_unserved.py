"""Kinds that a hub does not serve yet, and a HubSync that nobody can read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gitops_ocm.api.crd import crds
from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.objects.served import NAMESPACES
from gitops_ocm.operator.crds import sync_crds
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.sync.loop import SyncSettings
from gitops_ocm.sync.service import ServiceSettings, SyncService
from gitops_ocm.testing.clusters import install
from gitops_ocm.testing.gitops import NAMESPACE, WORKS, Fleet, Repo, Wire, config_map, work

Eventually = Callable[..., Awaitable[object]]


@pytest.mark.slow
async def test_a_commit_with_an_unserved_kind_waits_as_a_whole(
    tmp_path: Path, eventually: Eventually
) -> None:
    """On a hub without OCM's kinds nothing of the commit is applied; once they are served, all of it is."""
    api = Api(load_catalog(ocm=False))
    fleet = Fleet(Repo(tmp_path / "repo.git"), Wire(LocalCluster(api)), tmp_path / "cache")
    await install(fleet.wire.hub, sync_crds())
    await fleet.sync_object()
    fleet.repo.commit(
        {"hub/a.yaml": NAMESPACE, "hub/b.yaml": config_map("a"), "works/w.yaml": work("w", "shop")}
    )
    stop = asyncio.Event()
    running = asyncio.create_task(fleet.loop().run(stop))

    async def ready(status: str, reason: str) -> bool:
        return await fleet.condition() == (status, reason)

    await eventually(lambda: ready("False", "InvalidCommit"))
    problems = (await fleet.status())["problems"]
    assert [(p["code"], p["path"]) for p in problems] == [("unknown-kind", "works/w.yaml")]
    assert "shop" not in {o["metadata"]["name"] for o in (await fleet.wire.hub.list(NAMESPACES)).items}

    await install(fleet.wire.hub, crds())
    await eventually(lambda: ready("True", "Synced"))
    assert await fleet.names(WORKS) == ["w"]
    stop.set()
    await running
    api.close()


async def test_an_unreadable_hubsync_costs_no_requests(fleet: Fleet, eventually: Eventually) -> None:
    """A HubSync that says nonsense is told once and waited for, without going round and round."""
    await fleet.sync_object(status={"branch": "main"})
    fleet.repo.commit({"hub/a.yaml": NAMESPACE})
    service = SyncService(
        fleet.wire,
        "fleet",
        settings=ServiceSettings(SyncSettings(fleet.cache, retry_base=0.01)),
        catalog=load_catalog(),
        listener=fleet.events.append,
    )
    stop = asyncio.Event()
    running = asyncio.create_task(service.run(stop))

    async def ready(status: str, reason: str) -> bool:
        return await fleet.condition() == (status, reason)

    await eventually(lambda: ready("False", "InvalidHubsync"))
    told = [event for event in fleet.events if "cannot report to the branch main" in event.message]
    assert 1 <= len(told) <= 2
    await fleet.configure(status={"branch": "status"})
    await eventually(lambda: ready("True", "Synced"))
    assert [event for event in fleet.events if "cannot report" in event.message] == told
    assert fleet.repo.git("log", "--format=%s", "main") == "Change"
    stop.set()
    await running
