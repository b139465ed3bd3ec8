"""Which rights a cluster's agents get on the hub: roles and bindings as OCM names and shapes them.

Only shapes: when they are made, shrunk and removed is decided in `decide.registration`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gitops_ocm.api.cluster import CLUSTER_NAME_LABEL, GROUP_PREFIX, MANAGED_CLUSTERS_GROUP
from gitops_ocm.api.work import WORK_FINALIZER
from gitops_ocm.decide.kinds import CLUSTER_GROUP, RBAC_GROUP, WORK_GROUP
from gitops_ocm.objects.ref import Object

PREFIX = "open-cluster-management:managedcluster:"
REGISTRATION_ROLE = PREFIX + "registration"
WORK_ROLE = PREFIX + "work"
RBAC_VERSION = f"{RBAC_GROUP}/v1"

Labels = Mapping[str, str]


def groups_of(cluster: str) -> tuple[str, str]:
    """The groups an agent of `cluster` authenticates with, in both spellings OCM knows."""
    return f"{GROUP_PREFIX}{cluster}", f"open-cluster-management:{cluster}"


def agent_identity(cluster: str, agent: str) -> tuple[str, tuple[str, str]]:
    """The user and groups in the certificate an agent gets: whom all of these rights are for."""
    return f"{GROUP_PREFIX}{cluster}:{agent}", (f"{GROUP_PREFIX}{cluster}", MANAGED_CLUSTERS_GROUP)


def cluster_role(cluster: str, *, accepted: bool, labels: Labels) -> Object:
    """What the agent may do to its own ManagedCluster; once denied, only look at it."""
    own = {"apiGroups": [CLUSTER_GROUP], "resourceNames": [cluster]}
    if accepted:
        rules = [
            _rule("certificates.k8s.io", "certificatesigningrequests", ("create", "get", "list", "watch")),
            _rule("register.open-cluster-management.io", "managedclusters/clientcertificates", ("renew",)),
            {**own, "resources": ["managedclusters"], "verbs": ["get", "list", "update", "watch"]},
            {**own, "resources": ["managedclusters/status"], "verbs": ["patch", "update"]},
        ]
    else:
        rules = [{**own, "resources": ["managedclusters"], "verbs": ["get", "list", "watch"]}]
    return _role(PREFIX + cluster, rules, {**labels, CLUSTER_NAME_LABEL: cluster})


def cluster_role_binding(cluster: str, *, labels: Labels) -> Object:
    """Binds `cluster_role` to the cluster's groups."""
    return _binding("ClusterRoleBinding", PREFIX + cluster, PREFIX + cluster, cluster, labels)


def role_bindings(cluster: str, *, labels: Labels) -> tuple[Object, Object]:
    """The bindings in the cluster's namespace, for its registration and its work agent.

    The work agent's one has a finalizer: an agent must keep its rights until its works are gone.
    """
    registration = _binding(
        "RoleBinding", f"{PREFIX}{cluster}:registration", REGISTRATION_ROLE, cluster, labels, cluster
    )
    work = _binding("RoleBinding", f"{PREFIX}{cluster}:work", WORK_ROLE, cluster, labels, cluster)
    work["metadata"]["finalizers"] = [WORK_FINALIZER]
    return registration, work


def shared_roles(*, labels: Labels) -> tuple[Object, Object]:
    """The ClusterRoles that every cluster's bindings refer to."""
    both = {**labels, CLUSTER_NAME_LABEL: ""}
    registration = [
        _rule("coordination.k8s.io", "leases", ("get", "list", "watch", "update")),
        _rule("addon.open-cluster-management.io", "managedclusteraddons", ("get", "list", "watch")),
        _rule("addon.open-cluster-management.io", "managedclusteraddons/status", ("patch", "update")),
        _rule("events.k8s.io", "events", ("create",)),
    ]
    work = [
        {
            "apiGroups": ["", "events.k8s.io"],
            "resources": ["events"],
            "verbs": ["create", "patch", "update"],
        },
        _rule(WORK_GROUP, "manifestworks", ("get", "list", "watch", "update", "patch")),
        _rule(WORK_GROUP, "manifestworks/status", ("patch", "update")),
    ]
    return _role(REGISTRATION_ROLE, registration, both), _role(WORK_ROLE, work, both)


def _rule(group: str, resource: str, verbs: Sequence[str]) -> Object:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}


def _role(name: str, rules: Iterable[Object], labels: Labels) -> Object:
    return {
        "apiVersion": RBAC_VERSION,
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": dict(labels)},
        "rules": list(rules),
    }


def _binding(kind: str, name: str, role: str, cluster: str, labels: Labels, namespace: str = "") -> Object:
    meta: Object = {"name": name, "labels": {**labels, CLUSTER_NAME_LABEL: cluster}}
    if namespace:
        meta["namespace"] = namespace
    return {
        "apiVersion": RBAC_VERSION,
        "kind": kind,
        "metadata": meta,
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": role},
        "subjects": [
            {"apiGroup": RBAC_GROUP, "kind": "Group", "name": group} for group in groups_of(cluster)
        ],
    }
