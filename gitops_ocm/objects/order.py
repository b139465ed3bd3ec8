"""In which order objects are applied, by kind alone.

`sync_rank` is ours, for a hub or any cluster: what others stand on first. `work_rank` is the order
in which a work agent applies the manifests of one ManifestWork, as OCM's agent does.
"""

from __future__ import annotations

from collections.abc import Mapping

_SYNC_ORDER: tuple[tuple[str, ...], ...] = (
    ("Namespace",),
    ("CustomResourceDefinition",),
    ("PriorityClass", "StorageClass", "RuntimeClass", "PersistentVolume", "ClusterManager", "Klusterlet"),
    ("ResourceQuota", "LimitRange", "ServiceAccount", "NetworkPolicy", "PodDisruptionBudget"),
    ("ClusterRole", "Role"),
    ("ClusterRoleBinding", "RoleBinding"),
    ("Secret", "ConfigMap", "PersistentVolumeClaim"),
    ("ManagedClusterSet", "ClusterClaim"),
    ("ManagedClusterSetBinding", "ManagedCluster"),
    ("AddOnDeploymentConfig", "AddOnTemplate"),
    ("Placement",),
    ("ClusterManagementAddOn",),
    ("Service",),
)
_SYNC_LAST: tuple[tuple[str, ...], ...] = (
    ("APIService",),
    ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"),
    ("ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicyBinding"),
    ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
)
_UNLISTED = len(_SYNC_ORDER)

_SYNC: Mapping[str, int] = {
    **{kind: rank for rank, kinds in enumerate(_SYNC_ORDER) for kind in kinds},
    **{kind: _UNLISTED + 1 + rank for rank, kinds in enumerate(_SYNC_LAST) for kind in kinds},
}

_WORK_ORDER: tuple[tuple[str, ...], ...] = (
    (
        "PriorityClass",
        "Namespace",
        "CustomResourceDefinition",
        "StorageClass",
        "PersistentVolume",
        "PodSecurityPolicy",
    ),
    ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
    ("NetworkPolicy", "ResourceQuota", "LimitRange", "PodDisruptionBudget", "ServiceAccount"),
    ("Secret", "ConfigMap", "PersistentVolumeClaim"),
    ("Service",),
    (
        "DaemonSet",
        "Pod",
        "ReplicationController",
        "ReplicaSet",
        "Deployment",
        "HorizontalPodAutoscaler",
        "StatefulSet",
        "Job",
        "CronJob",
    ),
    (
        "APIService",
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ),
)
_WORK: Mapping[str, int] = {kind: rank for rank, kinds in enumerate(_WORK_ORDER) for kind in kinds}

WORK_OTHER = 1000
"""Rank of a kind the work agent's order does not list."""
WORK_UNPARSEABLE = 1001
"""Rank of a manifest that has no kind."""


def sync_rank(kind: str) -> int:
    """Where a kind stands when a commit is applied; lower is earlier, deletion goes backwards."""
    return _SYNC.get(kind, _UNLISTED)


def work_rank(kind: str) -> int:
    """Where a kind stands inside a ManifestWork; sort stably by it."""
    if not kind:
        return WORK_UNPARSEABLE
    return _WORK.get(kind, WORK_OTHER)
