"""The kinds the judgements are about, by short names. No facts about them: those are in `api`."""

from __future__ import annotations

from gitops_ocm.decide.contract import LOCAL_GROUP
from gitops_ocm.objects.ref import Kind, Ref

CLUSTER_GROUP = "cluster.open-cluster-management.io"
WORK_GROUP = "work.open-cluster-management.io"
ADDON_GROUP = "addon.open-cluster-management.io"
RBAC_GROUP = "rbac.authorization.k8s.io"

MANAGED_CLUSTER = Kind(CLUSTER_GROUP, "ManagedCluster")
CLUSTER_SET = Kind(CLUSTER_GROUP, "ManagedClusterSet")
CLUSTER_SET_BINDING = Kind(CLUSTER_GROUP, "ManagedClusterSetBinding")
PLACEMENT = Kind(CLUSTER_GROUP, "Placement")
PLACEMENT_DECISION = Kind(CLUSTER_GROUP, "PlacementDecision")
PLACEMENT_SCORE = Kind(CLUSTER_GROUP, "AddOnPlacementScore")
CLUSTER_CLAIM = Kind(CLUSTER_GROUP, "ClusterClaim")
CLUSTER_PROPERTY = Kind("about.k8s.io", "ClusterProperty")
CLUSTER_PROFILE = Kind("multicluster.x-k8s.io", "ClusterProfile")

MANIFEST_WORK = Kind(WORK_GROUP, "ManifestWork")
APPLIED_WORK = Kind(WORK_GROUP, "AppliedManifestWork")
REPLICA_SET = Kind(WORK_GROUP, "ManifestWorkReplicaSet")

CLUSTER_ADDON = Kind(ADDON_GROUP, "ManagedClusterAddOn")
MANAGEMENT_ADDON = Kind(ADDON_GROUP, "ClusterManagementAddOn")
DEPLOYMENT_CONFIG = Kind(ADDON_GROUP, "AddOnDeploymentConfig")
ADDON_TEMPLATE = Kind(ADDON_GROUP, "AddOnTemplate")

NAMESPACE = Kind("", "Namespace")
NODE = Kind("", "Node")
SECRET = Kind("", "Secret")
SERVICE_ACCOUNT = Kind("", "ServiceAccount")
LEASE = Kind("coordination.k8s.io", "Lease")
CSR = Kind("certificates.k8s.io", "CertificateSigningRequest")
CLUSTER_ROLE = Kind(RBAC_GROUP, "ClusterRole")
CLUSTER_ROLE_BINDING = Kind(RBAC_GROUP, "ClusterRoleBinding")
ROLE = Kind(RBAC_GROUP, "Role")
ROLE_BINDING = Kind(RBAC_GROUP, "RoleBinding")

FACTS = Kind(LOCAL_GROUP, "Facts")


def cluster_ref(name: str) -> Ref:
    """The ManagedCluster of a name, which is also the namespace of everything about it."""
    return Ref(*MANAGED_CLUSTER, "", name)
