"""Which rules judge which kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitops_ocm.objects.ref import Kind
from gitops_ocm.objects.rules import (
    access,
    batch,
    claims,
    cluster,
    network,
    pod_parts,
    pods,
    policies,
    registration,
    scaling,
    services,
    storage,
    webhooks,
    workloads,
)
from gitops_ocm.objects.rules.faults import Faults, Value

_ADMISSION = "admissionregistration.k8s.io"
Rule = Callable[[Value, Value | None], Faults]

RULES: Mapping[Kind, Rule] = {
    Kind("", "Pod"): pods.pod,
    Kind("", "ReplicationController"): workloads.replication_controller,
    Kind("", "Service"): services.service,
    Kind("", "PersistentVolumeClaim"): claims.claim,
    Kind("", "PersistentVolume"): storage.volume,
    Kind("", "ResourceQuota"): cluster.resource_quota,
    Kind("", "Node"): cluster.node,
    Kind("", "Namespace"): cluster.namespace,
    Kind("apps", "Deployment"): workloads.deployment,
    Kind("apps", "ReplicaSet"): workloads.replica_set,
    Kind("apps", "DaemonSet"): workloads.daemon_set,
    Kind("apps", "StatefulSet"): workloads.stateful_set,
    Kind("batch", "Job"): batch.job,
    Kind("batch", "CronJob"): batch.cron_job,
    Kind("networking.k8s.io", "Ingress"): network.ingress,
    Kind("networking.k8s.io", "IngressClass"): network.ingress_class,
    Kind("networking.k8s.io", "NetworkPolicy"): network.network_policy,
    Kind("discovery.k8s.io", "EndpointSlice"): network.endpoint_slice,
    Kind("rbac.authorization.k8s.io", "Role"): access.role,
    Kind("rbac.authorization.k8s.io", "ClusterRole"): access.cluster_role,
    Kind("rbac.authorization.k8s.io", "RoleBinding"): access.role_binding,
    Kind("rbac.authorization.k8s.io", "ClusterRoleBinding"): access.cluster_role_binding,
    Kind("autoscaling", "HorizontalPodAutoscaler"): scaling.autoscaler,
    Kind("policy", "PodDisruptionBudget"): scaling.disruption_budget,
    Kind("storage.k8s.io", "StorageClass"): storage.storage_class,
    Kind("storage.k8s.io", "CSIDriver"): storage.csi_driver,
    Kind("scheduling.k8s.io", "PriorityClass"): cluster.priority_class,
    Kind("node.k8s.io", "RuntimeClass"): cluster.runtime_class,
    Kind("apiregistration.k8s.io", "APIService"): registration.api_service,
    Kind(_ADMISSION, "ValidatingWebhookConfiguration"): webhooks.configuration,
    Kind(_ADMISSION, "MutatingWebhookConfiguration"): webhooks.configuration,
    Kind(_ADMISSION, "ValidatingAdmissionPolicy"): policies.policy,
    Kind(_ADMISSION, "ValidatingAdmissionPolicyBinding"): policies.binding,
}
"""Kinds whose every fault is known; the others are judged by their schemas and the rules of `native`."""
PARTS: Mapping[tuple[Kind, str], Callable[[Value, Value], Faults]] = {
    (Kind("", "Pod"), "ephemeralcontainers"): pod_parts.ephemeral_containers,
    (Kind("", "Pod"), "resize"): pod_parts.resized,
}
"""Subresources that show the whole object and have rules of their own."""
