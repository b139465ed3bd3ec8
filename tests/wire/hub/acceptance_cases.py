"""Cases of registration: clusters accepted, denied and deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.objects import (
    cluster_addon,
    config_map,
    manifest_work,
)
from tests.wire.hub.cases import Collected
from tests.wire.hub.registered import (
    ACCEPTED,
    CLEANUP_FINALIZER,
    CLUSTER_FINALIZER,
    DENIED,
    NAME_LABEL,
    NO_RIGHTS,
    PREFIX,
    RBAC_V1,
    SHARED_RULES,
    UNREACHABLE,
    finalizers,
    granted,
    joined,
    rights,
    rules_of,
    says,
    taints,
)
from tests.wire.hub.reported import (
    AVAILABLE,
    HUB_ACCEPTED,
    has_lease,
    is_accepted,
    reported,
)
from tests.wire.hub.stage import Stage, conditions

OTHERS_LABEL = "clusters that are looked at side by side get each other's name as a label on their roles"
case = Collected()


@case()
async def a_cluster_nobody_accepted(stage: Stage) -> None:
    """It is tainted, and nothing is made for it."""
    cluster = await joined(stage, accepted=False)
    await stage.becomes(lambda: taints(stage, cluster), [(UNREACHABLE, "", "NoSelect")])
    await stage.becomes(lambda: finalizers(stage, cluster), [CLEANUP_FINALIZER])
    await is_accepted(stage, await joined(stage, "other"))
    assert await stage.find("v1", "Namespace", stage.name("a")) is None
    assert await rights(stage) == NO_RIGHTS
    assert conditions(await stage.get(cluster)) == {}


@case()
async def an_accepted_cluster(stage: Stage) -> None:
    cluster = await joined(stage)
    await is_accepted(stage, cluster)
    await stage.becomes(lambda: rights(stage), granted())
    await stage.becomes(lambda: finalizers(stage, cluster), [CLUSTER_FINALIZER, CLEANUP_FINALIZER])
    namespace = await stage.find("v1", "Namespace", stage.name("a"))
    assert namespace is not None
    labels = stage.plain(namespace["metadata"]["labels"])
    assert labels == {NAME_LABEL: "a", "kubernetes.io/metadata.name": "a"}


@case()
async def the_lease_the_hub_makes(stage: Stage) -> None:
    await joined(stage)
    lease = await has_lease(stage)
    assert stage.plain(lease["metadata"]["labels"]) == {NAME_LABEL: "a"}
    assert {k: v for k, v in lease["spec"].items() if k != "renewTime"} == {
        "holderIdentity": "managed-cluster-lease"
    }
    renewed = datetime.fromisoformat(lease["spec"]["renewTime"])
    assert abs((datetime.now(UTC) - renewed).total_seconds()) < 60


@case()
async def accepted_later(stage: Stage) -> None:
    cluster = await joined(stage, accepted=False)
    await stage.becomes(lambda: finalizers(stage, cluster), [CLEANUP_FINALIZER])
    await stage.patch(cluster, {"spec": {"hubAcceptsClient": True}})
    await is_accepted(stage, cluster)
    await stage.becomes(lambda: rights(stage), granted())


@case(differs=OTHERS_LABEL)
async def denied(stage: Stage) -> None:
    cluster = await joined(stage)
    await is_accepted(stage, cluster)
    await stage.patch(cluster, {"spec": {"hubAcceptsClient": False}})
    await stage.becomes(lambda: says(stage, cluster, HUB_ACCEPTED), DENIED)
    await stage.becomes(lambda: rights(stage), granted(accepted=False, registration=False, work=False))
    assert await stage.find("v1", "Namespace", stage.name("a")) is not None


@case()
async def denied_and_accepted_again(stage: Stage) -> None:
    cluster = await joined(stage)
    await is_accepted(stage, cluster)
    await stage.patch(cluster, {"spec": {"hubAcceptsClient": False}})
    await stage.becomes(lambda: says(stage, cluster, HUB_ACCEPTED), DENIED)
    await stage.patch(cluster, {"spec": {"hubAcceptsClient": True}})
    await is_accepted(stage, cluster)
    await stage.becomes(lambda: rights(stage), granted())


@case(differs=OTHERS_LABEL)
async def denied_while_it_has_works(stage: Stage) -> None:
    """The work agent keeps its rights until its works are gone; only then the cluster counts as denied."""
    cluster = await joined(stage)
    await is_accepted(stage, cluster)
    work = await stage.create(manifest_work("w", stage.name("a"), [config_map("c")]))
    await stage.patch(cluster, {"spec": {"hubAcceptsClient": False}})
    await stage.becomes(lambda: rights(stage), granted(accepted=False, registration=False))
    name = f"{PREFIX}:{stage.name('a')}:work"

    async def held() -> bool:
        found = await stage.find(RBAC_V1, "RoleBinding", name, stage.name("a"))
        return found is not None and "deletionTimestamp" in found["metadata"]

    await stage.becomes(held, True)
    assert await says(stage, cluster, HUB_ACCEPTED) == ACCEPTED
    await stage.delete(work)
    await stage.becomes(lambda: says(stage, cluster, HUB_ACCEPTED), DENIED)
    await stage.becomes(lambda: rights(stage), granted(accepted=False, registration=False, work=False))


@case()
async def shared_roles(stage: Stage) -> None:
    await is_accepted(stage, await joined(stage))
    for agent, rules in SHARED_RULES.items():
        role = await stage.find(RBAC_V1, "ClusterRole", f"{PREFIX}:{agent}")
        assert role is not None
        assert role["metadata"]["labels"] == {NAME_LABEL: ""}
        assert rules_of(role) == [{**r, "verbs": sorted(r["verbs"])} for r in rules]


@case()
async def rights_that_are_taken_away_come_back(stage: Stage) -> None:
    cluster = await joined(stage)
    await is_accepted(stage, cluster)
    name = stage.name("a")
    for kind, namespace, right in (
        ("ClusterRole", "", f"{PREFIX}:{name}"),
        ("ClusterRoleBinding", "", f"{PREFIX}:{name}"),
        ("RoleBinding", name, f"{PREFIX}:{name}:registration"),
    ):
        found = await stage.find(RBAC_V1, kind, right, namespace)
        assert found is not None
        await stage.delete(found)
        await stage.becomes(lambda: rights(stage), granted())


@case()
async def rights_that_are_changed_are_put_back(stage: Stage) -> None:
    cluster = await joined(stage)
    await is_accepted(stage, cluster)
    name = stage.name("a")
    role = await stage.find(RBAC_V1, "ClusterRole", f"{PREFIX}:{name}")
    bound = await stage.find(RBAC_V1, "RoleBinding", f"{PREFIX}:{name}:work", name)
    assert role is not None
    assert bound is not None
    await stage.patch(role, {"rules": []})
    await stage.becomes(lambda: rights(stage), granted())
    await stage.patch(bound, {"subjects": []})
    await stage.becomes(lambda: rights(stage), granted())


@case()
async def a_namespace_that_is_there_already(stage: Stage) -> None:
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": stage.name("a"), "labels": {"x": "y"}},
    }
    made = await stage.create(namespace)
    await is_accepted(stage, await joined(stage))

    async def labels() -> Any:
        return stage.plain((await stage.get(made))["metadata"]["labels"])

    await stage.becomes(labels, {NAME_LABEL: "a", "kubernetes.io/metadata.name": "a", "x": "y"})


# --- deletion ---


@case()
async def a_deleted_cluster(stage: Stage) -> None:
    """All rights go with it; its namespace stays."""
    cluster = await joined(stage)
    await is_accepted(stage, cluster)
    await stage.delete(cluster)
    await stage.gone(cluster)
    await stage.becomes(lambda: rights(stage), NO_RIGHTS)
    assert await stage.find("v1", "Namespace", stage.name("a")) is not None


@case()
async def a_deleted_cluster_nobody_accepted(stage: Stage) -> None:
    cluster = await joined(stage, accepted=False)
    await stage.becomes(lambda: finalizers(stage, cluster), [CLEANUP_FINALIZER])
    await stage.delete(cluster)
    await stage.gone(cluster)


def remaining(resource: str, count: int, pending: int) -> tuple[str, str, str]:
    """What a deleted cluster is said to wait for."""
    text = (
        f"The resource {resource} is remaning, the remaining count is {count}, "
        f"the finalizer pending count is {pending}"
    )
    return ("False", "ResourceRemaining", text)


@case()
async def add_ons_go_before_works(stage: Stage) -> None:
    """Kind by kind and priority by priority, each only once what is before it is gone."""
    cluster = await joined(stage)
    await is_accepted(stage, cluster)
    home = stage.name("a")

    async def held(obj: Object, priority: str = "") -> Object:
        marks = {"open-cluster-management.io/cleanup-priority": priority} if priority else {}
        meta = {**obj["metadata"], "finalizers": ["example.com/held"], "annotations": marks}
        return await stage.create({**obj, "metadata": meta})

    first = await held(cluster_addon("first", home))
    second = await held(cluster_addon("second", home), "50")
    works = [
        await held(manifest_work("w0", home, [config_map("c")]), "no number"),
        await held(manifest_work("w1", home, [config_map("c")]), "101"),
        await held(manifest_work("w2", home, [config_map("c")]), "7"),
    ]
    everything = [first, second, *works]

    async def deleting() -> list[str]:
        there = [await stage.get(obj) for obj in everything]
        return [o["metadata"]["name"] for o in there if "deletionTimestamp" in o["metadata"]]

    async def let_go(obj: Object) -> None:
        await stage.patch(obj, {"metadata": {"finalizers": None}})
        await stage.gone(obj)
        everything.remove(obj)

    await stage.delete(cluster)
    await stage.becomes(deleting, ["first"])
    await stage.becomes(lambda: says(stage, cluster, "Deleting"), remaining("managedclusteraddons", 2, 2))
    await let_go(first)
    await stage.becomes(deleting, ["second"])
    await stage.becomes(lambda: says(stage, cluster, "Deleting"), remaining("managedclusteraddons", 1, 1))
    await let_go(second)
    await stage.becomes(deleting, ["w0", "w1"])
    await stage.becomes(lambda: says(stage, cluster, "Deleting"), remaining("manifestworks", 3, 3))
    await let_go(works[0])
    await let_go(works[1])
    await stage.becomes(deleting, ["w2"])
    bound = await stage.find(RBAC_V1, "RoleBinding", f"{PREFIX}:{home}:work", home)
    assert bound is not None
    assert "deletionTimestamp" in bound["metadata"]
    await let_go(works[2])
    await stage.gone(cluster)
    await stage.becomes(lambda: rights(stage), NO_RIGHTS)


@case()
async def a_deleted_cluster_is_no_longer_tainted_anew(stage: Stage) -> None:
    cluster = await joined(stage)
    await is_accepted(stage, cluster)
    await reported(stage, cluster, AVAILABLE, "True")
    await stage.becomes(lambda: taints(stage, cluster), [])
    await stage.patch(
        cluster, {"metadata": {"finalizers": [*await finalizers(stage, cluster), "example.com/held"]}}
    )
    await stage.delete(cluster)
    await stage.becomes(lambda: finalizers(stage, cluster), ["example.com/held"])
    await reported(stage, cluster, AVAILABLE, "False")
    other = await joined(stage, "other", accepted=False)
    await stage.becomes(lambda: taints(stage, other), [(UNREACHABLE, "", "NoSelect")])
    assert await taints(stage, cluster) == []
    await stage.patch(cluster, {"metadata": {"finalizers": []}})
