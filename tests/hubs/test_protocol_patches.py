"""PATCH: merge, JSON and strategic merge."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.faults import ApiError
from tests.hubs.conftest import Hub

SPEC = {"size": 1, "steps": ["one", "two"], "free": {"a": 1, "b": {"c": 2}}}


@pytest.mark.parametrize(
    ("patch", "free"),
    [
        ({"a": 2}, {"a": 2, "b": {"c": 2}}),
        ({"a": None}, {"b": {"c": 2}}),
        ({"b": {"d": 3}}, {"a": 1, "b": {"c": 2, "d": 3}}),
        # Kubernetes drops a null inside a new list's element as well, where the RFC would keep it.
        ({"b": None, "e": [1, {"f": None}]}, {"a": 1, "e": [1, {}]}),
        ({"b": 5}, {"a": 1, "b": 5}),
        ({"missing": None}, {"a": 1, "b": {"c": 2}}),
    ],
)
async def test_merge_patch(hub: Hub, patch: dict[str, Any], free: dict[str, Any]) -> None:
    """RFC 7386: maps merge, null removes, everything else replaces."""
    widget = await hub.create(hub.widget("w", spec=SPEC))
    patched = await hub.patch(widget, {"spec": {"free": patch}})
    assert patched["spec"]["free"] == free
    assert patched["spec"]["steps"] == ["one", "two"]


async def test_a_list_is_replaced_whole_by_a_merge_patch(hub: Hub) -> None:
    """A merge patch knows no list elements."""
    widget = await hub.create(hub.widget("w", spec=SPEC))
    assert (await hub.patch(widget, {"spec": {"steps": ["three"]}}))["spec"]["steps"] == ["three"]


@pytest.mark.parametrize(
    ("operations", "spec"),
    [
        ([{"op": "add", "path": "/spec/steps/-", "value": "three"}], {"steps": ["one", "two", "three"]}),
        ([{"op": "add", "path": "/spec/steps/0", "value": "zero"}], {"steps": ["zero", "one", "two"]}),
        ([{"op": "remove", "path": "/spec/steps/0"}], {"steps": ["two"]}),
        ([{"op": "replace", "path": "/spec/size", "value": 7}], {"size": 7}),
        ([{"op": "move", "from": "/spec/free/a", "path": "/spec/free/z"}], {"free": {"z": 1, "b": {"c": 2}}}),
        ([{"op": "copy", "from": "/spec/free/a", "path": "/spec/size"}], {"size": 1}),
        (
            [
                {"op": "test", "path": "/spec/size", "value": 1},
                {"op": "replace", "path": "/spec/size", "value": 2},
            ],
            {"size": 2},
        ),
    ],
    ids=["append", "insert", "remove", "replace", "move", "copy", "test"],
)
async def test_json_patch(hub: Hub, operations: list[dict[str, Any]], spec: dict[str, Any]) -> None:
    """RFC 6902: each operation does what it says."""
    widget = await hub.create(hub.widget("w", spec=SPEC))
    patched = await hub.patch(widget, operations, PatchType.JSON)
    assert patched["spec"] == {**SPEC, "colour": "red"} | spec


async def test_json_patch_escapes(hub: Hub) -> None:
    """`~1` stands for a slash in a path."""
    widget = await hub.create(hub.widget("w", metadata={"annotations": {"example.com/a": "1"}}))
    operation = {"op": "replace", "path": "/metadata/annotations/example.com~1a", "value": "2"}
    patched = await hub.patch(widget, [operation], PatchType.JSON)
    assert patched["metadata"]["annotations"]["example.com/a"] == "2"


@pytest.mark.parametrize(
    ("operations", "reason"),
    [
        ([{"op": "remove", "path": "/spec/nothing"}], "Invalid"),
        ([{"op": "test", "path": "/spec/size", "value": 99}], "Invalid"),
        ([{"op": "replace", "path": "/spec/steps/9", "value": "x"}], "Invalid"),
        ({"spec": {}}, "BadRequest"),
    ],
    ids=["remove-missing", "test-fails", "index-out-of-range", "not-a-list"],
)
async def test_json_patch_refuses(hub: Hub, operations: Any, reason: str) -> None:
    """An operation that cannot be carried out changes nothing."""
    widget = await hub.create(hub.widget("w", spec=SPEC))
    with pytest.raises(ApiError) as refused:
        await hub.patch(widget, operations, PatchType.JSON)
    assert refused.value.reason == reason
    assert await hub.get(widget) == widget


async def test_strategic_merge_knows_the_keys_of_lists(hub: Hub) -> None:
    """On a built-in kind list elements merge by their key, and `$patch: delete` removes one."""
    containers = [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]
    pod = await hub.create(hub.new("Pod", "p", spec={"containers": containers}))
    patched = await hub.patch(
        pod, {"spec": {"containers": [{"name": "b", "image": "b:2"}]}}, PatchType.STRATEGIC
    )
    assert [(c["name"], c["image"]) for c in patched["spec"]["containers"]] == [("a", "a:1"), ("b", "b:2")]
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": containers}}
    deployment = await hub.create(
        hub.new(
            "Deployment",
            "d",
            api_version="apps/v1",
            spec={"selector": {"matchLabels": {"app": "x"}}, "template": template},
        )
    )
    removal = {"spec": {"template": {"spec": {"containers": [{"$patch": "delete", "name": "a"}]}}}}
    patched = await hub.patch(deployment, removal, PatchType.STRATEGIC)
    assert [c["name"] for c in patched["spec"]["template"]["spec"]["containers"]] == ["b"]


async def test_a_custom_kind_takes_no_strategic_merge(hub: Hub) -> None:
    """Strategic merge exists for built-in kinds alone: 415."""
    widget = await hub.create(hub.widget("w"))
    with pytest.raises(ApiError) as refused:
        await hub.patch(widget, {"spec": {"size": 2}}, PatchType.STRATEGIC)
    assert (refused.value.reason, refused.value.http_code) == ("UnsupportedMediaType", 415)


async def test_a_patch_can_be_locked(hub: Hub) -> None:
    """A merge patch with an old resourceVersion is a conflict, one with another uid is refused."""
    old = await hub.create(hub.widget("w"))
    await hub.patch(old, {"spec": {"size": 2}})
    stale = {"resourceVersion": old["metadata"]["resourceVersion"]}
    another = {"uid": "00000000-0000-0000-0000-000000000000"}
    for lock, reason in ((stale, "Conflict"), (another, "Invalid"), (another | stale, "Conflict")):
        with pytest.raises(ApiError) as refused:
            await hub.patch(old, {"metadata": lock, "spec": {"size": 3}})
        assert refused.value.reason == reason
    assert (await hub.get(old))["spec"]["size"] == 2


async def test_a_patch_without_effect_writes_nothing(hub: Hub) -> None:
    """The resourceVersion stays where nothing changed."""
    widget = await hub.create(hub.widget("w"))
    again = await hub.patch(widget, {"spec": {"size": 1}})
    assert again["metadata"]["resourceVersion"] == widget["metadata"]["resourceVersion"]


async def test_a_patch_of_nothing_is_not_found(hub: Hub) -> None:
    """Only an apply creates."""
    with pytest.raises(ApiError) as missing:
        await hub.patch(hub.widget("ghost"), {"spec": {"size": 1}})
    assert missing.value.reason == "NotFound"
