"""The hub against Git without writing: fields, secrets, exit status."""

from __future__ import annotations

import pytest

from gitops_ocm.kube.cluster import Unreachable
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.objects.served import CONFIG_MAPS, NAMESPACES
from gitops_ocm.plan.prune import guard_of
from gitops_ocm.report.plan_text import field_lines, plain
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.sync.diff import FEW, DiffResult, diff
from gitops_ocm.sync.record import Record
from gitops_ocm.sync.source import Source
from gitops_ocm.sync.spec import SyncSpec
from gitops_ocm.testing.gitops import NAMESPACE, SYNCS, Fleet, config_map, work

FILES = {"hub/ns.yaml": NAMESPACE, "hub/a.yaml": config_map("a"), "hub/b.yaml": config_map("b")}


async def compared(fleet: Fleet) -> DiffResult:
    """What a sync would change now."""
    sync = await fleet.wire.hub.get(SYNCS, "", "fleet")
    spec = SyncSpec.of(sync)
    source = Source(fleet.cache)
    try:
        fetched = await source.fetch(spec)
        checked = await source.check(fetched.new, spec, load_catalog())
    finally:
        source.close()
    record = Record(fleet.wire, None, sync)  # type: ignore[arg-type]  # Nothing is written.
    return await diff(
        fleet.wire,
        Mapper(fleet.wire),
        checked.state.objects,
        record.inventory,
        spec=spec,
        commit=fetched.new,
        guard=guard_of(record.status),
    )


async def test_an_empty_hub_differs_in_everything(fleet: Fleet) -> None:
    """All objects would be created, in the order they would be applied; nothing is written."""
    fleet.repo.commit({**FILES, "works/w.yaml": work("mw-01", "cluster1")})
    await fleet.sync_object()
    before = (await fleet.wire.hub.list(CONFIG_MAPS)).resource_version
    result = await compared(fleet)
    assert [f"{d.change.action} {d.change.ref}" for d in result.objects] == [
        "create Namespace shop",
        "create ConfigMap shop/a",
        "create ConfigMap shop/b",
        "create ManifestWork.work.open-cluster-management.io cluster1/mw-01",
    ]
    assert result.exit_status == 1
    assert (await fleet.wire.hub.list(CONFIG_MAPS)).resource_version == before


async def test_many_that_are_there_already(fleet: Fleet) -> None:
    """Objects that nobody marked are found by a list of their namespace; each is told as its own."""
    fleet.repo.commit(
        {"hub/ns.yaml": NAMESPACE, **{f"hub/{n}.yaml": config_map(f"c{n}") for n in range(FEW + 5)}}
    )
    await fleet.sync_object()
    await fleet.wire.hub.create(
        NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    )
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop"}, "data": {"v": "1"}}
    for name in ("c3", "other"):
        made = {**theirs, "metadata": {"namespace": "shop", "name": name}}
        await fleet.wire.hub.create(CONFIG_MAPS, made, field_manager="kubectl")
    before = fleet.wire.requests["get"]
    result = await compared(fleet)
    assert fleet.wire.requests["get"] - before <= 3
    told = {
        d.change.ref.name: str(d.change.action) for d in result.objects if d.change.ref.kind == "ConfigMap"
    }
    assert told.pop("c3") == "configure"
    assert told == {f"c{n}": "create" for n in range(FEW + 5) if n != 3}


async def test_a_hub_that_goes_away_meanwhile(fleet: Fleet) -> None:
    """It is one error that names the hub, however many questions were under way."""
    fleet.repo.commit({**FILES, **{f"hub/{n}.yaml": config_map(f"c{n}") for n in range(20)}})
    await fleet.sync_object()
    fleet.wire.cut_before = 2
    with pytest.raises(Unreachable, match=r"hub\.example\.com"):
        await compared(fleet)


async def test_a_synced_hub_does_not_differ(fleet: Fleet) -> None:
    """After a sync there is no difference, also not in who wrote what and when; nothing need be rehearsed."""
    fleet.repo.commit(FILES)
    await fleet.sync_object()
    await fleet.loop().once()
    writes = fleet.wire.writes
    result = await compared(fleet)
    assert result.objects == ()
    assert result.exit_status == 0
    assert fleet.wire.writes == writes


async def test_only_what_differs_is_asked_about(fleet: Fleet) -> None:
    """Of many objects in step the lists say so; one dry run tells of the one that somebody changed."""
    fleet.repo.commit({**FILES, **{f"hub/{n}.yaml": config_map(f"c{n}") for n in range(30)}})
    await fleet.sync_object()
    await fleet.loop().once()
    writes, reads = fleet.wire.writes, fleet.wire.requests["get"]
    await fleet.wire.hub.patch(CONFIG_MAPS, "shop", "c7", {"data": {"v": "x"}}, field_manager="kubectl")
    result = await compared(fleet)
    assert [d.change.ref.name for d in result.objects] == ["c7"]
    assert fleet.wire.writes == writes + 1
    assert fleet.wire.requests["get"] <= reads + 1  # the HubSync itself


async def test_changes_are_told_field_by_field(fleet: Fleet) -> None:
    """Drift, a changed file, and a deleted one; fields of other managers are no difference."""
    fleet.repo.commit(FILES)
    await fleet.sync_object()
    await fleet.loop().once()
    hub = fleet.wire.hub
    await hub.patch(CONFIG_MAPS, "shop", "a", {"data": {"v": "x", "theirs": "y"}}, field_manager="kubectl")
    fleet.repo.commit({"hub/b.yaml": None, "hub/c.yaml": config_map("c")})
    result = await compared(fleet)
    assert [f"{d.change.action} {d.change.ref.name}" for d in result.objects] == [
        "configure a",
        "create c",
        "prune b",
    ]
    assert plain(field_lines(result.objects[0].fields, indent="")) == '- data.v: "x"\n+ data.v: "1"\n'


async def test_values_of_secrets_are_masked(fleet: Fleet) -> None:
    """A changed Secret shows that it changed, not from what to what."""
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {p: PASSWORD}\n"
    fleet.repo.commit({**FILES, "hub/s.yaml": secret.replace("PASSWORD", "hunter1")})
    await fleet.sync_object()
    await fleet.loop().once()
    fleet.repo.commit({"hub/s.yaml": secret.replace("PASSWORD", "hunter2")})
    result = await compared(fleet)
    assert [d.change.ref.name for d in result.objects] == ["s"]
    text = plain(field_lines(result.objects[0].fields))
    assert "(before)" in text
    for value in ("hunter", "aHVudGVy"):
        assert value not in text


async def test_a_secret_inside_of_a_work_is_masked(fleet: Fleet) -> None:
    """It shows that it changed, as does a variable that is called so; the values of neither are told."""
    before = (
        "apiVersion: work.open-cluster-management.io/v1\nkind: ManifestWork\n"
        "metadata: {name: w, namespace: shop}\nspec:\n  workload:\n    manifests:\n"
        "    - {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: ns}, data: {p: aHVudGVyMQ==}}\n"
        "    - apiVersion: v1\n      kind: Pod\n      metadata: {name: p, namespace: ns}\n      spec:\n"
        "        containers: [{name: c, image: i, env: [{name: DB_PASSWORD, value: hunter1}]}]\n"
    )
    fleet.repo.commit({"hub/ns.yaml": NAMESPACE, "works/w.yaml": before})
    await fleet.sync_object()
    await fleet.loop().once()
    fleet.repo.commit({"works/w.yaml": before.replace("hunter1", "hunter2").replace("yMQ", "yMg")})
    result = await compared(fleet)
    assert [p.message for p in result.problems] == []
    assert result.exit_status == 1
    (work_,) = result.objects
    assert [str(field.path) for field in work_.fields] == [
        "spec.workload.manifests[Secret ns/s].data.p",
        "spec.workload.manifests[Pod ns/p].spec.containers[c].env[DB_PASSWORD].value",
    ]
    shown = plain(field_lines(work_.fields))
    assert "hunter" not in shown
    assert "aHVu" not in shown


async def test_what_cannot_be_compared_is_trouble(fleet: Fleet) -> None:
    """A conflict is told with its owner and makes the exit status 2."""
    fleet.repo.commit(FILES)
    await fleet.sync_object()
    await fleet.wire.hub.create(
        NAMESPACES,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
    )
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}}
    await fleet.wire.hub.create(CONFIG_MAPS, {**theirs, "data": {"v": "x"}}, field_manager="kubectl")
    result = await compared(fleet)
    assert [p.code for p in result.problems] == ["field-conflict"]
    assert result.exit_status == 2
