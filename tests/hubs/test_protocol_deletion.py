"""Deletion: preconditions, finalizers, garbage collection, namespaces."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from tests.hubs.conftest import Hub

Eventually = Callable[..., Awaitable[object]]
FINALIZER = "test.gitops-ocm.io/hold"


async def gone(hub: Hub, obj: Object) -> bool:
    """Whether the very object (by uid) is no longer there."""
    try:
        return bool((await hub.get(obj))["metadata"]["uid"] != obj["metadata"]["uid"])
    except ApiError as error:
        return error.reason == "NotFound"


def owned(child: Object, owner: Object, *, block: bool = False) -> Object:
    """`child` with an owner reference to `owner`."""
    reference: dict[str, Any] = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }
    if block:
        reference["blockOwnerDeletion"] = True
    return child | {"metadata": child["metadata"] | {"ownerReferences": [reference]}}


async def test_a_deleted_object_is_gone(hub: Hub) -> None:
    """After DELETE a GET is a 404, and so is a second DELETE; the name can be used again."""
    created = await hub.create(hub.new("ConfigMap", "a"))
    await hub.delete(created)
    assert await gone(hub, created)
    with pytest.raises(ApiError) as missing:
        await hub.delete(created)
    assert missing.value.reason == "NotFound"
    again = await hub.create(hub.new("ConfigMap", "a"))
    assert again["metadata"]["uid"] != created["metadata"]["uid"]


@pytest.mark.parametrize("which", ["uid", "resource_version"])
async def test_preconditions_guard_a_deletion(hub: Hub, which: str) -> None:
    """A delete with another uid or an old version is a conflict and deletes nothing."""
    old = await hub.create(hub.new("ConfigMap", "a"))
    new = await hub.update(old | {"data": {"k": "v"}})
    wrong = {"uid": "00000000-0000-0000-0000-000000000000"}
    wrong["resource_version"] = old["metadata"]["resourceVersion"]
    with pytest.raises(ApiError) as refused:
        await hub.delete(new, **{which: wrong[which]})
    assert refused.value.reason == "Conflict"
    assert await hub.get(new) == new
    right = {"uid": new["metadata"]["uid"], "resource_version": new["metadata"]["resourceVersion"]}
    await hub.delete(new, **right)
    assert await gone(hub, new)


async def test_finalizers_hold_an_object(hub: Hub) -> None:
    """With a finalizer DELETE only sets deletionTimestamp; removing the last finalizer deletes."""
    held = await hub.create(hub.new("ConfigMap", "a", metadata={"finalizers": [FINALIZER]}))
    answer = await hub.delete(held)
    assert answer is not None
    going = await hub.get(held)
    assert going["metadata"]["deletionTimestamp"]
    assert going["metadata"]["deletionGracePeriodSeconds"] == 0
    await hub.delete(held)
    assert (await hub.get(held))["metadata"]["deletionTimestamp"] == going["metadata"]["deletionTimestamp"]
    await hub.patch(going, {"metadata": {"finalizers": None}})
    assert await gone(hub, held)


async def test_a_custom_object_that_is_going_has_a_new_generation(hub: Hub) -> None:
    """Setting deletionTimestamp raises the generation, so that status writers notice."""
    held = await hub.create(hub.widget("w", metadata={"finalizers": [FINALIZER]}))
    await hub.delete(held)
    going = await hub.get(held)
    assert going["metadata"]["generation"] == 2
    await hub.patch(going, {"metadata": {"finalizers": None}})


async def test_no_finalizer_is_added_while_going(hub: Hub) -> None:
    """An object under deletion accepts no new finalizer."""
    held = await hub.create(hub.new("ConfigMap", "a", metadata={"finalizers": [FINALIZER]}))
    await hub.delete(held)
    with pytest.raises(ApiError) as refused:
        await hub.patch(held, {"metadata": {"finalizers": [FINALIZER, "test.gitops-ocm.io/late"]}})
    assert refused.value.reason == "Invalid"
    assert "no new finalizers can be added if the object is being deleted" in refused.value.message
    await hub.patch(held, {"metadata": {"finalizers": None}})


async def test_dependents_follow_their_owner(hub: Hub, eventually: Eventually) -> None:
    """Background deletion removes the owner at once and its dependents, theirs too, soon after."""
    owner = await hub.create(hub.new("ConfigMap", "owner"))
    child = await hub.create(owned(hub.new("ConfigMap", "child"), owner))
    grandchild = await hub.create(owned(hub.new("Secret", "grandchild"), child))
    bystander = await hub.create(hub.new("ConfigMap", "bystander"))
    await hub.delete(owner)
    assert await gone(hub, owner)
    await eventually(lambda: gone(hub, child))
    await eventually(lambda: gone(hub, grandchild))
    assert not await gone(hub, bystander)


async def test_a_second_owner_keeps_a_dependent(hub: Hub, eventually: Eventually) -> None:
    """A dependent with another living owner stays, and loses the reference to the dead one."""
    dead, alive = [await hub.create(hub.new("ConfigMap", name)) for name in ("dead", "alive")]
    child = owned(hub.new("ConfigMap", "child"), dead)
    child["metadata"]["ownerReferences"] += owned(child, alive)["metadata"]["ownerReferences"]
    child = await hub.create(child)
    await hub.delete(dead)

    async def owners() -> bool:
        found = await hub.get(child)
        return [o["name"] for o in found["metadata"]["ownerReferences"]] == ["alive"]

    await eventually(owners)


async def test_orphans_stay(hub: Hub, eventually: Eventually) -> None:
    """Orphan deletion removes the owner and only the reference from its dependents."""
    owner = await hub.create(hub.new("ConfigMap", "owner"))
    child = await hub.create(owned(hub.new("ConfigMap", "child"), owner))
    await hub.delete(owner, propagation="Orphan")
    await eventually(lambda: gone(hub, owner))
    assert "ownerReferences" not in (await hub.get(child))["metadata"]


async def test_foreground_deletion_waits_for_blocking_dependents(hub: Hub, eventually: Eventually) -> None:
    """The owner stays, marked, until the dependent that blocks it is gone."""
    owner = await hub.create(hub.new("ConfigMap", "owner"))
    blocking = hub.new("ConfigMap", "child", metadata={"finalizers": [FINALIZER]})
    child = await hub.create(owned(blocking, owner, block=True))
    await hub.delete(owner, propagation="Foreground")
    marked = await hub.get(owner)
    assert marked["metadata"]["finalizers"] == ["foregroundDeletion"]

    async def child_is_going() -> bool:
        return "deletionTimestamp" in (await hub.get(child))["metadata"]

    await eventually(child_is_going)
    assert not await gone(hub, owner)
    await hub.patch(child, {"metadata": {"finalizers": None}})
    await eventually(lambda: gone(hub, owner))


async def test_a_dependent_of_nobody_is_collected(hub: Hub, eventually: Eventually) -> None:
    """A reference to an owner that does not exist (or is another by uid) means deletion."""
    owner = await hub.create(hub.new("ConfigMap", "owner"))
    impostor = owner | {"metadata": owner["metadata"] | {"uid": "11111111-2222-3333-4444-555555555555"}}
    child = await hub.create(owned(hub.new("ConfigMap", "child"), impostor))
    await eventually(lambda: gone(hub, child))
    assert not await gone(hub, owner)


async def test_a_deleted_namespace_takes_everything_along(hub: Hub, eventually: Eventually) -> None:
    """Namespace deletion empties it, held objects last, and refuses new ones meanwhile."""
    name = hub.unique("doomed")
    namespace = await hub.create(hub.new("Namespace", name))
    assert namespace["status"] == {"phase": "Active"}
    assert namespace["spec"] == {"finalizers": ["kubernetes"]}
    assert namespace["metadata"]["labels"]["kubernetes.io/metadata.name"] == name
    there = {"namespace": name}
    plain = await hub.create(hub.new("ConfigMap", "plain", metadata=there))
    held = await hub.create(hub.widget("held", metadata=there | {"finalizers": [FINALIZER]}))
    await hub.delete(namespace)
    await eventually(lambda: gone(hub, plain))

    async def terminating() -> bool:
        return bool((await hub.get(namespace))["status"]["phase"] == "Terminating")

    await eventually(terminating)
    with pytest.raises(ApiError) as refused:
        await hub.create(hub.new("ConfigMap", "late", metadata=there))
    assert refused.value.reason == "Forbidden"
    assert refused.value.message == (
        'configmaps "late" is forbidden: unable to create new content in namespace '
        f"{name} because it is being terminated"
    )
    await hub.patch(held, {"metadata": {"finalizers": None}})
    await eventually(lambda: gone(hub, namespace))
