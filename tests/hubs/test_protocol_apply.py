"""Server-side apply: whose field is it, and what happens when two want it."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from tests.hubs.conftest import VERSION, Hub


def managers(obj: Object) -> dict[str, dict[str, Any]]:
    """Manager → its entry; no manager has two in these tests."""
    return {entry["manager"]: entry for entry in obj["metadata"]["managedFields"]}


async def test_apply_creates_and_owns(hub: Hub) -> None:
    """Applying what is not there creates it; managedFields say what was applied, and nothing else."""
    applied = await hub.apply(hub.new("ConfigMap", "a", data={"k": "v"}))
    assert applied["data"] == {"k": "v"}
    entry = managers(applied)["us"]
    assert entry["operation"] == "Apply"
    assert entry["apiVersion"] == "v1"
    assert entry["fieldsType"] == "FieldsV1"
    assert entry["fieldsV1"] == {"f:data": {"f:k": {}}}


async def test_applying_the_same_again_writes_nothing(hub: Hub) -> None:
    """An apply without effect keeps resourceVersion and managedFields' times."""
    fragment = hub.widget("w", spec={"size": 3, "parts": [{"name": "a", "value": "1"}], "tags": ["x"]})
    first = await hub.apply(fragment)
    assert await hub.apply(fragment) == first


async def test_what_is_no_longer_applied_is_removed(hub: Hub) -> None:
    """A field left out of the next apply goes, unless somebody else owns it too."""
    await hub.apply(hub.new("ConfigMap", "a", data={"ours": "1", "shared": "2"}))
    await hub.apply(hub.new("ConfigMap", "a", data={"shared": "2"}), manager="them")
    applied = await hub.apply(hub.new("ConfigMap", "a", data={}))
    assert applied["data"] == {"shared": "2"}
    assert managers(applied)["us"]["fieldsV1"] == {"f:data": {}}


async def test_fields_of_others_stay(hub: Hub) -> None:
    """An apply touches only what it names."""
    created = await hub.create(hub.new("ConfigMap", "a", data={"theirs": "1"}), field_manager="them")
    applied = await hub.apply(hub.new("ConfigMap", "a", data={"ours": "2"}))
    assert applied["data"] == {"theirs": "1", "ours": "2"}
    assert managers(applied)["them"] == managers(created)["them"]


async def test_a_conflict_names_manager_and_field(hub: Hub) -> None:
    """Another value for another manager's field is refused, with the owner and each field."""
    await hub.apply(hub.new("ConfigMap", "a", data={"k": "1", "l": "1"}), manager="them")
    with pytest.raises(ApiError) as refused:
        await hub.apply(hub.new("ConfigMap", "a", data={"k": "2", "l": "1"}))
    error = refused.value
    assert (error.reason, error.http_code) == ("Conflict", 409)
    assert error.message == 'Apply failed with 1 conflict: conflict with "them": .data.k'
    assert [(c.reason, c.message, c.field) for c in error.causes] == [
        ("FieldManagerConflict", 'conflict with "them"', ".data.k")
    ]


async def test_a_conflict_with_updates_says_how_and_since_when(hub: Hub) -> None:
    """The owner by update is named with the version it wrote in and the time."""
    await hub.create(
        hub.widget("w", spec={"size": 1, "parts": [{"name": "a", "value": "1"}]}), field_manager="them"
    )
    with pytest.raises(ApiError) as refused:
        await hub.apply(hub.widget("w", spec={"size": 2, "parts": [{"name": "a", "value": "2"}]}))
    assert refused.value.message.startswith(
        f'Apply failed with 2 conflicts: conflicts with "them" using {VERSION}'
    )
    assert sorted(c.field for c in refused.value.causes) == ['.spec.parts[name="a"].value', ".spec.size"]


async def test_force_takes_fields_over(hub: Hub) -> None:
    """With force the value is set and the other manager loses that field alone."""
    await hub.apply(hub.new("ConfigMap", "a", data={"k": "1", "l": "1"}), manager="them")
    applied = await hub.apply(hub.new("ConfigMap", "a", data={"k": "2"}), force=True)
    assert applied["data"] == {"k": "2", "l": "1"}
    assert managers(applied)["us"]["fieldsV1"] == {"f:data": {"f:k": {}}}
    assert managers(applied)["them"]["fieldsV1"] == {"f:data": {"f:l": {}}}


async def test_the_same_value_is_shared(hub: Hub) -> None:
    """Two managers may apply the same value; then neither can change it without a conflict."""
    await hub.apply(hub.new("ConfigMap", "a", data={"k": "1"}), manager="them")
    both = await hub.apply(hub.new("ConfigMap", "a", data={"k": "1"}))
    assert managers(both)["us"]["fieldsV1"] == managers(both)["them"]["fieldsV1"]
    with pytest.raises(ApiError):
        await hub.apply(hub.new("ConfigMap", "a", data={"k": "2"}))


async def test_an_update_takes_fields_without_asking(hub: Hub) -> None:
    """A PUT or PATCH that changes a field makes its writer the owner, and never conflicts."""
    applied = await hub.apply(hub.new("ConfigMap", "a", data={"k": "1", "l": "1"}))
    changed = await hub.patch(applied, {"data": {"k": "2"}}, field_manager="editor")
    assert managers(changed)["us"]["fieldsV1"] == {"f:data": {"f:l": {}}}
    assert managers(changed)["editor"]["operation"] == "Update"
    assert managers(changed)["editor"]["fieldsV1"] == {"f:data": {"f:k": {}}}


async def test_map_lists_merge_by_key(hub: Hub) -> None:
    """Elements of a list with keys belong to who applied them."""
    await hub.apply(hub.widget("w", spec={"size": 1, "parts": [{"name": "a", "value": "1"}]}), manager="them")
    applied = await hub.apply(hub.widget("w", spec={"size": 1, "parts": [{"name": "b", "value": "2"}]}))
    parts = {p["name"]: p["value"] for p in applied["spec"]["parts"]}
    assert parts == {"a": "1", "b": "2"}
    assert 'k:{"name":"b"}' in managers(applied)["us"]["fieldsV1"]["f:spec"]["f:parts"]
    applied = await hub.apply(hub.widget("w", spec={"size": 1, "parts": []}))
    assert [p["name"] for p in applied["spec"]["parts"]] == ["a"]


async def test_sets_merge_by_value(hub: Hub) -> None:
    """Elements of a set belong to who applied them."""
    await hub.apply(hub.widget("w", spec={"size": 1, "tags": ["x", "y"]}), manager="them")
    applied = await hub.apply(hub.widget("w", spec={"size": 1, "tags": ["y", "z"]}))
    assert sorted(applied["spec"]["tags"]) == ["x", "y", "z"]
    applied = await hub.apply(hub.widget("w", spec={"size": 1}))
    assert sorted(applied["spec"]["tags"]) == ["x", "y"]


async def test_plain_lists_are_owned_whole(hub: Hub) -> None:
    """A list without keys is one field: another's version of it is a conflict."""
    await hub.apply(hub.widget("w", spec={"size": 1, "steps": ["one"]}), manager="them")
    with pytest.raises(ApiError) as refused:
        await hub.apply(hub.widget("w", spec={"size": 1, "steps": ["one", "two"]}))
    assert [c.field for c in refused.value.causes] == [".spec.steps"]


async def test_defaults_belong_to_nobody(hub: Hub) -> None:
    """What the schema filled in is not in managedFields, so another may apply it."""
    applied = await hub.apply(hub.widget("w", spec={"size": 1}))
    assert applied["spec"]["colour"] == "red"
    assert managers(applied)["us"]["fieldsV1"] == {"f:spec": {"f:size": {}}}
    other = await hub.apply(hub.widget("w", spec={"colour": "green"}), manager="them")
    assert other["spec"] == {"size": 1, "colour": "green"}


async def test_status_is_applied_apart(hub: Hub) -> None:
    """Apply on the status subresource owns status fields under an entry of its own."""
    await hub.apply(hub.widget("w"))
    status = {"phase": "Up", "conditions": [{"type": "Ready", "status": "True"}]}
    fragment = hub.new("Widget", "w", api_version=VERSION) | {"status": status}
    applied = await hub.apply(fragment, manager="reporter", subresource="status")
    assert applied["status"] == status
    entry = managers(applied)["reporter"]
    assert entry["subresource"] == "status"
    assert set(entry["fieldsV1"]) == {"f:status"}
    again = await hub.apply(hub.widget("w", spec={"size": 2}))
    assert again["status"] == status


async def test_deployments_merge_containers_by_name(hub: Hub) -> None:
    """Built-in kinds have list keys too: a second container does not disturb the first."""

    def deployment(*containers: dict[str, str]) -> Object:
        template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": list(containers)}}
        spec = {"selector": {"matchLabels": {"app": "x"}}, "template": template}
        return hub.new("Deployment", "d", api_version="apps/v1", spec=spec)

    await hub.apply(deployment({"name": "web", "image": "web:1"}), manager="them")
    applied = await hub.apply(deployment({"name": "sidecar", "image": "side:1"}))
    containers = applied["spec"]["template"]["spec"]["containers"]
    assert {c["name"]: c["image"] for c in containers} == {"web": "web:1", "sidecar": "side:1"}


@pytest.mark.parametrize(
    ("change", "manager", "reason", "message"),
    [
        ({}, "", "Invalid", "fieldManager: Required value: is required for apply patch"),
        (
            {"metadata": {"managedFields": [{"manager": "x"}]}},
            "us",
            "BadRequest",
            "metadata.managedFields must be nil",
        ),
        ({"metadata": {"resourceVersion": "1"}}, "us", "Conflict", "the object has been modified"),
    ],
    ids=["no-manager", "managed-fields", "old-version"],
)
async def test_apply_refuses(
    hub: Hub, change: dict[str, Any], manager: str, reason: str, message: str
) -> None:
    """What an apply must not carry is refused with the words of Kubernetes."""
    fragment = hub.new("ConfigMap", "a", data={"k": "v"})
    await hub.apply(fragment)
    fragment["metadata"] |= change.get("metadata", {})
    with pytest.raises(ApiError) as refused:
        await hub.apply(fragment, manager=manager)
    assert refused.value.reason == reason
    assert message in refused.value.message


async def test_a_dry_run_apply_answers_and_leaves_no_trace(hub: Hub) -> None:
    """What `diff` is made of: the object as it would be, and nothing written."""
    created = await hub.apply(hub.new("ConfigMap", "a", data={"k": "1"}))
    would_be = await hub.apply(hub.new("ConfigMap", "a", data={"k": "2"}), dry_run=True)
    assert would_be["data"] == {"k": "2"}
    assert await hub.get(created) == created
