"""Create, read, update: what every hub promises about one object."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gitops_ocm.objects.faults import ApiError
from tests.hubs.conftest import VERSION, Hub


async def test_create_answers_with_what_was_stored(hub: Hub) -> None:
    """A created object has uid, resourceVersion and a whole-second creationTimestamp, and GET equals it."""
    created = await hub.create(hub.new("ConfigMap", "a", data={"k": "v"}))
    meta = created["metadata"]
    assert re.fullmatch(r"[0-9a-f-]{36}", meta["uid"])
    assert int(meta["resourceVersion"]) > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", meta["creationTimestamp"])
    assert created["data"] == {"k": "v"}
    assert await hub.get(created) == created


async def test_generate_name_adds_a_suffix(hub: Hub) -> None:
    """`generateName` gives a unique name with a five-character suffix."""
    obj = hub.new("ConfigMap", metadata={"generateName": "gen-"})
    del obj["metadata"]["name"]
    first, second = await hub.create(obj), await hub.create(obj)
    names = {o["metadata"]["name"] for o in (first, second)}
    assert len(names) == 2
    assert all(re.fullmatch(r"gen-[a-z0-9]{5}", name) for name in names)
    assert first["metadata"]["generateName"] == "gen-"


@pytest.mark.parametrize(
    ("setup", "change", "reason", "message"),
    [
        (True, {}, "AlreadyExists", r'configmaps "a" already exists'),
        (False, {"metadata": {"namespace": "nowhere"}}, "NotFound", r'namespaces "nowhere" not found'),
        (
            False,
            {"metadata": {"name": "Not_A_Name"}},
            "Invalid",
            r'ConfigMap "Not_A_Name" is invalid: metadata.name: Invalid value: "Not_A_Name": a low',
        ),
        (False, {"metadata": {"labels": {"bad key!": "v"}}}, "Invalid", r"metadata.labels: Invalid value: "),
        (
            False,
            {"metadata": {"labels": {"k": "bad value!"}}},
            "Invalid",
            r"metadata.labels: Invalid value: ",
        ),
        (
            False,
            {"metadata": {"resourceVersion": "5"}},
            "InternalError",
            r"resourceVersion should not be set on objects to be created",
        ),
        (False, {"metadata": {"finalizers": ["no-domain"]}}, "Invalid", r"metadata.finalizers"),
    ],
    ids=["twice", "no-namespace", "bad-name", "bad-label-key", "bad-label-value", "version-set", "finalizer"],
)
async def test_create_refuses(
    hub: Hub, setup: bool, change: dict[str, Any], reason: str, message: str
) -> None:
    """A create that cannot be is refused with the reason and text of Kubernetes."""
    obj = hub.new("ConfigMap", "a")
    if setup:
        await hub.create(obj)
    obj["metadata"] |= change.get("metadata", {})
    with pytest.raises(ApiError) as refused:
        await hub.create(obj)
    assert refused.value.reason == reason
    assert re.search(message, refused.value.message)


async def test_get_of_nothing_is_not_found(hub: Hub) -> None:
    """A missing object is a 404 with the plural and the name in text and details."""
    with pytest.raises(ApiError) as missing:
        await hub.get(hub.new("ConfigMap", "ghost"))
    assert (missing.value.reason, missing.value.http_code) == ("NotFound", 404)
    assert missing.value.message == 'configmaps "ghost" not found'
    assert missing.value.details["name"] == "ghost"
    with pytest.raises(ApiError) as missing:
        await hub.get(hub.widget("ghost"))
    assert missing.value.message == 'widgets.test.gitops-ocm.io "ghost" not found'
    assert missing.value.details == {
        "name": "ghost",
        "group": "test.gitops-ocm.io",
        "kind": "widgets",
    }


async def test_update_with_an_old_version_conflicts(hub: Hub) -> None:
    """Of two updates from the same version the second is refused; without a version it is not."""
    first = await hub.create(hub.new("ConfigMap", "a", data={"n": "0"}))
    await hub.update(first | {"data": {"n": "1"}})
    with pytest.raises(ApiError) as refused:
        await hub.update(first | {"data": {"n": "2"}})
    assert (refused.value.reason, refused.value.http_code) == ("Conflict", 409)
    assert refused.value.message == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    unlocked = {**first, "data": {"n": "3"}, "metadata": {**first["metadata"]}}
    del unlocked["metadata"]["resourceVersion"]
    assert (await hub.update(unlocked))["data"] == {"n": "3"}


async def test_an_update_that_changes_nothing_writes_nothing(hub: Hub) -> None:
    """A PUT of the same content keeps the resourceVersion."""
    created = await hub.create(hub.new("ConfigMap", "a", data={"n": "0"}))
    again = await hub.update(created)
    assert again["metadata"]["resourceVersion"] == created["metadata"]["resourceVersion"]


async def test_versions_grow(hub: Hub) -> None:
    """Each write of any object gets a larger resourceVersion than the one before."""
    versions = []
    for number in range(4):
        created = await hub.create(hub.new("ConfigMap", f"c{number}"))
        changed = await hub.update(created | {"data": {"k": "v"}})
        versions += [int(o["metadata"]["resourceVersion"]) for o in (created, changed)]
    assert versions == sorted(set(versions))


@pytest.mark.parametrize("field", ["uid", "creationTimestamp"])
async def test_what_the_server_set_stays(hub: Hub, field: str) -> None:
    """An update cannot change the uid (a conflict) nor the creationTimestamp (kept)."""
    created = await hub.create(hub.new("ConfigMap", "a"))
    other = {"uid": "00000000-0000-0000-0000-000000000000", "creationTimestamp": "2001-01-01T00:00:00Z"}
    change = {**created, "metadata": {**created["metadata"], field: other[field]}, "data": {"k": "v"}}
    if field == "uid":
        with pytest.raises(ApiError) as refused:
            await hub.update(change)
        assert refused.value.reason == "Conflict"
    else:
        assert (await hub.update(change))["metadata"][field] == created["metadata"][field]


async def test_dry_run_writes_nothing(hub: Hub) -> None:
    """A dry run answers as the real thing would, and leaves no trace."""
    obj = hub.new("ConfigMap", "a", data={"k": "v"})
    answered = await hub.create(obj, dry_run=True)
    assert answered["data"] == {"k": "v"}
    assert await hub.names("ConfigMap") in ([], ["kube-root-ca.crt"])
    created = await hub.create(obj)
    assert (await hub.update(created | {"data": {"k": "w"}}, dry_run=True))["data"] == {"k": "w"}
    await hub.delete(created, dry_run=True)
    assert await hub.get(created) == created


async def test_generation_counts_changes_of_spec_alone(hub: Hub) -> None:
    """Generation starts at 1 and grows with the spec, not with labels or status."""
    widget = await hub.create(hub.widget("w"))
    assert widget["metadata"]["generation"] == 1
    widget = await hub.patch(widget, {"metadata": {"labels": {"a": "b"}}})
    assert widget["metadata"]["generation"] == 1
    widget = await hub.patch(widget, {"status": {"phase": "Up"}}, subresource="status")
    assert widget["metadata"]["generation"] == 1
    widget = await hub.patch(widget, {"spec": {"size": 2}})
    assert widget["metadata"]["generation"] == 2


async def test_status_and_spec_are_written_apart(hub: Hub) -> None:
    """The main resource ignores status, the status subresource ignores spec; metadata labels too."""
    created = await hub.create(hub.widget("w") | {"status": {"phase": "Ignored"}})
    assert "status" not in created
    both = created | {"spec": {"size": 9}, "status": {"phase": "Up"}}
    after_status = await hub.update(both, subresource="status")
    assert after_status["status"] == {"phase": "Up"}
    assert after_status["spec"]["size"] == 1
    after_spec = await hub.update(after_status | {"spec": {"size": 9}, "status": {"phase": "Lost"}})
    assert after_spec["spec"]["size"] == 9
    assert after_spec["status"] == {"phase": "Up"}


async def test_a_secret_takes_string_data(hub: Hub) -> None:
    """`stringData` of a Secret is stored as base64 `data`, and its type defaults to Opaque."""
    created = await hub.create(hub.new("Secret", "s", stringData={"k": "hello"}))
    assert created["data"] == {"k": "aGVsbG8="}
    assert created["type"] == "Opaque"
    assert "stringData" not in created


async def test_discovery_tells_how_kinds_are_served(hub: Hub) -> None:
    """Discovery knows plural, scope, subresources, short names and verbs of built-in and custom kinds."""
    widgets = hub.kinds[VERSION, "Widget"]
    assert (widgets.plural, widgets.singular, widgets.namespaced) == ("widgets", "widget", True)
    assert widgets.short_names == ("wg",)
    assert "status" in widgets.subresources
    assert widgets.verbs >= {"get", "list", "watch", "create", "update", "patch", "delete"}
    assert not hub.kinds["v1", "Namespace"].namespaced
    assert hub.kinds["apps/v1", "Deployment"].short_names == ("deploy",)
    assert {"status", "scale"} <= hub.kinds["apps/v1", "Deployment"].subresources


async def test_version_has_the_shape_clients_parse(hub: Hub) -> None:
    """`/version` has the shape clients parse."""
    version = await hub.cluster.version()
    assert re.match(r"v1\.\d+", version["gitVersion"])
    assert version["major"] == "1"
