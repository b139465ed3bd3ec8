"""ManagedCluster, cluster sets and their bindings, ClusterClaim: who is in the fleet.

Group `cluster.open-cluster-management.io`; placements are in `api.placement`. The protocol's words
for registration and availability stand under the models.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gitops_ocm.api.base import NULLABLE, Base64, Int32, Mandatory, Model, TimeText, list_map
from gitops_ocm.api.meta import (
    DNS_LABEL,
    QUALIFIED_NAME,
    Condition,
    Conditions,
    KnownCondition,
    KubeObject,
    LabelSelector,
)
from gitops_ocm.api.quantity import Resources

TaintEffect = Literal["NoSelect", "PreferNoSelect", "NoSelectIfNew"]


class ClientConfig(Model):
    """One way to reach the API server of a managed cluster."""

    url: str = Field(description="HTTPS URL of the API server.")
    ca_bundle: Base64 | None = Field(
        None, alias="caBundle", description="PEM certificates that sign its serving certificate."
    )


class Taint(Model):
    """Keeps placements off a cluster unless they tolerate it."""

    key: str = Field(max_length=316, pattern=QUALIFIED_NAME, description="What the taint is about.")
    value: str | None = Field(None, max_length=1024, description="Its value.")
    effect: TaintEffect = Field(
        description="NoSelect keeps placements off, NoSelectIfNew only new ones, PreferNoSelect is a wish."
    )
    time_added: Annotated[TimeText, NULLABLE] | None = Field(
        None, description="When it was added; set by the hub, never by people."
    )


class ManagedClusterSpec(Model):
    """What the hub is told about a cluster."""

    managed_cluster_client_configs: list[ClientConfig] | None = Field(
        None, description="Ways to reach its API server; empty where the hub cannot reach it."
    )
    hub_accepts_client: bool | None = Field(
        None, description="Whether the hub lets the klusterlet in; only people with the accept right set it."
    )
    lease_duration_seconds: Int32 = Field(
        60, description="How often the klusterlet renews its lease; five missed renewals mean it is lost."
    )
    taints: list[Taint] | None = Field(None, description="Marks that keep placements off the cluster.")


class ClusterVersion(Model):
    """Versions of what the cluster runs."""

    kubernetes: str | None = Field(None, description="The Kubernetes version, as v1.35.0.")


class StatusClaim(Model):
    """A claim of the cluster as the hub sees it."""

    name: str | None = Field(None, min_length=1, max_length=253, description="Name of the ClusterClaim.")
    value: str | None = Field(None, min_length=1, max_length=1024, description="Its value.")


class ManagedNamespace(Model):
    """A namespace to keep on each cluster of a set."""

    name: str = Field(max_length=63, pattern=DNS_LABEL, description="Name of the namespace.")


class ManagedNamespaceStatus(ManagedNamespace):
    """A namespace kept on this cluster, and for which set."""

    cluster_set: str = Field(description="The cluster set that asks for it.")
    conditions: Conditions | None = Field(None, description="Whether it is there.")


class ManagedClusterStatus(Model):
    """What is known of a cluster."""

    conditions: Conditions | None = Field(None, description="Accepted, joined, available and others.")
    capacity: Resources | None = Field(None, description="What all its nodes have together.")
    allocatable: Resources | None = Field(None, description="What its schedulable nodes can give.")
    version: ClusterVersion | None = Field(None, description="What it runs.")
    cluster_claims: list[StatusClaim] | None = Field(None, description="What it says of itself.")
    managed_namespaces: Annotated[list[ManagedNamespaceStatus], list_map("clusterSet", "name")] | None = (
        Field(None, description="Namespaces its cluster sets keep on it.")
    )


class ManagedCluster(KubeObject):
    """A cluster of the fleet: its acceptance, its taints and its health."""

    api_version: Literal["cluster.open-cluster-management.io/v1"] = "cluster.open-cluster-management.io/v1"
    kind: Literal["ManagedCluster"] = "ManagedCluster"
    spec: ManagedClusterSpec | None = Field(None, description="What the hub is told about the cluster.")
    status: ManagedClusterStatus | None = Field(None, description="What is known of the cluster.")


class ClusterSetSelector(Model):
    """Which clusters are in a set."""

    selector_type: Annotated[Literal["ExclusiveClusterSetLabel", "LabelSelector"], Mandatory()] = Field(
        "ExclusiveClusterSetLabel",
        description="By the clusterset label, which names one set, or by a selector over any labels.",
    )
    label_selector: LabelSelector | None = Field(
        None, description="With LabelSelector: empty takes every cluster, none takes no cluster."
    )


def _exclusive() -> ClusterSetSelector:
    return ClusterSetSelector.model_construct(selector_type="ExclusiveClusterSetLabel")


class ManagedClusterSetSpec(Model):
    """What a set is made of."""

    cluster_selector: ClusterSetSelector = Field(
        default_factory=_exclusive, description="Which clusters are in it."
    )
    managed_namespaces: Annotated[list[ManagedNamespace], list_map("name")] | None = Field(
        None, description="Namespaces to keep on each of its clusters."
    )


class ConditionsStatus(Model):
    """A status of conditions alone."""

    conditions: list[Condition] | None = Field(None, description="What was found.")


class ManagedClusterSet(KubeObject):
    """A group of clusters that can be bound to namespaces."""

    api_version: Literal["cluster.open-cluster-management.io/v1beta2"] = (
        "cluster.open-cluster-management.io/v1beta2"
    )
    kind: Literal["ManagedClusterSet"] = "ManagedClusterSet"
    spec: ManagedClusterSetSpec = Field(
        default_factory=lambda: ManagedClusterSetSpec.model_construct(cluster_selector=_exclusive()),
        description="What the set is made of.",
    )
    status: ConditionsStatus | None = Field(None, description="Whether it has any clusters.")


class ManagedClusterSetBindingSpec(Model):
    """Which set is bound."""

    cluster_set: str | None = Field(
        None, min_length=1, description="Name of the set; the binding must have the same name."
    )


class ManagedClusterSetBinding(KubeObject):
    """Lets the placements of its namespace choose from a cluster set."""

    api_version: Literal["cluster.open-cluster-management.io/v1beta2"] = (
        "cluster.open-cluster-management.io/v1beta2"
    )
    kind: Literal["ManagedClusterSetBinding"] = "ManagedClusterSetBinding"
    spec: ManagedClusterSetBindingSpec | None = Field(None, description="Which set is bound.")
    status: ConditionsStatus | None = Field(None, description="Whether the set exists.")


class ClusterClaimSpec(Model):
    """What is claimed."""

    value: str | None = Field(None, min_length=1, max_length=1024, description="The value of the claim.")


class ClusterClaim(KubeObject):
    """A fact a managed cluster states about itself, made on that cluster."""

    api_version: Literal["cluster.open-cluster-management.io/v1alpha1"] = (
        "cluster.open-cluster-management.io/v1alpha1"
    )
    kind: Literal["ClusterClaim"] = "ClusterClaim"
    spec: ClusterClaimSpec | None = Field(None, description="What is claimed.")


# --- the words of the protocol ------------------------------------------------------------------

CLUSTER_NAME_LABEL = "open-cluster-management.io/cluster-name"
CLUSTER_SET_LABEL = "cluster.open-cluster-management.io/clusterset"
ADDON_FEATURE_LABEL_PREFIX = "feature.open-cluster-management.io/addon-"
SPOKE_ONLY_LABEL = "open-cluster-management.io/spoke-only"

CLUSTER_FINALIZER = "cluster.open-cluster-management.io/api-resource-cleanup"
RESOURCE_CLEANUP_FINALIZER = "cluster.open-cluster-management.io/resource-cleanup"
CLEANUP_PRIORITY_ANNOTATION = "open-cluster-management.io/cleanup-priority"
AUTO_ACCEPTED_ANNOTATION = "open-cluster-management.io/automatically-accepted-on"
SKIP_CLOCK_CHECK_ANNOTATION = "registration.open-cluster-management.io/skip-clock-sync-check"
AUTO_UPDATE_ANNOTATION = "cluster.open-cluster-management.io/autoupdate"
IMAGE_REGISTRIES_ANNOTATION = "open-cluster-management.io/image-registries"
AGENT_ANNOTATION_PREFIX = "agent.open-cluster-management.io/"

TAINT_UNAVAILABLE = "cluster.open-cluster-management.io/unavailable"
TAINT_UNREACHABLE = "cluster.open-cluster-management.io/unreachable"

DEFAULT_CLUSTER_SET = "default"
GLOBAL_CLUSTER_SET = "global"
EXCLUSIVE_SELECTOR = "ExclusiveClusterSetLabel"
LABEL_SELECTOR = "LabelSelector"

CLUSTER_LEASE = "managed-cluster-lease"

HUB_ACCEPTED = "HubAcceptedManagedCluster"
JOINED = "ManagedClusterJoined"
AVAILABLE = "ManagedClusterConditionAvailable"
CLOCK_SYNCED = "ManagedClusterConditionClockSynced"
DELETING = "Deleting"
CLUSTER_SET_EMPTY = "ClusterSetEmpty"
BOUND = "Bound"

CLUSTER_ACCEPTED = KnownCondition(
    HUB_ACCEPTED, "True", "HubClusterAdminAccepted", "Accepted by hub cluster admin"
)
CLUSTER_DENIED = KnownCondition(HUB_ACCEPTED, "False", "HubClusterAdminDenied", "Denied by hub cluster admin")
CLUSTER_ACCEPT_ERROR = KnownCondition(HUB_ACCEPTED, "False", "Error", "{error}")
CLUSTER_JOINED = KnownCondition(JOINED, "True", "ManagedClusterJoined", "Managed cluster joined")
CLUSTER_AVAILABLE = KnownCondition(
    AVAILABLE, "True", "ManagedClusterAvailable", "Managed cluster is available"
)
CLUSTER_API_UNAVAILABLE = KnownCondition(
    AVAILABLE, "False", "ManagedClusterKubeAPIServerUnavailable", "{error}"
)
CLUSTER_LEASE_STOPPED = KnownCondition(
    AVAILABLE,
    "Unknown",
    "ManagedClusterLeaseUpdateStopped",
    "Registration agent stopped updating its lease.",
)
CLUSTER_CLOCK_SYNCED = KnownCondition(
    CLOCK_SYNCED,
    "True",
    "ManagedClusterClockSynced",
    "The clock of the managed cluster is synced with the hub.",
)
CLUSTER_CLOCK_OUT_OF_SYNC = KnownCondition(
    CLOCK_SYNCED,
    "False",
    "ManagedClusterClockOutOfSync",
    "The clock of hub and agent is out of sync. "
    "This may cause the Unknown status and affect agent functionalities.",
)
CLUSTER_RESOURCES_REMAIN = KnownCondition(
    DELETING,
    "False",
    "ResourceRemaining",
    # The spelling is the protocol's.
    "The resource {resource} is remaning, the remaining count is {count}, "
    "the finalizer pending count is {pending}",
)
CLUSTER_NO_RESOURCES = KnownCondition(DELETING, "True", "NoResource", "No cleaned resource in cluster ns.")
CLUSTER_DELETING_ERROR = KnownCondition(DELETING, "False", "DeletingError", "{error}")
SET_WITHOUT_CLUSTERS = KnownCondition(
    CLUSTER_SET_EMPTY, "True", "NoClusterMatched", "No ManagedCluster selected"
)
SET_WITH_CLUSTERS = KnownCondition(
    CLUSTER_SET_EMPTY, "False", "ClustersSelected", "{count} ManagedClusters selected"
)
SET_BOUND = KnownCondition(BOUND, "True", "ClusterSetBound")
SET_NOT_FOUND = KnownCondition(BOUND, "False", "ClusterSetNotFound")

RESERVED_CLAIMS = frozenset(
    {
        "id.k8s.io",
        "kubeversion.open-cluster-management.io",
        "platform.open-cluster-management.io",
        "product.open-cluster-management.io",
    }
)
"""Claims that are never cut off when a cluster has too many."""

GROUP_PREFIX = "system:open-cluster-management:"
MANAGED_CLUSTERS_GROUP = "system:open-cluster-management:managed-clusters"
"""The group of all klusterlets; one cluster's own is `GROUP_PREFIX` and its name."""
