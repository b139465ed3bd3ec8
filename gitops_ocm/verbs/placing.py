"""Where an object that Git does not declare yet goes: the layout of `repo-template/`.

Pure: a path from an object. Whether the repository's own `gitops-ocm.yaml` syncs that path is seen when the
result is compiled (`commit`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitops_ocm.objects.ref import Object, Ref, ref_of

_PATHS: Mapping[str, Callable[[Ref], str]] = {
    "Namespace": lambda _: "hub/namespaces.yaml",
    "ManagedCluster": lambda ref: f"clusters/{ref.name}/cluster.yaml",
    "ManagedClusterAddOn": lambda ref: f"clusters/{ref.namespace}/addons.yaml",
    "ManagedClusterSet": lambda _: "hub/cluster-sets.yaml",
    "ManagedClusterSetBinding": lambda _: "hub/cluster-sets.yaml",
    "Placement": lambda _: "hub/placements.yaml",
    "ClusterManagementAddOn": lambda _: "hub/addons.yaml",
    "AddOnTemplate": lambda ref: f"hub/addon-templates/{ref.name}.yaml",
    "ManifestWork": lambda ref: f"works/{ref.name}.yaml",
    "ManifestWorkReplicaSet": lambda ref: f"works/{ref.name}.yaml",
}


def path_of(obj: Object) -> str:
    """The conventional path of an object, below the folder that is synced."""
    ref = ref_of(obj)
    found = (
        _PATHS.get(ref.kind) if ref.group.endswith("open-cluster-management.io") or not ref.group else None
    )
    return found(ref) if found else f"hub/{ref.kind.lower()}s.yaml"
