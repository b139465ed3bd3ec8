"""Short ways to say the objects that tests are full of. Each is what a person would have written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitops_ocm.objects.ref import Object

CLUSTER = "cluster.open-cluster-management.io"
WORK = "work.open-cluster-management.io"
ADDON = "addon.open-cluster-management.io"


def config_map(name: str, namespace: str = "default", data: Mapping[str, str] | None = None) -> Object:
    """A ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": dict(data or {"key": "value"}),
    }


def deployment(name: str, namespace: str = "default", image: str = "example.com/web:1") -> Object:
    """A Deployment of one container."""
    labels = {"app": name}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": labels}, "template": pod},
    }


def namespace(name: str) -> Object:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def managed_cluster(
    name: str,
    *,
    accepted: bool = True,
    cluster_set: str = "default",
    labels: Mapping[str, str] | None = None,
    taints: Sequence[Mapping[str, Any]] = (),
) -> Object:
    """A ManagedCluster in a set (`""`: in none)."""
    marks = {f"{CLUSTER}/clusterset": cluster_set} if cluster_set else {}
    spec: Object = {"hubAcceptsClient": accepted}
    if taints:
        spec["taints"] = [dict(t) for t in taints]
    return {
        "apiVersion": f"{CLUSTER}/v1",
        "kind": "ManagedCluster",
        "metadata": {"name": name, "labels": {**marks, **(labels or {})}},
        "spec": spec,
    }


def cluster_set(name: str, selector: Mapping[str, Any] | None = None) -> Object:
    """A ManagedClusterSet; with a label selector it is not exclusive."""
    by_labels = {"selectorType": "LabelSelector", "labelSelector": dict(selector or {})}
    return {
        "apiVersion": f"{CLUSTER}/v1beta2",
        "kind": "ManagedClusterSet",
        "metadata": {"name": name},
        "spec": {
            "clusterSelector": by_labels
            if selector is not None
            else {"selectorType": "ExclusiveClusterSetLabel"}
        },
    }


def binding(name: str, namespace: str) -> Object:
    """A ManagedClusterSetBinding."""
    return {
        "apiVersion": f"{CLUSTER}/v1beta2",
        "kind": "ManagedClusterSetBinding",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterSet": name},
    }


def placement(name: str, namespace: str, **spec: Any) -> Object:
    """A Placement with that spec."""
    return {
        "apiVersion": f"{CLUSTER}/v1beta1",
        "kind": "Placement",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def manifest_work(name: str, cluster: str, manifests: Iterable[Object], **spec: Any) -> Object:
    """A ManifestWork for a cluster."""
    return {
        "apiVersion": f"{WORK}/v1",
        "kind": "ManifestWork",
        "metadata": {"name": name, "namespace": cluster},
        "spec": {"workload": {"manifests": list(manifests)}, **spec},
    }


def replica_set(
    name: str, namespace: str, placements: Iterable[str], manifests: Iterable[Object], **spec: Any
) -> Object:
    """A ManifestWorkReplicaSet over placements of its namespace."""
    return {
        "apiVersion": f"{WORK}/v1alpha1",
        "kind": "ManifestWorkReplicaSet",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "placementRefs": [{"name": p} for p in placements],
            "manifestWorkTemplate": {"workload": {"manifests": list(manifests)}},
            **spec,
        },
    }


def addon(
    name: str,
    placements: Iterable[tuple[str, str]] | None = None,
    *,
    annotations: Mapping[str, str] | None = None,
) -> Object:
    """A ClusterManagementAddOn that goes by placements, given as (namespace, name), or by hand (None)."""
    strategy: Object = {"type": "Manual"}
    if placements is not None:
        strategy = {
            "type": "Placements",
            "placements": [{"namespace": namespace, "name": name} for namespace, name in placements],
        }
    meta: Object = {"name": name}
    if annotations is not None:
        meta["annotations"] = dict(annotations)
    return {
        "apiVersion": f"{ADDON}/v1alpha1",
        "kind": "ClusterManagementAddOn",
        "metadata": meta,
        "spec": {"addOnMeta": {"displayName": name}, "installStrategy": strategy},
    }


def cluster_addon(name: str, cluster: str, *, annotations: Mapping[str, str] | None = None) -> Object:
    """A ManagedClusterAddOn as a person makes it."""
    meta: Object = {"name": name, "namespace": cluster}
    if annotations is not None:
        meta["annotations"] = dict(annotations)
    return {"apiVersion": f"{ADDON}/v1alpha1", "kind": "ManagedClusterAddOn", "metadata": meta, "spec": {}}


def cluster_claim(name: str, value: str) -> Object:
    """A ClusterClaim, which lives on the managed cluster."""
    return {
        "apiVersion": f"{CLUSTER}/v1alpha1",
        "kind": "ClusterClaim",
        "metadata": {"name": name},
        "spec": {"value": value},
    }
