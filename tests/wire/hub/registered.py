"""What the hub makes for a cluster, as literals: namespace, rights, lease; and how to look at all of it."""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.objects import managed_cluster
from tests.wire.hub.stage import ADDON, CLUSTER, RBAC, WORK, Stage

NAME_LABEL = "open-cluster-management.io/cluster-name"
PREFIX = "open-cluster-management:managedcluster"
WORK_FINALIZER = f"{CLUSTER}/manifest-work-cleanup"
CLUSTER_FINALIZER = f"{CLUSTER}/api-resource-cleanup"
CLEANUP_FINALIZER = f"{CLUSTER}/resource-cleanup"
UNREACHABLE, UNAVAILABLE = f"{CLUSTER}/unreachable", f"{CLUSTER}/unavailable"
ACCEPTED = ("True", "HubClusterAdminAccepted", "Accepted by hub cluster admin")
DENIED = ("False", "HubClusterAdminDenied", "Denied by hub cluster admin")
LOST = ("Unknown", "ManagedClusterLeaseUpdateStopped", "Registration agent stopped updating its lease.")
RBAC_V1 = f"{RBAC}/v1"


def rule(group: str, resource: str, *verbs: str, name: str = "") -> dict[str, Any]:
    """One rule of a role, its verbs sorted."""
    found = {"apiGroups": [group], "resources": [resource], "verbs": sorted(verbs)}
    return found | ({"resourceNames": [name]} if name else {})


def cluster_rules(cluster: str, *, accepted: bool = True) -> list[dict[str, Any]]:
    """What a cluster's agent may do to what is its own."""
    if not accepted:
        return [rule(CLUSTER, "managedclusters", "get", "list", "watch", name=cluster)]
    return [
        rule("certificates.k8s.io", "certificatesigningrequests", "create", "get", "list", "watch"),
        rule("register.open-cluster-management.io", "managedclusters/clientcertificates", "renew"),
        rule(CLUSTER, "managedclusters", "get", "list", "update", "watch", name=cluster),
        rule(CLUSTER, "managedclusters/status", "patch", "update", name=cluster),
    ]


SHARED_RULES = {
    "registration": [
        rule("coordination.k8s.io", "leases", "get", "list", "watch", "update"),
        rule(ADDON, "managedclusteraddons", "get", "list", "watch"),
        rule(ADDON, "managedclusteraddons/status", "patch", "update"),
        rule("events.k8s.io", "events", "create"),
    ],
    "work": [
        {
            "apiGroups": ["", "events.k8s.io"],
            "resources": ["events"],
            "verbs": ["create", "patch", "update"],
        },
        rule(WORK, "manifestworks", "get", "list", "watch", "update", "patch"),
        rule(WORK, "manifestworks/status", "patch", "update"),
    ],
}


def _binding(role: str, finalizers: tuple[str, ...] = ()) -> dict[str, Any]:
    groups = ("system:open-cluster-management:a", "open-cluster-management:a")
    return {
        "labels": {NAME_LABEL: "a"},
        "finalizers": list(finalizers),
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": group} for group in groups],
    }


def granted(*, accepted: bool = True, registration: bool = True, work: bool = True) -> dict[str, Any]:
    """All rights of cluster `a`."""
    return {
        "role": {"labels": {NAME_LABEL: "a"}, "rules": cluster_rules("a", accepted=accepted)},
        "binding": _binding(f"{PREFIX}:a"),
        "registration": _binding(f"{PREFIX}:registration") if registration else None,
        "work": _binding(f"{PREFIX}:work", (WORK_FINALIZER,)) if work else None,
    }


async def rights(stage: Stage, short: str = "a") -> dict[str, Any]:
    """The rights a cluster has now."""
    name = stage.name(short)
    return {
        "role": _role(stage, await stage.find(RBAC_V1, "ClusterRole", f"{PREFIX}:{name}")),
        "binding": _bound(stage, await stage.find(RBAC_V1, "ClusterRoleBinding", f"{PREFIX}:{name}")),
        **{
            agent: _bound(stage, await stage.find(RBAC_V1, "RoleBinding", f"{PREFIX}:{name}:{agent}", name))
            for agent in ("registration", "work")
        },
    }


NO_RIGHTS = dict.fromkeys(("role", "binding", "registration", "work"))


def rules_of(role: Object) -> list[dict[str, Any]]:
    """The rules of a role, verbs sorted, empty lists left out."""
    rules = [{k: v for k, v in r.items() if v} for r in role.get("rules") or ()]
    return [{**r, "verbs": sorted(r["verbs"])} for r in rules]


def _role(stage: Stage, role: Object | None) -> Any:
    if role is None:
        return None
    return stage.plain({"labels": role["metadata"].get("labels"), "rules": rules_of(role)})


def _bound(stage: Stage, bound: Object | None) -> Any:
    if bound is None:
        return None
    meta = bound["metadata"]
    return stage.plain(
        {
            "labels": meta.get("labels"),
            "finalizers": meta.get("finalizers", []),
            "roleRef": bound["roleRef"],
            "subjects": bound.get("subjects"),
        }
    )


async def joined(stage: Stage, short: str = "a", *, accepted: bool = True, **more: Any) -> Object:
    """A cluster, accepted if wanted, as a person creates it; `lease` seconds are its lease duration."""
    lease = more.pop("lease", None)
    wanted = managed_cluster(stage.name(short), accepted=accepted, cluster_set="", **more)
    if lease is not None:
        wanted["spec"]["leaseDurationSeconds"] = lease
    return await stage.create(wanted)


async def taints(stage: Stage, cluster: Object) -> list[tuple[str, str, str]]:
    """A cluster's taints: key, value, effect."""
    found = (await stage.get(cluster))["spec"].get("taints") or ()
    return [(t["key"], t.get("value", ""), t["effect"]) for t in found]


async def finalizers(stage: Stage, obj: Object) -> list[str]:
    """An object's finalizers, sorted."""
    return sorted((await stage.get(obj))["metadata"].get("finalizers") or ())


async def says(stage: Stage, obj: Object, type_: str) -> tuple[str, str, str] | None:
    """One condition of an object."""
    from tests.wire.hub.stage import conditions

    found: tuple[str, str, str] | None = conditions(stage.plain(await stage.get(obj))).get(type_)
    return found
