"""What is said of HubSyncs: real passes over real repositories, and the cause that each of them leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gitops_ocm.api.crd import crds
from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.objects.ref import Resource
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.testing.clusters import install
from gitops_ocm.testing.gitops import NAMESPACE, Fleet, Repo, Wire, config_map
from gitops_ocm.verbs.doctor import DoctorOptions, Examination, examine
from gitops_ocm.verbs.doctor_text import text
from tests.verbs.doctoring import first, folded, roots

pytestmark = pytest.mark.slow

CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
FILES: dict[str, str | None] = {
    "hub/ns.yaml": NAMESPACE,
    **{f"hub/{name}.yaml": config_map(name) for name in ("a", "b", "c")},
}


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    """A repository with three objects, and a hub that has OCM's kinds."""
    api = Api(load_catalog())
    hub = LocalCluster(api)
    await install(hub, crds())
    fleet = Fleet(Repo(tmp_path / "repo.git"), Wire(hub), tmp_path / "cache")
    fleet.repo.commit(FILES)
    yield fleet
    api.close()


async def look(fleet: Fleet, *, settle: float = 0.0, sync: str = "") -> Examination:
    """What is found on the hub."""
    return await examine(fleet.wire.hub, None, DoctorOptions(settle=settle, sync=sync))


async def test_in_step(fleet: Fleet) -> None:
    """A HubSync that is in step gives no finding."""
    await fleet.sync_object()
    assert (await fleet.loop().once()).ok
    assert not (await look(fleet)).diagnosis.findings


async def test_nobody_syncs(fleet: Fleet) -> None:
    """A HubSync nobody has looked at: no sync runs; one that was made just now is given time."""
    await fleet.sync_object()
    found = await look(fleet)
    assert roots(found) == ["controllers-stopped"]
    assert folded(found) == {"sync-not-handled"}
    assert not (await look(fleet, settle=60)).diagnosis.findings


async def test_a_repository_that_does_not_answer(fleet: Fleet) -> None:
    """Trouble with Git is told in Git's words, without the password in the URL."""
    await fleet.sync_object(repository={"url": "https://127.0.0.1:1/fleet.git"})
    await fleet.loop().once()
    found = await look(fleet)
    assert roots(found) == ["sync-git"]
    assert "127.0.0.1" in first(found, "sync-git").sentence


async def test_a_commit_that_is_refused(fleet: Fleet) -> None:
    """A bad commit is told with file and line."""
    await fleet.sync_object()
    await fleet.loop().once()
    bad = fleet.repo.commit({"hub/bad.yaml": "kind: Nonsense\n"})
    await fleet.loop().once()
    found = await look(fleet)
    assert roots(found) == ["sync-invalid"]
    assert first(found, "sync-invalid").mend == f"git revert {bad}"
    assert "hub/bad.yaml:1" in {fact.subject for fact in first(found, "sync-invalid").facts}


async def test_a_commit_that_the_hub_refuses(fleet: Fleet) -> None:
    """A good commit with an object that the hub does not take: in the hub's words."""
    await fleet.sync_object()
    await fleet.loop().once()
    fleet.repo.commit({"hub/lost.yaml": config_map("lost").replace("shop", "nowhere")})
    await fleet.loop().once()
    found = await look(fleet)
    assert roots(found) == ["sync-failing"]
    assert "nowhere" in text(found)


async def test_a_prune_that_waits(fleet: Fleet) -> None:
    """A guarded prune comes with the command that allows it; carried out, all is well."""
    await fleet.sync_object()
    await fleet.loop().once()
    commit = fleet.repo.commit(dict.fromkeys(("hub/a.yaml", "hub/b.yaml", "hub/c.yaml")))
    await fleet.loop().once()
    found = await look(fleet)
    assert roots(found) == ["sync-guarded"]
    assert first(found, "sync-guarded").mend == (
        "kubectl patch hubsync fleet --type=merge "
        f"""-p '{{"spec":{{"prune":{{"allowCommit":"{commit}"}}}}}}'"""
    )
    await fleet.configure(prune={"allowCommit": commit})
    assert (await fleet.loop().once()).ok
    assert not (await look(fleet)).diagnosis.findings


async def test_drift_that_is_reported(fleet: Fleet) -> None:
    """Drift that is only reported is told with what differs."""
    await fleet.sync_object(drift={"mode": "Report"})
    await fleet.loop().once()
    await fleet.wire.hub.patch(CONFIG_MAPS, "shop", "a", {"data": {"v": "x"}}, field_manager="kubectl")
    await fleet.loop().once()
    found = await look(fleet)
    assert roots(found) == ["sync-drift"]
    assert "ConfigMap shop/a" in first(found, "sync-drift").sentence


async def test_who_wanted_it_so(fleet: Fleet) -> None:
    """A suspended HubSync is told and is no fault; `--sync` looks at one HubSync alone."""
    await fleet.sync_object(suspend=True)
    await fleet.loop().once()
    found = await look(fleet)
    assert roots(found) == ["sync-suspended"]
    assert found.diagnosis.healthy
    assert "NOTICE" in text(found)
    assert not (await look(fleet, sync="another")).diagnosis.findings
