"""Git → hub, from a commit to objects on the hub, through everything that can come in between."""

from __future__ import annotations

import asyncio

import pytest

from gitops_ocm.objects.canonical import digest
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CONFIG_MAPS, NAMESPACES
from gitops_ocm.testing.gitops import NAMESPACE, WORKS, Fleet, config_map, work
from gitops_ocm.testing.waiting import eventually


def config_map_object(name: str) -> Object:
    """What `config_map(name)` means."""
    meta = {"name": name, "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"v": "1"}}


FILES = {
    "hub/ns.yaml": NAMESPACE,
    "hub/a.yaml": config_map("a"),
    "hub/b.yaml": config_map("b"),
    "hub/c.yaml": config_map("c"),
}


async def test_a_commit_arrives(fleet: Fleet) -> None:
    """Objects are created with their marks; the HubSync says which commit is in force."""
    commit = fleet.repo.commit(FILES)
    await fleet.sync_object()
    attempt = await fleet.loop().once()
    assert attempt.ok, attempt.verdict
    found = await fleet.wire.hub.get(CONFIG_MAPS, "shop", "a")
    assert found["metadata"]["labels"] == {"sync.gitops-ocm.io/name": "fleet"}
    assert found["metadata"]["annotations"] == {
        "sync.gitops-ocm.io/path": "hub/a.yaml",
        "sync.gitops-ocm.io/commit": commit,
        "sync.gitops-ocm.io/digest": digest(config_map_object("a"))[:16],
    }
    assert {entry["manager"] for entry in found["metadata"]["managedFields"]} == {"gitops-ocm-sync-fleet"}
    status = await fleet.status()
    assert status["lastAppliedCommit"] == status["lastAttemptedCommit"] == commit
    assert status["summary"] == {"objects": 4, "created": 4, "configured": 0, "pruned": 0, "drifted": 0}
    assert await fleet.condition("Ready") == ("True", "Synced")
    assert await fleet.condition("Reconciling") == ("", "")
    assert await fleet.inventory() == {"Namespace": 1, "ConfigMap": 3}


async def test_a_resync_without_change_makes_no_request(fleet: Fleet) -> None:
    """A second pass of a running sync asks the hub nothing, and a restarted one writes nothing."""
    fleet.repo.commit(FILES)
    await fleet.sync_object()
    loop = fleet.loop()
    stop = asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    await loop.sync_now()
    before = fleet.wire.total
    attempt = await loop.sync_now()
    assert attempt.noop
    assert fleet.wire.total == before
    stop.set()
    await running
    writes = fleet.wire.writes
    assert (await fleet.loop().once()).ok
    assert fleet.wire.writes == writes


async def test_only_what_changed_is_written(fleet: Fleet) -> None:
    """One changed file costs one apply and one status; the rest keeps the commit that made it."""
    first = fleet.repo.commit(FILES)
    await fleet.sync_object()
    await fleet.loop().once()
    before = fleet.wire.writes
    second = fleet.repo.commit({"hub/a.yaml": config_map("a", "2")})
    assert (await fleet.loop().once()).ok
    assert fleet.wire.writes == before + 2
    for name, commit in (("a", second), ("b", first)):
        found = await fleet.wire.hub.get(CONFIG_MAPS, "shop", name)
        assert found["metadata"]["annotations"]["sync.gitops-ocm.io/commit"] == commit


async def test_what_left_git_is_pruned(fleet: Fleet) -> None:
    """A deleted file's object is deleted, unless its annotation disables that; then it loses our marks."""
    kept = config_map("b", notes={"sync.gitops-ocm.io/prune": "disabled"})
    fleet.repo.commit({**FILES, "hub/b.yaml": kept})
    await fleet.sync_object(prune={"maxPercent": 60})
    await fleet.loop().once()
    fleet.repo.commit({"hub/a.yaml": None, "hub/b.yaml": None})
    assert (await fleet.loop().once()).ok
    assert await fleet.names() == ["c"]
    released = await fleet.wire.hub.get(CONFIG_MAPS, "shop", "b")
    assert released["data"] == {"v": "1"}
    assert "labels" not in released["metadata"]
    assert released["metadata"]["annotations"] == {"sync.gitops-ocm.io/prune": "disabled"}
    assert await fleet.inventory() == {"Namespace": 1, "ConfigMap": 1}
    writes = fleet.wire.writes
    assert (await fleet.loop().once()).ok
    assert fleet.wire.writes == writes, "released is released"


async def test_the_prune_guard_holds_and_lets_go(fleet: Fleet) -> None:
    """A commit that deletes most objects deletes none, says how to allow it, and then does as allowed."""
    fleet.repo.commit(FILES)
    await fleet.sync_object()
    await fleet.loop().once()
    commit = fleet.repo.commit(dict.fromkeys(("hub/a.yaml", "hub/b.yaml", "hub/c.yaml")))
    attempt = await fleet.loop().once()
    assert not attempt.ok
    assert await fleet.names() == ["a", "b", "c"]
    assert await fleet.condition("Stalled") == ("True", "PruneGuarded")
    assert "allowCommit" in (await fleet.status())["problems"][0]["message"]
    await fleet.configure(prune={"allowCommit": commit})
    assert (await fleet.loop().once()).ok
    assert await fleet.names() == []


async def test_a_bad_commit_changes_nothing(fleet: Fleet) -> None:
    """One bad object refuses its whole commit with file and line; the last good one stays in force."""
    good = fleet.repo.commit(FILES)
    await fleet.sync_object()
    await fleet.loop().once()
    bad = fleet.repo.commit({"hub/a.yaml": config_map("a", "2"), "hub/bad.yaml": "kind: Nonsense\n"})
    attempt = await fleet.loop().once()
    assert not attempt.ok
    assert (await fleet.wire.hub.get(CONFIG_MAPS, "shop", "a"))["data"] == {"v": "1"}
    status = await fleet.status()
    assert (status["lastAttemptedCommit"], status["lastAppliedCommit"]) == (bad, good)
    assert await fleet.condition() == ("False", "InvalidCommit")
    assert {(p["path"], p["line"]) for p in status["problems"]} == {("hub/bad.yaml", 1)}
    await fleet.wire.hub.delete(CONFIG_MAPS, "shop", "b")
    await fleet.loop().once()
    assert "b" in await fleet.names(), "drift from the last good commit is still put back"
    fleet.repo.commit({"hub/bad.yaml": None})
    assert (await fleet.loop().once()).ok
    assert "problems" not in await fleet.status()


@pytest.mark.parametrize("mode", ["Correct", "Report", "Ignore"])
async def test_drift(fleet: Fleet, mode: str) -> None:
    """A change on the hub is put back as it happens, or reported, or left, as the HubSync says."""
    fleet.repo.commit(FILES)
    await fleet.sync_object(drift={"mode": mode})
    loop, stop = fleet.loop(), asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    await loop.sync_now()
    await fleet.wire.hub.patch(CONFIG_MAPS, "shop", "a", {"data": {"v": "x"}}, field_manager="kubectl")
    await fleet.wire.hub.patch(CONFIG_MAPS, "shop", "c", {"data": {"mine": "x"}}, field_manager="kubectl")
    await fleet.wire.hub.delete(CONFIG_MAPS, "shop", "b")

    async def settled() -> bool:
        value = (await fleet.wire.hub.get(CONFIG_MAPS, "shop", "a"))["data"]["v"]
        if mode == "Correct":
            return value == "1" and await fleet.names() == ["a", "b", "c"]
        drifted = await fleet.condition("DriftDetected")
        return value == "x" and drifted == (("True", "ChangedOnHub") if mode == "Report" else ("", ""))

    await eventually(settled)
    if mode == "Report":
        message = next(
            c["message"] for c in (await fleet.status())["conditions"] if c["type"] == "DriftDetected"
        )
        assert message == "2 objects differ from Git: ConfigMap shop/a, ConfigMap shop/b"
    foreign = await fleet.wire.hub.get(CONFIG_MAPS, "shop", "c")
    assert foreign["data"] == {"v": "1", "mine": "x"}, "fields of others are not ours to touch"
    stop.set()
    await running


async def test_a_stripped_label_is_drift(fleet: Fleet) -> None:
    """An object whose mark was removed is marked again."""
    fleet.repo.commit(FILES)
    await fleet.sync_object()
    loop, stop = fleet.loop(), asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    await loop.sync_now()
    await fleet.wire.hub.patch(
        CONFIG_MAPS, "shop", "a", {"metadata": {"labels": {"sync.gitops-ocm.io/name": None}}}
    )
    await eventually(lambda: has(fleet, "a"))
    stop.set()
    await running


async def has(fleet: Fleet, name: str) -> bool:
    """Whether the hub has the ConfigMap."""
    return name in await fleet.names()


async def test_adoption_does_not_take_fields_from_others(fleet: Fleet) -> None:
    """A field another manager holds is a conflict that names it; Overwrite takes the field over."""
    await fleet.wire.hub.create(
        NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    )
    theirs = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "shop"},
        "data": {"v": "x"},
    }
    await fleet.wire.hub.create(CONFIG_MAPS, theirs, field_manager="kubectl")
    fleet.repo.commit(FILES)
    await fleet.sync_object()
    assert not (await fleet.loop().once()).ok
    assert (await fleet.wire.hub.get(CONFIG_MAPS, "shop", "a"))["data"] == {"v": "x"}
    assert "b" in await fleet.names(), "the others of the wave went out"
    (problem,) = (await fleet.status())["problems"]
    assert (problem["code"], problem["path"], problem["line"]) == ("field-conflict", "hub/a.yaml", 1)
    assert ".data.v is held by kubectl" in problem["message"]
    assert "spec.conflicts: Overwrite" in problem["message"]
    assert await fleet.inventory() == {"Namespace": 1, "ConfigMap": 2}
    await fleet.configure(conflicts="Overwrite")
    assert (await fleet.loop().once()).ok
    assert (await fleet.wire.hub.get(CONFIG_MAPS, "shop", "a"))["data"] == {"v": "1"}


async def test_two_syncs_do_not_fight_over_an_object(fleet: Fleet) -> None:
    """An object of another HubSync is left to it and reported."""
    fleet.repo.commit(FILES)
    await fleet.sync_object()
    await fleet.loop().once()
    mark = {"metadata": {"labels": {"sync.gitops-ocm.io/name": "other"}}}
    await fleet.wire.hub.patch(CONFIG_MAPS, "shop", "a", mark)
    fleet.repo.commit({"hub/a.yaml": config_map("a", "2")})
    attempt = await fleet.loop().once()
    assert attempt.verdict.reason == "OwnedByAnotherSync"
    assert (await fleet.wire.hub.get(CONFIG_MAPS, "shop", "a"))["data"] == {"v": "1"}
    fleet.repo.commit({"hub/a.yaml": None})
    assert (await fleet.loop().once()).ok
    assert (await fleet.wire.hub.get(CONFIG_MAPS, "shop", "a"))["data"] == {"v": "1"}


async def test_a_work_waits_for_its_clusters_namespace(fleet: Fleet) -> None:
    """What waits does not fail the rest, and goes out as soon as its namespace is there."""
    fleet.repo.commit({**FILES, "works/mw-01.yaml": work("mw-01", "cluster1")})
    await fleet.sync_object()
    loop, stop = fleet.loop(), asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    attempt = await loop.sync_now()
    assert attempt.verdict.reason == "WaitingForDependency"
    assert attempt.waiting == ("ManifestWork.work.open-cluster-management.io cluster1/mw-01",)
    assert await fleet.names() == ["a", "b", "c"]
    assert await fleet.condition("Reconciling") == ("True", "WaitingForDependency")
    await fleet.wire.hub.create(
        NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "cluster1"}}
    )

    async def ready() -> bool:
        return await fleet.condition() == ("True", "Synced")

    await eventually(ready)
    assert await fleet.names(WORKS, "cluster1") == ["mw-01"]
    stop.set()
    await running


async def test_a_definition_and_its_objects_in_one_commit(fleet: Fleet) -> None:
    """A CustomResourceDefinition and an object of its kind arrive together."""
    crd = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer}}}
"""
    widget = (
        "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: shop}\nspec: {size: 1}\n"
    )
    fleet.repo.commit({"hub/ns.yaml": NAMESPACE, "hub/crd.yaml": crd, "hub/w.yaml": widget})
    await fleet.sync_object()
    attempt = await fleet.loop(patience=10.0).once()
    assert attempt.ok, attempt.verdict


async def test_suspend(fleet: Fleet) -> None:
    """A suspended HubSync leaves everything as it is, and says so."""
    fleet.repo.commit(FILES)
    await fleet.sync_object(suspend=True)
    await fleet.loop().once()
    assert await fleet.names() == []
    assert await fleet.condition() == ("Unknown", "Suspended")
    await fleet.configure(suspend=False)
    assert (await fleet.loop().once()).ok


async def test_an_object_the_hub_refuses(fleet: Fleet) -> None:
    """A refusal names file and line; later waves are held back, and go out once it is put right."""
    fleet.repo.commit(FILES)
    await fleet.sync_object()
    await fleet.loop().once()
    await fleet.wire.hub.patch(CONFIG_MAPS, "shop", "a", {"immutable": True})
    fleet.repo.commit({"hub/a.yaml": config_map("a", "2"), "works/w.yaml": work("w", "shop")})
    attempt = await fleet.loop().once()
    assert attempt.verdict.reason == "ApplyFailed"
    (problem,) = (await fleet.status())["problems"]
    assert (problem["path"], problem["line"]) == ("hub/a.yaml", 1)
    assert await fleet.names(WORKS) == []
    fleet.repo.commit({"hub/a.yaml": config_map("a", "1")})
    assert (await fleet.loop().once()).ok
    assert await fleet.names(WORKS) == ["w"]
