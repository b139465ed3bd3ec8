"""Whose an object is: told by the object, through restarts, other HubSyncs, copied labels and hand edits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gitops_ocm.api.fleet import sync_field_manager
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CONFIG_MAPS
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.sync.loop import SyncLoop, SyncSettings
from gitops_ocm.sync.pull import Attempt
from gitops_ocm.testing.gitops import NAMESPACE, SYNCS, Fleet, Repo, config_map
from gitops_ocm.testing.waiting import eventually

pytestmark = pytest.mark.slow

FILES = {
    "hub/ns.yaml": NAMESPACE,
    "hub/a.yaml": config_map("a"),
    "hub/b.yaml": config_map("b"),
    "hub/c.yaml": config_map("c"),
}
LABEL = "sync.gitops-ocm.io/name"
SERVICES = Resource("", "v1", "Service", "services", namespaced=True)
ENDPOINTS = Resource("", "v1", "Endpoints", "endpoints", namespaced=True)
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{port: 80}]}
"""
OWN_ENDPOINTS = """\
apiVersion: v1
kind: Endpoints
metadata: {name: own, namespace: shop}
"""


@asynccontextmanager
async def running(loop: SyncLoop) -> AsyncIterator[SyncLoop]:
    """A daemon while the block lasts."""
    stop = asyncio.Event()
    task = asyncio.create_task(loop.run(stop))
    try:
        yield loop
    finally:
        stop.set()
        await task


async def synced(fleet: Fleet, files: dict[str, str] | None = None, **spec: object) -> None:
    """Files of a HubSync, on the hub."""
    fleet.repo.commit(FILES | (files or {}))
    await fleet.sync_object(**spec)
    assert (await fleet.loop().once()).ok


async def second(fleet: Fleet, files: dict[str, str], **spec: object) -> Attempt:
    """One pass of another HubSync, `other`, on a repository of its own."""
    path = fleet.repo.path.with_name("other.git")
    if not path.exists():
        Repo(path).commit(files)
    sync = {
        "apiVersion": "sync.gitops-ocm.io/v1alpha1",
        "kind": "HubSync",
        "metadata": {"name": "other"},
        "spec": {"repository": {"url": str(path)}, "interval": "1h", **spec},
    }
    settings = SyncSettings(fleet.cache.with_name("other"), patience=0.0, retry_base=0.01)
    catalog = load_catalog()
    return await SyncLoop(fleet.wire, "other", settings=settings, catalog=catalog, create=sync).once()


async def owner(fleet: Fleet, name: str) -> str:
    """The HubSync a ConfigMap is labelled with."""
    found = await fleet.wire.hub.get(CONFIG_MAPS, "shop", name)
    return str((found["metadata"].get("labels") or {}).get(LABEL, ""))


@pytest.mark.parametrize("length", [1, 63, 112, 113, 200])
def test_field_managers_fit_and_differ(length: int) -> None:
    """A field manager tells its HubSync's name as far as 128 characters go, and is no other HubSync's."""
    name = "x" * length
    manager = sync_field_manager(name)
    assert len(manager) <= 128
    assert manager.startswith("gitops-ocm-sync-x")
    assert manager != sync_field_manager(name + "x")
    assert (manager == "gitops-ocm-sync-" + name) is (length <= 112)


async def test_a_copied_label_makes_nothing_ours(fleet: Fleet) -> None:
    """An Endpoints with its Service's labels, as the endpoints controller makes it, is left alone."""
    await synced(fleet, {"hub/svc.yaml": SERVICE, "hub/own.yaml": OWN_ENDPOINTS})
    labels = (await fleet.wire.hub.get(SERVICES, "shop", "web"))["metadata"]["labels"]
    copied: Object = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "web", "namespace": "shop", "labels": labels},
    }
    await fleet.wire.hub.create(ENDPOINTS, copied, field_manager="kube-controller-manager")
    fleet.repo.commit({"hub/own.yaml": None})
    async with running(fleet.loop()) as loop:
        assert (await loop.sync_now()).ok
    found = await fleet.wire.hub.list(ENDPOINTS, "shop", label_selector=f"{LABEL}=fleet")
    assert [obj["metadata"]["name"] for obj in found.items] == ["web"]
    assert "Endpoints" not in await fleet.inventory()


@pytest.mark.parametrize("conflicts", ["Fail", "Overwrite"])
async def test_two_hubsyncs_declare_one_object(fleet: Fleet, conflicts: str) -> None:
    """The first has it; the second says whose it is and where it comes from, and takes it by no means."""
    await synced(fleet)
    theirs = {"hub/ns.yaml": NAMESPACE, "hub/a.yaml": config_map("a", "2"), "hub/d.yaml": config_map("d")}
    attempt = await second(fleet, theirs, conflicts=conflicts)
    assert attempt.verdict.reason == "OwnedByAnotherSync"
    told = {problem.subject: problem.message for problem in attempt.problems}
    assert told == {
        "Namespace shop": "HubSync fleet already manages this object (hub/ns.yaml)",
        "ConfigMap shop/a": "HubSync fleet already manages this object (hub/a.yaml)",
    }
    assert (await fleet.wire.hub.get(CONFIG_MAPS, "shop", "a"))["data"] == {"v": "1"}
    assert [await owner(fleet, name) for name in "ad"] == ["fleet", "other"]
    writes = fleet.wire.writes
    assert (await fleet.loop().once()).ok
    assert fleet.wire.writes == writes, "the first notices nothing of it"


async def test_what_was_never_ours_has_not_drifted(fleet: Fleet) -> None:
    """An object that another HubSync has is no drift of ours at the next pass."""
    await synced(fleet)
    theirs = {"hub/a.yaml": config_map("a", "2"), "hub/d.yaml": config_map("d")}
    for _ in range(2):
        attempt = await second(fleet, theirs)
        assert attempt.verdict.reason == "OwnedByAnotherSync"
        assert attempt.verdict.message.endswith("1 object belongs to another HubSync")
    assert (await fleet.wire.hub.get(SYNCS, "", "other"))["status"]["summary"]["drifted"] == 0


async def test_what_one_hubsync_gives_up_the_other_takes(fleet: Fleet) -> None:
    """An object that leaves one repository for another changes hands without being deleted by either."""
    await synced(fleet, {"hub/b.yaml": config_map("b", notes={"sync.gitops-ocm.io/prune": "disabled"})})
    fleet.repo.commit({"hub/b.yaml": None})
    assert (await fleet.loop().once()).ok
    assert await owner(fleet, "b") == ""
    uid = (await fleet.wire.hub.get(CONFIG_MAPS, "shop", "b"))["metadata"]["uid"]
    assert (await second(fleet, {"hub/b.yaml": config_map("b")})).ok
    assert await owner(fleet, "b") == "other"
    assert (await fleet.wire.hub.get(CONFIG_MAPS, "shop", "b"))["metadata"]["uid"] == uid
    assert (await fleet.loop().once()).ok
    assert await owner(fleet, "b") == "other"


async def test_an_object_handed_over_by_its_label_is_not_deleted(fleet: Fleet) -> None:
    """Between the plan and the deletion somebody gives the object to another HubSync: it stays."""
    await synced(fleet, prune={"maxPercent": 60})

    async def steal() -> None:
        fleet.wire.before_delete = None
        await fleet.wire.hub.patch(
            CONFIG_MAPS, "shop", "b", {"metadata": {"labels": {LABEL: "other"}}}, type=PatchType.MERGE
        )

    fleet.repo.commit({"hub/b.yaml": None, "hub/c.yaml": None})
    fleet.wire.before_delete = steal
    attempt = await fleet.loop().once()
    assert attempt.ok, attempt.verdict
    assert await fleet.names() == ["a", "b"]
    assert await owner(fleet, "b") == "other"
    assert any("has changed on the hub: it is left alone" in event.message for event in fleet.events)


async def test_an_object_that_only_changed_is_deleted(fleet: Fleet) -> None:
    """A change by somebody else between the plan and the deletion is looked at, and then it goes."""
    await synced(fleet)

    async def touch() -> None:
        fleet.wire.before_delete = None
        await fleet.wire.hub.patch(CONFIG_MAPS, "shop", "b", {"data": {"theirs": "x"}}, type=PatchType.MERGE)

    fleet.repo.commit({"hub/b.yaml": None})
    fleet.wire.before_delete = touch
    assert (await fleet.loop().once()).ok
    assert await fleet.names() == ["a", "c"]


async def test_a_kind_that_left_git_is_pruned_by_a_restarted_sync(fleet: Fleet) -> None:
    """The inventory says where to look for objects of kinds that no file names any more."""
    await synced(fleet, {"hub/svc.yaml": SERVICE})
    assert await fleet.inventory() == {"Namespace": 1, "ConfigMap": 3, "Service": 1}
    fleet.repo.commit({"hub/svc.yaml": None})
    assert (await fleet.loop().once()).ok
    assert (await fleet.wire.hub.list(SERVICES, "shop")).items == []
    assert await fleet.inventory() == {"Namespace": 1, "ConfigMap": 3}


async def test_an_inventory_edited_by_hand(fleet: Fleet) -> None:
    """Kinds added by hand are looked at and dropped, removed ones come back with the next pass."""
    await synced(fleet)
    kinds = [{"group": "", "kind": kind, "version": "v1", "count": 5} for kind in ("Secret", "Namespace")]
    status = {"status": {"inventory": {"kinds": kinds}}}
    await fleet.wire.hub.patch(SYNCS, "", "fleet", status, type=PatchType.MERGE, subresource="status")
    assert (await fleet.loop().once()).ok
    assert await fleet.inventory() == {"Namespace": 1, "ConfigMap": 3}
    assert await fleet.names() == ["a", "b", "c"]


async def test_a_hubsync_made_anew_finds_its_objects_again(fleet: Fleet) -> None:
    """Deleted and created under the same name: nothing is rewritten, and what left Git meanwhile goes."""
    await synced(fleet)
    versions = {o["metadata"]["name"]: o["metadata"]["resourceVersion"] for o in await _maps(fleet)}
    await fleet.wire.hub.delete(SYNCS, "", "fleet")
    fleet.repo.commit({"hub/b.yaml": None})
    await fleet.sync_object()
    assert (await fleet.loop().once()).ok
    del versions["b"]
    assert {o["metadata"]["name"]: o["metadata"]["resourceVersion"] for o in await _maps(fleet)} == versions
    assert await fleet.inventory() == {"Namespace": 1, "ConfigMap": 2}


async def _maps(fleet: Fleet) -> list[Object]:
    return list((await fleet.wire.hub.list(CONFIG_MAPS, "shop", label_selector=f"{LABEL}=fleet")).items)


@pytest.mark.parametrize("mode", ["Correct", "Report"])
async def test_what_was_deleted_while_the_sync_was_down_is_drift(fleet: Fleet, mode: str) -> None:
    """A restarted sync tells what went away on the hub from what is new in Git, by the commit in force."""
    await synced(fleet, drift={"mode": mode})
    await fleet.wire.hub.delete(CONFIG_MAPS, "shop", "b")
    fleet.repo.commit({"hub/d.yaml": config_map("d")})
    attempt = await fleet.loop().once()
    assert attempt.plan is not None
    told = {change.ref.name: str(change.reason) for change in attempt.plan if change.action != "unchanged"}
    gone = "deleted on the hub" if mode == "Correct" else "changed on the hub; spec.drift.mode is Report"
    assert told == {"b": gone, "d": "new in Git"}
    assert await fleet.names() == (["a", "b", "c", "d"] if mode == "Correct" else ["a", "c", "d"])


async def test_what_was_replaced_on_the_hub_is_put_back(fleet: Fleet) -> None:
    """Deleted and made anew by hand with another content: Git had it in force, so it is Git's again."""
    await synced(fleet)
    theirs: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "shop"},
        "data": {"v": "x"},
    }
    async with running(fleet.loop()) as loop:
        assert (await loop.sync_now()).ok
        await fleet.wire.hub.delete(CONFIG_MAPS, "shop", "a")
        await fleet.wire.hub.create(CONFIG_MAPS, theirs, field_manager="kubectl")

        async def back() -> bool:
            found = await fleet.wire.hub.get(CONFIG_MAPS, "shop", "a")
            return found["data"] == {"v": "1"} and await owner(fleet, "a") == "fleet"

        await eventually(back)


async def test_a_held_deletion_survives_restarts_and_thinning(fleet: Fleet) -> None:
    """The guard is on the HubSync: a new process and many new objects do not let it go."""
    await synced(fleet)
    first = fleet.repo.commit(dict.fromkeys(("hub/a.yaml", "hub/b.yaml", "hub/c.yaml")))
    assert not (await fleet.loop().once()).ok
    assert (await fleet.status())["pruneGuard"] == {"commit": first, "count": 3}
    fleet.repo.commit({f"hub/n{i}.yaml": config_map(f"n{i}") for i in range(9)})
    assert not (await fleet.loop().once()).ok
    assert (await fleet.status())["pruneGuard"] == {"commit": first, "count": 3}
    assert len(await fleet.names()) == 12
    fleet.repo.commit({path: FILES[path] for path in ("hub/a.yaml", "hub/b.yaml", "hub/c.yaml")})
    assert (await fleet.loop().once()).ok
    assert "pruneGuard" not in await fleet.status()
    fleet.repo.commit({"hub/a.yaml": None})
    assert (await fleet.loop().once()).ok
    assert "a" not in await fleet.names()


async def test_a_deletion_that_takes_its_time_is_asked_for_once(fleet: Fleet) -> None:
    """An object with a finalizer is on its way: it is not deleted again, and does not count."""
    await synced(fleet)
    hold = {"metadata": {"finalizers": ["example.com/wait"]}}
    await fleet.wire.hub.patch(CONFIG_MAPS, "shop", "b", hold, type=PatchType.MERGE)
    fleet.repo.commit({"hub/b.yaml": None})
    async with running(fleet.loop()) as loop:
        assert (await loop.sync_now()).ok
        fleet.repo.commit({"hub/d.yaml": config_map("d")})
        assert (await loop.sync_now()).ok
    assert fleet.wire.requests["delete"] == 1
    assert await fleet.inventory() == {"Namespace": 1, "ConfigMap": 3}
    await fleet.wire.hub.patch(
        CONFIG_MAPS, "shop", "b", {"metadata": {"finalizers": None}}, type=PatchType.MERGE
    )
    assert await fleet.names() == ["a", "c", "d"]


async def test_a_recorded_version_that_is_served_no_longer(fleet: Fleet) -> None:
    """A kind that left Git is looked at in the version that the hub has today."""
    await synced(fleet, {"hub/svc.yaml": SERVICE})
    kinds = [{"group": "", "kind": "Service", "version": "v1beta9", "count": 1}]
    status = {"status": {"inventory": {"kinds": kinds}}}
    await fleet.wire.hub.patch(SYNCS, "", "fleet", status, type=PatchType.MERGE, subresource="status")
    fleet.repo.commit({"hub/svc.yaml": None})
    assert (await fleet.loop().once()).ok
    assert (await fleet.wire.hub.list(SERVICES, "shop")).items == []


WIDGETS = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: &any
      {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}}
  - {name: v1beta1, served: true, storage: false, schema: {openAPIV3Schema: *any}}
"""


def widget(version: str) -> str:
    """A custom object at a version of its kind."""
    meta = "metadata: {name: w, namespace: shop}"
    return f"apiVersion: example.com/{version}\nkind: Widget\n{meta}\nspec: {{size: 1}}\n"


async def test_another_version_in_git_is_watched_from_then_on(fleet: Fleet) -> None:
    """A kind that moves to another version is the same objects; drift is still noticed, and judged right."""
    fleet.repo.commit(FILES | {"hub/crd.yaml": WIDGETS, "hub/w.yaml": widget("v1beta1")})
    await fleet.sync_object()
    widgets = Resource("example.com", "v1", "Widget", "widgets", namespaced=True)
    async with running(fleet.loop(patience=10.0)) as loop:
        assert (await loop.sync_now()).ok
        uid = (await fleet.wire.hub.get(widgets, "shop", "w"))["metadata"]["uid"]
        fleet.repo.commit({"hub/w.yaml": widget("v1")})
        assert (await loop.sync_now()).ok
        before = fleet.wire.writes
        body = {"spec": {"size": 7}}
        await fleet.wire.hub.patch(widgets, "shop", "w", body, type=PatchType.MERGE, field_manager="kubectl")

        async def back() -> bool:
            return bool((await fleet.wire.hub.get(widgets, "shop", "w"))["spec"] == {"size": 1})

        await eventually(back)
        assert (await loop.sync_now()).ok
        assert fleet.wire.writes - before <= 2, "one apply, and one status that tells of it"
    assert (await fleet.wire.hub.get(widgets, "shop", "w"))["metadata"]["uid"] == uid


async def test_a_kind_whose_definition_is_gone(fleet: Fleet) -> None:
    """Objects that went with their kind need no deletion; it is remembered while it is out of sight."""
    fleet.repo.commit(FILES | {"hub/crd.yaml": WIDGETS, "hub/w.yaml": widget("v1")})
    await fleet.sync_object()
    assert (await fleet.loop(patience=10.0).once()).ok
    definitions = Resource(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        namespaced=False,
    )
    await fleet.wire.hub.delete(definitions, "", "widgets.example.com")
    fleet.repo.commit({"hub/crd.yaml": None, "hub/w.yaml": None})
    assert (await fleet.loop().once()).ok
    assert (await fleet.inventory())["Widget"] == 0
    fleet.repo.commit({"hub/crd.yaml": WIDGETS})
    for _ in range(2):
        assert (await fleet.loop().once()).ok
    assert "Widget" not in await fleet.inventory()
